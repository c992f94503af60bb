"""The rows as they stand in the database, read by plain drivers: nothing of the portal and nothing of Django."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

Row = dict[str, Any]
TIMES = ("_at", "until")
JSON = ("details", "commitments", "fields", "salts")


class Raw:
    """One database by its URL, a new line to it for each question, so that it lives through whatever happens to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sqlite = url.removeprefix("sqlite:///") if url.startswith("sqlite:") else ""

    def connect(self) -> Any:
        if self.sqlite:
            return sqlite3.connect(self.sqlite, timeout=30, isolation_level=None)
        return psycopg.connect(self.url, autocommit=True)

    def do(self, *statements: str) -> None:
        with closing(self.connect()) as line:
            for statement in statements:
                line.execute(statement)

    def tuples(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(self.connect()) as line:
            return [tuple(row) for row in line.execute(sql).fetchall()]

    def scalar(self, sql: str) -> Any:
        ((value,),) = self.tuples(sql)
        return value

    def rows(self, *tables: str) -> dict[str, list[Row]]:
        """Every row of these tables as of one moment, with the same values whichever database they come from."""
        with closing(self.connect()) as line:
            line.execute("BEGIN" if self.sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return {table: self._rows(line, table) for table in tables}

    def _rows(self, line: Any, table: str) -> list[Row]:
        cursor = line.execute(f"SELECT * FROM {table}")  # noqa: S608 - our own names of tables
        names = [column[0] for column in cursor.description]
        return [{name: _plain(name, value) for name, value in zip(names, row, strict=True)} for row in cursor]


def _plain(name: str, value: Any) -> Any:
    """Ids as 32 hex digits, times with their zone, JSON as what it says."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, str) and name in JSON:
        return json.loads(value)
    if isinstance(value, str) and name.endswith(TIMES) and value[:2] == "20":
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return value


def ids(rows: Sequence[Row], name: str = "id") -> set[Any]:
    return {row[name] for row in rows}
