"""Pages of a history of any length: a stretch of so many events at a time, each page of it found at once.

A page far back costs as much as the first one: `beyond` names the last event of the stretch before, from where an index
goes on. How many there are in all is counted as far as the stretch goes; more than that is said, not counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any, Final, NamedTuple

import django_tables2 as tables
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from audit.models import Event, EventQuerySet
from roles.lists import ListPage, OrderedRows

STRETCH: Final = 10_000  # events between which pages are numbered
SEARCHED: Final = 1_000  # the same where words are searched for: an often used one is found at once, and not counted on
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
        except ValueError:
            return None
        if at is None or at.tzinfo is None or not (number.isascii() and number.isdecimal()) or int(number) > _LAST_ID:
            return None
        return cls(at, int(number))


def beyond(rows: QuerySet[Event], place: Place, *, oldest_first: bool = False) -> QuerySet[Event]:
    """Return the events that come after this place. The condition on the moment alone is one for an index."""
    if oldest_first:
        ties = Q(occurred_at__gt=place.at) | Q(id__gt=place.id)
        return rows.filter(ties, occurred_at__gte=place.at)
    ties = Q(occurred_at__lt=place.at) | Q(id__lt=place.id)
    return rows.filter(ties, occurred_at__lte=place.at)


class Stretch(OrderedRows):
    """The rows of a table, as far as the stretch goes."""

    data: EventQuerySet
    length = STRETCH
    reach = STRETCH
    keys_first = False  # an index has them in order

    @cached_property
    def counted(self) -> int:
        """How many rows there are, up to one more than the stretch has; in its order, so that an index finds them."""
        return self.data[: self.length + 1].count()

    def __len__(self) -> int:
        return min(self.counted, self.length)

    def order_by(self, aliases: Iterable[str]) -> None:
        """Time is all that a history is sorted by, and its index knows the one order with the unique key last."""
        if aliases:
            newest = next(iter(aliases)).startswith("-")
            self.data = self.data.newest_first() if newest else self.data.oldest_first()


class Searched(Stretch):
    """The same of a search, which is made once: what finds the keys costs as much as what counts them."""

    length = SEARCHED

    @cached_property
    def keys(self) -> list[int]:
        """The keys of the rows, up to one more than the stretch has."""
        return list(self.data.values_list("pk", flat=True)[: self.length + 1])

    @cached_property
    def counted(self) -> int:
        """How many rows there are, up to one more than the stretch has."""
        return len(self.keys)

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, slice):
            return super().__getitem__(key)
        found = Event.objects.select_related("text").in_bulk(self.keys[key])
        return [found[pk] for pk in self.keys[key] if pk in found]


class HistoryPage(ListPage):
    """A list of events. The table says in `further` where the next stretch begins, in `beyond` whether it is in one."""

    def get_table_data(self) -> Stretch:
        rows = super().get_table_data().data
        place = Place.parse(self.request.GET.get(BEYOND, ""))
        if place is not None and "download" not in self.request.GET:
            rows = beyond(rows, place, oldest_first=self.request.GET.get("sort", "").startswith("occurred_at"))
        return Searched(rows) if self.request.GET.get("q", "").strip() else Stretch(rows)

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
