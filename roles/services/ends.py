"""Ending assignments: the one place that writes an end, and the sweep that writes down what the clock decided."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from audit.kinds import Kind
from roles.actors import Actor, Clock
from roles.models import Assignment, EndReason
from roles.service import record
from roles.services.locks import lock_principal

_KINDS = {
    (True, EndReason.EXPIRED): Kind.ACTIVATION_EXPIRED,
    (True, EndReason.DEACTIVATED): Kind.ACTIVATION_DEACTIVATED,
    (False, EndReason.EXPIRED): Kind.ASSIGNMENT_EXPIRED,
    (False, EndReason.REMOVED): Kind.ASSIGNMENT_REMOVED,
}


def kind_of_end(assignment: Assignment, why: EndReason) -> Kind:
    """Return the kind of event that tells of this end."""
    activation = assignment.activated_from_id is not None
    fallback = Kind.ACTIVATION_ENDED if activation else Kind.ASSIGNMENT_ENDED
    return _KINDS.get((activation, why), fallback)


def end(
    assignment: Assignment,
    why: EndReason,
    *,
    actor: Actor,
    at: datetime,
    authority_id: uuid.UUID | None = None,
    reason: str = "",
) -> bool:
    """Write the end of an assignment, once, and record it; its principal is locked by the caller.

    Returns False when somebody else wrote an end before. The written end is never later than the planned one.
    """
    planned = assignment.ends_at
    ended_at = min(at, planned) if planned else at
    written = Assignment.objects.filter(pk=assignment.pk, ended_at=None).update(ended_at=ended_at, end_reason=why)
    if not written:
        return False
    assignment.ended_at, assignment.end_reason = ended_at, why
    record(
        kind_of_end(assignment, why),
        actor=actor,
        at=ended_at,
        assignment=assignment,
        authority_id=authority_id,
        details={"type": assignment.type, "why": str(why)},
        reason=reason,
    )
    return True


def close_slot(slot: Q, *, now: datetime) -> None:
    """Write down the ends of what is over in a unique slot, so that it can be filled again."""
    for row in Assignment.objects.overdue(now).filter(slot).select_related("principal", "role", "resource"):
        end(row, EndReason.EXPIRED, actor=Actor.portal(), at=now)
    for row in Assignment.objects.orphaned(now).filter(slot).select_related("principal", "role", "resource"):
        end(row, why_lost(row), actor=Actor.portal(), at=now)


def why_lost(row: Assignment) -> EndReason:
    """Return why what was derived from another assignment ends with it."""
    return EndReason.ROLE_ENDED if row.elevated_from_id is not None else EndReason.ELIGIBILITY_ENDED


def end_activations(eligibility: Assignment, *, actor: Actor, at: datetime) -> None:
    """End every activation made from an eligibility that has just ended."""
    rows = Assignment.objects.open().filter(activated_from=eligibility)
    for row in rows.select_related("principal", "role", "resource"):
        over = row.ends_at is not None and row.ends_at <= at
        end(row, EndReason.EXPIRED if over else EndReason.ELIGIBILITY_ENDED, actor=actor, at=at)


def write_down_ends(*, clock: Clock, limit: int = 500) -> int:
    """Write down what is over by the clock, a small transaction each; return how many there were.

    Nothing waits for this: access ended when its time did. It is what frees the history, the mails and the lists of
    rows that are over, and it makes an end final even if the clock goes back.
    """
    now = clock()
    due = Assignment.objects.overdue(now).order_by("ends_at", "pk").values_list("pk", "principal_id")
    orphans = Assignment.objects.orphaned(now).order_by("pk").values_list("pk", "principal_id")
    written = 0
    for pk, principal_id in [*due[:limit], *orphans[:limit]]:
        with transaction.atomic():
            lock_principal(principal_id)
            written += _write_down(pk, now=clock())
    return written


def _write_down(pk: uuid.UUID, *, now: datetime) -> bool:
    row = Assignment.objects.select_related("principal", "role", "resource").get(pk=pk)
    if row.ends_at is not None and row.ends_at <= now:
        return end(row, EndReason.EXPIRED, actor=Actor.portal(), at=now)
    if Assignment.objects.orphaned(now).filter(pk=pk).exists():
        return end(row, why_lost(row), actor=Actor.portal(), at=now)
    return False
