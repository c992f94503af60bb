"""What has fallen due by the clock and is not written down yet, from the raw rows.

Each window stays open until what it tells of is over, so that a reminder after an outage still comes while it makes
sense; `DueItem` holds that it comes once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, F, OuterRef, QuerySet

from approvals.models import EmergencyReview, Request
from audit.kinds import Kind
from audit.models import Event
from pim_portal.models import Due, DueItem
from roles.models import Assignment

TWO_WEEKS: Final = timedelta(days=14)
ONE_DAY: Final = timedelta(days=1)
SHORTLY: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that is due. `worth_telling` is False where it was known all along, or is known by now."""

    kind: Due
    subject: Assignment | Request
    at: datetime
    worth_telling: bool


def _unwritten(rows: QuerySet, kind: Due, at: str) -> QuerySet:  # type: ignore[type-arg]  # of any model
    return rows.exclude(Exists(DueItem.objects.filter(kind=kind, subject_id=OuterRef("pk"), at=OuterRef(at))))


def assignments_ending(now: datetime, *, kind: Due, ahead: timedelta, limit: int) -> Iterator[Candidate]:
    """Yield the assignments that end within `ahead`.

    Not worth telling: what was given, or whose end was moved, inside that time (its own mail has said when it ends),
    and two weeks' notice where a day's is due by now.
    """
    rows = Assignment.objects.in_effect(now).filter(activated_from=None, ends_at__gt=now, ends_at__lte=now + ahead)
    found = _unwritten(rows, kind, "ends_at").select_related("principal", "role", "resource")
    for row in found.order_by("ends_at", "pk")[:limit]:
        end = row.ends_at
        if end is None:
            continue
        known_since = max(row.created_at, row.starts_at, _moved_at(row) or row.created_at)
        late = kind == Due.ENDS_IN_TWO_WEEKS and end - now <= ONE_DAY
        yield Candidate(kind, row, end, known_since <= end - ahead and not late)


def _moved_at(row: Assignment) -> datetime | None:
    moved = Event.objects.filter(
        target_id=row.principal_id,
        assignment_id=row.pk,
        kind__in=[Kind.ASSIGNMENT_CHANGED, Kind.ASSIGNMENT_EXTENDED],
    )
    return moved.order_by("-occurred_at").values_list("occurred_at", flat=True).first()


def notice_of(activation: Assignment) -> timedelta:
    """Return how long before its end an activation is announced to end: 15 minutes, or half of a shorter one."""
    if activation.ends_at is None:
        raise ValueError("An activation has an end.")
    return min(SHORTLY, (activation.ends_at - activation.starts_at) / 2)


def activations_ending(now: datetime, *, limit: int) -> Iterator[Candidate]:
    """Yield the activations whose end is near."""
    rows = Assignment.objects.in_effect(now).filter(activated_from__isnull=False)
    near = rows.filter(ends_at__gt=now, ends_at__lte=now + SHORTLY)
    found = _unwritten(near, Due.ACTIVATION_ENDS, "ends_at")
    found = found.select_related("principal", "role", "resource", "activated_from__role", "activated_from__resource")
    # A short one is near its end before its own notice begins, so the limit comes after that.
    count = 0
    for row in found.order_by("ends_at", "pk"):
        if row.ends_at is not None and row.ends_at - notice_of(row) <= now and count < limit:
            count += 1
            yield Candidate(Due.ACTIVATION_ENDS, row, row.ends_at, worth_telling=True)


def requests_halfway(now: datetime, *, limit: int) -> Iterator[Candidate]:
    """Yield the requests that have waited for half of their window and can still be decided."""
    # made_at + (lapses_at - made_at) / 2 <= now, without a division that SQLite would not do on times.
    rows = Request.objects.waiting(now).shown().filter(assignment__isnull=False)
    rows = rows.filter(lapses_at__lte=now + (now - F("made_at")))
    found = _unwritten(rows, Due.REQUEST_HALFWAY, "lapses_at")
    for row in found.order_by("lapses_at", "pk")[:limit]:
        yield Candidate(Due.REQUEST_HALFWAY, row, row.lapses_at, worth_telling=True)


def emergency_reviews_overdue(now: datetime, *, limit: int) -> Iterator[Candidate]:
    """Yield the emergencies whose review was not closed in time."""
    written = DueItem.objects.filter(kind=Due.EMERGENCY_REVIEW, subject_id=OuterRef("request"), at=OuterRef("due_at"))
    rows = EmergencyReview.objects.overdue(now).exclude(Exists(written)).order_by("due_at", "pk")
    found = list(rows[:limit])
    requests = Request.objects.shown().in_bulk([row.request_id for row in found])
    for row in found:
        yield Candidate(Due.EMERGENCY_REVIEW, requests[row.request_id], row.due_at, worth_telling=True)
