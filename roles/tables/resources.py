"""The lists of resources."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from roles.cells import Cell
from roles.models import Resource, ResourceKind
from roles.pills import ChoicePill, ListFilter

SHOWN_KINDS = [(kind.value, kind.label) for kind in ResourceKind if kind is not ResourceKind.GROUP]


class ResourceFilter(ListFilter):
    search_in = ("name_key__contains", "scope_path__icontains")

    kind = ChoicePill(field_name="kind", label=_("Kind"), choices=SHOWN_KINDS)

    class Meta:
        model = Resource
        fields: list[str] = []


class ResourceTable(tables.Table):
    name = Cell(template_name="manage/cells/resource.html", order_by="path", attrs={"td": {"class": "main"}})
    kind = tables.Column(verbose_name=_("Kind"))
    where = tables.Column(verbose_name=_("Below"), orderable=False, empty_values=(), attrs={"td": {"class": "wide"}})
    scope_path = tables.Column(verbose_name=_("Scope"), attrs={"td": {"class": "wide scope"}})

    class Meta:
        attrs = {"aria-label": _("Resources")}
        empty_text = _("There is nothing here yet.")
