"""The list of roles to look for."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from roles.cells import Cell
from roles.models import Role
from roles.pills import ListFilter


class FindRoleFilter(ListFilter):
    search_in = ("name_key__contains",)

    class Meta:
        model = Role
        fields: list[str] = []


class FindRoleTable(tables.Table):
    name = Cell(
        verbose_name=_("Role"),
        template_name="finding/cells/role.html",
        order_by="name_key",
        attrs={"td": {"class": "main"}},
    )
    category = tables.Column(verbose_name=_("Service or category"), default="")
    mine = Cell(verbose_name=_("Do I have it?"), template_name="finding/cells/mine.html", orderable=False)

    class Meta:
        attrs = {"aria-label": _("Roles")}
        empty_text = _("There are no roles here.")
