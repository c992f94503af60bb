"""Pages of a history of any length: a stretch of so many events at a time, each page of it found at once.

A page far back costs as much as the first one: `beyond` names the last event of the stretch before, from where an index
goes on. How many there are in all is counted as far as the stretch goes; more than that is said, not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final, NamedTuple, cast

import django_tables2 as tables
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from audit.models import Event, EventQuerySet
from audit.searching import all_with, first_with, without_index_of_time, words_of
from pim_portal.activity.filters import HistoryFilter
from roles.list_rows import OrderedRows
from roles.lists import ListPage
from roles.models.planning import planned_anew

STRETCH: Final = 1_000  # events between which pages are numbered
SEARCHED: Final = 100  # the same where words are searched for: an often used one is found at once, and not counted on
NEWEST: Final = (500, 5_000)  # events in which a word is looked for without its index, the second where that pays
OFTEN: Final = 0.01  # the part of them in which a word stands that will be found without its index
SELDOM: Final = 5_000  # events of a word that are looked at one by one
BEYOND: Final = "beyond"
_LAST_ID: Final = 2**63 - 1


class Place(NamedTuple):
    """An event's place in the order of time."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.id}"

    @classmethod
    def of(cls, event: Event) -> Place:
        return cls(event.occurred_at, event.pk)

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """Return the place that a query string names; none for anything else."""
        moment, _between, number = text.partition("~")
        try:
            at = parse_datetime(moment)
            if at is None or at.tzinfo is None or not (number.isascii() and number.isdecimal()):
                return None
            # In UTC, as the database keeps it; what is out of all bounds is none there, and too long for a number.
            place = cls(at.astimezone(UTC), int(number))
        except (ValueError, OverflowError):
            return None
        return place if place.id <= _LAST_ID else None


def beyond(rows: QuerySet[Event], place: Place, *, oldest_first: bool = False) -> QuerySet[Event]:
    """Return the events that come after this place. The condition on the moment alone is one for an index."""
    if oldest_first:
        ties = Q(occurred_at__gt=place.at) | Q(id__gt=place.id)
        return rows.filter(ties, occurred_at__gte=place.at)
    ties = Q(occurred_at__lt=place.at) | Q(id__lt=place.id)
    return rows.filter(ties, occurred_at__lte=place.at)


def in_order_of(rows: QuerySet[Event], alias: str) -> EventQuerySet:
    """Return the events in the order of time; an alias that begins with a minus asks for the newest first."""
    ordered = ("-occurred_at", "-id") if alias.startswith("-") else ("occurred_at", "id")
    return cast("EventQuerySet", rows.order_by(*ordered))


class Stretch(OrderedRows):
    """The rows of a table, as far as the stretch goes."""

    data: EventQuerySet
    length = STRETCH
    reach = STRETCH
    keys_first = False  # an index has them in order

    @cached_property
    def counted(self) -> int:
        """How many rows there are, up to one more than the stretch has; in its order, so that an index finds them."""
        with planned_anew():
            return self.data[: self.length + 1].count()

    def __len__(self) -> int:
        return min(self.counted, self.length)

    def order_by(self, aliases: Iterable[str]) -> None:
        """Time is all that a history is sorted by, and its index knows the one order with the unique key last."""
        if aliases:
            self.data = in_order_of(self.data, next(iter(aliases)))


class Searched(Stretch):
    """The same of a search, which is made once: what finds the keys costs as much as what counts them.

    A word that comes often is found among the newest events, without its index; a rare one by its index, without the
    order of time. Which of the two a word is no statistics tell PostgreSQL, so that the newest are looked at first.
    """

    length = SEARCHED

    def __init__(self, data: QuerySet[Event], *, unsearched: QuerySet[Event], words: Sequence[str]) -> None:
        super().__init__(data)
        self.unsearched = unsearched
        self.words = words

    @cached_property
    def keys(self) -> list[int]:
        """The keys of the rows, up to one more than the stretch has."""
        with planned_anew():
            return self._found(self.length + 1)

    def _found(self, most: int) -> list[int]:
        if connection.vendor != "postgresql":
            return list(self.data.values_list("pk", flat=True)[:most])
        for newest in NEWEST:
            found = first_with(self.words, self.unsearched, among=newest, most=most)
            if len(found) == most:
                return found
            if len(found) < OFTEN * newest:
                break
        few = all_with(self.words, most=SELDOM)
        rows = self.data if few is None else self.unsearched.filter(pk__in=few)
        return list(without_index_of_time(rows).values_list("pk", flat=True)[:most])

    @cached_property
    def counted(self) -> int:
        """How many rows there are, up to one more than the stretch has."""
        return len(self.keys)

    def order_by(self, aliases: Iterable[str]) -> None:
        super().order_by(aliases)
        if aliases:
            self.unsearched = in_order_of(self.unsearched, next(iter(aliases)))

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, slice):
            return super().__getitem__(key)
        found = Event.objects.select_related("text").in_bulk(self.keys[key])
        return [found[pk] for pk in self.keys[key] if pk in found]


class HistoryPage(ListPage):
    """A list of events. The table says in `further` where the next stretch begins, in `beyond` whether it is in one."""

    def get_table_data(self) -> Stretch:
        rows = self._from_here(super().get_table_data().data)
        narrowed = cast("HistoryFilter", self.filter)
        words = words_of(narrowed.form.cleaned_data.get("q") or "")
        if not words:
            return Stretch(rows)
        return Searched(rows, unsearched=self._from_here(narrowed.unsearched), words=words)

    def _from_here(self, rows: QuerySet[Event]) -> QuerySet[Event]:
        place = Place.parse(self.request.GET.get(BEYOND, ""))
        if place is None:
            return rows
        return beyond(rows, place, oldest_first=self.request.GET.get("sort", "").startswith("occurred_at"))

    def get_table(self, **kwargs: Any) -> tables.Table:
        table = super().get_table(**kwargs)
        table.beyond = BEYOND if Place.parse(self.request.GET.get(BEYOND, "")) else ""
        page = getattr(table, "page", None)
        if page is not None and table.data.counted > table.data.length:
            table.is_longer = True
            if not page.has_next():
                table.further = str(Place.of(list(page.object_list)[-1].record))
        return table

    def _kept(self) -> Any:
        # Other filters begin at the newest again.
        return ((name, value) for name, value in super()._kept() if name != BEYOND)
