"""Rows into PostgreSQL by COPY, without the triggers that ask of each row what is known of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice

from django.db import connection

PART = 20_000  # rows that are written at once


@contextmanager
def without_triggers(*tables: str) -> Iterator[None]:
    """Keep the triggers of these tables still; keys and constraints hold all the same."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def copy(table: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
    """Write rows whose values are in the order of `columns`; None is NULL."""
    left = iter(rows)
    while part := list(islice(left, PART)):
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as into:
            into.write("".join("\t".join(map(_text, row)) + "\n" for row in part))


def _text(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, timedelta):
        return f"{int(value.total_seconds())} seconds"
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).replace("\\", "\\\\").replace("\n", "\\n")
