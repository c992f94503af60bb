"""My roles: what one may activate, holds, and had; and ending what one holds."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, ClassVar, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from approvals.forms.deactivation import DeactivateForm
from approvals.selectors.my_roles import (
    activations_of,
    eligible_among,
    eligible_roles,
    ended_roles,
    first_eligible,
    held_roles,
    standings_of,
    through,
)
from approvals.selectors.profiles import profiles_of
from approvals.selectors.renewals import standings_of_renewal
from approvals.tables.my_roles import EligibleTable, EndedTable, HeldTable, RolesFilter
from roles.list_rows import First, counted
from roles.lists import ListPage
from roles.middleware import PortalRequest, actor_of
from roles.models import Assignment, EndReason
from roles.refusals import Refused, broken
from roles.rules.assignments import DEACTIVATE, EndFacts
from roles.selectors.resources import places_of
from roles.services.assignments import deactivate as end_activation
from roles.tabs import Tab

TABS = {
    "eligible": (gettext_lazy("Eligible"), eligible_roles),
    "active": (gettext_lazy("Active"), held_roles),
    "expired": (gettext_lazy("Expired"), ended_roles),
}


def tabs_of_my_roles(request: PortalRequest, current: str) -> list[Tab]:
    """The tabs above My roles, and above the profiles that were saved from it."""
    page = reverse("approvals:my_roles")
    tabs = [
        Tab(label, f"{page}?tab={name}", name == current, _count(name, request))
        for name, (label, _selector) in TABS.items()
    ]
    kept = profiles_of(request.user).count()
    return [*tabs, Tab(_("Profiles"), reverse("approvals:profiles"), current == "profiles", kept)]


def _count(tab: str, request: PortalRequest) -> int:
    if tab == "eligible":
        return len({one.assignment_id for one in request.authority.eligible})
    _label, selector = TABS[tab]
    return counted(selector(request.authority))


class RolesPage(ListPage):
    """One tab of My roles."""

    template_name = "approvals/my_roles.html"
    filter_class = RolesFilter
    tab: ClassVar[str]

    @property
    def viewer(self) -> PortalRequest:
        return cast("PortalRequest", self.request)

    def rows(self) -> QuerySet[Any]:
        _label, selector = TABS[self.tab]
        return selector(self.viewer.authority)

    def dress(self, rows: Sequence[Any]) -> None:
        places = places_of(row.resource for row in rows)
        keeping = standings_of_renewal(self.viewer.user, rows, self.viewer.now)
        for row in rows:
            row.keeping = keeping[row.pk]
            row.place = places[row.resource_id]
            row.through = through(row, self.viewer.user.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        tabs = tabs_of_my_roles(self.viewer, self.tab)
        return super().get_context_data(tabs=tabs, tab=self.tab, **kwargs)


class EligiblePage(RolesPage):
    table_class = EligibleTable
    tab = "eligible"
    # Its own order, in which its keys are asked for and counted at once: what one person may activate is little.
    walking = ("role__name_key", "resource__name_key", "pk")

    def first(self) -> First:
        return First(partial(first_eligible, self.viewer.authority))

    def in_own_order(self) -> Callable[[Sequence[Any]], Sequence[Any]]:
        return list

    def fetch(self) -> Callable[[Sequence[Any]], Iterable[Any]]:
        return partial(eligible_among, self.viewer.authority)

    def dress(self, rows: Sequence[Any]) -> None:
        standings = standings_of(self.viewer.user, rows, self.viewer.now)
        keeping = standings_of_renewal(self.viewer.user, rows, self.viewer.now)
        for row in rows:
            row.keeping = keeping[row.pk]
            row.standing = standings[row.pk]
            row.place, row.through = row.standing.place, row.standing.through


class HeldPage(RolesPage):
    table_class = HeldTable
    tab = "active"


class EndedPage(RolesPage):
    table_class = EndedTable
    tab = "expired"

    def dress(self, rows: Sequence[Any]) -> None:
        super().dress(rows)
        for row in rows:
            # What the sweep has not written down yet has ended all the same.
            row.why = EndReason(row.end_reason or EndReason.EXPIRED).label


_PAGES = {page.tab: page.as_view() for page in (EligiblePage, HeldPage, EndedPage)}


@require_safe
def my_roles(request: PortalRequest) -> HttpResponseBase:
    """Show the tab that the query string names; the first one for any other word."""
    return _PAGES.get(request.GET.get("tab", ""), _PAGES["eligible"])(request)


@require_http_methods(["GET", "HEAD", "POST"])
def deactivate(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """End one's own activation, or call off a planned one."""
    activation = get_object_or_404(activations_of(request.user), pk=pk)
    form = DeactivateForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return _end(request, activation, reason=form.cleaned_data["reason"])
    facts = EndFacts(activation, request.now, allowed=True, second_factor=True)
    page = {
        "form": form,
        "activation": activation,
        "place": places_of([activation.resource])[activation.resource_id],
        "planned": activation.starts_at > request.now,
        "hindrances": broken(DEACTIVATE, facts),
    }
    return render(request, "approvals/deactivate.html", page, status=422 if form.errors else 200)


def _end(request: PortalRequest, activation: Assignment, *, reason: str) -> HttpResponse:
    words = {"role": activation.role.name, "resource": activation.resource.name}
    try:
        end_activation(activation.pk, reason=reason, actor=actor_of(request), clock=timezone.now)
    except Assignment.DoesNotExist:
        raise Http404 from None
    except Refused as refused:
        messages.info(request, refused.sentence)
    else:
        sentence = _("{role} at {resource} is no longer active.")
        if activation.starts_at > request.now:
            sentence = _("The planned activation of {role} at {resource} was called off.")
        messages.success(request, sentence.format(**words))
    return redirect("approvals:my_roles")
