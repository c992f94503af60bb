"""The next instance of a series: one planned row, moved or taken back while it has not begun."""

from __future__ import annotations

from datetime import datetime, timedelta

from reviews.calendar import days_later, starts_after
from reviews.models import AccessReview, Frequency, Instance


def plan_next(review: AccessReview, now: datetime) -> Instance | None:
    """Make the planned instance of a series what its calendar says at `now`; the series is locked by the caller.

    What was missed while nothing ran is made up for by one instance: the one after it is the next that lies ahead.
    """
    planned = review.instances.filter(taken_at=None).order_by("number").last()
    begun = review.instances.exclude(taken_at=None).order_by("number").last()
    start = _next_start(review, begun, planned, now)
    if start is None:
        if planned is not None:
            planned.delete()  # nothing but a date: no row was taken, nobody was asked
        return None
    number = begun.number + 1 if begun else 1
    ends_at = days_later(start, review.zone, sum(review.stages.values_list("days", flat=True)))
    made, _new = Instance.objects.update_or_create(
        review=review, number=number, taken_at=None, defaults={"starts_at": start, "ends_at": ends_at}
    )
    return made


def _next_start(
    review: AccessReview, begun: Instance | None, planned: Instance | None, now: datetime
) -> datetime | None:
    if review.deleted_at is not None:
        return None
    if begun is None:
        return review.starts_at
    if review.occurrences is not None and begun.number >= review.occurrences:
        return None
    frequency = Frequency(review.frequency)
    # What is due and has not begun yet is not missed: the worker is late, or the instance before it still runs.
    reached = min(now, planned.starts_at - timedelta.resolution) if planned else now
    after = max(begun.starts_at, reached)
    return next(starts_after(review.starts_at, review.zone, frequency, after, last=review.ends_on), None)
