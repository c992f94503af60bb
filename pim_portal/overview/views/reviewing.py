"""Starting a review of what a list of a world shows: a form that says already what, where and by whom."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, F
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from pim_portal.overview.selectors import lists
from reviews.forms.presets import MOST_ROLES, address_of_preset
from reviews.models import Covers
from roles.catalogue import Permission
from roles.middleware import PortalRequest
from roles.models import AssignmentType, Resource, User
from roles.models.assignments import AssignmentQuerySet
from roles.views.assignments import role_in
from roles.views.ids import ids_in

MOST_PLACES = 100


@dataclass(frozen=True, slots=True)
class Start:
    """A review that can be started at one place, of how many assignments of which roles."""

    place: Resource
    count: int
    roles: tuple[str, ...]
    url: str


@dataclass(frozen=True, slots=True)
class _Given:
    """How many assignments of a role and type stand at a place."""

    role: uuid.UUID
    type: str
    name: str
    count: int


@require_safe
def start(request: PortalRequest, world: str) -> HttpResponse:
    """Lead to the form of a review of what was chosen, or of a whole list; of several places, to one for each."""
    realm = next((one for one in lists.WORLDS if one == world), None)
    paths = lists.paths_in(request.authority, realm, Permission.ASSIGN) if realm else {}
    if realm is None or not paths:
        raise Http404
    word = request.GET.get("listed", "all")
    listing = (lists.IN_EFFECT | lists.MORE).get(word)
    if listing is None:
        raise Http404
    rows = lists.assignments_of(word, paths, request.now).filter(lists.GIVEN)
    if chosen := ids_in(request.GET, "chosen"):
        rows = rows.filter(pk__in=chosen)
    if role_id := role_in(request):
        rows = rows.filter(role=role_id)
    starts = list(_starts(rows, name=str(listing.title), unused=word == lists.UNUSED, reviewer=request.user))
    if len(starts) == 1:
        return redirect(starts[0].url)
    more = len(starts) > MOST_PLACES
    page = {"world": lists.WORLDS[realm], "realm": realm, "listed": listing.title, "more": more, "most": MOST_PLACES}
    return render(request, "overview/review.html", page | {"starts": starts[:MOST_PLACES]})


def _starts(rows: AssignmentQuerySet, *, name: str, unused: bool, reviewer: User) -> Iterable[Start]:
    by_place: dict[uuid.UUID, list[_Given]] = {}
    counted = rows.order_by("resource__path", "role__name_key", "role", "type").values_list("resource", "role", "type")
    for place, *said in counted.annotate(name=F("role__name"), count=Count("pk")):
        by_place.setdefault(place, []).append(_Given(*said))
    shown = list(by_place)[: MOST_PLACES + 1]
    places = Resource.objects.in_bulk(shown)
    for pk in shown:
        place, found = places[pk], by_place[pk]
        roles = {one.role: one.name for one in found}
        types = {one.type for one in found}
        covers = Covers.BOTH
        if len(types) == 1:
            covers = Covers.ELIGIBLE if types == {AssignmentType.ELIGIBLE} else Covers.ACTIVE
        url = address_of_preset(
            place,
            name=name,
            roles=list(roles)[:MOST_ROLES],
            covers=covers,
            reviewers=[reviewer.pk],
            inactive_days=lists.UNUSED_FOR.days if unused else None,
        )
        yield Start(place, sum(one.count for one in found), tuple(roles.values()), url)
