"""The questions that pages ask of the history."""

from __future__ import annotations

import uuid

from audit.models import Event, EventQuerySet


def history_of(principal_id: uuid.UUID) -> EventQuerySet:
    """Return what this person did and what was done to them, the newest first, with the texts."""
    return Event.objects.concerning(principal_id).select_related("text").newest_first()
