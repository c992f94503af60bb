"""Assignments in effect in the order of an index, read no further than somebody needs."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from heapq import merge
from itertools import islice
from typing import Any, Final

from django.db.models import Q, QuerySet

from roles.models import Assignment
from roles.models.planning import planned_anew
from roles.models.prepared import Prepared

Row = tuple[Any, uuid.UUID]  # what a row is put in order by, a moment or a name, and its key

# The columns of which an index has the order, and what somebody may sort a long list by without all of it being sorted.
_SORTED_BY: Final = ("principal__name_key", "role__name_key", "resource__name_key", "starts_at")
SORTED: Final = frozenset((f"{sign}{one}", "pk") for one in _SORTED_BY for sign in ("", "-"))

AT_FIRST, AT_ONCE = 64, 256  # rows of which it is asked at once: no more than a prepared question takes
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)

_HELD = Prepared(lambda pks, now: Assignment.objects.in_effect_of(pks, now).order_by().values_list("pk", flat=True))


def in_effect_in_order(
    rows: QuerySet[Any], order: tuple[str, ...], now: datetime, *, wanted: int = AT_FIRST
) -> Iterator[Row]:
    """Yield those of these rows that are in effect, in an order of an index: of one column, and then of the key.

    What the columns say of a row is asked first; whether it is in effect, of a few at a time. It is so of nearly all
    that is open, which no database knows: it would ask it of all there is, and put what is left in order. `wanted`: how
    many are wanted of this walk, if that is known.
    """
    column, size, after = order[0].lstrip("-"), min(AT_ONCE, wanted + wanted // 8), None
    while True:
        with planned_anew():
            looked_at: list[Row] = list(_beyond(rows, order, after).values_list(column, "pk")[:size])
        held = set(_HELD.ask([pk for _first, pk in looked_at], now)) if looked_at else set()
        yield from (row for row in looked_at if row[1] in held)
        if len(looked_at) < size:
            return
        after, size = looked_at[-1], AT_ONCE


def _beyond(rows: QuerySet[Any], order: tuple[str, ...], after: Row | None) -> QuerySet[Any]:
    """Return rows in an order, those alone that stand after another."""
    rows = rows.order_by(*order)
    if after is None:
        return rows
    column, later = order[0].lstrip("-"), "lt" if order[0].startswith("-") else "gt"
    beyond = Q(**{f"{column}__{later}": after[0]}) | Q(**{column: after[0]}, pk__gt=after[1])
    return rows.filter(beyond, **{f"{column}__{later}e": after[0]})


def first_in(rows: QuerySet[Any], order: tuple[str, ...], now: datetime, most: int) -> list[uuid.UUID]:
    """Return the keys of the first so many of these rows that are in effect."""
    return [pk for _first, pk in islice(in_effect_in_order(rows, order, now, wanted=most), most)]


def newest_of(walks: Iterable[Iterator[Row]]) -> Iterator[uuid.UUID]:
    """Yield the keys of several walks, each newest first, as one; of each no more is read than its next rows."""
    return (pk for _moment, pk in merge(*walks, key=lambda row: (_START - row[0], row[1])))
