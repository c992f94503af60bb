"""The lists of people and of groups, and of what one of them holds."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pim_portal.activity.tables import HistoryTable
from pim_portal.people.selectors.departments import departments
from roles.cells import Cell, cell
from roles.marks import link, sub, tag
from roles.markup import format_html
from roles.models import Assignment, Group, RoleKind, User
from roles.pills import ChoicePill, ListFilter

MAIN = {"td": {"class": "main"}}  # the cell that names its row
STATES = [("enabled", gettext_lazy("Enabled")), ("disabled", gettext_lazy("Disabled"))]
KINDS = [
    (RoleKind.DIRECTORY.value, gettext_lazy("Directory roles")),
    (RoleKind.RESOURCE.value, gettext_lazy("Resource roles")),
    (RoleKind.GROUP.value, gettext_lazy("Groups")),
]

# The short table of who belongs to a group.
MEMBER_COLUMNS = (gettext_lazy("Name"), gettext_lazy("As"), gettext_lazy("Until"))


class _StateFilter(ListFilter):
    state = ChoicePill(field_name="enabled", label=gettext_lazy("State"), choices=STATES, method="by_state")

    def by_state(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        return rows.filter(enabled=value == "enabled")


def _departments() -> list[tuple[str, str]]:
    return [(name, name) for name in departments()]


class PeopleFilter(_StateFilter):
    search_in = ("search_text__contains",)

    department = ChoicePill(label=gettext_lazy("Department"), choices=_departments)

    class Meta:
        model = User
        fields: list[str] = []


class PeopleTable(tables.Table):
    name = tables.Column(verbose_name=gettext_lazy("Name"), order_by="name_key", attrs=MAIN)
    email = tables.Column(
        verbose_name=gettext_lazy("E-mail"), order_by="email_key", default="", attrs={"td": {"class": "wide"}}
    )
    department = tables.Column(verbose_name=gettext_lazy("Department"), default="")
    manager = tables.Column(verbose_name=gettext_lazy("Manager"), order_by="manager__name_key", default="")
    enabled = tables.Column(verbose_name=gettext_lazy("State"))

    class Meta:
        attrs = {"aria-label": gettext_lazy("People")}
        empty_text = gettext_lazy("Nobody is here yet. Invite somebody.")

    def render_name(self, value: str, record: User) -> SafeString:
        return format_html("<b>{}</b>{}", link(reverse("person", args=[record.pk]), value), sub(record.username))

    def render_department(self, value: str, record: User) -> SafeString:
        return format_html("{}{}", value, sub(record.job_title))

    def render_manager(self, value: User) -> SafeString:
        return link(reverse("person", args=[value.pk]), value.name)

    def value_manager(self, value: User) -> str:
        return value.name

    def render_enabled(self, record: User) -> SafeString:
        return state_of(record)


def state_of(user: User) -> SafeString:
    """Show whether somebody can sign in: a dot and a word."""
    if not user.enabled:
        return tag("bad", _("Disabled"))
    return tag("good", _("Enabled")) if user.has_usable_password() else tag("warn", _("Invited"))


class GroupsFilter(_StateFilter):
    search_in = ("name_key__contains",)

    holds = ChoicePill(
        label=gettext_lazy("Roles"),
        choices=[("some", gettext_lazy("Holds roles")), ("none", gettext_lazy("Holds none"))],
        method="by_roles",
    )

    class Meta:
        model = Group
        fields: list[str] = []

    def by_roles(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        return rows.filter(holds__gt=0) if value == "some" else rows.filter(holds=0)


class GroupsTable(tables.Table):
    name = tables.Column(verbose_name=gettext_lazy("Group"), order_by="name_key", attrs=MAIN)
    members = tables.Column(verbose_name=gettext_lazy("Members now"))
    holds = tables.Column(verbose_name=gettext_lazy("Roles that it gives"))
    enabled = tables.Column(verbose_name=gettext_lazy("State"))

    class Meta:
        attrs = {"aria-label": gettext_lazy("Groups")}
        empty_text = gettext_lazy("There are no groups yet.")

    def render_name(self, value: str, record: Any) -> SafeString:
        return format_html("<b>{}</b>{}", link(reverse("group", args=[record.pk]), value), sub(record.description))

    def render_enabled(self, value: bool) -> SafeString:
        return tag("good", _("Enabled")) if value else tag("bad", _("Disabled"))


class AccessFilter(ListFilter):
    search_in = ("role__name_key__contains", "resource__name_key__contains", "principal__name_key__contains")

    kind = ChoicePill(field_name="role__kind", label=gettext_lazy("Kind"), choices=KINDS)
    how = ChoicePill(
        label=gettext_lazy("How"),
        choices=[("user", gettext_lazy("Direct")), ("group", gettext_lazy("Through a group"))],
        field_name="principal__kind",
    )

    class Meta:
        model = Assignment
        fields: list[str] = []


def _cell(name: str, label: Any, *order: str, look: str = "") -> Cell:
    # Orderable as the table is: a short one cannot be sorted.
    return cell(f"people/cells/access_{name}.html", label, *order, look=look, orderable=None if order else False)


class AccessTable(tables.Table):
    """What somebody or a group holds or may activate, and why; the rows come from `selectors.people.tell`."""

    role = _cell("role", gettext_lazy("Role"), "role__name_key", look="main")
    where = _cell("where", gettext_lazy("Where"), "resource__name_key")
    how = _cell("how", gettext_lazy("How"), look="wide")
    given = _cell("given", gettext_lazy("Given"), look="wide")
    until = _cell("until", gettext_lazy("Until"), "ends_at")

    class Meta:
        attrs = {"aria-label": gettext_lazy("Roles")}


class GroupAccessTable(AccessTable):
    """What a group gives: always directly."""

    class Meta(AccessTable.Meta):
        exclude = ("how",)


class PersonHistoryTable(HistoryTable):
    """What happened to somebody, for others to read: without the way to the reader's own history."""

    event_page = ""

    class Meta(HistoryTable.Meta):
        attrs = {"aria-label": gettext_lazy("Activity")}
        empty_text = gettext_lazy("Nothing has happened that you may see.")


class CompareTable(tables.Table):
    """Two people side by side; the columns are called like them."""

    role = Cell(
        verbose_name=gettext_lazy("Role"), template_name="people/cells/compare_role.html", attrs=MAIN, orderable=False
    )
    first = Cell("{% include 'people/cells/compare_has.html' with value=record.first %}", orderable=False)
    second = Cell("{% include 'people/cells/compare_has.html' with value=record.second %}", orderable=False)
    give = Cell(
        verbose_name=gettext_lazy("Give"),
        template_name="people/cells/compare_give.html",
        orderable=False,
        attrs={"th": {"class": "end"}, "td": {"class": "end"}},
    )

    class Meta:
        attrs = {"aria-label": gettext_lazy("Side by side")}
        empty_text = gettext_lazy("Nothing that you may see.")

    def __init__(self, *args: Any, person: User, other: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns["first"].column.verbose_name = person.name
        self.columns["second"].column.verbose_name = other.name
