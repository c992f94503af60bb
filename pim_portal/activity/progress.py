"""How far a long download is, told beside it: the browser cannot know how much is left of what is made as it is sent.

It is written down now and then by the process that sends the file, in a statement of its own, and read by a page.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Q

from pim_portal.activity.downloads import CutOff, Watch
from pim_portal.models import Download, DownloadEnd
from roles.actors import Clock
from roles.models import User

EVERY: Final = timedelta(seconds=1)  # between two times that it is written down
STANDS_STILL: Final = timedelta(minutes=2)
KEPT: Final = timedelta(days=1)


class BegunBefore(Exception):  # noqa: N818 - what is the matter
    """There is a download of this id already: the form was sent twice."""


def begin(pk: uuid.UUID, reader: User, *, name: str, clock: Clock) -> Progress:
    """Note that a download begins. Raises `BegunBefore`."""
    now = clock()
    try:
        with transaction.atomic():
            row = Download.objects.create(pk=pk, reader=reader, name=name, begun_at=now, moved_at=now)
    except IntegrityError:
        raise BegunBefore from None
    return Progress(row, clock=clock)


class Progress:
    """Counts the events of a file that is being sent, and how it ends. That it cannot be told never ends a file."""

    def __init__(self, row: Download, *, clock: Clock) -> None:
        self._pk, self._clock, self._told_at = row.pk, clock, row.begun_at
        self._sent = 0
        self._cut_off = False

    def watched(self, may_read: Watch) -> Watch:
        """Return the same watch, which is noticed when it ends the file."""

        def watch() -> Q:
            try:
                return may_read()
            except CutOff:
                self._cut_off = True
                raise

        return watch

    def count(self, events: int) -> None:
        """Count events that were sent."""
        self._sent += events
        now = self._clock()
        if now - self._told_at >= EVERY:
            self._told_at = now
            self._tell(sent=self._sent, moved_at=now)

    def follow(self, parts: Iterable[bytes], *, total: Callable[[], int]) -> Iterator[bytes]:
        """Yield the parts of the file, and tell how it ended."""
        end = DownloadEnd.BROKEN
        try:
            with suppress(CutOff, DatabaseError):  # counting may take too long
                self._tell(total=total())
            yield from parts
            end = DownloadEnd.CUT_OFF if self._cut_off else DownloadEnd.COMPLETE
        finally:
            now = self._clock()
            self._tell(sent=self._sent, moved_at=now, finished_at=now, end=end)

    def _tell(self, **values: object) -> None:
        with suppress(DatabaseError), transaction.atomic():
            Download.objects.filter(pk=self._pk, finished_at=None).update(**values)


def own_download(reader: User, pk: uuid.UUID | None) -> Download | None:
    """Return a download of somebody's own; others' are as unknown as random ones."""
    return Download.objects.filter(pk=pk, reader=reader).first() if pk else None


def stands_still(row: Download, now: datetime) -> bool:
    """Return whether nothing has gone out for long: the reader's side takes nothing, or the process was killed."""
    return row.finished_at is None and row.moved_at < now - STANDS_STILL


def prune_downloads(*, clock: Clock, limit: int) -> int:
    """Forget how far downloads were that began a day ago; return how many."""
    old = Download.objects.filter(begun_at__lt=clock() - KEPT).order_by("pk").values_list("pk", flat=True)[:limit]
    forgotten, _rows = Download.objects.filter(pk__in=list(old)).delete()
    return forgotten
