"""Counts of what there is much of: kept, shown with the moment that they are of, and counted anew by the worker.

To count exactly what is in effect, each assignment has to be looked at: of a hundred thousand that takes longer than
anybody waits for a page. They are figures to look at, never what somebody may do; and where there is little, each page
counts for itself. What somebody looked at within a day the worker counts anew every few minutes, so that only the very
first who looks waits for it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Generic, TypeVar

from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from roles.actors import Clock
from roles.models import Tally
from roles.models.prepared import Prepared

logger = logging.getLogger(__name__)

MUCH: Final = 1000  # rows
ANEW_AFTER: Final = timedelta(minutes=4)  # and the worker looks every minute: so none is older than five
SHOWN_FOR: Final = timedelta(hours=1)  # though the worker stands still; then a page counts for itself
ASTRAY: Final = timedelta(minutes=1)  # by which the clocks of two machines may differ
SEEN_EVERY: Final = timedelta(hours=1)  # that somebody looks is written down
COUNTED_FOR: Final = timedelta(days=1)  # after somebody looked

Found = TypeVar("Found")

_KEPT = Prepared(lambda keys: Tally.objects.filter(pk__in=keys))


@dataclass(frozen=True, slots=True)
class Lately(Generic[Found]):
    """What was counted; `at` is None where it is of this very moment."""

    found: Found
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """A count by its name: `ask` takes a moment and plain values, and answers what JSON can keep.

    Whoever has it answer something else gives it another name: a new release finds what the one before it kept.
    """

    name: str
    ask: Callable[..., Any]

    def lately(self, *of: Any, among: QuerySet[Any], now: datetime) -> Lately[Any]:
        """Return what was counted lately, where the rows `among` which it counts are many; else what is so now.

        `of` says of what, and whose sight of it: whoever asks for the same may see the same.
        """
        (kept,) = self.kept([of], now)
        if kept is not None:
            return kept
        found = self.ask(now, *of)
        if not are_many(among):
            return Lately(found)
        _write(
            partial(_keep, Tally(pk=self._key(of), count=self.name, of=of, found=found, counted_at=now, seen_at=now))
        )
        return Lately(found, now)

    def kept(self, each: Sequence[tuple[Any, ...]], now: datetime) -> list[Lately[Any] | None]:
        """Return what was counted lately of each of these, or None where nothing was; one query."""
        keys = [self._key(of) for of in each]
        # By the clock of the page, too: one that was set back, or far on, finds nothing.
        rows = {row.pk: row for row in _KEPT.ask(keys) if row.counted_at - ASTRAY <= now < row.counted_at + SHOWN_FOR}
        unseen = [row.pk for row in rows.values() if not row.seen_at <= now < row.seen_at + SEEN_EVERY]
        if unseen:
            _write(partial(Tally.objects.filter(pk__in=unseen).update, seen_at=now))
        return [Lately(rows[key].found, rows[key].counted_at) if key in rows else None for key in keys]

    def _key(self, of: Iterable[Any]) -> str:
        return hashlib.sha256(json.dumps([self.name, *of]).encode()).hexdigest()


def are_many(rows: QuerySet[Any]) -> bool:
    """Return whether there are more than anybody waits for to be counted."""
    return len(rows.order_by().values_list("pk", flat=True)[: MUCH + 1]) > MUCH


def _write(down: Callable[[], object]) -> None:
    """Write something down, if that can be: on a full disk a page shows its figures all the same."""
    try:
        with transaction.atomic():
            down()
    except DatabaseError:
        logger.warning("Figures could not be kept.", exc_info=True)


def _keep(tally: Tally) -> None:
    said = ["count", "of", "found", "counted_at", "seen_at"]
    Tally.objects.bulk_create([tally], update_conflicts=True, unique_fields=["key"], update_fields=said)


def count_anew(counts: Iterable[Count], *, clock: Clock, seconds: float) -> int:
    """Count anew what somebody looked at lately, what is oldest first, for about so long; return how many counts.

    What nobody looks at any more goes, and so does what none of these counts answers. One that cannot be counted goes,
    too, and holds up none of the others: whoever looks at it counts it again, or is told that it fails.
    """
    deadline = time.monotonic() + seconds
    by_name = {one.name: one for one in counts}
    now = clock()
    Tally.objects.filter(seen_at__lte=now - COUNTED_FOR).delete()
    Tally.objects.exclude(count__in=by_name).delete()
    done = 0
    for tally in Tally.objects.filter(counted_at__lte=now - ANEW_AFTER).order_by("counted_at"):
        if time.monotonic() >= deadline:
            break
        at = clock()
        try:
            with transaction.atomic():
                found = by_name[tally.count].ask(at, *tally.of)
        except Exception:
            logger.exception("%s of %s could not be counted.", tally.count, tally.of)
            Tally.objects.filter(pk=tally.pk).delete()
            continue
        # Of two workers that count at once the later one stays; that somebody looked meanwhile is not overwritten.
        done += Tally.objects.filter(pk=tally.pk, counted_at__lt=at).update(found=found, counted_at=at)
    return done
