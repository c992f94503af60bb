"""Who can do what at a place, now or after activation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from roles.catalogue import Permission
from roles.guards import at_place
from roles.list_rows import MOST_COUNTED, First
from roles.selectors.reach import in_order_of_names, reaches, reaching, rows_by
from roles.selectors.reach_walks import SORTED, first_narrowed, first_reaching, first_sorted
from roles.tables.reach import ReachFilter, ReachTable
from roles.views.places import PlaceList


@method_decorator(at_place(), name="dispatch")
class ReachList(PlaceList):
    """Every person that a role reaches at a place, by whichever way."""

    current = "reach"
    table_class = ReachTable
    filter_class = ReachFilter
    template_name = "manage/reach.html"
    walking = ("-starts_at", "pk", "membership_id")
    walking_said = _("Newest first; choose a column to sort it")
    identity = ("pk", "membership_id")

    @cached_property
    def filter(self) -> ReachFilter:
        return ReachFilter(self.request.GET, queryset=self.rows(), request=self.request, place=self.place)

    def rows(self) -> QuerySet[Any]:
        return reaching(self.place, self.request.now)

    def fetch(self) -> Callable[[Sequence[Any]], Iterable[Any]]:
        return rows_by

    def in_own_order(self) -> Callable[[Sequence[Any]], Sequence[Any]]:
        return in_order_of_names

    def first(self) -> First:
        return First(self._walked, far=True, narrowed=True)

    def sorted_first(self, order: tuple[Any, ...]) -> First | None:
        if order[0].lstrip("-") not in SORTED:
            return None
        return First(
            lambda most: first_sorted(self.place, self.request.now, most, self.filter.narrowed, order), far=True
        )

    def _walked(self, most: int) -> Sequence[Any]:
        if most == MOST_COUNTED + 1 and not self.narrows:
            return first_reaching(self.place, self.request.now, most)
        return first_narrowed(self.place, self.request.now, most, self.filter.narrowed)

    def dress(self, rows: Sequence[Any]) -> None:
        authority = self.request.authority
        people = authority.anywhere(Permission.SEE_PEOPLE)
        for row, reach in zip(rows, reaches(rows, self.place), strict=True):
            row.reach, row.people_shown = reach, people
            row.above_shown = reach.above is not None and authority.allows(Permission.SEE, reach.above)
