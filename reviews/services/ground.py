"""What every act on a review stands on: the rows under their lock, the authority, and how it is recorded.

The lock is the series, then its instance; a change of a person's assignments locks the person first and neither.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from audit.kinds import Kind
from audit.models import Event
from audit.recording import Ids
from reviews.models import AccessReview, Instance
from roles.actors import Actor
from roles.authority import Authority, Held
from roles.catalogue import Permission
from roles.models import Purpose, Resource
from roles.refusals import About
from roles.service import record
from roles.services import step_ups


def lock_review(pk: uuid.UUID) -> AccessReview:
    """Lock a series and return it as it is now. Raises `AccessReview.DoesNotExist`."""
    rows = AccessReview.objects.select_related("resource").select_for_update(no_key=True, of=("self",))
    return rows.get(pk=pk)


def lock_instance(pk: uuid.UUID, *, skip: bool = False) -> Instance | None:
    """Lock an instance and return it as it is now; with `skip` None where another worker has it."""
    rows = Instance.objects.select_related("review__resource")
    rows = rows.select_for_update(no_key=True, of=("self",), skip_locked=skip)
    return rows.filter(pk=pk).first() if skip else rows.get(pk=pk)


def authority_at(actor: Actor, place: Resource, now: datetime) -> Held | None:
    """Return by what somebody manages reviews at a place (DESIGN.md §6, first row), or None."""
    return Authority(actor.user, now).by(Permission.ASSIGN, place) if actor.user else None


def covered(actor: Actor, about: uuid.UUID, now: datetime) -> bool:
    """Return whether a fresh second factor covers managing this."""
    return actor.user is None or step_ups.serves(actor, Purpose.ASSIGN, about, now=now)


def spend(actor: Actor, about: uuid.UUID, now: datetime) -> None:
    """Spend the step-up, where a person acts."""
    if actor.user is not None:
        step_ups.spend(actor, Purpose.ASSIGN, about, now=now)


def about_review(review: AccessReview) -> About:
    """Say what an attempt on this review was about."""
    names = {"review": review.name, "resource": review.resource.name}
    return About(Ids(resource=review.resource_id), review.resource.realm, names)


def record_review(
    kind: Kind,
    review: AccessReview,
    *,
    actor: Actor,
    at: datetime,
    instance: Instance | None = None,
    held: Held | None = None,
    authority_id: uuid.UUID | None = None,
    details: Mapping[str, object] | None = None,
    reason: str = "",
    justification: str = "",
) -> Event:
    """Append an event about a series or an instance of it to the history."""
    ids: dict[str, object] = {"review": str(review.pk)}
    if instance is not None:
        ids |= {"instance": str(instance.pk), "number": instance.number}
    return record(
        kind,
        actor=actor,
        at=at,
        resource=review.resource,
        authority_id=held.assignment_id if held else authority_id,
        details=ids | dict(details or {}),
        review=review.name,
        reason=reason,
        justification=justification,
    )
