"""The questions that pages ask of the history."""

from __future__ import annotations

import uuid

from django.db.models import Count, Q, QuerySet

from audit.kinds import ABOUT_AND_NOT_FOR, Realm
from audit.models import Archived, Event, EventQuerySet


def history_of(principal_id: uuid.UUID) -> EventQuerySet:
    """Return what this person did and what was done to them, the newest first, with the texts."""
    return Event.objects.concerning(principal_id).select_related("text").newest_first()


def own_history_of(principal_id: uuid.UUID) -> EventQuerySet:
    """Return the same as this person may read it: without what was only found or thought about them."""
    return history_of(principal_id).exclude(_not_for(principal_id))


def archived_of(principal_id: uuid.UUID) -> QuerySet[Archived]:
    """Return the tombstones of what this person did and what was done to them, in the order of the leaves."""
    rows = Archived.objects.filter(Q(actor_id=principal_id) | Q(target_id=principal_id))
    return rows.select_related("archive").order_by("leaf")


def own_archived_of(principal_id: uuid.UUID) -> QuerySet[Archived]:
    """Return those of what this person may read."""
    return archived_of(principal_id).exclude(_not_for(principal_id))


def archived_with(assignment_id: uuid.UUID, realm: Realm) -> dict[str, int]:
    """Return how many events `about` an assignment, and how many of what was done `under` it there, are in archives."""
    about, under = Q(assignment_id=assignment_id), Q(authority_id=assignment_id, realm=realm)
    return Archived.objects.filter(about | under).aggregate(
        about=Count("pk", filter=about), under=Count("pk", filter=under)
    )


def _not_for(principal_id: uuid.UUID) -> Q:
    return Q(kind__in=ABOUT_AND_NOT_FOR) & (Q(actor_id=None) | ~Q(actor_id=principal_id))
