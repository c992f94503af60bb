"""When the instances of a series start and end: on the calendar and clock of the series' time zone.

Each date is counted from the first start, so that a review of the 31st is back on the 31st after a short month. A time
that the clock skips that night is the moment after the gap; one that it shows twice is the first.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from reviews.models import Frequency

MONTHS: Final[dict[Frequency, int]] = {
    Frequency.MONTHLY: 1,
    Frequency.QUARTERLY: 3,
    Frequency.SEMI_ANNUALLY: 6,
    Frequency.ANNUALLY: 12,
}

# The longest that an instance may last, in days: less than the shortest period (monthly as pim-behaviour.md §7.1).
LONGEST: Final[dict[Frequency, int]] = {
    Frequency.ONCE: 365,
    Frequency.WEEKLY: 6,
    Frequency.MONTHLY: 27,
    Frequency.QUARTERLY: 88,
    Frequency.SEMI_ANNUALLY: 180,
    Frequency.ANNUALLY: 364,
}


def nth_start(first: datetime, zone: str, frequency: Frequency, number: int) -> datetime:
    """Return the planned start of occurrence `number` (the first is 0) of a series that began at `first`.

    Raises OverflowError past the end of the calendar, and ValueError for another occurrence of what happens once.
    """
    if number == 0:
        return first
    if frequency == Frequency.ONCE:
        raise ValueError("What happens once has no second occurrence.")
    local = first.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if frequency == Frequency.WEEKLY:
        return _at(local + timedelta(weeks=number), zone)
    return _at(_months_later(local, MONTHS[frequency] * number), zone)


def days_later(start: datetime, zone: str, days: int) -> datetime:
    """Return the same time of day on the clock of `zone`, so many days later."""
    return _at(start.astimezone(ZoneInfo(zone)).replace(tzinfo=None) + timedelta(days=days), zone)


def starts_after(
    first: datetime, zone: str, frequency: Frequency, after: datetime, *, last: date | None = None
) -> Iterator[datetime]:
    """Yield the starts of a series later than `after`, none on a day after `last`."""
    number = 0
    while True:
        try:
            start = nth_start(first, zone, frequency, number)
        except (OverflowError, ValueError):
            return
        if last is not None and start.astimezone(ZoneInfo(zone)).date() > last:
            return
        if start > after:
            yield start
        number += 1


def _months_later(local: datetime, months: int) -> datetime:
    years, month = divmod(local.month - 1 + months, 12)
    year = local.year + years
    if year > 9999:
        raise OverflowError("The calendar ends with the year 9999.")
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day)


def _at(local: datetime, zone: str) -> datetime:
    # fold 0 takes the first of two equal times, and carries a skipped one past the gap by its length.
    return local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
