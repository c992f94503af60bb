"""The report on a file, line by line."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from pim_portal.imports.outcomes import Fate
from pim_portal.models import UploadLine
from roles.marks import tag
from roles.pills import ChoicePill, ListFilter

LOOKS = {Fate.MADE: "good", Fate.EXISTS: "", Fate.LEFT_OUT: "warn", Fate.WRONG: "bad"}


class ReportFilter(ListFilter):
    search_in = ("about_key__contains",)

    fate = ChoicePill(field_name="fate", label=gettext_lazy("What becomes of it"), choices=Fate.choices)

    class Meta:
        model = UploadLine
        fields: list[str] = []


class ReportTable(tables.Table):
    number = tables.Column(verbose_name=gettext_lazy("Line"))
    about = tables.Column(
        verbose_name=gettext_lazy("What it says"), attrs={"td": {"class": "main"}}, order_by="about_key", default=""
    )
    fate = tables.Column(verbose_name=gettext_lazy("What becomes of it"))
    sentence = tables.Column(verbose_name=gettext_lazy("Why"), attrs={"td": {"class": "wide"}}, default="")

    class Meta:
        attrs = {"aria-label": gettext_lazy("Report on an import")}
        empty_text = gettext_lazy("No line has been looked at yet.")

    def render_fate(self, record: UploadLine) -> SafeString:
        fate = Fate(record.fate)
        return tag(LOOKS[fate], str(fate.label))
