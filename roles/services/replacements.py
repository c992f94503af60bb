"""Letting an eligible assignment take the place of an active one, without a gap and in one transaction."""

from __future__ import annotations

import uuid

from audit.kinds import Kind
from roles.actors import Actor, Clock
from roles.models import Assignment, AssignmentType
from roles.selectors.settings import settings_of
from roles.service import service
from roles.services.assignments import assign, remove
from roles.services.change_facts import fresh
from roles.services.changes import principals_of
from roles.services.gifts import Given, lock_given


@service(Kind.ASSIGNMENT_REMOVED)
def make_eligible(assignment_id: uuid.UUID, *, reason: str, actor: Actor, clock: Clock) -> Assignment:
    """Make the holder of an active assignment eligible instead, and return the eligibility.

    Permanently where the settings allow it, else for as long as they do; never for longer than it was to be active.
    Who is eligible already only loses the active one. The step-up covers the assignment and its principal. Raises
    `Refused`.
    """
    lock_given(Given.by(assignment_id), also=principals_of(assignment_id))
    now = clock()
    active = fresh(assignment_id)
    there = Assignment.objects.in_effect(now).eligible()
    eligibility = there.filter(principal=active.principal, role=active.role, resource=active.resource).first()
    if eligibility is None:
        settings = settings_of(active.role, active.resource)
        longest = None if settings.permanent_eligible_allowed else now + settings.expire_eligible_after
        ends = [one for one in (active.ends_at, longest) if one is not None]
        eligibility = assign(
            active.principal_id,
            role=active.role,
            resource=active.resource,
            type=AssignmentType.ELIGIBLE,
            ends_at=min(ends, default=None),
            reason=reason,
            actor=actor,
            clock=lambda: now,
        )
    remove(assignment_id, reason=reason, actor=actor, clock=lambda: now)
    return eligibility
