"""The questions that pages ask of the history."""

from __future__ import annotations

import uuid

from django.db.models import Q

from audit.kinds import ABOUT_AND_NOT_FOR
from audit.models import Event, EventQuerySet


def history_of(principal_id: uuid.UUID) -> EventQuerySet:
    """Return what this person did and what was done to them, the newest first, with the texts."""
    return Event.objects.concerning(principal_id).select_related("text").newest_first()


def own_history_of(principal_id: uuid.UUID) -> EventQuerySet:
    """Return the same as this person may read it: without what was only found or thought about them."""
    found = Q(kind__in=ABOUT_AND_NOT_FOR) & (Q(actor_id=None) | ~Q(actor_id=principal_id))
    return history_of(principal_id).exclude(found)
