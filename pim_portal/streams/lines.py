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
from typing import BinaryIO, Final, NamedTuple, Protocol

from django.db import transaction
from django.db.models import QuerySet

from pim_portal.models import AuditCursor
from pim_portal.streams.leaves import last_leaf, told
from roles.actors import Clock

LEASE: Final = timedelta(seconds=30)
PART: Final = 250  # leaves between two moves of the cursor


class Busy(Exception):  # noqa: N818 - what is the matter
    """Another process writes for this cursor now."""


class AheadOfHistory(Exception):  # noqa: N818 - a finding, not an error
    """A cursor stands beyond the end of the history, which was restored or cut off: what comes now would be skipped."""

    def __init__(self, position: int, last: int) -> None:
        super().__init__(position, last)
        self.position = position
        self.last = last


class Held(NamedTuple):
    """A cursor in one's hands: the last leaf, what moves it, and whether somebody broke off in the middle of a part."""

    position: int
    move: Callable[[int], None]
    broke_off: bool


class Cursor(Protocol):
    """Where somebody stands: after `start`, where there is no cursor yet.

    `found` only looks, and answers None where there is none; `held` takes it, and raises `Busy` where another has it.
    """

    start: int

    def found(self) -> int | None: ...

    def held(self) -> contextlib.AbstractContextManager[Held]: ...


class RowCursor:
    """A cursor in the database, by its name; `start` is the leaf after which it begins where there is none yet."""

    def __init__(self, name: str, *, clock: Clock, start: int = 0) -> None:
        self.name = name
        self.clock = clock
        self.start = start
        self.lease = uuid.uuid4()

    def found(self) -> int | None:
        return AuditCursor.objects.filter(name=self.name).values_list("position", flat=True).first()

    @contextmanager
    def held(self) -> Iterator[Held]:
        with transaction.atomic():
            AuditCursor.objects.get_or_create(name=self.name, defaults={"position": self.start})
            row = AuditCursor.objects.select_for_update(no_key=True).get(name=self.name)
            now = self.clock()
            if row.leased_until is not None and row.leased_until > now:
                raise Busy
            self._row().update(lease=self.lease, leased_until=now + LEASE)
        try:
            yield Held(row.position, self._move, row.lease is not None)
        finally:
            self._row().filter(lease=self.lease).update(lease=None, leased_until=None)

    def _move(self, position: int) -> None:
        now = self.clock()
        moved = {"position": position, "moved_at": now, "leased_until": now + LEASE}
        if not self._row().filter(lease=self.lease).update(**moved):
            raise Busy

    def _row(self) -> QuerySet[AuditCursor]:
        return AuditCursor.objects.filter(name=self.name)


class FileCursor:
    """A cursor in a file: the number of the last leaf, and a mark while somebody writes. For one process at a time."""

    MARK: Final = "writing"

    def __init__(self, path: Path, *, start: int = 0) -> None:
        self.path = path
        self.start = start

    def found(self) -> int | None:
        return self._read()[0] if self.path.exists() else None

    @contextmanager
    def held(self) -> Iterator[Held]:
        position, broke_off = self._read()
        self._write(f"{position} {self.MARK}")
        yield Held(position, lambda moved: self._write(f"{moved} {self.MARK}"), broke_off)
        self._write(str(self._read()[0]))

    def _read(self) -> tuple[int, bool]:
        if not self.path.exists():
            return self.start, False
        position, *mark = self.path.read_text().split()
        if not position.isdecimal():
            raise ValueError(f"{position} is no leaf")
        return int(position), mark == [self.MARK]

    def _write(self, text: str) -> None:
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}-")
        with open(descriptor, "w") as new:
            new.write(f"{text}\n")
            new.flush()
            os.fsync(new.fileno())
        Path(name).replace(self.path)


def write_out(out: BinaryIO, cursor: Cursor) -> int:
    """Write every leaf after the cursor's as one line each; return how many.

    Raises `Busy`, `LeafGone`, `AheadOfHistory`, OSError.
    """
    # Read before the end is: another process may seal, and write on, in between.
    found, last = cursor.found(), last_leaf()
    if found is not None and found > last:
        raise AheadOfHistory(found, last)
    if (cursor.start if found is None else found) >= last:
        return 0
    count = 0
    with cursor.held() as (position, move, broke_off):
        if broke_off:
            out.write(b"\n")  # its last line may be half a one
        while position < last:
            part = [one.json for one in told(position + 1, min(position + PART, last))]
            out.write(b"".join(line + b"\n" for line in part if line is not None))
            out.flush()
            position += len(part)
            move(position)
            count += len(part)
    return count
