"""The history as lines of JSON, in leaf order, for whatever collects the standard output of a process.

A cursor remembers the last leaf that was written out: a row with a lease, so that of several readers of one name only
one writes at a time, or a file. It moves after the lines were flushed: a kill in between repeats them, and loses none.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from django.db import transaction
from django.db.models import Q, QuerySet

from pim_portal.models import AuditCursor
from pim_portal.streams.leaves import last_leaf, told
from roles.actors import Clock

LEASE: Final = timedelta(seconds=30)
PART: Final = 250  # leaves between two moves of the cursor


class Busy(Exception):  # noqa: N818 - what is the matter
    """Another process writes for this cursor now."""


class Cursor(Protocol):
    """Where somebody stands: `held` gives the last leaf and what moves it. Raises `Busy`."""

    def held(self) -> contextlib.AbstractContextManager[tuple[int, Callable[[int], None]]]: ...


class RowCursor:
    """A cursor in the database, by its name; `start` is where it begins when there is none yet."""

    def __init__(self, name: str, *, clock: Clock, start: int = 0) -> None:
        self.name = name
        self.clock = clock
        self.start = start
        self.lease = uuid.uuid4()

    @contextmanager
    def held(self) -> Iterator[tuple[int, Callable[[int], None]]]:
        with transaction.atomic():
            AuditCursor.objects.get_or_create(name=self.name, defaults={"position": self.start})
            now = self.clock()
            free = Q(lease=None) | Q(leased_until__lte=now) | Q(lease=self.lease)
            mine = {"lease": self.lease, "leased_until": now + LEASE}
            if not AuditCursor.objects.filter(free, name=self.name).update(**mine):
                raise Busy
            position = AuditCursor.objects.values_list("position", flat=True).get(name=self.name)
        yield position, self._move
        self._mine().update(lease=None, leased_until=None)

    def _move(self, position: int) -> None:
        now = self.clock()
        if not self._mine().update(position=position, moved_at=now, leased_until=now + LEASE):
            raise Busy

    def _mine(self) -> QuerySet[AuditCursor]:
        return AuditCursor.objects.filter(name=self.name, lease=self.lease)


class FileCursor:
    """A cursor in a file that holds the number of the last leaf; for one process at a time."""

    def __init__(self, path: Path, *, start: int = 0) -> None:
        self.path = path
        self.start = start

    @contextmanager
    def held(self) -> Iterator[tuple[int, Callable[[int], None]]]:
        yield int(self.path.read_text()) if self.path.exists() else self.start, self._move

    def _move(self, position: int) -> None:
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}-")
        with open(descriptor, "w") as new:
            new.write(f"{position}\n")
            new.flush()
            os.fsync(new.fileno())
        Path(name).replace(self.path)


def write_out(out: BinaryIO, cursor: Cursor) -> int:
    """Write every leaf after the cursor's as one line each; return how many. Raises `Busy`, `LeafGone`, OSError."""
    count = 0
    with cursor.held() as (position, move):
        last = last_leaf()
        while position < last:
            part = [one.json for one in told(position + 1, min(position + PART, last))]
            out.write(b"".join(line + b"\n" for line in part if line is not None))
            out.flush()
            position += len(part)
            move(position)
            count += len(part)
    return count
