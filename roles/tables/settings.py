"""The list of the roles of a place with where their settings come from."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from roles import wording
from roles.cells import written
from roles.models import Role
from roles.pills import ChoicePill, ListFilter
from roles.selectors.settings_lists import STANDINGS
from roles.tables import settings_cells as cells

YES_NO = [("yes", _("Yes")), ("no", _("No"))]
REQUIRED = [("yes", _("Required")), ("no", _("Not required"))]


class SettingsFilter(ListFilter):
    search_in = ("name_key__contains", "category__icontains")

    set = ChoicePill(field_name="standing", label=_("Set"), choices=STANDINGS)
    changed = ChoicePill(label=_("Differs from the default"), choices=YES_NO, method="by_changed")
    approval = ChoicePill(label=_("Approval"), choices=REQUIRED, method="by_approval")
    privileged = ChoicePill(label=_("Privileged"), choices=YES_NO, method="by_privileged")

    class Meta:
        model = Role
        fields: tuple[str, ...] = ()

    def by_changed(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        return rows.filter(changed=value == "yes")

    def by_approval(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        return rows.filter(Q(approval=value == "yes"))

    def by_privileged(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        return rows.filter(privileged=value == "yes")


class SettingsTable(tables.Table):
    name = written(cells.role, _("Role"), "name_key", look="main")
    set = written(cells.source, _("Set"), "standing")
    longest = written(cells.longest, _("Activation at most"), "minutes")
    approval = written(cells.approval, _("Approval"), "approval", look="whole")
    last = written(cells.last_changed, _("Last changed"))

    class Meta:
        attrs = {"aria-label": _("Role settings")}
        empty_text = _("There is no role that could be assigned here.")

    def value_last(self, record: Any) -> str:
        """Return when, and by whom; for a file."""
        settings = record.settings_here
        if settings is None or settings.changed_at is None or not record.told:
            return ""
        return f"{wording.exact(settings.changed_at)} {settings.changed_by}".strip()
