"""What is known when an assignment is about to be changed, renewed or replaced.

Who asks for it beforehand and the service that does it gather the same facts.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from roles.actors import Actor
from roles.models import Assignment, AssignmentType
from roles.rules.changes import ChangeFacts, RenewFacts
from roles.selectors.duties.clashes import Clash, Gift, clashes_of
from roles.selectors.duties.holdings import earlier
from roles.selectors.settings import settings_of
from roles.services.assignments import is_retired
from roles.text import clean


@dataclass(frozen=True, slots=True)
class Granted:
    """By what a change is made: the rules of authority and second factor, answered."""

    actor: Actor
    now: datetime
    authority_id: uuid.UUID | None = None
    request_id: uuid.UUID | None = None
    allowed: bool = True
    second_factor: bool = True
    roles_beyond: tuple[str, ...] = ()


def fresh(assignment_id: uuid.UUID) -> Assignment:
    """Return an assignment as it is now, with all that its rules ask about."""
    return Assignment.objects.select_related("principal", "role__home", "resource").get(pk=assignment_id)


def slot_of(assignment: Assignment) -> Q:
    """Return the condition of what an administrator gave to the same principal: this role, there, of either type."""
    return Q(
        principal=assignment.principal_id,
        role=assignment.role_id,
        resource=assignment.resource_id,
        activated_from=None,
    )


def _is_taken(assignment: Assignment, type: AssignmentType, now: datetime) -> bool:
    """Whether there is one of this type that is not over."""
    rows = Assignment.objects.open().filter(slot_of(assignment), type=type).exclude(pk=assignment.pk)
    return rows.exclude(ends_at__lte=now).exists()


def _clashes(assignment: Assignment, gift: Gift, granted: Granted) -> tuple[Clash, ...]:
    """Return with what it would clash; somebody who may not do it at all hears nothing of what others have."""
    viewer = granted.actor.user
    asks_for_own = viewer is not None and viewer.pk == assignment.principal_id
    return clashes_of([gift], granted.now, viewer=viewer) if granted.allowed or asks_for_own else ()


def _gift(assignment: Assignment, type: AssignmentType, starts_at: datetime, ends_at: datetime | None) -> Gift:
    active = type == AssignmentType.ACTIVE
    return Gift(assignment.principal, assignment.role, assignment.resource, active, starts_at, ends_at)


def facts_of_change(
    assignment: Assignment, *, starts_at: datetime | None, ends_at: datetime | None, reason: str, granted: Granted
) -> ChangeFacts:
    """Gather what is known when the times of an assignment are about to move; `starts_at` None keeps the start."""
    runs = assignment.starts_at <= granted.now
    wanted = starts_at if starts_at is not None else assignment.starts_at
    type = AssignmentType(assignment.type)
    gift = _gift(assignment, type, granted.now if runs else wanted, ends_at)
    # Less time than it has is always right, whatever it clashes with since.
    longer = wanted < assignment.starts_at or earlier(ends_at, assignment.ends_at) != ends_at
    return ChangeFacts(
        principal=assignment.principal,
        role=assignment.role,
        resource=assignment.resource,
        type=type,
        starts_at=granted.now if runs else wanted,
        ends_at=ends_at,
        now=granted.now,
        reason=clean(reason),
        settings=settings_of(assignment.role, assignment.resource),
        allowed=granted.allowed,
        second_factor=granted.second_factor,
        already_there=False,
        retired=is_retired(assignment.role, assignment.resource),
        roles_beyond=granted.roles_beyond,
        assignment=assignment,
        moves_start=wanted != assignment.starts_at,
        moves_end=ends_at != assignment.ends_at,
        longer=longer,
        clashes=_clashes(assignment, gift, granted) if longer else (),
    )


def facts_of_replacement(
    assignment: Assignment, *, type: AssignmentType, ends_at: datetime | None, reason: str, granted: Granted
) -> ChangeFacts:
    """Gather what is known when one of the other type is about to take the place of an assignment, at once."""
    return ChangeFacts(
        principal=assignment.principal,
        role=assignment.role,
        resource=assignment.resource,
        type=type,
        starts_at=granted.now,
        ends_at=ends_at,
        now=granted.now,
        reason=clean(reason),
        settings=settings_of(assignment.role, assignment.resource),
        allowed=granted.allowed,
        second_factor=granted.second_factor,
        already_there=_is_taken(assignment, type, granted.now),
        retired=is_retired(assignment.role, assignment.resource),
        roles_beyond=granted.roles_beyond,
        assignment=assignment,
        moves_start=False,
        moves_end=True,
        clashes=_clashes(assignment, _gift(assignment, type, granted.now, ends_at), granted),
    )


def facts_of_renewal(
    old: Assignment,
    *,
    type: AssignmentType,
    starts_at: datetime | None,
    ends_at: datetime | None,
    reason: str,
    granted: Granted,
) -> RenewFacts:
    """Gather what is known when an assignment that has ended is about to be given anew; `starts_at` None is now."""
    return RenewFacts(
        principal=old.principal,
        role=old.role,
        resource=old.resource,
        type=type,
        starts_at=starts_at or granted.now,
        ends_at=ends_at,
        now=granted.now,
        reason=clean(reason),
        settings=settings_of(old.role, old.resource),
        allowed=granted.allowed,
        second_factor=granted.second_factor,
        already_there=_is_taken(old, type, granted.now),
        retired=is_retired(old.role, old.resource),
        roles_beyond=granted.roles_beyond,
        assignment=old,
        renewed_already=old.renewals.exists(),
        clashes=_clashes(old, _gift(old, type, max(starts_at or granted.now, granted.now), ends_at), granted),
    )
