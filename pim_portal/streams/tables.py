"""The list of web hooks: where each leads, how far it got, what keeps it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import django_tables2 as tables
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pim_portal.models import WebHook
from roles.marks import NOTHING, link, moment, sub, tag
from roles.markup import format_html
from roles.pills import ListFilter


def state_of(hook: Any) -> tuple[str, str]:
    """Return the look and the word of a web hook's state."""
    if hook.paused_at:
        return "", _("Paused")
    if hook.failures:
        return "bad", _("Failing")
    return ("warn", _("Behind")) if hook.behind else ("good", _("Up to date"))


def without_query(url: str) -> str:
    """Return an address without what may be a secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + ("?…" if parts.query else "")


def events(count: int) -> str:
    return ngettext("{count} event", "{count} events", count).format(count=f"{count:,}")


class HookFilter(ListFilter):
    search_in = ("name__icontains", "url__icontains")

    class Meta:
        model = WebHook
        fields = ("q",)


class HookTable(tables.Table):
    name = tables.Column(verbose_name=gettext_lazy("Web hook"), attrs={"td": {"class": "main"}})
    state = tables.Column(verbose_name=gettext_lazy("State"), empty_values=(), orderable=False)
    position = tables.Column(verbose_name=gettext_lazy("Delivered up to"))
    behind = tables.Column(verbose_name=gettext_lazy("Behind by"))
    last_error = tables.Column(
        verbose_name=gettext_lazy("Last error"), default="", orderable=False, attrs={"td": {"class": "wide"}}
    )

    class Meta:
        attrs = {"aria-label": gettext_lazy("Web hooks")}
        empty_text = gettext_lazy("No web hook is set: the history goes nowhere else. Add one for your SIEM.")

    def render_name(self, record: Any) -> SafeString:
        name = format_html("<b>{}</b>", record.name)
        return format_html("{}{}", link(reverse("web_hook", args=[record.pk]), name), sub(without_query(record.url)))

    def render_state(self, record: Any) -> SafeString:
        since = record.paused_at or record.failing_since
        when = sub(moment(self.context, since)) if since else NOTHING
        return format_html("{}{}", tag(*state_of(record)), when)

    def render_position(self, record: Any) -> SafeString:
        if not record.position:
            return format_html("{}", _("Nothing yet"))
        words = _("Leaf {number}").format(number=f"{record.position:,}")
        return format_html("{}{}", words, sub(moment(self.context, record.delivered_at)))

    def render_behind(self, value: int) -> str:
        return events(value) if value else _("Nothing")
