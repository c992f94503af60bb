"""The lists behind the figures of a world. A world that one may not see answers like any unknown word."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, cast
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from approvals.selectors.requests import with_decisions
from approvals.tables.history import HistoryFilter, HistoryTable
from approvals.views.requests import RequestsPage
from audit.kinds import Realm
from pim_portal.overview.selectors import lists
from pim_portal.overview.selectors.insights import insights_lately
from pim_portal.overview.tables import ReviewFilter, ReviewTable, WorldFilter, WorldTable
from reviews.selectors.results import counts_of_instances
from roles.assignment_files import columns_for
from roles.catalogue import Permission
from roles.downloads import Column
from roles.list_rows import First
from roles.lists import ListPage
from roles.middleware import PortalRequest
from roles.models import Assignment, Resource, Role
from roles.models.assignments import AssignmentQuerySet
from roles.models.prepared import Prepared
from roles.places import address
from roles.selectors.smaller import proposals
from roles.selectors.walking import SORTED, first_in
from roles.smaller_words import evidence_of
from roles.views.assignments import role_in
from roles.views.ids import ids_in

TEMPLATE = "overview/list.html"


class WorldList(ListPage):
    """A list over all of a world that the viewer may see, or over a place and all below it that a query names."""

    request: PortalRequest
    realm: Realm
    paths: lists.Paths
    only_place: Resource | None = None
    title: str | Promise = ""

    def get(self, request: HttpRequest, *args: Any, world: str, **kwargs: Any) -> HttpResponse:
        """Show the list, where the viewer may see anything of this world."""
        try:
            self.realm = Realm(world)
        except ValueError:
            raise Http404 from None
        self.paths = lists.paths_in(self.request.authority, self.realm) if self.realm in lists.WORLDS else {}
        if not self.paths:
            raise Http404
        if "place" in request.GET:
            self.only_place = self._place(ids_in(request.GET, "place"))
            self.paths = {self.only_place.path: self.only_place.pk}
        return super().get(request, *args, **kwargs)

    def _place(self, named: Sequence[uuid.UUID]) -> Resource:
        """Return the place of this world that is named; what the viewer may not see is not there."""
        return get_object_or_404(Resource, lists.below(self.paths, "path"), pk=named[0])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = {"world": lists.WORLDS[self.realm], "listed": self.title, "only_place": self.only_place}
        return super().get_context_data(**context, **kwargs)


RELATED = ("principal__user", "role", "resource__group", "activated_from__principal")

_SHOWN = Prepared(lambda pks: Assignment.objects.filter(pk__in=pks).order_by().select_related(*RELATED))


class Assignments(WorldList):
    """The assignments that a figure counts; of one role where the query string names it."""

    table_class, filter_class, template_name = WorldTable, WorldFilter, TEMPLATE
    word: str

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the list that the address names."""
        self.word = kwargs.pop("listed")
        if self.word == lists.ACTIVATIONS:
            self.title = _("Activations in the last 7 days")
        elif found := (lists.IN_EFFECT | lists.MORE).get(self.word):
            self.title = found.title
        else:
            raise Http404
        return super().get(request, *args, **kwargs)

    @property
    def role_id(self) -> uuid.UUID | None:
        return role_in(self.request)

    @cached_property
    def download_columns(self) -> Sequence[Column]:  # type: ignore[override]  # of a place as its own list has them
        sees = self.request.authority.allows
        return columns_for(lambda place: sees(Permission.SEE, place)) if self.only_place else ()

    def get_table_kwargs(self) -> dict[str, Any]:
        chosen = () if self.may_act else ("chosen",)
        # How it stands is said by the sentence that speaks for the smaller role.
        hidden = ("state", "start") if self.word == lists.SMALLER else ("smaller",)
        return {"exclude": (*chosen, *hidden)}

    @property
    def may_act(self) -> bool:
        return self.word != lists.ACTIVATIONS and any(self.request.authority.paths(Permission.ASSIGN, self.realm))

    def dress(self, rows: Sequence[Any]) -> None:
        authority = self.request.authority
        for one in rows:
            one.may_act = one.activated_from_id is None and authority.allows(Permission.ASSIGN, one.resource)
        if self.word == lists.SMALLER:
            self._propose(rows)

    def _propose(self, shown: Sequence[Any]) -> None:
        """Hang on each row which role would do, what speaks for it, and where to give it."""
        found = proposals(Assignment.objects.filter(pk__in=[one.pk for one in shown]), self.request.now)
        for one in shown:
            one.proposal = found.get(one.pk)
            if one.proposal:
                one.evidence = evidence_of(one.proposal.smaller)
                given = {"role": one.proposal.smaller.role_id, "type": one.type, "principal": one.principal_id}
                one.instead = f"{address(one.resource, 'assignments_add')}?{urlencode(given)}" if one.may_act else ""

    def _of_role(self, rows: AssignmentQuerySet) -> AssignmentQuerySet:
        return rows.filter(role=self.role_id) if self.role_id else rows

    @cached_property
    def is_long(self) -> bool:
        """Whether there is much in this world that the viewer may see."""
        return lists.is_much(self.paths)

    @property
    def walking(self) -> Sequence[str]:  # type: ignore[override]  # what each list has an index for
        return lists.walking_of(self.word) if self.is_long else ()

    @property
    def walking_said(self) -> str | Promise:  # type: ignore[override]
        if self.walking == lists.FIRST_TO_END:
            return _("First to end first; choose a column to sort it")
        return _("Newest first; choose a column to sort it")

    def rows(self) -> QuerySet[Any]:
        rows = self._of_role(lists.assignments_of(self.word, self.paths, self.request.now))
        return rows.select_related(*RELATED).order_by("role__name_key", "principal__name_key", "resource__path", "pk")

    def first(self) -> First | None:
        if not self.walking:
            return None
        return First(self._walked, far=True, narrowed=True)

    def sorted_first(self, order: tuple[Any, ...]) -> First | None:
        if not self.walking or order not in SORTED or self.word == lists.ACTIVATIONS:
            return None
        return First(lambda most: first_in(self._to_walk(), order, self.request.now, most), far=True)

    def _walked(self, most: int) -> Sequence[uuid.UUID]:
        return lists.first_listed(self.word, self._to_walk(), self.request.now, most)

    def _to_walk(self) -> QuerySet[Any]:
        rows = self._of_role(lists.walked(self.word, self.paths, self.request.now))
        return self.narrowed(rows)

    def fetch(self) -> Callable[[Sequence[Any]], Iterable[Any]] | None:
        return _SHOWN.ask if self.walking else None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        only = Role.objects.filter(pk=self.role_id).first() if self.role_id else None
        may_see_people = self.request.authority.anywhere(Permission.SEE_PEOPLE)
        return super().get_context_data(
            only_role=only,
            may_see_people=may_see_people,
            may_act=self.may_act,
            realm=self.realm,
            word=self.word,
            found_at=lists.smaller_lately(self.paths, self.request.now).at if self.word == lists.SMALLER else None,
            **kwargs,
        )


