"""The lists of people and of groups."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pim_portal.templatetags.portal import tag
from roles.lists import ChoicePill, ListFilter
from roles.models import Group, User

MAIN = {"td": {"class": "main"}}  # the cell that names its row

# The short tables of one person or group.
ASSIGNMENT_COLUMNS = (
    gettext_lazy("Role"),
    gettext_lazy("Where"),
    gettext_lazy("Through"),
    gettext_lazy("Until"),
)
MEMBER_COLUMNS = (gettext_lazy("Name"), gettext_lazy("As"), gettext_lazy("Until"))


class PeopleFilter(ListFilter):
    search_in = ("name_key__contains", "username_key__contains", "email_key__contains")

    state = ChoicePill(
        field_name="enabled",
        label=gettext_lazy("State"),
        choices=[("enabled", gettext_lazy("Enabled")), ("disabled", gettext_lazy("Disabled"))],
        method="by_state",
    )
    department = django_filters.AllValuesFilter(label=gettext_lazy("Department"), empty_label=gettext_lazy("All"))

    def by_state(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        return rows.filter(enabled=value == "enabled")

    class Meta:
        model = User
        fields: list[str] = []


class PeopleTable(tables.Table):
    name = tables.Column(verbose_name=gettext_lazy("Name"), order_by="name_key", attrs=MAIN)
    email = tables.Column(verbose_name=gettext_lazy("E-mail"), order_by="email_key", default="")
    department = tables.Column(verbose_name=gettext_lazy("Department"), default="")
    manager = tables.Column(verbose_name=gettext_lazy("Manager"), order_by="manager__name_key", default="")
    enabled = tables.Column(verbose_name=gettext_lazy("State"))

    class Meta:
        attrs = {"aria-label": gettext_lazy("People")}
        empty_text = gettext_lazy("Nobody is here yet. Invite somebody.")

    def render_name(self, value: str, record: User) -> SafeString:
        address = reverse("person", args=[record.pk])
        return format_html('<b><a href="{}">{}</a></b><span class="sub">{}</span>', address, value, record.username)

    def render_department(self, value: str, record: User) -> SafeString:
        return format_html('{}<span class="sub">{}</span>', value, record.job_title)

    def render_enabled(self, record: User) -> SafeString:
        return state_of(record)


def state_of(user: User) -> SafeString:
    """Show whether somebody can sign in: a dot and a word."""
    if not user.enabled:
        return tag("bad", _("Disabled"))
    return tag("good", _("Enabled")) if user.has_usable_password() else tag("warn", _("Invited"))


class GroupsFilter(ListFilter):
    search_in = ("name_key__contains",)

    class Meta:
        model = Group
        fields: list[str] = []


class GroupsTable(tables.Table):
    name = tables.Column(verbose_name=gettext_lazy("Group"), order_by="name_key", attrs=MAIN)
    members = tables.Column(verbose_name=gettext_lazy("Members now"), default="0")

    class Meta:
        attrs = {"aria-label": gettext_lazy("Groups")}
        empty_text = gettext_lazy("There are no groups yet.")

    def render_name(self, value: str, record: Any) -> SafeString:
        address = reverse("group", args=[record.pk])
        return format_html('<b><a href="{}">{}</a></b><span class="sub">{}</span>', address, value, record.description)
