"""Find a role, and who administers it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from roles.lists import ListPage
from roles.middleware import PortalRequest
from roles.models import Resource
from roles.selectors.finding import administrators_of, own_at, places_to_ask_about, roles_at
from roles.tables.finding import FindRoleFilter, FindRoleTable
from roles.tabs import Tab


class FindRole(ListPage):
    """The roles of the directory, or of a place where the viewer has something; and whom to ask for one."""

    request: PortalRequest
    table_class = FindRoleTable
    filter_class = FindRoleFilter
    template_name = "finding/find_role.html"

    @cached_property
    def places(self) -> list[Resource]:
        return places_to_ask_about(self.request.user, self.request.now)

    @cached_property
    def place(self) -> Resource:
        """The place that the query string names; the directory for any other word."""
        wanted = self.request.GET.get("at", "")
        return next((node for node in self.places if str(node.pk) == wanted), self.places[0])

    def rows(self) -> QuerySet[Any]:
        return roles_at(self.place, self.request.user, self.request.now)

    def dress(self, rows: Sequence[Any]) -> None:
        own = own_at(self.place, self.request.user, self.request.now)
        for row in rows:
            row.active = row.pk in own.active
            row.eligible = row.pk in own.eligible

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = reverse("find_role")
        tabs = [Tab(node.name, f"{page}?at={node.pk}", node == self.place) for node in self.places]
        administrators = administrators_of(self.place, self.request.now)
        return super().get_context_data(tabs=tabs, place=self.place, administrators=administrators, **kwargs)
