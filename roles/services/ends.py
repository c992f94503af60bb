"""Ending assignments: the one place that writes an end, and the sweep that writes down what the clock decided."""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Q, Value, When

from audit.kinds import Kind
from audit.recording import Entry, write_many
from roles.actors import Actor, Clock
from roles.models import Assignment, EndReason
from roles.service import entry_of, record
from roles.services.locks import lock_principals

logger = logging.getLogger(__name__)


_KINDS = {
    (True, EndReason.EXPIRED): Kind.ACTIVATION_EXPIRED,
    (True, EndReason.DEACTIVATED): Kind.ACTIVATION_DEACTIVATED,
    (False, EndReason.EXPIRED): Kind.ASSIGNMENT_EXPIRED,
    (False, EndReason.REMOVED): Kind.ASSIGNMENT_REMOVED,
}


class EndedMeanwhile(Exception):  # noqa: N818 - it leads to another attempt
    """Somebody wrote the end of an assignment whose principal was locked for that."""


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


def end_unless_over(
    assignment: Assignment,
    why: EndReason,
    *,
    actor: Actor,
    at: datetime,
    authority_id: uuid.UUID | None = None,
    reason: str = "",
) -> bool:
    """End an assignment as `end` does, and return whether this did; what was over by the clock expires by itself."""
    if assignment.ends_at is not None and assignment.ends_at <= at:
        end(assignment, EndReason.EXPIRED, actor=Actor.portal(), at=at)
        return False
    return end(assignment, why, actor=actor, at=at, authority_id=authority_id, reason=reason)


def close_slot(slot: Q, *, now: datetime) -> None:
    """Write down the ends of what is over in a unique slot, so that it can be filled again."""
    rows = list(Assignment.objects.open().filter(slot).select_related("principal", "role", "resource"))
    if not rows:
        return
    for row in rows:
        if row.ends_at is not None and row.ends_at <= now:
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
        end_unless_over(row, EndReason.ELIGIBILITY_ENDED, actor=actor, at=at)


def end_together(ended: Mapping[EndReason, Sequence[Assignment]], *, actor: Actor, at: datetime) -> int:
    """Write the ends of several open assignments, by their reasons, and record them; return how many there were.

    The same as `end` of each, with a few queries. Their principals are locked by the caller, who has read them since.
    Raises `EndedMeanwhile` where somebody wrote an end all the same: then nothing of this may be kept.
    """
    planned = Case(When(ends_at__lte=at, then=F("ends_at")), default=Value(at), output_field=DateTimeField())
    entries: list[Entry] = []
    for why, rows in ended.items():
        still_open = Assignment.objects.open().filter(pk__in=[row.pk for row in rows])
        if still_open.update(ended_at=planned, end_reason=why) != len(rows):
            raise EndedMeanwhile
        for row in rows:
            row.ended_at, row.end_reason = min(at, row.ends_at) if row.ends_at else at, why
            details = {"type": row.type, "why": str(why)}
            kind = kind_of_end(row, why)
            entries.append(entry_of(kind, row, actor=actor, at=row.ended_at, authority_id=None, details=details))
    if entries:
        write_many(entries, batch=uuid.uuid4())
    return len(entries)


TOGETHER: Final = 50  # ends that are written in one transaction: whoever is concerned by one waits for all of them


def write_down_ends(*, clock: Clock, limit: int = 500) -> int:
    """Write down what is over by the clock, in small transactions; return how many there were.

    Nothing waits for this: access ended when its time did. It is what frees the history, the mails and the lists of
    rows that are over, and it makes an end final even if the clock goes back. Where one cannot be written, those
    around it are written one by one; its error is raised when all others are done.
    """
    now = clock()
    due = Assignment.objects.overdue(now).order_by("ends_at", "pk").values_list("pk", "principal_id")
    found = list(due[:limit])
    if len(found) < limit:
        # Only now: what has lost its eligibility is found by looking at all that was made from one.
        orphans = Assignment.objects.orphaned(now).exclude(pk__in=[pk for pk, _principal_id in found])
        found += orphans.order_by("pk").values_list("pk", "principal_id")[: limit - len(found)]
    parts = [found[first : first + TOGETHER] for first in range(0, len(found), TOGETHER)]
    written, errors = 0, []
    for part in parts:
        try:
            written += _write_down(dict(part), clock=clock)
        except Exception as error:
            logger.exception("%s ends could not be written down.", len(part))
            if len(part) > 1:
                parts += [[one] for one in part]
            else:
                errors.append(error)
    if errors:
        raise errors[0]
    return written


def _write_down(some: Mapping[uuid.UUID, uuid.UUID], *, clock: Clock) -> int:
    """Write down which of these assignments are over, each given with its principal; in one transaction."""
    with transaction.atomic():
        lock_principals(some.values())
        now = clock()
        rows = Assignment.objects.open().filter(pk__in=list(some)).order_by("ends_at", "pk")
        found = list(rows.select_related("principal", "role", "resource"))
        ended: dict[EndReason, list[Assignment]] = defaultdict(list)
        others: list[Assignment] = []
        for row in found:
            over = row.ends_at is not None and row.ends_at <= now
            (ended[EndReason.EXPIRED] if over else others).append(row)
        others_lost = Assignment.objects.orphaned(now).filter(pk__in=[row.pk for row in others])
        lost = set(others_lost.values_list("pk", flat=True)) if others else set()
        for row in others:
            if row.pk in lost:
                ended[why_lost(row)].append(row)
        return end_together(ended, actor=Actor.portal(), at=now)
