"""The alerts of a place, and one alert with its incidents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _

from pim_portal.alerts.definitions import BY_KEY, KINDS
from pim_portal.alerts.definitions.base import AlertKind
from pim_portal.alerts.selectors.grounds import root_of, values_at
from pim_portal.alerts.selectors.sight import alerts_at, answers_by, incidents_at, may_scan
from pim_portal.alerts.tables import AlertFilter, AlertTable, IncidentFilter, IncidentTable
from pim_portal.alerts.views.common import kind_at
from pim_portal.models import Alert, Incident, Severity
from roles.catalogue import Permission
from roles.guards import at_place
from roles.models import Resource
from roles.places import address
from roles.tabs import Tab
from roles.views.places import PlaceList

_ORDER = {severity: number for number, severity in enumerate(Severity)}
TABS = ("open", "dismissed", "resolved")


@method_decorator(at_place(), name="dispatch")
class Alerts(PlaceList):
    """The alerts of a place, what is open first."""

    current = "alerts"
    table_class, filter_class, template_name = AlertTable, AlertFilter, "alerts/alerts.html"

    def rows(self) -> QuerySet[Any]:
        whens = [When(key=one.key, then=Value(_ORDER[Severity(one.severity)])) for one in KINDS]
        rows = alerts_at(self.place).annotate(severity_order=Case(*whens, output_field=IntegerField()))
        ordered: QuerySet[Any] = rows.order_by("severity_order", "-open_count", "key", "pk")
        return ordered

    def dress(self, rows: Sequence[Any]) -> None:
        values = values_at(self.place)
        for row in rows:
            row.kind = BY_KEY[row.key]
            row.values = values[row.key]
            row.said = row.kind.description(row.open_count) if row.open_count else ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_scan=may_scan(self.request.authority, self.place), **kwargs)


@method_decorator(at_place(), name="dispatch")
class AlertPage(PlaceList):
    """One alert: what it looks for, why, what is set, and its incidents."""

    current = "alerts"
    table_class, filter_class, template_name = IncidentTable, IncidentFilter, "alerts/alert.html"
    kind: AlertKind

    def get(self, request: HttpRequest, *args: Any, place: Resource, **kwargs: Any) -> HttpResponse:
        """Show an alert of this place."""
        self.kind = kind_at(place, kwargs["key"])
        return super().get(request, *args, place=place, **kwargs)

    @property
    def tab(self) -> str:
        wanted = self.request.GET.get("tab", "")
        return wanted if wanted in TABS else TABS[0]

    def rows(self) -> QuerySet[Incident]:
        found = incidents_at(self.place, self.kind)
        return {"open": found.open, "dismissed": found.dismissed, "resolved": found.resolved}[self.tab]()

    @property
    def may_answer(self) -> bool:
        return answers_by(self.request.authority, self.kind, self.place) is not None

    def get_table_kwargs(self) -> dict[str, Any]:
        hidden = {"open": ("over",), "dismissed": ("chosen",), "resolved": ("chosen",)}[self.tab]
        return {"exclude": hidden if self.may_answer else (*hidden, "chosen")}

    def dress(self, rows: Sequence[Any]) -> None:
        for row in rows:
            dress(row, self.kind)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        page = address(self.place, "alert", key=self.kind.key)
        found = incidents_at(self.place, self.kind)
        labels = {"open": _("Open"), "dismissed": _("Dismissed"), "resolved": _("Resolved")}
        counts = {"open": found.open, "dismissed": found.dismissed, "resolved": found.resolved}
        tabs = [
            Tab(label, page if name == TABS[0] else f"{page}?tab={name}", name == self.tab, counts[name]().count())
            for name, label in labels.items()
        ]
        count = tabs[0].count or 0
        values = values_at(self.place, [self.kind])[self.kind.key]
        context["table"].empty_text = {
            "open": _("Nothing is open: there is nothing to do."),
            "dismissed": _("Nothing was dismissed here."),
            "resolved": _("Nothing was resolved here yet."),
        }[self.tab]
        return context | {
            "kind": self.kind,
            "values": values,
            "alert": Alert.objects.filter(key=self.kind.key, root=root_of(self.place)).first(),
            "list_tabs": tabs,
            "tab": self.tab,
            "count": count,
            "said": self.kind.description(count) if count else "",
            "thresholds": thresholds(self.kind, values),
            "may_answer": self.may_answer,
            "may_see_people": self.request.authority.anywhere(Permission.SEE_PEOPLE),
            "may_fix": self.may_answer and self.kind.fix is not None and self.tab == TABS[0],
        }


def dress(incident: Incident, kind: AlertKind) -> None:
    """Hang on an incident what its cells say."""
    named = [one.name for one in (incident.principal, incident.role) if one is not None]
    incident.about_whom = ", ".join(named) or str(kind.name)  # type: ignore[attr-defined]
    incident.said = kind.sentence(incident)  # type: ignore[attr-defined]


def thresholds(kind: AlertKind, values: Any) -> list[tuple[Any, int, Any]]:
    """Return what is set: label, number, unit."""
    return [(one.label, values[one.name], one.unit) for one in kind.settings]
