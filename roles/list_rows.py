"""The rows of a list: in a total order, counted as far as anybody reads, found by their keys before all else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from django.db.models import Q, QuerySet
from django_tables2.data import TableQuerysetData

from roles.models.planning import planned_anew
from roles.selectors.keys import merged

MOST_COUNTED = 200  # rows: counting more takes longer than anybody waits for, and nobody reads on
SIZES = (25, 50, 100)  # rows of a page


def reach_of(query: Mapping[str, str]) -> int:
    """Return how many rows a list is counted to: however far back a page is, so many more are numbered after it."""
    asked = query.get("page", "")
    return MOST_COUNTED + (int(asked) * SIZES[-1] if asked.isdecimal() and len(asked) < 9 else 0)


def counted(rows: QuerySet[Any], most: int = MOST_COUNTED, *, walking: Sequence[Any] = ()) -> int:
    """Return how many rows there are, up to one more than `most`.

    Their keys are fetched rather than counted: a query around the query is one level too deep for SQLite's parser.
    `walking` is an order that an index has; without one the database finds them as it likes.
    """
    with planned_anew():
        return len(rows.order_by(*walking).values_list("pk", flat=True)[: most + 1])


@dataclass(frozen=True, slots=True)
class First:
    """What asks for so many first keys of a list in the order of `walking`."""

    ask: Callable[[int], Sequence[Any]]
    far: bool = False  # whether it is asked for the rows of later pages, too
    narrowed: bool = False  # whether it heeds what the list is narrowed to; else it is not asked then


class OrderedRows(TableQuerysetData):
    """Rows whose order is total: without a unique last key, a row could stand on two pages or on none."""

    data: QuerySet[Any]
    keys_first = True
    reach = MOST_COUNTED  # rows up to which pages are numbered: so many after the page that is asked for
    walking: Sequence[Any] = ()  # the order of a long list that nobody sorted: one that an index has
    parts: Sequence[Q] = ()  # conditions that share it out: of each part an index has the rows in that order
    # What tells its rows apart, where one stands in it once for each of several: then it says `fetch`, too.
    identity: Sequence[str] = ("pk",)
    most = MOST_COUNTED  # rows that are put in the list's own order
    first: First | None = None
    sorted_first: Callable[[tuple[Any, ...]], First | None] | None = None  # the same in an order that somebody chose
    is_sorted = False
    fetched: QuerySet[Any] | None = None  # what rows are fetched from by their keys, where that asks less than `data`
    in_own_order: Callable[[Sequence[Any]], Sequence[Any]] | None = None  # what puts the keys of a short list into it
    fetch: Callable[[Sequence[Any]], Iterable[Any]] | None = None  # what fetches rows by their keys, composed once
    in_hand: Mapping[Any, Any] = MappingProxyType({})  # all its rows by their keys, where they were fetched
    wanted: Sequence[Any] | None = None  # the keys of the only rows that are wanted, where all rows are read in parts

    @property
    def ordering(self) -> None:
        """The columns that the rows are ordered by until somebody sorts them: none, as no column is their last key.

        The library finds that out by trying all columns in every order.
        """
        return

    def order_by(self, aliases: Iterable[str]) -> None:
        super().order_by(aliases)
        if aliases:
            order = (*self.data.query.order_by, "pk")
            self.data = self.data.order_by(*order)
            self.first = self.sorted_first(order) if self.sorted_first else None
            self.walking, self.in_own_order, self.is_sorted = order if self.first else (), None, True

    @cached_property
    def _walked(self) -> list[Any]:
        """The keys in the order of an index, up to one more than the reach: so many are looked at, and no more."""
        if self.first is not None and (self.first.far or self.reach == MOST_COUNTED):
            return list(self.first.ask(self.reach + 1))
        with planned_anew():
            rows = self.data.order_by(*self.walking)
            if not self.parts:
                return self._keys(rows, slice(self.reach + 1))
            moment = self.walking[0]
            found = [rows.filter(part).values_list(moment.lstrip("-"), "pk")[: self.reach + 1] for part in self.parts]
            return [pk for (pk,) in merged(found, newest_first=moment.startswith("-"), most=self.reach + 1)]

    def _keys(self, rows: QuerySet[Any], part: slice) -> list[Any]:
        return list(rows.values_list(*self.identity, flat=len(self.identity) == 1)[part])

    def _key(self, row: Any) -> Any:
        key = tuple(getattr(row, name) for name in self.identity)
        return key if len(key) > 1 else key[0]

    @cached_property
    def counted(self) -> int:
        """How many rows there are, up to one more than the reach."""
        return len(self._walked) if self.walking else counted(self.data, self.reach)

    @property
    def stands_as_walked(self) -> bool:
        """Whether it is too long for its own order; the same for each of its pages."""
        return bool(self.walking) and not self.is_sorted and self.counted > self.most

    def all_keys(self) -> list[Any]:
        """Return the keys of all rows in their order, however many: what tells them apart."""
        return self._keys(self.data, slice(None))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._wanted) if self.wanted is not None else super().__iter__()

    @cached_property
    def _wanted(self) -> list[Any]:
        return self._by_keys(self.wanted or [])

    def __len__(self) -> int:
        if self.wanted is not None:
            return len(self._wanted)
        return min(self.counted, self.reach) if hasattr(self.table, "paginator") else super().__len__()

    @property
    def _is_long(self) -> bool:
        return hasattr(self.table, "paginator") and self.counted >= self.reach

    def __getitem__(self, key: Any) -> Any:
        """Return a part; of a long list its keys are put in order first, and all else is fetched for them alone."""
        with planned_anew():
            if self.in_hand and isinstance(key, slice):
                return [self.in_hand[pk] for pk in self.data.values_list("pk", flat=True)[key]]
            if not (isinstance(key, slice) and self.keys_first and hasattr(self.table, "paginator")):
                found = super().__getitem__(key)
                return list(found) if isinstance(key, slice) else found
            keys = self._keys_of(key)
            if keys is None:
                return self._in_order(key)
        return self._by_keys(keys)

    def _by_keys(self, keys: Sequence[Any]) -> list[Any]:
        # What is fetched by nothing but its keys has one plan for all; what asks the conditions again has not.
        with planned_anew() if self.fetch is None and self.fetched is None else nullcontext():
            by_key = {self._key(row): row for row in self._fetched_by(keys)}
        return [by_key[one] for one in keys if one in by_key]

    def _fetched_by(self, keys: Sequence[Any]) -> Iterable[Any]:
        if self.fetch is not None:
            return self.fetch(keys)
        return self._fetching.order_by().filter(pk__in=keys)

    @property
    def _fetching(self) -> QuerySet[Any]:
        return self.data if self.fetched is None else self.fetched

    def _keys_of(self, part: slice) -> list[Any] | None:
        """Return the keys of a part; none of a short list that is put in order with all that it shows."""
        if self.walking and (self.stands_as_walked or self.is_sorted):
            return self._walked[part]
        if self.walking and self.in_own_order is not None:
            return list(self.in_own_order(self._walked)[part])
        if self.fetch is None and (self.walking or not self._is_long):
            return None
        return self._keys(self._standing, part)

    def _in_order(self, part: slice) -> list[Any]:
        return list(self._standing[part])

    @property
    def _standing(self) -> QuerySet[Any]:
        """The rows in the list's own order."""
        if not self.walking:
            return self.data
        return self._fetching.filter(pk__in=self._walked).order_by(*self.data.query.order_by)
