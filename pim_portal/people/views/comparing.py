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

from pim_portal.people.selectors.comparing import BOTH, ONLY_FIRST, ONLY_SECOND, Has, Line, compared
from pim_portal.people.tables import CompareTable
from pim_portal.people.views.access import tabs_of
from pim_portal.people.views.common import only_with
from roles.catalogue import Permission
from roles.lists import ListPaginator, Tab
from roles.middleware import PortalRequest
from roles.models import User
from roles.places import address
from roles.selectors.prospects import principals_matching


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
        context |= _side_by_side(request, person, other)
    return render(request, "people/compare.html", context)


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _side_by_side(request: PortalRequest, person: User, other: User) -> dict[str, Any]:
    lines = compared(person, other, viewer=request.authority, now=request.now)
    show = request.GET.get("show", "")
    page = reverse("person_compare", args=[person.pk])
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
    table = CompareTable(chosen, person=person, other=other)
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
