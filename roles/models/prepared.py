"""Questions that nearly every page and every act ask, composed once.

To compose what somebody holds, or what a request is about, takes Django longer than the database takes to answer it.
The SQL of a prepared question is kept by the process; its plan, as that of anything asked often, by each connection.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateTimeField, QuerySet, UUIDField
from django.db.transaction import TransactionManagementError

Row = TypeVar("Row")
Key = uuid.UUID | str
Asked = Key | datetime | int | Collection[Key]
Shape = tuple[object, ...]  # what kind of value each is, of a list how many

# Of how many keys a list is composed, where each is a value: one that has fewer says its last one several times.
SIZES: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 50, 64, 100, 128, 201, 256)

# Stand for the values where the question is composed; no others can be mistaken for them.
_SOMETHING: Final = 0x5F0E1C9A7D1B4C559A520C2F6D3B0000
_EACH: Final = 1024  # keys that may stand in for one value: more than a list has
_MARK: Final = "5f0e1c9a7d1b4c559a520c2f6d3b"
_SOME_TEXT: Final = f"{_MARK}%_"  # a pattern would have it otherwise
_SOME_TIME: Final = datetime(1970, 3, 17, 4, 5, 6, 789, tzinfo=UTC)
_FARTHEST: Final = timedelta(days=3650)  # from a moment to another that a question reckons from it
IS_ANY: Final = "= ANY(%s::uuid[])"  # of PostgreSQL: behind a column, with what `as_array` makes of keys
_PLACES: Final = re.compile(r"%%|IN \(%s, %s\)|%s")
_WRITTEN_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d|$)")


@dataclass(frozen=True, slots=True)
class _Place:
    """What stands at one place of the SQL: a constant, or a value, or one or all of its keys, or a moment near it."""

    constant: Any = None
    value: int | None = None
    key: int | None = None
    all_keys: bool = False
    later: timedelta | None = None


@dataclass(frozen=True, slots=True)
class _Composed(Generic[Row]):
    rows: QuerySet[Any, Row]
    compiler: Any
    sql: str
    places: tuple[_Place, ...]
    converters: Any


class Prepared(Generic[Row]):
    """A question about keys (or words that are compared as they are) and moments, composed once.

    `compose` makes the queryset. It must not look at the values, only put them where they belong, or reckon another
    moment from one. For each value that is a number or a switch it is composed by itself; with a list that is empty or
    of mixed kinds, each time. A list is for `IN`, where it does not matter how often a key is named: PostgreSQL takes
    its keys as one value, however many (each by itself, fifty take psycopg as long to write as the database to answer).
    Elsewhere, and of words, it is composed for a few sizes, and each time for what is longer. What is fetched along
    comes by `select_related`: what Django prefetches by, threads would share.
    """

    def __init__(self, compose: Callable[..., QuerySet[Any, Row]]) -> None:
        self._compose = compose
        self._composed: dict[tuple[str, Shape], _Composed[Row]] = {}  # by the kind of database

    def ask(self, *values: Asked) -> list[Row]:
        """Return the rows, in the order of the queryset."""
        database: BaseDatabaseWrapper = connections[DEFAULT_DB_ALIAS]
        asked = [_listed(one, has_arrays=database.vendor == "postgresql") for one in values]
        if not all(_is_kept(one) for one in asked):
            return list(self._compose(*asked))
        shape = tuple(_shape(one) for one in asked)
        kept = self._composed.get((database.vendor, shape))
        if kept is None:
            try:
                kept = self._composed[database.vendor, shape] = self._composed_for(database, asked)
            except EmptyResultSet:
                return []
        return list(_filled(kept, asked, database))

    def first(self, *values: Asked) -> Row | None:
        """Return the first row, or None. The question itself asks for no more rows than are needed."""
        return next(iter(self.ask(*values)), None)

    def _composed_for(self, database: BaseDatabaseWrapper, asked: Sequence[Any]) -> _Composed[Row]:
        arrays = {number for number, one in enumerate(asked) if isinstance(one, _Array)}
        standing_in = [_stand_in(number, one[:2] if number in arrays else one) for number, one in enumerate(asked)]
        rows = self._compose(*standing_in)
        compiler: Any = rows.query.get_compiler(connection=database)
        sql, params = compiler.as_sql()
        sql, places = _with_arrays(sql, list(_places(params, standing_in, database)), arrays)
        wanted = {number for number, one in enumerate(asked) if not isinstance(one, int)}
        if missing := wanted - {one.value for one in places}:
            raise LookupError(f"The question does not ask about its values {sorted(missing)}.")
        converters = compiler.get_converters([one[0] for one in compiler.select])
        compiler.connection = None  # it is this thread's, and may end before what is kept does
        return _Composed(rows, compiler, sql, places, converters)


class _Array(list[uuid.UUID]):
    """Some keys that go to PostgreSQL as one value. One alone is no list to it."""


def as_array(keys: Iterable[uuid.UUID]) -> str:
    """Return keys as one value, as PostgreSQL reads an array: psycopg asks of each whether it needs quotes."""
    return f"{{{','.join(map(str, keys))}}}"


def _listed(value: Any, *, has_arrays: bool) -> Any:
    """Return a list for any collection of keys: each once, and the last until it is as long as one that is composed."""
    if isinstance(value, str) or not isinstance(value, Collection):
        return value
    keys = list(dict.fromkeys(value))
    if has_arrays and len(keys) > 1 and all(type(one) is uuid.UUID for one in keys):
        return _Array(keys)
    size = next((size for size in SIZES if size >= len(keys)), 0) if keys else 0
    return keys + keys[-1:] * (size - len(keys))


def _is_kept(value: Any) -> bool:
    """Whether a question with this value can be composed once: any other kind is left to Django."""
    if isinstance(value, list):
        return isinstance(value, _Array) or (
            len(value) <= SIZES[-1] and {_kind(one) for one in value} in ({uuid.UUID}, {str})
        )
    return isinstance(value, uuid.UUID | str | datetime | int)


def _shape(value: Any) -> object:
    if isinstance(value, int):
        return type(value), value
    if isinstance(value, _Array):
        return _Array
    return (len(value), _kind(value[0])) if isinstance(value, list) else _kind(value)


def _kind(value: Any) -> type:
    """Return what kind of value it is; a choice is a word."""
    return str if isinstance(value, str) else type(value)


def _stand_in(number: int, value: Any) -> Any:
    if isinstance(value, int):
        return value
    if isinstance(value, datetime):
        # Far enough apart that a moment reckoned from one is not near another.
        return _SOME_TIME - 3 * number * _FARTHEST
    if isinstance(value, list):
        return [_key_like(one, _EACH * number + place) for place, one in enumerate(value)]
    return _key_like(value, _EACH * number)


def _key_like(value: Key, number: int) -> Key:
    return uuid.UUID(int=_SOMETHING + number) if isinstance(value, uuid.UUID) else f"{_SOME_TEXT}-{number}"


def _places(params: Sequence[Any], standing_in: Sequence[Any], database: BaseDatabaseWrapper) -> Iterator[_Place]:
    keys: dict[Any, _Place] = {}
    for number, one in enumerate(standing_in):
        if isinstance(one, list):
            keys |= {_as_asked(key, database): _Place(value=number, key=place) for place, key in enumerate(one)}
        elif isinstance(one, uuid.UUID | str):
            keys[_as_asked(one, database)] = _Place(value=number)
    moments = {number: one for number, one in enumerate(standing_in) if isinstance(one, datetime)}
    for param in params:
        found = keys.get(param) if isinstance(param, uuid.UUID | str) else None
        if found is None and _MARK in str(param).replace("-", ""):
            raise LookupError("A question that is composed once compares keys and words as they are.")
        yield found or _near(param, moments) or _Place(constant=param)


def _with_arrays(sql: str, places: Sequence[_Place], arrays: Collection[int]) -> tuple[str, tuple[_Place, ...]]:
    """Have the two keys that stand for each of these lists go as one value; raises LookupError where `IN` has them not.

    `IN` and `= ANY` mean the same to PostgreSQL, also of what is NULL.
    """
    left, kept = iter(places), list[_Place]()

    def put(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return found[0]
        mine = [next(left) for _each in range(found[0].count("%s"))]
        value = mine[0].value
        if value in arrays and mine == [_Place(value=value, key=0), _Place(value=value, key=1)]:
            kept.append(_Place(value=value, all_keys=True))
            return IS_ANY
        kept.extend(mine)
        return found[0]

    sql = _PLACES.sub(put, sql)
    if any(one.value in arrays and not one.all_keys for one in kept):
        raise LookupError("A question that is composed once has its lists behind IN.")
    return sql, tuple(kept)


def _near(param: Any, moments: dict[int, datetime]) -> _Place | None:
    """Return which moment this one is reckoned from; raises LookupError for a day, of which the time is lost."""
    moment = param
    if isinstance(param, str) and _WRITTEN_TIME.match(param):
        moment = datetime.fromisoformat(param)  # SQLite keeps moments and days as text
    if not isinstance(moment, date):
        return None
    is_day = not isinstance(moment, datetime) or (isinstance(param, str) and len(param) == len("2026-01-01"))
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    for number, one in moments.items():
        if abs(moment - one) < _FARTHEST:
            if is_day:
                raise LookupError("A question that is composed once cannot reckon with days.")
            return _Place(value=number, later=moment - one)
    return None


def _filled(kept: _Composed[Row], asked: Sequence[Any], database: BaseDatabaseWrapper) -> QuerySet[Any, Row]:
    """Return the queryset that was composed, about these values."""
    params = [_param(place, asked, database) for place in kept.places]
    # Django refuses it where it composes.
    if kept.rows.query.select_for_update and database.features.has_select_for_update and database.get_autocommit():
        raise TransactionManagementError("Rows are locked inside a transaction only.")
    compiler = copy(kept.compiler)
    compiler.connection = database  # of this thread
    compiler.as_sql = lambda *args, **kwargs: (kept.sql, params)
    compiler.get_converters = lambda expressions: kept.converters
    query: Any = SimpleNamespace(get_compiler=lambda *args, **kwargs: compiler)
    rows: Any = kept.rows
    made: Any = type(rows)(model=rows.model, query=query, using=rows._db)
    for name in _READ_BY:
        setattr(made, name, getattr(rows, name))
    found: QuerySet[Any, Row] = made
    return found


def _param(place: _Place, asked: Sequence[Any], database: BaseDatabaseWrapper) -> Any:
    if place.value is None:
        return place.constant
    value = asked[place.value]
    if place.all_keys:
        return as_array(value)
    if place.key is not None:
        return _as_asked(value[place.key], database)
    return _as_asked(value + place.later if place.later is not None else value, database)


def _as_asked(value: Key | datetime, database: BaseDatabaseWrapper) -> Any:
    if isinstance(value, str):
        return value
    field = _UUID if isinstance(value, uuid.UUID) else _MOMENT
    return field.get_db_prep_value(value, database)


# What a queryset is read by, besides its query.
_READ_BY: Final = ("_prefetch_related_lookups", "_known_related_objects", "_iterable_class", "_fields")
_UUID: Final = UUIDField()
_MOMENT: Final = DateTimeField()
