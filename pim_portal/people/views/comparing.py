"""Two people side by side."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

import django_tables2 as tables
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pim_portal.people.selectors.comparing import BOTH, ONLY_FIRST, ONLY_SECOND, Has, Line, compared, people_within
from pim_portal.people.tables import CompareTable
from pim_portal.people.views.access import tabs_of
from pim_portal.people.views.common import only_with
from roles.catalogue import Permission
from roles.guards import at_place
from roles.lists import ListPaginator
from roles.middleware import PortalRequest
from roles.models import Resource, User
from roles.models.principals import search_key
from roles.places import Frame, address
from roles.selectors.prospects import MOST_FOUND, principals_matching
from roles.tabs import Tab


@require_safe
@only_with(Permission.SEE_PEOPLE)
def compare(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what two people have in common and what only one of them has; find the other one first."""
    person = get_object_or_404(User, pk=pk)
    wanted, query = request.GET.get("with", ""), request.GET.get("q", "")[:100]
    other = get_object_or_404(User, pk=wanted) if _is_id(wanted) else None
    context: dict[str, Any] = {"person": person, "tabs": tabs_of(person, "compare"), "other": other, "q": query}
    if other is None:
        found = principals_matching(query, only_users=True)
        context["found"] = [one for one in found if one.pk != person.pk]
    else:
        lines = compared(person, other, viewer=request.authority, now=request.now)
        context |= _side_by_side(request, person, other, lines, page=reverse("person_compare", args=[person.pk]))
    return render(request, "people/compare.html", context)


@require_safe
@at_place()
def compare_at(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Show the same of what two people have at a place and below it; 404 for whoever has nothing there."""
    there = people_within(place, request.now)
    person = get_object_or_404(there, pk=pk)
    wanted = request.GET.get("with", "")
    other = get_object_or_404(there, pk=wanted) if _is_id(wanted) else None
    page = address(place, "person_compare_at", pk=person.pk)
    frame = Frame(place, request.authority, "assignments")
    context: dict[str, Any] = {"place": place, "frame": frame, "person": person, "other": other}
    if other is None:
        query = request.GET.get("q", "")[:100]
        # Not by address: who looks after a place need not see people's.
        for word in search_key(query.replace("\0", "")).split():
            there = there.filter(search_text__in_names=word)
        context |= {"q": query, "found": there.exclude(pk=person.pk)[:MOST_FOUND]}
    else:
        lines = compared(person, other, viewer=request.authority, now=request.now, within=place)
        context |= _side_by_side(request, person, other, lines, page=page)
    return render(request, "people/compare_at.html", context)


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _side_by_side(request: PortalRequest, person: User, other: User, lines: list[Line], *, page: str) -> dict[str, Any]:
    show = request.GET.get("show", "")
    words = {
        "": _("All"),
        BOTH: _("Both"),
        ONLY_FIRST: _("Only {name}").format(name=person.name),
        ONLY_SECOND: _("Only {name}").format(name=other.name),
    }
    show = show if show in words else ""
    list_tabs = [
        Tab(
            label,
            f"{page}?{urlencode({'with': str(other.pk), 'show': one})}",
            one == show,
            sum(1 for line in lines if one in ("", line.whose)),
        )
        for one, label in words.items()
    ]
    chosen = [_row(line, person, other) for line in lines if show in ("", line.whose)]
    # No empty column for whoever may give nothing.
    without = () if any(row["give"] for row in chosen) else ("give",)
    table = CompareTable(chosen, person=person, other=other, exclude=without)
    tables.RequestConfig(request, paginate={"per_page": 50, "paginator_class": ListPaginator}).configure(table)
    return {"list_tabs": list_tabs, "table": table}


def _row(line: Line, person: User, other: User) -> dict[str, Any]:
    """One line as the table shows it, with the way to give the other one the same."""
    lacks, has = (other, line.first) if line.whose == ONLY_FIRST else (person, line.second)
    give = _give(line, lacks, has) if line.whose != BOTH and has and line.may_give and lacks.enabled else ""
    return {"line": line, "first": line.first, "second": line.second, "give": give, "lacks": lacks}


def _give(line: Line, to: User, has: Has) -> str:
    query = {"role": str(line.role.pk), "principal": str(to.pk), "type": str(has.type)}
    return f"{address(line.resource, 'assignments_add')}?{urlencode(query)}"
