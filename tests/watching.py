"""What became of the rows while something was sent: which tables changed, and what of it PostgreSQL would refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import connection, models

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.covered import COVERED

OURS = {"audit", "roles", "approvals", "reviews", "pim_portal"}
MODELS: dict[str, type[models.Model]] = {
    model._meta.db_table: model
    for model in apps.get_models(include_auto_created=True)
    if model._meta.app_label in OURS or model._meta.app_label == "axes"
}
_BUT = {one.table: one.but for one in COVERED}
QUIET = set(_BUT)
_WRITES = re.compile(r'\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM)\s+"?(\w+)', re.IGNORECASE)
_NUL = re.compile(r"\x00|(?<!\\)(?:\\\\)*\\u0000")

# Refused or not, these follow from the visit itself: when somebody was seen, which code was tried.
OF_THE_VISIT = {"pim_portal_portalsession", "axes_accessattempt", "axes_accessfailurelog", "roles_stepup"}
HISTORY = {"audit_event", "audit_eventtext", "audit_pending"}
TOLD_BY_ITSELF = {Kind.SECOND_FACTOR_GIVEN, Kind.RECOVERY_CODE_USED, Kind.SIGN_IN_LOCKED}


@dataclass
class Seen:
    """What a visit did. `changed`: tables whose rows are not as before; `done`: events of what was done."""

    written: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    impossible: list[str] = field(default_factory=list)


class Rows:
    """All rows of the portal as they were at first; every visit is undone after it was looked at."""

    def __init__(self) -> None:
        self.before = {table: _content(table) for table in MODELS}
        self.last_event = max(Event.objects.values_list("pk", flat=True), default=0)

    @contextmanager
    def watched(self) -> Iterator[Seen]:
        """Look at what is written meanwhile, and, at the end, what has changed by it."""
        seen = Seen()

        def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
            if match := _WRITES.match(sql):
                seen.written.add(match[1].lower())
            if any(_has_nul(one) for one in (params if many else [params])):
                seen.impossible.append(f"a NUL for the database: {sql[:80]}")
            return run(sql, params, many, context)

        with connection.execute_wrapper(execute):
            yield seen
        for table in (seen.written & MODELS.keys()) - HISTORY:
            now = _content(table)
            if now != self.before[table]:
                seen.changed.add(table)
                seen.impossible += _too_large(table, now - self.before[table])
        if "audit_event" in seen.written:
            events = list(Event.objects.filter(pk__gt=self.last_event).values_list("kind", "outcome"))
            seen.changed |= {"audit_event"} if events else set()
            seen.done = {kind for kind, outcome in events if outcome != Outcome.REFUSED} - TOLD_BY_ITSELF


def _fields(table: str) -> list[Any]:
    """The columns whose change has to be told; of a table that needs no event, all."""
    return [one for one in MODELS[table]._meta.local_concrete_fields if one.name not in _BUT.get(table, ())]


def _content(table: str) -> frozenset[tuple[Any, ...]]:
    columns = ", ".join(f'"{one.column}"' for one in _fields(table))
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT {columns} FROM "{table}"')  # noqa: S608 - our own tables
        return frozenset(tuple(map(_plain, row)) for row in cursor)


def _plain(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value)
    return bytes(value) if isinstance(value, memoryview) else value


def _has_nul(params: Any) -> bool:
    """PostgreSQL takes none, be it in a question, nor one that a JSON value hides."""
    if isinstance(params, dict):
        params = params.values()
    return any(isinstance(one, str) and _NUL.search(one) for one in params or ())


def _too_large(table: str, rows: Iterable[tuple[Any, ...]]) -> list[str]:
    """What PostgreSQL would not store, and SQLite does: longer than its column, larger than its number."""
    found = []
    for row in rows:
        for column, value in zip(_fields(table), row, strict=True):
            longest = getattr(column, "max_length", None)
            if isinstance(value, str) and isinstance(column, models.CharField) and longest and len(value) > longest:
                found.append(f"{table}.{column.column}: {len(value)} letters in place of {longest}")
            small = isinstance(column, models.IntegerField) and not isinstance(column, models.BigIntegerField)
            if small and isinstance(value, int) and abs(value) >= 2**31:
                found.append(f"{table}.{column.column}: {value}")
    return found
