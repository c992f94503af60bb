"""The pages of a place itself: its overview, and what lies below it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from roles.catalogue import Permission
from roles.guards import at_place, holding
from roles.lists import ListPage
from roles.middleware import PortalRequest
from roles.models import Resource
from roles.places import Frame
from roles.selectors.finding import administrators_of
from roles.selectors.overviews import figures_of
from roles.selectors.resources import below, resources_within_sight
from roles.tables.resources import ResourceFilter, ResourceTable


class PlaceList(ListPage):
    """A list at a place. A subclass says `current`, its tab."""

    request: PortalRequest
    current: str
    place: Resource

    def get(self, request: HttpRequest, *args: Any, place: Resource, **kwargs: Any) -> HttpResponse:
        """Show the list of this place; `at_place` has made sure that the viewer may look there."""
        self.place = place
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        frame = Frame(self.place, self.request.authority, self.current)
        return super().get_context_data(place=self.place, frame=frame, **kwargs)


@require_safe
@at_place()
def overview(request: PortalRequest, place: Resource) -> HttpResponse:
    """Show a place: what it is, where it stands, how many hold roles there, who administers it."""
    own = [one for one in request.authority.held if place.path.startswith(one.path)]
    context = {
        "place": place,
        "frame": Frame(place, request.authority, "overview"),
        "figures": figures_of(place, request.now),
        "administrators": administrators_of(place, request.now),
        "own": own,
    }
    return render(request, "manage/overview.html", context)


@method_decorator(at_place(), name="dispatch")
class Below(PlaceList):
    """What lies below a place."""

    current = "below"
    table_class = ResourceTable
    filter_class = ResourceFilter
    template_name = "manage/below.html"

    def rows(self) -> QuerySet[Any]:
        return below(self.place)


@method_decorator(holding(Permission.SEE), name="dispatch")
class Resources(ListPage):
    """All resources that the viewer may see."""

    request: PortalRequest
    table_class = ResourceTable
    filter_class = ResourceFilter
    template_name = "manage/resources.html"

    def rows(self) -> QuerySet[Any]:
        return resources_within_sight(self.request.authority)
