"""Changing the times of an assignment, and renewing one that has ended.

`change` and `renew` are what an administrator does directly. Whoever has established the authority otherwise (a
decision about a request) calls `change_granted`, `renew_granted` or `replace_granted` inside a service of their own,
after locking what it gives with `principals_of(assignment_id)` (`roles.services.gifts`) and reading the clock: all
rules are asked there but those of authority and second factor. With a `request_id` no step-up is spent here: that of
the decision is.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from audit.kinds import Kind
from roles.actors import Actor, Clock
from roles.models import Assignment, AssignmentType, EndReason, Purpose
from roles.refusals import require
from roles.rules.changes import CHANGE, EXTENDED_WITHIN, RENEW, REPLACE
from roles.selectors.settings import settings_of
from roles.service import record, service
from roles.services import step_ups
from roles.services.administrators import keep_an_administrator
from roles.services.assignments import (
    about,
    authority_over,
    could_be_the_last_administrator,
    plan,
    second_factor_given,
)
from roles.services.change_facts import (
    Granted,
    facts_of_change,
    facts_of_renewal,
    facts_of_replacement,
    fresh,
    slot_of,
)
from roles.services.ends import close_slot, end, end_activations
from roles.services.gifts import Given, lock_given
from roles.services.locks import hold_tree


def principals_of(assignment_id: uuid.UUID) -> set[uuid.UUID]:
    """Return whom a change of this assignment touches: its principal, and who activated from it."""
    rows = Assignment.objects.filter(pk=assignment_id) | Assignment.objects.open().filter(activated_from=assignment_id)
    return set(rows.values_list("principal_id", flat=True))


@service(Kind.ASSIGNMENT_CHANGED)
def change(
    assignment_id: uuid.UUID,
    *,
    starts_at: datetime | None = None,
    ends_at: datetime | None,
    reason: str = "",
    actor: Actor,
    clock: Clock,
) -> Assignment:
    """Move the end of an assignment (None: permanent), and its start too while that lies ahead.

    `starts_at` None keeps the start. An eligibility that ends earlier takes the activations made from it along.
    Raises `Refused` with everything that the settings and the actor's authority do not allow.
    """
    lock_given(Given.by(assignment_id), also=principals_of(assignment_id))
    assignment = fresh(assignment_id)
    granted = _by(actor, assignment, AssignmentType(assignment.type), clock())
    return change_granted(assignment_id, starts_at=starts_at, ends_at=ends_at, reason=reason, granted=granted)


@service(Kind.ASSIGNMENT_RENEWED)
def renew(
    assignment_id: uuid.UUID,
    *,
    type: AssignmentType,
    starts_at: datetime | None = None,
    ends_at: datetime | None,
    reason: str = "",
    actor: Actor,
    clock: Clock,
) -> Assignment:
    """Give an assignment anew that ended by its time up to 30 days ago; `starts_at` None is now.

    Raises `Refused` with everything that the settings and the actor's authority do not allow.
    """
    lock_given(Given.by(assignment_id), also=principals_of(assignment_id))
    granted = _by(actor, fresh(assignment_id), type, clock())
    return renew_granted(assignment_id, type=type, starts_at=starts_at, ends_at=ends_at, reason=reason, granted=granted)


def _by(actor: Actor, assignment: Assignment, type: AssignmentType, now: datetime) -> Granted:
    """Ask what somebody may do directly."""
    held, beyond = authority_over(actor, assignment.role, assignment.resource, now)
    settings = settings_of(assignment.role, assignment.resource)
    return Granted(
        actor=actor,
        now=now,
        authority_id=held.assignment_id if held else None,
        allowed=actor.user is None or held is not None,
        second_factor=second_factor_given(actor, assignment.pk, type, settings, now),
        roles_beyond=beyond,
    )


def _spend(assignment: Assignment, granted: Granted) -> None:
    # Behind a request stands the step-up of the decision, which its own service spends.
    if granted.actor.user is not None and granted.request_id is None:
        step_ups.spend(granted.actor, Purpose.ASSIGN, assignment.pk, now=granted.now)


def change_granted(
    assignment_id: uuid.UUID, *, starts_at: datetime | None, ends_at: datetime | None, reason: str, granted: Granted
) -> Assignment:
    """Move the times of an assignment by an authority already established; see the head of this file."""
    now = granted.now
    assignment = fresh(assignment_id)
    old = plan(assignment)
    facts = facts_of_change(assignment, starts_at=starts_at, ends_at=ends_at, reason=reason, granted=granted)
    require(CHANGE, facts, about=about(assignment))

    _spend(assignment, granted)
    was_permanent = assignment.ends_at is None
    extended = _is_extension(assignment.ends_at, ends_at, now)
    if facts.moves_start:
        assignment.starts_at = max(facts.starts_at, now)
    assignment.ends_at = ends_at
    assignment.save(update_fields=["starts_at", "ends_at"])
    kind = Kind.ASSIGNMENT_EXTENDED if extended else Kind.ASSIGNMENT_CHANGED
    _record(kind, assignment, granted, details=_moved(old, assignment), reason=facts.reason)
    _shorten_activations(assignment, granted)
    if was_permanent and could_be_the_last_administrator(assignment):
        keep_an_administrator(now, about=about(assignment))
    return assignment


def _is_extension(old: datetime | None, new: datetime | None, now: datetime) -> bool:
    if old is None or old - now > EXTENDED_WITHIN:
        return False
    return new is None or new > old


def _moved(old: Mapping[str, object], assignment: Assignment) -> dict[str, object]:
    return plan(assignment) | {"old_starts_at": old["starts_at"], "old_ends_at": old["ends_at"]}


def _record(
    kind: Kind, assignment: Assignment, granted: Granted, *, details: Mapping[str, object], reason: str = ""
) -> None:
    record(
        kind,
        actor=granted.actor,
        at=granted.now,
        assignment=assignment,
        request_id=granted.request_id,
        authority_id=granted.authority_id,
        details=details,
        reason=reason,
    )


def _shorten_activations(eligibility: Assignment, granted: Granted) -> None:
    """Take the activations along that would outlast their eligibility: no activation goes past its end (rule 3)."""
    if eligibility.ends_at is None:
        return
    rows = Assignment.objects.open().filter(activated_from=eligibility, ends_at__gt=eligibility.ends_at)
    for row in rows.select_related("principal", "role", "resource").order_by("pk"):
        if row.starts_at >= eligibility.ends_at:
            end(row, EndReason.ELIGIBILITY_ENDED, actor=granted.actor, at=granted.now)
            continue
        old = plan(row)
        row.ends_at = eligibility.ends_at
        row.save(update_fields=["ends_at"])
        _record(Kind.ASSIGNMENT_CHANGED, row, granted, details=_moved(old, row))


def renew_granted(
    assignment_id: uuid.UUID,
    *,
    type: AssignmentType,
    starts_at: datetime | None,
    ends_at: datetime | None,
    reason: str,
    granted: Granted,
) -> Assignment:
    """Give an assignment anew by an authority already established; see the head of this file."""
    now = granted.now
    hold_tree(fresh(assignment_id).resource_id)
    old = fresh(assignment_id)
    close_slot(slot_of(old), now=now)
    old.refresh_from_db(fields=["ended_at", "end_reason"])
    facts = facts_of_renewal(old, type=type, starts_at=starts_at, ends_at=ends_at, reason=reason, granted=granted)
    require(RENEW, facts, about=about(old))

    _spend(old, granted)
    renewed = Assignment.objects.create(
        principal=old.principal,
        role=old.role,
        resource=old.resource,
        type=type,
        starts_at=max(starts_at or now, now),
        ends_at=ends_at,
        renewed_from=old,
        created_at=now,
    )
    details = plan(renewed) | {"renewed_from": str(old.pk), "old_ends_at": plan(old)["ends_at"]}
    _record(Kind.ASSIGNMENT_RENEWED, renewed, granted, details=details, reason=facts.reason)
    return renewed


def replace_granted(
    assignment_id: uuid.UUID, *, type: AssignmentType, ends_at: datetime | None, reason: str, granted: Granted
) -> Assignment:
    """Let one of the other type take the place of an assignment, at once and without a gap.

    By an authority already established; see the head of this file.
    """
    now = granted.now
    hold_tree(fresh(assignment_id).resource_id)
    old = fresh(assignment_id)
    close_slot(slot_of(old), now=now)
    facts = facts_of_replacement(old, type=type, ends_at=ends_at, reason=reason, granted=granted)
    require(REPLACE, facts, about=about(old))

    _spend(old, granted)
    end(
        old,
        EndReason.TYPE_CHANGED,
        actor=granted.actor,
        at=now,
        authority_id=granted.authority_id,
        reason=facts.reason,
    )
    end_activations(old, actor=granted.actor, at=now)
    made = Assignment.objects.create(
        principal=old.principal,
        role=old.role,
        resource=old.resource,
        type=type,
        starts_at=now,
        ends_at=ends_at,
        renewed_from=old,
        created_at=now,
    )
    details = plan(made) | {"renewed_from": str(old.pk), "old_ends_at": plan(old)["ends_at"]}
    _record(Kind.ASSIGNMENT_EXTENDED, made, granted, details=details, reason=facts.reason)
    if could_be_the_last_administrator(old):
        keep_an_administrator(now, about=about(old))
    return made
