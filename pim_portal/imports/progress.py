"""How far a process is with a file, told beside its one long transaction, which nobody can look into.

On PostgreSQL a second connection writes it into a row of its own. SQLite has one writer at a time: there it stands in a
small file beside the database, which no second host reads.
"""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, cast

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from pim_portal.models import Upload, UploadProgress

if TYPE_CHECKING:
    from django.db.backends.sqlite3.base import DatabaseWrapper as SQLite

EVERY: Final = 0.5  # seconds between two times that it is told


class Progress:
    """Counts lines and tells their number now and then; used by the process that has the file."""

    def __init__(self, upload: Upload) -> None:
        self._pk = upload.pk
        self._done, self._told_at = 0, 0.0
        self._beside: BaseDatabaseWrapper | None = None

    def __enter__(self) -> Self:
        if connection.vendor != "sqlite":
            self._beside = connections.create_connection(connection.alias)
        self._tell()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tell()
        if self._beside is not None:
            self._beside.close()
        else:
            forget(self._pk)

    def count(self, *_line: object) -> None:
        """Count one line."""
        self._done += 1
        if time.monotonic() - self._told_at >= EVERY:
            self._tell()

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        if self._beside is not None:
            table = UploadProgress._meta.db_table
            with self._beside.cursor() as cursor:
                cursor.execute(f"UPDATE {table} SET done = %s WHERE upload_id = %s", [self._done, self._pk])  # noqa: S608
        elif (file := _file(self._pk)) is not None:
            part = file.with_suffix(".part")
            part.write_text(str(self._done), encoding="ascii")
            part.replace(file)


def done_of(upload: Upload) -> int:
    """Return how many lines the process that has this file is through with; at most all of them."""
    if connection.vendor != "sqlite":
        done = UploadProgress.objects.filter(upload=upload).values_list("done", flat=True).first() or 0
        return min(done, upload.lines)
    file = _file(upload.pk)
    with suppress(OSError, ValueError):
        return min(int(file.read_text(encoding="ascii")), upload.lines) if file else 0
    return 0


def forget(pk: uuid.UUID) -> None:
    """Take away what was told of a file beside SQLite's database."""
    if connection.vendor == "sqlite" and (file := _file(pk)) is not None:
        file.unlink(missing_ok=True)


def _file(pk: uuid.UUID) -> Path | None:
    wrapper = cast("SQLite", connection)
    return None if wrapper.is_in_memory_db() else Path(f"{connection.settings_dict['NAME']}-import-{pk}")