class WaitingRequests(RequestsPage, WorldList):
    """What waits for a decision in a world, the oldest first."""

    title = _("Waiting for approval")
    walking = ("made_at", "pk")  # its own order: whether each waits is asked no further than the page needs
    table_class, filter_class, template_name = HistoryTable, HistoryFilter, TEMPLATE

    def rows(self) -> QuerySet[Any]:
        rows = lists.waiting(lists.below(self.paths), self.request.now).shown().order_by("made_at", "pk")
        return with_decisions(rows)

    def first(self) -> First:
        return First(cast("HistoryFilter", self.filter).first_keys)


class RunningReviews(WorldList):
    """The reviews that go on in a world, what ends first first."""

    title = _("Access reviews in progress")
    table_class, filter_class, template_name = ReviewTable, ReviewFilter, TEMPLATE

    def rows(self) -> QuerySet[Any]:
        rows = lists.running_reviews(self.paths, self.request.now)
        return rows.select_related("review__resource").order_by("ends_at", "pk")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        shown = [row.record for row in context["table"].paginated_rows]
        return context | {"counts": counts_of_instances(shown)}


@require_safe
def insights(request: PortalRequest, world: str) -> HttpResponse:
    """Show what a world could do without, where the viewer may see anything of it."""
    realm = next((one for one in lists.WORLDS if one == world), None)
    paths = lists.paths_in(request.authority, realm) if realm else {}
    if realm is None or not paths:
        raise Http404
    found = insights_lately(realm, paths, request.now)
    page = {
        "world": lists.WORLDS[realm],
        "realm": realm,
        "insights": found.found,
        "counted_at": found.at,
        "may_review": bool(lists.paths_in(request.authority, realm, Permission.ASSIGN)),
    }
    return render(request, "overview/insights.html", page)
