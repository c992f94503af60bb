"""A few rows by their keys, in the form in which a database finds what belongs to them soonest."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Lookup, Model, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.sql.compiler import SQLCompiler

from roles.authority import Held
from roles.models import Assignment
from roles.models.assignments import AssignmentQuerySet
from roles.models.held import ByRow
from roles.models.planning import planned_anew
from roles.models.prepared import IS_ANY, as_array

if TYPE_CHECKING:
    _Lookup = Lookup[Any]
else:
    _Lookup = Lookup

FEW: Final = 1000
FEW_NAMES: Final = 200  # in which a word is: more of them meet enough rows of a list soon


def keys_or_query(rows: QuerySet[Any, Any], few: int = FEW) -> Sequence[Any] | QuerySet[Model, Any]:
    """Return what `column__in` takes to name these rows: their keys while they are few, else the query itself.

    Of a key the database knows how often it comes, of a query within a query it knows nothing: it would read a whole
    table in the hope to meet one soon.
    """
    keys = rows.order_by().values_list("pk", flat=True)
    with planned_anew():  # whether they are few hangs on what is looked for
        found = list(keys[: few + 1])
    return found if len(found) <= few else keys


def is_of(column: str, named: QuerySet[Any]) -> Q:
    """Return the condition that a row is of one of these: by their keys while they are few, else asked of each row.

    So a word is found in the names of people and roles first: they are few, and lead to what is theirs. Where it is in
    so many names that they are not few, the list is walked in its order.
    """
    return is_one_of(column, keys_or_query(named, FEW_NAMES), named)


def is_one_of(column: str, found: Sequence[Any] | QuerySet[Any], named: QuerySet[Any]) -> Q:
    """Return the same, where it was `found` out before whether they are few (`keys_or_query`)."""
    if isinstance(found, QuerySet):
        return Q(ByRow(named.filter(pk=OuterRef(column))))
    return Q(**{f"{column}__in": found})


def merged(parts: Iterable[Iterable[tuple[Any, ...]]], *, newest_first: bool, most: int) -> list[tuple[Any, ...]]:
    """Return the first keys of several lists as one list: each row is a moment and what comes after it in the order."""
    rows = sorted((row for part in parts for row in part), key=lambda row: row[1:])
    rows.sort(key=itemgetter(0), reverse=newest_first)
    return [row[1:] for row in rows[:most]]


def in_any(column: str, *keys: QuerySet[Any, Any]) -> Q:
    """Return the condition that a column is in one of these lists of keys, which are joined first.

    With OR between two of them PostgreSQL finds no row by an index, and looks at everybody there is.
    """
    first, *others = (one.order_by() for one in keys)
    return Q(**{f"{column}__in": first.union(*others)})


def any_number(keys: Iterable[uuid.UUID]) -> RawSQL:
    """Return what `column__in` takes to name rows by their keys, however many: as one value.

    A statement takes no more than 65,535 of them, and SQLite fewer yet.
    """
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::uuid[])", [as_array(keys)])
    return RawSQL("SELECT value FROM json_each(%s)", [_as_sqlite_keeps_them(keys)])


def _as_sqlite_keeps_them(keys: Iterable[uuid.UUID]) -> str:
    return json.dumps([one.hex for one in keys])


class AnyOf(_Lookup):
    """The condition that a column is one of these keys, all of them one value, and known to a plan made for them.

    By `any_number` PostgreSQL would know nothing of them; each by itself, four hundred take as long to write as a page
    of what they find takes to read. Give the column as an expression: `AnyOf(F("role"), keys)`.
    """

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        sql = f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608 - of the column that Django names
        return sql, (*params, _as_sqlite_keeps_them(self.rhs))

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} {IS_ANY}", (*params, as_array(self.rhs))


def as_many(keys: Collection[uuid.UUID]) -> Collection[uuid.UUID] | RawSQL:
    """Return what `column__in` takes to name rows by their keys: each a value while they are few, else all one."""
    return keys if len(keys) <= FEW else any_number(keys)


def rows_of(few: Iterable[Held]) -> AssignmentQuerySet:
    """Return the assignments of what was found held or eligible. For pages: what a service locks it asks for anew.

    With all the tables that a page shows, PostgreSQL would begin at what everybody has.
    """
    return Assignment.objects.filter(pk__in=[one.assignment_id for one in few])
