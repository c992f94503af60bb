"""When a target wants to be asked again: the header Retry-After of an answer 429 or 503 (RFC 9110 §10.2.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

HEEDED: Final = frozenset({429, 503})
LONGEST: Final = timedelta(hours=1)  # no target keeps the history waiting for longer than this at a time


def retry_after(status: int, header: str, *, now: datetime) -> timedelta:
    """Return how long the target wants to be left alone, an hour at most; nothing where it says nothing readable."""
    text = header.strip()
    if status not in HEEDED or not text:
        return timedelta(0)
    if text.isascii() and text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), LONGEST)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return timedelta(0)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(timedelta(0), min(moment - now, LONGEST))
