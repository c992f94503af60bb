"""The lists of one person: what they hold, may activate and are to get, and what happened."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pim_portal.activity.filters import HistoryFilter, OwnHistoryFilter
from pim_portal.people.selectors import people as selectors
from pim_portal.people.tables import AccessFilter, AccessTable, PersonHistoryTable
from pim_portal.people.views.common import only_with
from roles.catalogue import Permission
from roles.list_rows import counted
from roles.lists import ListPage
from roles.middleware import PortalRequest
from roles.models import User
from roles.tabs import Tab

LISTS = {
    selectors.ACTIVE: selectors.held_by,
    selectors.ELIGIBLE: selectors.eligible_for,
    selectors.SCHEDULED: selectors.scheduled_for,
    selectors.SUSPENDED: selectors.suspended_of,
}
LABELS = {
    selectors.ACTIVE: gettext_lazy("Holds now"),
    selectors.ELIGIBLE: gettext_lazy("May activate"),
    selectors.SCHEDULED: gettext_lazy("Gets later"),
    selectors.SUSPENDED: gettext_lazy("Suspended while disabled"),
}
EMPTY = dict.fromkeys(LISTS, gettext_lazy("Nothing that you may see."))


def tabs_of(user: User, current: str) -> list[Tab]:
    """Return the pages of one person."""
    pages = [
        ("overview", _("Overview"), "person"),
        ("access", _("Roles and groups"), "person_access"),
        ("activity", _("Activity"), "person_activity"),
        ("compare", _("Compare"), "person_compare"),
        ("leave", _("Leaves or moves"), "person_leave"),
    ]
    return [Tab(label, reverse(name, args=[user.pk]), page == current) for page, label, name in pages]


class PersonList(ListPage):
    """A list about one person."""

    request: PortalRequest
    person: User
    current: str

    def get(self, request: HttpRequest, *args: Any, pk: uuid.UUID, **kwargs: Any) -> HttpResponse:
        """Show the list of this person; 404 for an unknown one."""
        self.person = get_object_or_404(User, pk=pk)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(person=self.person, tabs=tabs_of(self.person, self.current), **kwargs)


@method_decorator(only_with(Permission.SEE_PEOPLE), name="dispatch")
class Access(PersonList):
    """What somebody holds, may activate, is to get, or has back when they are enabled again."""

    current = "access"
    table_class = AccessTable
    filter_class = AccessFilter
    template_name = "people/access.html"

    @cached_property
    def tab(self) -> str:
        """The tab that the query string names; the first one for any other word."""
        wanted = self.request.GET.get("tab", "")
        return wanted if wanted in LISTS else selectors.ACTIVE

    def rows(self) -> QuerySet[Any]:
        return self._rows_of(self.tab)

    def _rows_of(self, tab: str) -> QuerySet[Any]:
        return LISTS[tab](self.person, viewer=self.request.authority, now=self.request.now)

    def get_table(self, **kwargs: Any) -> Any:
        table = super().get_table(**kwargs)
        table.empty_text = EMPTY[self.tab]
        return table

    def dress(self, rows: Sequence[Any]) -> None:
        selectors.tell(rows, of=self.person, viewer=self.request.authority, now=self.request.now)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = reverse("person_access", args=[self.person.pk])
        tabs = [
            Tab(label, f"{page}?tab={tab}", tab == self.tab, counted(self._rows_of(tab)))
            for tab, label in LABELS.items()
            if tab != selectors.SUSPENDED or not self.person.enabled
        ]
        return super().get_context_data(list_tabs=tabs, **kwargs)


@method_decorator(only_with(Permission.SEE_PEOPLE), name="dispatch")
class Activity(PersonList):
    """What somebody did and what was done to them, of the places whose audit the viewer may read."""

    current = "activity"
    table_class = PersonHistoryTable
    template_name = "people/activity.html"

    @property
    def filter_class(self) -> type[HistoryFilter]:  # type: ignore[override]  # by whose history it is
        return OwnHistoryFilter if self.person.pk == self.request.user.pk else HistoryFilter

    def rows(self) -> QuerySet[Any]:
        return selectors.recent_activity(self.person, viewer=self.request.authority)
