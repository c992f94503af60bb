"""The list of who can do what at a place."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import django_tables2 as tables
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from roles.cells import written
from roles.models import Assignment, Resource
from roles.models.principals import search_key
from roles.pills import ChoicePill, ListFilter
from roles.selectors.reach import HOW, WHEN, Word, by_way
from roles.selectors.reach_walks import Narrowed
from roles.tables import reach_cells as cells
from roles.tables.assignment_cells import role

# The order of the list must be total, and a group's assignment stands in it once for each member.
_REST = ("person_key", "role__name_key", "pk", "membership_id")


class ReachFilter(ListFilter):
    when = ChoicePill(field_name="when", label=_("When"), choices=WHEN)
    how = ChoicePill(label=_("How"), choices=HOW, method="by_way")

    class Meta:
        model = Assignment
        fields: list[str] = []

    def __init__(self, *args: Any, place: Resource, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """Each word that is searched for."""
        return tuple(Word(one) for one in search_key(self.form.cleaned_data.get("q") or "").split())

    @property
    def narrowed(self) -> Narrowed:
        """What the list is narrowed to, for walking it."""
        said = self.form.cleaned_data
        return Narrowed(said.get("when") or "", said.get("how") or "", self.words)

    def search(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        """Find each word in the names of the people and roles (`is_of`)."""
        for word in self.words:
            rows = rows.filter(word.is_about)
        return rows

    def by_way(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        return rows.filter(by_way(value, self.place))


class ReachTable(tables.Table):
    person = written(cells.person, _("Person"), *_REST, look="main")
    role = written(role, _("Role"), "role__name_key", *_REST, look="long")
    when = written(cells.when, _("When"), "when", *_REST)
    how = written(cells.how, _("How"), look="wide long")
    until = written(cells.end, _("Since and until"), "ends_at", *_REST)

    class Meta:
        attrs = {"aria-label": _("Who can do what here")}
        empty_text = _("Nobody holds a role here, and nobody may activate one.")
