"""The list of archives: what is in each, and whether its file is at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django_tables2 as tables
from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.archive_files import file_of
from audit.kinds import Kind, Realm
from audit.models import Archive
from roles import wording
from roles.marks import moment, sub, tag
from roles.markup import format_html
from roles.pills import ChoicePill, ListFilter


def at_hand(archive: Archive) -> bool:
    """Whether the file of an archive lies where this process looks for it."""
    return file_of(Path(settings.PIM_AUDIT_ARCHIVES), archive.name).exists()


class ArchiveFilter(ListFilter):
    search_in = ("name__icontains",)

    realm = ChoicePill(label=gettext_lazy("World"), choices=Realm.choices)

    class Meta:
        model = Archive
        fields = ("q", "realm")


class ArchiveTable(tables.Table):
    number = tables.Column(verbose_name=gettext_lazy("Archive"), attrs={"td": {"class": "main"}})
    realm = tables.Column(verbose_name=gettext_lazy("World"))
    newest = tables.Column(verbose_name=gettext_lazy("Events"))
    kinds = tables.Column(verbose_name=gettext_lazy("Kinds"), orderable=False, attrs={"td": {"class": "wide"}})
    made_at = tables.Column(verbose_name=gettext_lazy("Made"))
    file = tables.Column(verbose_name=gettext_lazy("File"), empty_values=(), orderable=False)
    action = tables.Column(verbose_name="", empty_values=(), orderable=False, attrs={"td": {"class": "end"}})

    class Meta:
        attrs = {"aria-label": gettext_lazy("Archives")}
        empty_text = gettext_lazy("Nothing was moved into an archive yet: every event is in the database.")

    def render_number(self, record: Archive) -> SafeString:
        return format_html(
            '<a href="{}">{}</a><span class="sub mono">{}.jsonl</span>',
            reverse("audit_event", args=[record.event]),
            _("Archive {number}").format(number=record.number),
            record.name,
        )

    def render_newest(self, record: Archive) -> SafeString:
        count = f"{record.leaves:,}"
        first, last = wording.day(record.oldest), wording.day(record.newest)
        span = first if first == last else _("{first} to {last}").format(first=first, last=last)
        leaves = _("leaves {first} to {last}").format(first=f"{record.first:,}", last=f"{record.last:,}")
        return format_html("{}{}{}", count, sub(span), sub(leaves))

    def render_kinds(self, value: list[str]) -> str:
        labels = dict(Kind.choices)
        return ", ".join(str(labels.get(one, one)) for one in value)

    def render_made_at(self, record: Archive) -> SafeString:
        return moment(self.context, record.made_at)

    def render_file(self, record: Archive) -> SafeString:
        return tag("good", _("At hand")) if at_hand(record) else tag("", _("Kept elsewhere"))

    def value_file(self, record: Archive) -> str:
        return record.sha256

    def render_action(self, record: Archive) -> Any:
        if not at_hand(record):
            return ""
        return format_html(
            '<a class="button small" href="{}" data-panel aria-label="{}">{}</a>',
            reverse("archive_take", args=[record.event]),
            _("Download archive {number}").format(number=record.number),
            _("Download"),
        )
