"""The assignments at a place: the lists, and the page of one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from typing import Any, ClassVar

from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from audit.kinds import Outcome, Realm
from audit.models import Event
from audit.selectors import archived_with
from audit.sentences import sentence, why
from roles.assignment_files import columns_for
from roles.catalogue import Permission
from roles.downloads import Column
from roles.guards import at_place
from roles.list_rows import MOST_COUNTED, First, counted
from roles.middleware import PortalRequest
from roles.models import Assignment, Resource, ResourceKind
from roles.pills import ListFilter
from roles.places import Frame, address
from roles.rules.changes import can_be_changed, can_be_renewed
from roles.selectors.assignment_lists import (
    BY_NAME,
    LISTS,
    WALKING,
    at_or_above,
    fetch_at,
    fetched_at,
    first_at,
    first_walked,
    walked_at,
)
from roles.selectors.catalogue import roles_known_at
from roles.selectors.settings import settings_of
from roles.selectors.walking import SORTED, first_in
from roles.tables.assignments import (
    ActiveFilter,
    ActiveTable,
    AnyTypeFilter,
    AssignmentFilter,
    EligibleTable,
    ExpiredTable,
    OfGroupFilter,
    ScheduledTable,
)
from roles.tabs import Tab
from roles.views.places import PlaceList

MOST = 50  # events of one list
KNOWN_AS_MANY = 60  # seconds for which a tab that had more than are counted is not counted anew
NOBODY_OF_A_GROUP = {
    "eligible": gettext_lazy("Nobody may activate being a member or owner of this group."),
    "active": gettext_lazy("Nobody is a member or owner of this group now."),
    "scheduled": gettext_lazy("Nobody is to join later."),
    "expired": gettext_lazy("Nobody left in the last 30 days."),
}

LABELS = {
    "eligible": gettext_lazy("Eligible"),
    "active": gettext_lazy("Active"),
    "scheduled": gettext_lazy("Scheduled"),
    "expired": gettext_lazy("Expired"),
}


class AssignmentList(PlaceList):
    """One tab of the assignments at a place."""

    current = "assignments"
    template_name = "manage/assignments.html"
    tab: ClassVar[str]
    filter_class: type[AssignmentFilter]

    @cached_property
    def download_columns(self) -> Sequence[Column]:  # type: ignore[override]  # one viewer sees more than another
        return columns_for(lambda place: self.request.authority.allows(Permission.SEE, place))

    @cached_property
    def filter(self) -> ListFilter | None:
        if self.place.kind == ResourceKind.GROUP:
            return OfGroupFilter(self.request.GET, queryset=self.rows())
        return self.filter_class(self.request.GET, queryset=self.rows(), request=self.request, place=self.place)

    def rows(self) -> QuerySet[Any]:
        return self._of_role(LISTS[self.tab](self.place, self.request.now))

    @property
    def walking_said(self) -> str:  # type: ignore[override]
        return _("Newest first; choose a column to sort it") if self.tab in BY_NAME else ""

    @property
    def walking(self) -> Sequence[str]:  # type: ignore[override]  # what each tab has an index for
        return WALKING[self.tab]

    def fetched(self) -> QuerySet[Any]:
        return fetched_at(self.place)

    def fetch(self) -> Callable[[Sequence[Any]], Iterable[Any]]:
        return fetch_at(self.place)

    def first(self) -> First | None:
        if not self.narrows and not role_in(self.request):
            return First(partial(first_at, self.tab, self.place, self.request.now))
        return First(self._walked, far=True, narrowed=True) if self.tab in BY_NAME else None

    def sorted_first(self, order: tuple[Any, ...]) -> First | None:
        if self.tab not in BY_NAME or order not in SORTED:
            return None
        return First(lambda most: first_in(self._to_walk(), order, self.request.now, most), far=True)

    def _walked(self, most: int) -> Sequence[uuid.UUID]:
        return first_walked(self._to_walk(), self.place, self.request.now, most)

    def _to_walk(self) -> QuerySet[Any]:
        rows = self._of_role(walked_at(self.tab, self.place, self.request.now))
        return self.narrowed(rows)

    def parts(self) -> Sequence[Q]:
        # A place at a time, as `first_at` has it.
        places = self.place.way_ids
        return [Q(resource=pk) for pk in places] if len(places) > 1 else ()

    def _of_role(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the role that the query string names, as the page of a role links here."""
        role = role_in(self.request)
        return rows.filter(role=role) if role else rows

    def get_table_kwargs(self) -> dict[str, Any]:
        may_assign = self.request.authority.allows(Permission.ASSIGN, self.place)
        # What is given here stands in place of what the table itself leaves out.
        without = list(self.table_class.Meta.__dict__.get("exclude", ()))
        if not may_assign and "chosen" not in without:
            without.append("chosen")
        if self.place.kind == ResourceKind.GROUP:
            without.append("membership")
        return {"exclude": tuple(without)} if without else {}

    def get_table(self, **kwargs: Any) -> Any:
        table = super().get_table(**kwargs)
        if self.place.kind == ResourceKind.GROUP:
            table.empty_text = NOBODY_OF_A_GROUP[self.tab]
        elif role_in(self.request):
            table.empty_text = _("No assignment of this role stands here.")
        return table

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = address(self.place, "assignments")
        role = role_in(self.request)
        kept = f"&role={role}" if role else ""
        may_see_people = self.request.authority.anywhere(Permission.SEE_PEOPLE)
        context = super().get_context_data(tab=self.tab, only_role=role, may_see_people=may_see_people, **kwargs)
        context["shown"] = roles_known_at(self.place).filter(pk=role).first() if role else None
        tabs = [
            Tab(label, f"{page}?tab={name}{kept}", name == self.tab, self._count(name, context["table"]))
            for name, label in labels_at(self.place)
        ]
        return context | {"list_tabs": tabs}

    def _count(self, name: str, table: Any) -> int:
        if name == self.tab and not table.filtered and hasattr(table, "paginator"):
            return int(table.data.counted)
        key = f"many:{self.place.pk}:{role_in(self.request)}:{name}"
        if cache.get(key):
            return MOST_COUNTED + 1
        if role_in(self.request):
            count = counted(self._of_role(LISTS[name](self.place, self.request.now)), walking=WALKING[name])
        else:
            count = len(first_at(name, self.place, self.request.now, MOST_COUNTED + 1))
        if count > MOST_COUNTED:
            cache.set(key, True, KNOWN_AS_MANY)
        return count


