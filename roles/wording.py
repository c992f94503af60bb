"""How times and spans are said: on pages, in the sentences of rules and in mails, always the same way.

A span that somebody set is said exactly (`span`); what is left or past is said roughly (`roughly`), in the two
largest units at most.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Final

from django.utils import timezone
from django.utils.dates import MONTHS_3
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MONTH: Final = 30 * DAY  # the field counts months of 30 days and years of 365 (P30D, P365D)
YEAR: Final = 365 * DAY

# The parts of a sentence that a page keeps up to date by itself; static/portal.js fills the same words.
UNDER_A_MINUTE = gettext_lazy("less than a minute")
MINUTES = gettext_lazy("{minutes} min")
HOURS = gettext_lazy("{hours} h")
HOURS_AND_MINUTES = format_lazy("{} {}", HOURS, MINUTES)

# Beyond this, a date says more than a number of days.
_DATE_BEYOND: Final = 30 * DAY


def span(duration: timedelta) -> str:
    """Say a duration exactly to the minute: "30 min", "1 h 30 min", "1 day 12 h", "3 months", "1 year"."""
    if duration >= YEAR and duration % YEAR == timedelta():
        return _years(duration // YEAR)
    if duration >= MONTH and duration % MONTH == timedelta():
        return _months(duration // MONTH)
    if duration < MINUTE:
        return str(UNDER_A_MINUTE)
    # A whole day stays "24 h", as the settings of a role say it.
    days, rest = divmod(duration, DAY) if duration > DAY else (0, duration)
    parts = [_days(days)] if days else []
    if rest >= MINUTE:
        parts.append(_clock(rest // MINUTE))
    return " ".join(parts)


def roughly(duration: timedelta) -> str:
    """Say a duration, whichever its sign, as a reader needs it: "2 h 14 min", "1 day 4 h", "9 days", "2 years"."""
    duration = abs(duration)
    if duration < MINUTE:
        return str(UNDER_A_MINUTE)
    minutes = round(duration / MINUTE)
    if minutes <= DAY // MINUTE:
        return _clock(minutes)
    days, rest = divmod(duration, DAY)
    if days < 2 and rest >= HOUR:
        return f"{_days(days)} {str(HOURS).format(hours=rest // HOUR)}"
    if days < 60:
        return _days(days)
    if duration < 2 * YEAR:
        return _months(duration // MONTH)
    return _years(duration // YEAR)


def relative(moment: datetime, now: datetime) -> str:
    """Say when `moment` is, seen from `now`: "in 2 h 14 min", "3 days ago", or a date when it is far away."""
    distance = moment - now
    if abs(distance) > _DATE_BEYOND:
        return day(moment)
    if timedelta() >= distance > -MINUTE:
        return _("just now")
    if distance > timedelta():
        return _("in {span}").format(span=roughly(distance))
    return _("{span} ago").format(span=roughly(distance))


def exact(moment: datetime, zone: tzinfo | None = None) -> str:
    """Say the moment to the minute, "23 Nov 2026, 21:04", in `zone` or the reader's own."""
    local = timezone.localtime(moment, zone)
    return f"{_date(local)}, {local.hour:02}:{local.minute:02}"


def day(moment: datetime, zone: tzinfo | None = None) -> str:
    """Say the date, "23 Nov 2026", in `zone` or the reader's own."""
    return _date(timezone.localtime(moment, zone))


def _date(local: datetime) -> str:
    # Django's date_format, and strftime, take their format apart for each date: a third of a cell with a time in it.
    return f"{local.day} {str(MONTHS_3[local.month]).title()} {local.year}"


def until(moment: datetime | None, now: datetime) -> str:
    """Say an end: relative, or "Permanent" where there is none."""
    return relative(moment, now) if moment is not None else _("Permanent")


def _clock(minutes: int) -> str:
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return str(MINUTES).format(minutes=minutes)
    if not minutes:
        return str(HOURS).format(hours=hours)
    return str(HOURS_AND_MINUTES).format(hours=hours, minutes=minutes)


def _days(count: int) -> str:
    return ngettext("{count} day", "{count} days", count).format(count=count)


def _months(count: int) -> str:
    return ngettext("{count} month", "{count} months", count).format(count=count)


def _years(count: int) -> str:
    return ngettext("{count} year", "{count} years", count).format(count=count)
