"""The tabs of the assignments at a place."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from roles.cells import written
from roles.ids import GROUP_MEMBER, GROUP_OWNER
from roles.lists import SelectColumn
from roles.models import Assignment, AssignmentType, Principal, PrincipalKind, Resource, Role
from roles.models.principals import search_key
from roles.pills import ChoicePill, ListFilter
from roles.selectors.assignment_lists import INHERITED, MEMBERSHIPS
from roles.selectors.keys import is_of
from roles.tables import assignment_cells as cells

STATES = [("assigned", gettext_lazy("Assigned")), ("activated", gettext_lazy("Activated"))]
DURATIONS = [("permanent", gettext_lazy("Permanent")), ("time_bound", gettext_lazy("Time-bound"))]


class TimesFilter(ListFilter):
    duration = ChoicePill(label=gettext_lazy("Duration"), choices=DURATIONS, method="by_duration")

    class Meta:
        model = Assignment
        fields: tuple[str, ...] = ()

    def by_duration(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        return rows.filter(ends_at__isnull=value == "permanent")


class OfGroupFilter(TimesFilter):
    """Of a group's members and owners: all of them are people, and each is so directly."""

    search_in = ("principal__search_text__in_names",)  # whoever reads this need not see addresses

    role = ChoicePill(
        label=gettext_lazy("As"),
        choices=[(str(GROUP_MEMBER), gettext_lazy("Member")), (str(GROUP_OWNER), gettext_lazy("Owner"))],
    )


def _people(word: str) -> QuerySet[Any]:
    return Principal.objects.filter(search_text__in_names=word)  # whoever reads this need not see addresses


def _roles(word: str) -> QuerySet[Any]:
    return Role.objects.filter(name_key__contains=word)


class NamesFilter(TimesFilter):
    """Finds each word in the names of what a row is about (`is_of`): of people, groups and roles."""

    about: ClassVar[dict[str, Callable[[str], QuerySet[Any]]]] = {"principal": _people, "role": _roles}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._found: dict[str, Q] = {}  # once, though what is walked is narrowed as well as the list

    def search(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        for word in search_key(value).split():
            if word not in self._found:
                self._found[word] = reduce(or_, (is_of(column, named(word)) for column, named in self.about.items()))
            rows = rows.filter(self._found[word])
        return rows


class AssignmentFilter(NamesFilter):
    membership = ChoicePill(label=gettext_lazy("Membership"), choices=MEMBERSHIPS, method="by_membership")
    holder = ChoicePill(field_name="principal__kind", label=gettext_lazy("Assigned to"), choices=PrincipalKind.choices)

    def __init__(self, *args: Any, place: Resource, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place

    def by_membership(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        # By the place, too: of what is given above nothing need be looked at to find none that was given here.
        there = ~Q(resource=self.place) if value == INHERITED else Q(resource=self.place)
        return rows.filter(there, membership=value)


class ActiveFilter(AssignmentFilter):
    state = ChoicePill(label=gettext_lazy("State"), choices=STATES, method="by_state")

    def by_state(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        return rows.filter(activated_from__isnull=value == "assigned")


class AnyTypeFilter(ActiveFilter):
    type = ChoicePill(label=gettext_lazy("Type"), choices=AssignmentType.choices)


def _named(row: Assignment) -> str:
    return _("{role} of {name}").format(role=row.role.name, name=row.principal.name)


class EligibleTable(tables.Table):
    chosen = SelectColumn("selection", label=_named, when=lambda row: row.membership != INHERITED)
    name = written(cells.holder, gettext_lazy("Name"), "principal__name_key", look="main")
    role = written(cells.role, gettext_lazy("Role"), "role__name_key", look="long")
    membership = written(cells.membership, gettext_lazy("Membership"), "membership", look="long")
    start = written(cells.start, gettext_lazy("Start"), "starts_at")
    end = written(cells.end, gettext_lazy("End"), "ends_at")
    acts = written(cells.acts, "", look="end")

    class Meta:
        attrs = {"aria-label": gettext_lazy("Eligible assignments")}
        empty_text = gettext_lazy("Nobody is eligible for a role here.")


class ActiveTable(EligibleTable):
    state = written(cells.state, gettext_lazy("State"))

    class Meta:
        attrs = {"aria-label": gettext_lazy("Active assignments")}
        empty_text = gettext_lazy("Nobody holds a role here now.")
        sequence = ("chosen", "name", "role", "membership", "state", "start", "end", "acts")


class ScheduledTable(ActiveTable):
    class Meta(ActiveTable.Meta):
        attrs = {"aria-label": gettext_lazy("Scheduled assignments")}
        empty_text = gettext_lazy("Nothing is planned here.")


class ExpiredTable(ActiveTable):
    end = written(cells.ended, gettext_lazy("Ended"), "over")

    class Meta(ActiveTable.Meta):
        attrs = {"aria-label": gettext_lazy("Expired assignments")}
        empty_text = gettext_lazy("Nothing ended here in the last 30 days.")
        exclude = ("chosen",)
