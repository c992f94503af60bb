"""Counts of what there is much of: counted anew every few minutes, and shown with the moment that they are of.

To count exactly what is in effect, each assignment has to be looked at: of a hundred thousand that takes longer than
anybody waits for a page. They are figures to look at, never what somebody may do; and where there is little, each page
counts for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar, cast

from django.core.cache import cache
from django.db.models import QuerySet

MUCH: Final = 1000  # rows
KEPT_FOR: Final = timedelta(minutes=5)

Counted = TypeVar("Counted")


@dataclass(frozen=True, slots=True)
class Lately(Generic[Counted]):
    """What was counted; `at` is None where it is of this very moment."""

    counted: Counted
    at: datetime | None = None


def counted_lately(
    count: Callable[[], Counted], *, of: QuerySet[Any], key: tuple[Hashable, ...], now: datetime
) -> Lately[Counted]:
    """Return what `count` answers, or what it answered lately where the rows `of` which it counts are many.

    `key` says whose sight of what it is; whoever has the same key may see the same counts.
    """
    if len(of.order_by().values_list("pk", flat=True)[: MUCH + 1]) <= MUCH:
        return Lately(count())
    name = "counted:" + hashlib.sha256(repr(key).encode()).hexdigest()
    kept = cast("Lately[Counted] | None", cache.get(name))
    # By the clock of the page, too: one that was set back, or far on, counts anew.
    if kept is None or kept.at is None or not kept.at <= now < kept.at + KEPT_FOR:
        kept = Lately(count(), now)
        cache.set(name, kept, KEPT_FOR.total_seconds())
    return kept
