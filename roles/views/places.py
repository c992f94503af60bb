"""The pages of a place itself: its overview, and what lies below it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from audit.kinds import Realm
from roles.catalogue import Permission
from roles.guards import at_place
from roles.lists import ListPage
from roles.middleware import PortalRequest
from roles.models import Resource
from roles.places import Frame
from roles.resource_files import COLUMNS
from roles.selectors.finding import administrators_of
from roles.selectors.overviews import figures_lately_of
from roles.selectors.resources import below, resources_within_sight, units_within_sight
from roles.selectors.trees import tree_of, ways_to
from roles.tables.resources import ResourceFilter, ResourceTable
from roles.views.tree import acts_at


class PlaceList(ListPage):
    """A list at a place. A subclass says `current`, its tab, and `within` which of the lists below that."""

    request: PortalRequest
    current: str
    within = ""
    place: Resource

    def get(self, request: HttpRequest, *args: Any, place: Resource, **kwargs: Any) -> HttpResponse:
        """Show the list of this place; `at_place` has made sure that the viewer may look there."""
        self.place = place
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        frame = Frame(self.place, self.request.authority, self.current, self.within)
        return super().get_context_data(place=self.place, frame=frame, **kwargs)


@require_safe
def overview(request: PortalRequest, place: uuid.UUID | None = None) -> HttpResponseBase:
    """Show a place; in place of the directory, to whoever looks after units only, the way to these."""
    if place is None and not request.authority.allows(Permission.SEE):
        return _units(request)
    return _overview(request, place=place)


def _units(request: PortalRequest) -> HttpResponse:
    units = list(units_within_sight(request.authority))
    if not units:
        raise PermissionDenied
    return render(request, "manage/units.html", {"units": units})


@at_place()
def _overview(request: PortalRequest, place: Resource) -> HttpResponse:
    """Show a place: what it is, where it stands, how many hold roles there, who administers it."""
    figures = figures_lately_of(place, request.now)
    own = [one for one in request.authority.held if place.path.startswith(one.path)]
    context = {
        "place": place,
        "frame": Frame(place, request.authority, "overview"),
        "figures": figures.found,
        "counted_at": figures.at,
        "administrators": administrators_of(place, request.now),
        "own": own,
        "acts": acts_at(place, request.authority),
    }
    return render(request, "manage/overview.html", context)


class _TreeOrList(ListPage):
    """Places as a tree to browse; as a list where the viewer searches, sorts, pages or asks for one."""

    request: PortalRequest
    table_class = ResourceTable
    filter_class = ResourceFilter

    @cached_property
    def as_tree(self) -> bool:
        """Whether the viewer asked for nothing that only a list answers."""
        asked = any(name in self.request.GET for name in ("view", "sort", "page", "per_page", "download"))
        return not asked and (self.filter is None or (self.filter.form.is_valid() and not self.filter.narrows))

    @property
    def shows_table(self) -> bool:
        return not self.as_tree

    def dress(self, rows: Sequence[Any]) -> None:
        ways = ways_to(rows)
        for row in rows:
            row.where = ways[row.pk]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        tree = tree_of(self.rows(), below=getattr(self, "place", None)) if self.as_tree else None
        return super().get_context_data(tree=tree, **kwargs)


@method_decorator(at_place(), name="dispatch")
class Below(_TreeOrList, PlaceList):
    """What lies below a place."""

    current = "below"
    template_name = "manage/below.html"
    download_columns = COLUMNS

    def rows(self) -> QuerySet[Any]:
        return below(self.place)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(acts=acts_at(self.place, self.request.authority), **kwargs)


class Resources(_TreeOrList):
    """All resources that the viewer may see; for a Global Administrator the way in."""

    template_name = "manage/resources.html"
    download_columns = COLUMNS

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the resources to whoever may look at one, and their absence to who could elevate their access."""
        authority = self.request.authority
        if not authority.sees_resources() and authority.elevatable_by is None:
            raise PermissionDenied
        return super().get(request, *args, **kwargs)

    def rows(self) -> QuerySet[Any]:
        return resources_within_sight(self.request.authority)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        authority = self.request.authority
        return super().get_context_data(
            sees=authority.sees_resources(),
            may_elevate=authority.elevatable_by is not None and not authority.elevated,
            may_add_root=authority.roots_by is not None,
            may_export=any(authority.paths(Permission.DEFINE, Realm.RESOURCE)),
            **kwargs,
        )
