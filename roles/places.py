"""The places that are administered: the directory, each administrative unit, each resource, each group's own node.

One set of pages stands at every place, under a prefix each (`pim_portal.urls`): `directory:`, `unit:`, `resource:` and
`group:`, where only those stand that concern its members, its owners and their settings; in their addresses a group
goes by its own id. This module knows their addresses and what stands around each page: the breadcrumb and the tabs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from roles.addresses import address_of
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Resource, ResourceKind
from roles.models.prepared import Prepared
from roles.refusals import Violation
from roles.rules.groups import beyond
from roles.selectors.groups import roles_beyond
from roles.tabs import Tab

_NAMESPACES = {
    ResourceKind.DIRECTORY: "directory",
    ResourceKind.ADMINISTRATIVE_UNIT: "unit",
    ResourceKind.GROUP: "group",
}

# The views of a place, in their order: the name of the page and its label.
TABS: tuple[tuple[str, str | Promise], ...] = (
    ("overview", _("Overview")),
    ("roles", _("Roles")),
    ("assignments", _("Assignments")),
    ("requests", _("Requests")),
    ("alerts", _("Alerts")),
    ("reviews", _("Access reviews")),
    ("settings", _("Settings")),
    ("below", _("Below")),
    ("reach", _("Who can do what")),
)
# What stands behind "More" where there are both: nine do not fit beside each other.
_FURTHER = ("below", "reach")

SETTINGS_TABS: tuple[tuple[str, str | Promise], ...] = (
    ("settings", _("Role settings")),
    ("duties", _("Separation of duties")),
    ("duty_conflicts", _("Conflicts")),
)

TABS_OF_A_GROUP: tuple[tuple[str, str | Promise], ...] = (
    ("overview", _("Overview")),
    ("assignments", _("Members and owners")),
    ("settings", _("Settings")),
)


_ABOVE = Prepared(lambda paths: Resource.objects.filter(path__in=paths).order_by("path"))

# What is counted beside a tab: pages of a higher app say it when the portal starts, since this one knows none of them.
_COUNTS: dict[str, Callable[[Resource], int]] = {}


def count_beside(page: str, count: Callable[[Resource], int]) -> None:
    """Show beside the tab of this page what `count` answers for a place; nothing where that is 0."""
    _COUNTS[page] = count


def namespace_of(kind: ResourceKind) -> str:
    """Return the namespace of the pages of a resource of this kind."""
    return _NAMESPACES.get(kind, "resource")


def address(place: Resource, page: str = "overview", **arguments: Any) -> str:
    """Return the address of a page of this place."""
    namespace = namespace_of(ResourceKind(place.kind))
    if namespace != "directory":
        arguments["place"] = place.group.pk if namespace == "group" else place.pk
    return address_of(f"{namespace}:{page}", **arguments)


@dataclass(frozen=True, slots=True)
class Step:
    """One place on the way to another."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page of a place, as its viewer sees it."""

    place: Resource
    authority: Authority
    current: str
    within: str = ""  # which of the lists below the tab of the settings

    @property
    def settings_tabs(self) -> list[Tab]:
        """The lists below the tab of the settings; a group has but one."""
        pages = () if self.of_group else SETTINGS_TABS
        return [Tab(label, address(self.place, page), page == (self.within or "settings")) for page, label in pages]

    @property
    def tabs(self) -> list[Tab]:
        pages = list(self._pages())
        further = {page for page, _label in pages if page in _FURTHER}
        return [
            Tab(label, address(self.place, page), page == self.current, self._count(page), page in further)
            for page, label in pages
        ]

    def _count(self, page: str) -> int | None:
        return _COUNTS[page](self.place) or None if page in _COUNTS else None

    def _pages(self) -> Iterator[tuple[str, str | Promise]]:
        if self.of_group:
            # Whoever sees people sees each group's page; more of it only who may look at the group itself.
            yield from TABS_OF_A_GROUP if self.authority.allows(Permission.SEE, self.place) else TABS_OF_A_GROUP[:1]
            return
        for page, label in TABS:
            if page != "below":
                yield page, label
            elif self.place.kind == ResourceKind.DIRECTORY:
                yield page, _("Administrative units")
            elif self.place.kind not in (ResourceKind.ADMINISTRATIVE_UNIT, ResourceKind.RESOURCE):
                yield page, _("Resources below")

    @property
    def of_group(self) -> bool:
        return self.place.kind == ResourceKind.GROUP

    @property
    def beyond(self) -> Violation | None:
        """Why whoever administers this group lets nobody in all the same: it holds roles that they may not assign."""
        if not (self.of_group and self.may_assign):
            return None
        return beyond(roles_beyond(self.place, self.authority))

    @property
    def above(self) -> list[Step]:
        """The places above this one, from the topmost that the viewer may see; what stands higher has no name here."""
        nodes = _ABOVE.ask(self.place.way[:-1]) if self.place.depth > 1 else []
        return [Step(node.name, address(node)) for node in nodes if self.authority.allows(Permission.SEE, node)]

    @property
    def world(self) -> Step:
        """The entry of the menu that this place stands below."""
        if self.of_group:
            return Step(str(_("People and groups")), reverse("groups"))
        if self.place.kind in _NAMESPACES:
            return Step(str(_("Directory roles")), reverse("directory:overview"))
        return Step(str(_("Resources")), reverse("resources"))

    @property
    def may_assign(self) -> bool:
        return self.authority.allows(Permission.ASSIGN, self.place)

    @property
    def may_change_settings(self) -> bool:
        return self.authority.allows(Permission.CHANGE_SETTINGS, self.place)

    @property
    def may_define(self) -> bool:
        return self.authority.allows(Permission.DEFINE, self.place)
