"""How the history is narrowed: by span, kind, outcome and text."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.kinds import Kind, Outcome
from audit.models import Event
from roles.lists import ChoicePill, ListFilter

SPANS = {
    "1": _("Last 24 hours"),
    "7": _("Last 7 days"),
    "30": _("Last 30 days"),
    "90": _("Last 90 days"),
    "365": _("Last 365 days"),
}


class HistoryFilter(ListFilter):
    """The search box and pills above a history."""

    search_in: ClassVar[tuple[str, ...]] = ("text__search__contains",)

    span = ChoicePill(method="since", label=_("When"), choices=list(SPANS.items()), empty_label=_("Any time"))
    kind = ChoicePill(label=_("What"), choices=sorted(Kind.choices, key=lambda choice: str(choice[1])))
    outcome = ChoicePill(label=_("Outcome"), choices=Outcome.choices)

    class Meta:
        model = Event
        fields: ClassVar[list[str]] = ["q", "span", "kind", "outcome"]

    def since(self, rows: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        return rows.filter(occurred_at__gte=timezone.now() - timedelta(days=int(value)))