class Eligible(AssignmentList):
    tab, table_class, filter_class = "eligible", EligibleTable, AssignmentFilter


class Active(AssignmentList):
    tab, table_class, filter_class = "active", ActiveTable, ActiveFilter


class Scheduled(AssignmentList):
    tab, table_class, filter_class = "scheduled", ScheduledTable, AnyTypeFilter


class Expired(AssignmentList):
    tab, table_class, filter_class = "expired", ExpiredTable, AnyTypeFilter


_PAGES = {page.tab: page.as_view() for page in (Eligible, Active, Scheduled, Expired)}


def labels_at(place: Resource) -> list[tuple[str, Any]]:
    """Return the tabs in their order: of a group, who belongs to it now comes first."""
    if place.kind == ResourceKind.GROUP:
        return sorted(LABELS.items(), key=lambda one: one[0] != "active")
    return list(LABELS.items())


def role_in(request: PortalRequest) -> uuid.UUID | None:
    """Return the role that the query string names, if it is an id at all."""
    try:
        return uuid.UUID(request.GET.get("role", ""))
    except ValueError:
        return None


@require_safe
@at_place()
def assignments(request: PortalRequest, place: Resource) -> HttpResponseBase:
    """Show the tab that the query string names; the first one for any other word."""
    first, _label = labels_at(place)[0]
    return _PAGES.get(request.GET.get("tab", ""), _PAGES[first])(request, place=place)


def found_at(place: Resource, pk: uuid.UUID) -> Assignment:
    """Return an assignment given at this very place; one inherited from above has its page there."""
    rows = at_or_above(place).filter(resource=place).select_related("principal", "role__home", "resource")
    found = rows.select_related("activated_from__principal", "renewed_from").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _story(events: Iterable[Event]) -> list[dict[str, Any]]:
    return [
        {"what": sentence(one), "why": why(one), "at": one.occurred_at, "bad": one.outcome != Outcome.DONE}
        for one in events
    ]


@require_safe
@at_place()
def assignment(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Show one assignment: everything about it, what was made from it, and its history."""
    shown, now = found_at(place, pk), request.now
    frame = Frame(place, request.authority, "assignments")
    over = shown.over_at is not None and shown.over_at <= now
    events = Event.objects.filter(assignment_id=shown.pk).select_related("text").newest_first()[:MOST]
    under = Event.objects.filter(authority_id=shown.pk).select_related("text").newest_first()
    made = shown.activations.in_effect(now).select_related("principal", "resource").order_by("-starts_at", "pk")
    renewal = shown.renewals.order_by("starts_at", "pk").last()
    context = {
        "place": place,
        "frame": frame,
        "shown": shown,
        "over": over,
        "suspended": not over and not shown.principal.enabled,
        "settings": settings_of(shown.role, shown.resource),
        "activations": made[:20],
        "renewal": renewal,
        "may_see_people": request.authority.anywhere(Permission.SEE_PEOPLE),
        "may_change": frame.may_assign and can_be_changed(shown, now),
        "may_remove": frame.may_assign and not over,
        "may_renew": frame.may_assign and can_be_renewed(shown, now) and renewal is None,
        "story": _story(events),
        # It lies at this place or below, in the same world: whoever sees this page may read it.
        "done_under": _story(under.filter(realm=place.realm)[:MOST]),
        "more_under": under.filter(realm=place.realm).count() > MOST,
        "archived": archived_with(shown.pk, Realm(place.realm)),
    }
    return render(request, "manage/assignment.html", context)
