"""The list of the alerts of a place, and that of the incidents of one."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from pim_portal.alerts.definitions import BY_KEY, KINDS
from pim_portal.models import Alert, Incident, Severity
from roles.cells import Cell, cell
from roles.lists import SelectColumn
from roles.models.principals import search_key
from roles.models.resources import ResourceKind
from roles.pills import ChoicePill, ListFilter


def _cell(name: str, label: Any, *order: str, **more: Any) -> Cell:
    return cell(f"alerts/cells/{name}.html", label, *order, **more)


class AlertFilter(ListFilter):
    severity = ChoicePill(method="of_severity", label=gettext_lazy("Severity"), choices=Severity.choices)
    state = ChoicePill(
        method="in_state",
        label=gettext_lazy("Found"),
        choices=[("some", gettext_lazy("Something")), ("nothing", gettext_lazy("Nothing"))],
    )

    class Meta:
        model = Alert
        fields: tuple[str, ...] = ()

    def search(self, rows: Any, name: str, value: str) -> Any:
        """Search in the names of the alerts, which are in the viewer's language and in no column."""
        words = search_key(value).split()
        names = {one.key: search_key(str(one.name)) for one in KINDS}
        return rows.filter(key__in=[key for key, name in names.items() if all(word in name for word in words)])

    def of_severity(self, rows: QuerySet[Alert], name: str, value: str) -> QuerySet[Alert]:
        return rows.filter(key__in=[one.key for one in KINDS if one.severity == value])

    def in_state(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(open_count__gt=0) if value == "some" else rows.filter(open_count=0)


class AlertTable(tables.Table):
    name = _cell("name", gettext_lazy("Alert"), look="main")
    severity = _cell("severity", gettext_lazy("Severity"), "severity_order")
    count = _cell("count", gettext_lazy("Open incidents"), "open_count")
    scanned = _cell("scanned", gettext_lazy("Last scanned"), "last_scanned_at")

    class Meta:
        attrs = {"aria-label": gettext_lazy("Alerts")}
        empty_text = gettext_lazy("Nobody has looked here yet. The worker does every hour, and Scan now does at once.")

    def value_name(self, record: Alert) -> str:
        return str(BY_KEY[record.key].name)


class IncidentFilter(ListFilter):
    search_in = ("principal__name_key__contains", "role__name_key__contains", "resource__name_key__contains")

    where = ChoicePill(field_name="resource__kind", label=gettext_lazy("Where"), choices=ResourceKind.choices)

    class Meta:
        model = Incident
        fields: tuple[str, ...] = ()


class IncidentTable(tables.Table):
    chosen = SelectColumn("selection", label=lambda row: row.about_whom)
    what = _cell("what", gettext_lazy("What it is about"), "principal__name_key", "role__name_key", look="main")
    where = _cell("where", gettext_lazy("Where"), "resource__name_key")
    finding = _cell("finding", gettext_lazy("What was found"), look="wide")
    found = _cell("found", gettext_lazy("Found"), "raised_at")
    over = _cell("over", gettext_lazy("Answered"), look="wide")

    class Meta:
        attrs = {"aria-label": gettext_lazy("Incidents")}
