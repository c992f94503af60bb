"""Who can do what at a place, now or after activation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from roles.catalogue import Permission
from roles.guards import at_place
from roles.selectors.reach import WALKING, first_reaching, parts_at, reaches, reaching
from roles.tables.reach import ReachFilter, ReachTable
from roles.views.places import PlaceList


@method_decorator(at_place(), name="dispatch")
class ReachList(PlaceList):
    """Every person that a role reaches at a place, by whichever way."""

    current = "reach"
    table_class = ReachTable
    filter_class = ReachFilter
    template_name = "manage/reach.html"
    walking = WALKING
    walking_said = _("Newest first; choose a column to sort it")
    identity = ("pk", "membership_id")

    def rows(self) -> QuerySet[Any]:
        return reaching(self.place, self.request.now)

    def parts(self) -> Sequence[Q]:
        return parts_at(self.place)

    def first(self) -> Callable[[int], Sequence[Any]]:
        return partial(first_reaching, self.place, self.request.now)

    def _rows_in_parts(self, keys: Sequence[Any], names: Sequence[str], **kwargs: Any) -> Iterator[Sequence[object]]:
        # A group's assignment stands in the list once for each member: all of them belong into one part of a download.
        return super()._rows_in_parts(list(dict.fromkeys(keys)), names, **kwargs)

    def dress(self, rows: Sequence[Any]) -> None:
        authority = self.request.authority
        people = authority.anywhere(Permission.SEE_PEOPLE)
        for row, reach in zip(rows, reaches(rows, self.place), strict=True):
            row.reach, row.people_shown = reach, people
            row.above_shown = reach.above is not None and authority.allows(Permission.SEE, reach.above)
