"""The history as a list: who, what, when, where, why."""

from __future__ import annotations

from typing import ClassVar

import django_tables2 as tables
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from audit.kinds import Outcome
from audit.models import Event
from audit.sentences import said, sentence, who, why
from roles.cells import Cell
from roles.marks import NOTHING, link, sub, tag
from roles.markup import format_html

REASON_WORDS = 24


class HistoryTable(tables.Table):
    """Events in the words that every audit page uses; what happened leads to the details."""

    event_page: ClassVar[str] = "my_audit_event"  # with the details; empty where the reader has none

    who = tables.Column(empty_values=(), orderable=False, verbose_name=_("Who"))
    what = tables.Column(
        empty_values=(), orderable=False, verbose_name=_("What"), attrs={"td": {"class": "main said"}, "th": {}}
    )
    occurred_at = Cell("{% moment record.occurred_at %}", verbose_name=_("When"))
    where = tables.Column(empty_values=(), orderable=False, verbose_name=_("Where"))
    why = tables.Column(empty_values=(), orderable=False, verbose_name=_("Why"), attrs={"td": {"class": "wide"}})

    class Meta:
        model = Event
        fields = ("who", "what", "occurred_at", "where", "why")
        attrs: ClassVar[dict[str, object]] = {"aria-label": _("My audit history")}
        empty_text = _("Nothing has happened yet. What you do in the portal, and what is done to you, will stand here.")

    def render_who(self, record: Event) -> str:
        return who(record)

    def render_what(self, record: Event) -> SafeString:
        address = reverse(self.event_page, args=[record.uuid]) if self.event_page else ""
        what = link(address, record.get_kind_display())
        outcome = tag("bad", record.get_outcome_display()) if record.outcome != Outcome.DONE else NOTHING
        return format_html("{} {}{}", what, outcome, sub(sentence(record)))

    def render_where(self, record: Event) -> str:
        return said(record, "resource")

    def render_why(self, record: Event) -> str:
        return Truncator(why(record)).words(REASON_WORDS)


class AuditTable(HistoryTable):
    """The history of the places that somebody may read."""

    event_page = "audit_event"

    class Meta(HistoryTable.Meta):
        attrs: ClassVar[dict[str, object]] = {"aria-label": _("Audit history")}
        empty_text = _("Nothing has happened yet at the places whose history you may read.")
