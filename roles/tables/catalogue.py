"""The list of the roles of a place."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from roles.cells import written
from roles.models import Role
from roles.pills import ChoicePill, ListFilter
from roles.tables import role_cells

YES_NO = [("yes", _("Yes")), ("no", _("No"))]
MADE = [("built_in", _("Built-in")), ("custom", _("Custom")), ("retired", _("Retired"))]


class RoleFilter(ListFilter):
    search_in = ("name_key__contains", "description__icontains", "category__icontains")

    category = ChoicePill(field_name="category", label=_("Category"))
    privileged = ChoicePill(label=_("Privileged"), choices=YES_NO, method="by_privileged")
    made = ChoicePill(label=_("Kind"), choices=MADE, method="by_made")
    in_use = ChoicePill(label=_("In use"), choices=YES_NO, method="by_use")
    settings = ChoicePill(label=_("Settings changed"), choices=YES_NO, method="by_settings")

    class Meta:
        model = Role
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, queryset: QuerySet[Role], **kwargs: Any) -> None:
        super().__init__(*args, queryset=queryset, **kwargs)
        known = queryset.exclude(category="").order_by("category").values_list("category", flat=True).distinct()
        self.filters["category"].offer((one, one) for one in known)

    def by_privileged(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        return rows.filter(privileged=value == "yes")

    def by_made(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        if value == "retired":
            return rows.filter(retired_at__isnull=False)
        return rows.filter(built_in=value == "built_in", retired_at=None)

    def by_use(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        used = Q(eligible_count__gt=0) | Q(active_count__gt=0)
        return rows.filter(used if value == "yes" else ~used)

    def by_settings(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        return rows.filter(settings_changed=value == "yes")


class RoleTable(tables.Table):
    name = written(role_cells.role, _("Role"), "name_key", look="main")
    category = tables.Column(verbose_name=_("Category"), order_by=("category", "name_key"))
    eligible = written(role_cells.eligible, _("Eligible"), "eligible_count")
    active = written(role_cells.active, _("Active"), "active_count")
    settings = written(role_cells.settings, _("Settings"), "settings_changed")

    class Meta:
        attrs = {"aria-label": _("Roles")}
        empty_text = _("There is no role that could be assigned here.")
