"""Questions that nearly every page asks, composed once.

To compose the question what somebody holds takes Django longer than the database takes to answer it. The SQL of a
prepared one is kept by the process; its plan, as that of anything asked often, by each connection.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateTimeField, QuerySet, UUIDField

# Stand for the person and the moment where the question is composed; no others can be mistaken for them.
_SOMEBODY: Final = uuid.UUID("5f0e1c9a-7d1b-4c55-9a52-0c2f6d3b8e41")
_SOME_TIME: Final = datetime(1970, 3, 17, 4, 5, 6, 789, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Composed:
    sql: str
    params: tuple[Any, ...]
    converters: dict[int, tuple[list[Any], Any]]  # by column, as Django's compiler names them


class Prepared:
    """A question about one person at one moment: `compose` makes the queryset, of plain values, once."""

    def __init__(self, compose: Callable[[uuid.UUID, datetime], QuerySet[Any, Any]]) -> None:
        self._compose = compose
        self._composed: dict[str, _Composed] = {}  # by the kind of database

    def ask(self, user_id: uuid.UUID, now: datetime) -> list[Sequence[Any]]:
        """Return the rows, in no order."""
        database: BaseDatabaseWrapper = connections[DEFAULT_DB_ALIAS]
        asked = self._composed.get(database.vendor) or self._composed.setdefault(
            database.vendor, self._composed_for(database)
        )
        meant = {_as_asked(_SOMEBODY, database): _as_asked(user_id, database)}
        meant[_as_asked(_SOME_TIME, database)] = _as_asked(now, database)
        with database.cursor() as cursor:
            cursor.execute(asked.sql, [meant.get(one, one) for one in asked.params])
            rows = cursor.fetchall()
        return [_converted(row, asked.converters, database) for row in rows]

    def _composed_for(self, database: BaseDatabaseWrapper) -> _Composed:
        compiler = self._compose(_SOMEBODY, _SOME_TIME).order_by().query.get_compiler(connection=database)
        sql, params = compiler.as_sql()
        return _Composed(sql, tuple(params), compiler.get_converters([one[0] for one in compiler.select]))


def _converted(row: Sequence[Any], converters: dict[int, Any], database: BaseDatabaseWrapper) -> Sequence[Any]:
    values = list(row)
    for position, (steps, expression) in converters.items():
        for step in steps:
            values[position] = step(values[position], expression, database)
    return values


def _as_asked(value: uuid.UUID | datetime, database: BaseDatabaseWrapper) -> Any:
    field = UUIDField() if isinstance(value, uuid.UUID) else DateTimeField()
    return field.get_db_prep_value(value, database)
