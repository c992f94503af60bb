"""The lists behind the figures of a world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from reviews.models import Instance
from roles.cells import Cell
from roles.lists import SelectColumn
from roles.models import Assignment, AssignmentType, PrincipalKind, Resource
from roles.pills import ChoicePill, ListFilter
from roles.tables.assignments import ActiveTable, NamesFilter


def _places(word: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = Resource.objects.filter(name_key__contains=word)
    return rows


class WorldFilter(NamesFilter):
    about: ClassVar[dict[str, Callable[[str], QuerySet[Any]]]] = {**NamesFilter.about, "resource": _places}

    type = ChoicePill(label=_("Type"), choices=AssignmentType.choices)
    holder = ChoicePill(field_name="principal__kind", label=_("Assigned to"), choices=PrincipalKind.choices)


def _named(row: Assignment) -> str:
    return _("{role} of {name}").format(role=row.role.name, name=row.principal.name)


class WorldTable(ActiveTable):
    chosen = SelectColumn("selection", label=_named, when=lambda row: row.may_act)
    where = Cell(template_name="overview/cells/where.html", verbose_name=_("Where"), order_by=("resource__name_key",))

    # Only of the list of those for which a smaller role would do.
    smaller = Cell(
        template_name="overview/cells/smaller.html",
        verbose_name=_("Would do"),
        orderable=False,
        attrs={"td": {"class": "wide"}},
    )

    class Meta(ActiveTable.Meta):
        attrs = {"aria-label": _("Assignments")}
        empty_text = _("No assignment is of this kind now.")
        exclude = ("membership",)
        sequence: tuple[str, ...] = ("chosen", "name", "role", "where", "smaller", "state", "start", "end", "acts")  # type: ignore[assignment]


class ReviewFilter(ListFilter):
    search_in = ("review__name__icontains",)

    class Meta:
        model = Instance
        fields: ClassVar[tuple[str, ...]] = ()


class ReviewTable(tables.Table):
    name = Cell(
        template_name="overview/cells/review.html",
        verbose_name=_("Name"),
        order_by=("review__name",),
        attrs={"th": {"class": "main"}, "td": {"class": "main"}},
    )
    end = Cell("{% moment record.closes_at %}", verbose_name=_("Ends"), order_by=("ends_at",))
    progress = Cell(template_name="overview/cells/progress.html", verbose_name=_("Reviewed"), orderable=False)

    class Meta:
        attrs = {"aria-label": _("Access reviews")}
        empty_text = _("No access review is in progress.")
