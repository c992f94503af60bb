"""When instances of a series start and end: by calendar, on the clock of the series."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.calendar import LONGEST, MONTHS, days_later, nth_start, starts_after
from reviews.models import Frequency

BERLIN = ZoneInfo("Europe/Berlin")
RECURRING = [one for one in Frequency if one != Frequency.ONCE]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]
# Moments of twenty years, in minutes since 2020.
STARTS = st.integers(0, 20 * 525_600).map(lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))


def berlin(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


def test_the_31st_comes_back_after_a_short_month():
    first = berlin(2027, 1, 31, 9)
    found = [nth_start(first, "Europe/Berlin", Frequency.MONTHLY, number) for number in range(4)]
    assert found == [berlin(2027, 1, 31, 9), berlin(2027, 2, 28, 9), berlin(2027, 3, 31, 9), berlin(2027, 4, 30, 9)]


def test_a_leap_day_is_the_28th_in_other_years():
    first = berlin(2028, 2, 29, 9)
    assert nth_start(first, "Europe/Berlin", Frequency.ANNUALLY, 1) == berlin(2029, 2, 28, 9)
    assert nth_start(first, "Europe/Berlin", Frequency.ANNUALLY, 4) == berlin(2032, 2, 29, 9)


def test_nine_in_the_morning_stays_nine_when_the_clocks_change():
    first = berlin(2027, 3, 22, 9)
    assert nth_start(first, "Europe/Berlin", Frequency.WEEKLY, 1) == berlin(2027, 3, 29, 9)
    assert berlin(2027, 3, 29, 9) - first == timedelta(days=7) - timedelta(hours=1)
    assert days_later(first, "Europe/Berlin", 7) == berlin(2027, 3, 29, 9)


def test_a_time_that_the_clock_skips_is_the_moment_after_the_gap():
    first = berlin(2027, 2, 28, 2, 30)
    skipped = nth_start(first, "Europe/Berlin", Frequency.MONTHLY, 1)
    assert skipped == berlin(2027, 3, 28, 3, 30)
    assert nth_start(first, "Europe/Berlin", Frequency.MONTHLY, 2) == berlin(2027, 4, 28, 2, 30)


def test_of_a_time_that_the_clock_shows_twice_the_first_is_taken():
    first = berlin(2027, 9, 30, 2, 30)
    assert nth_start(first, "Europe/Berlin", Frequency.MONTHLY, 1) == datetime(2027, 10, 30, 0, 30, tzinfo=UTC)
    twice = nth_start(berlin(2027, 10, 24, 2, 30), "Europe/Berlin", Frequency.WEEKLY, 1)
    assert twice == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def test_what_happens_once_happens_once():
    first = berlin(2027, 1, 1, 9)
    assert list(starts_after(first, "Europe/Berlin", Frequency.ONCE, first)) == []
    with pytest.raises(ValueError, match="once"):
        nth_start(first, "UTC", Frequency.ONCE, 1)


def test_nothing_starts_after_the_last_day():
    first = berlin(2027, 1, 1, 23, 30)
    found = starts_after(first, "Europe/Berlin", Frequency.WEEKLY, first, last=date(2027, 1, 15))
    assert list(found) == [berlin(2027, 1, 8, 23, 30), berlin(2027, 1, 15, 23, 30)]


@given(STARTS, st.sampled_from(ZONES), st.sampled_from(RECURRING))
def test_an_instance_of_the_longest_duration_ends_before_the_next_starts(first, zone, frequency):
    starts = [first, *islice(starts_after(first, zone, frequency, first), 14)]
    assert len(starts) == 15
    for one, following in pairwise(starts):
        assert one < days_later(one, zone, LONGEST[frequency]) < following


@given(STARTS, st.sampled_from(ZONES), st.sampled_from(sorted(MONTHS)), st.integers(0, 60))
def test_each_start_is_on_the_day_of_the_first_or_the_last_of_its_month(first, zone, frequency, number):
    wanted = first.astimezone(ZoneInfo(zone))
    found = nth_start(first, zone, frequency, number).astimezone(ZoneInfo(zone))
    months = (found.year - wanted.year) * 12 + found.month - wanted.month
    last = calendar.monthrange(found.year, found.month)[1]
    if zone != "Pacific/Apia":  # which skipped the whole of 30 December 2011, and nothing since
        assert months == MONTHS[frequency] * number
    assert found.day == min(wanted.day, last)
    gap = found.hour * 60 + found.minute - (wanted.hour * 60 + wanted.minute)
    assert gap in (0, 30, 60)  # by a clock that is put forward that night


@given(STARTS, STARTS, st.sampled_from(ZONES), st.sampled_from(RECURRING))
def test_the_next_start_is_the_first_of_the_series_that_lies_ahead(first, after, zone, frequency):
    found = next(starts_after(first, zone, frequency, after))
    assert found > after
    number = 0
    while nth_start(first, zone, frequency, number) < found:
        assert nth_start(first, zone, frequency, number) <= after
        number += 1
    assert nth_start(first, zone, frequency, number) == found
