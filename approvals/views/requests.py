"""Requests: one's own, and the page of one request, for who asked and for who decides."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from approvals.forms.decision import DecideForm
from approvals.models import Request, Status, Verdict
from approvals.rules import MAY_DECIDE, DecideFacts
from approvals.selectors.panels import panels_of
from approvals.selectors.requests import requests_of, requests_visible_to, status_at
from approvals.selectors.stories import earlier_activations, holds_beside, story_of
from approvals.services.decisions import gather
from approvals.services.requests import cancel as cancel_request
from approvals.tables.requests import MyRequestsFilter, MyRequestsTable
from approvals.wording import all_of, names_of
from roles.lists import ListPage
from roles.middleware import PortalRequest, actor_of
from roles.models import Assignment, User
from roles.refusals import Refused, broken
from roles.selectors.resources import places_of

_ENDED = {
    Status.DENIED: gettext_lazy("It was denied. Why stands with the decision."),
    Status.CANCELLED: gettext_lazy("It was cancelled before somebody decided."),
    Status.LAPSED: gettext_lazy("It lapsed: nobody decided in time, or the eligibility behind it ended."),
    Status.FAILED: gettext_lazy("It could not be granted: the eligibility ends before the start that was asked for."),
}


class RequestsPage(ListPage):
    """A list of requests; hangs on each row of the page what its cells show besides the request."""

    @property
    def viewer(self) -> PortalRequest:
        return cast("PortalRequest", self.request)

    def get_table(self, **kwargs: Any) -> Any:
        table = super().get_table(**kwargs)
        self.dress([row.record for row in table.paginated_rows])
        return table

    def dress(self, rows: Sequence[Any]) -> None:
        now = self.viewer.now
        places = places_of(row.resource for row in rows)
        pending = [row for row in rows if status_at(row, now) == Status.PENDING]
        panels = panels_of(pending, now) if pending else {}
        for row in rows:
            row.place = places[row.resource_id]
            row.status_now = status_at(row, now)
            row.stage = panels.get(row.pk)
            row.deciders = ""
            if row.stage is not None:
                panel = row.stage.panel
                row.deciders = names_of(panel.people, viewer=self.viewer.user, all_count=panel.quorum > 1)


class MyRequests(RequestsPage):
    """What the viewer asked for."""

    table_class = MyRequestsTable
    filter_class = MyRequestsFilter
    template_name = "approvals/my_requests.html"

    def rows(self) -> QuerySet[Any]:
        rows = requests_of(self.viewer.user, self.viewer.now)
        return rows.select_related("eligibility__role", "eligibility__resource")


@require_safe
def request_page(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a request to who asked and to whom it was put; everybody else finds nothing. Opening it changes nothing."""
    return show_request(request, visible_request(request, pk))


def visible_request(request: PortalRequest, pk: uuid.UUID) -> Request:
    """Return a request that the viewer takes part in, or answer as for any unknown id."""
    rows = requests_visible_to(request.user, request.now)
    asked = rows.select_related("eligibility__role", "eligibility__resource", "principal__user__manager")
    return get_object_or_404(asked, pk=pk)


def show_request(
    request: PortalRequest, asked: Request, form: DecideForm | None = None, *, status: int = 200
) -> HttpResponse:
    """Render the page of a request as it is now, with the decision form where the viewer can decide it."""
    now = request.now
    own = request.user.pk in (asked.principal_id, asked.requestor_id)
    if own:
        request.menu_path = reverse("approvals:my_requests") + f"{asked.pk}/"
    facts = may_decide(request, asked)
    hindrances = broken(MAY_DECIDE, facts)
    can_decide = not hindrances
    if can_decide and form is None:
        form = DecideForm(request=request, asked=asked)
    deciders = names_of(facts.panel.people, viewer=request.user, all_count=facts.panel.quorum > 1)
    waits = facts.status == Status.PENDING and bool(deciders)
    page: dict[str, Any] = {
        "asked": asked,
        "own": own,
        "status_now": facts.status,
        "form": form if can_decide else None,
        # Somebody who was asked and may no longer decide is told why; how it ended stands on the page anyway.
        "hindrances": [] if own or facts.status != Status.PENDING else hindrances,
        "panel": facts.panel,
        "deciders": deciders,
        "waits_for": _("Waiting for {names}").format(names=deciders) if waits else "",
        "stages": asked.stages.count(),
        "place": places_of([asked.resource])[asked.resource_id],
        "decisions": asked.decisions.select_related("approver", "stage"),
        "story": story_of(asked),
        "outcome_state": _outcome_state(asked, request),
        "ended_sentence": _ENDED.get(facts.status, ""),
    }
    if not own:
        earlier = earlier_activations(asked, now)
        page |= {
            "person": User.objects.select_related("manager").get(pk=asked.principal_id),
            "holds": holds_beside(asked, now),
            "earlier": len(earlier),
            "earlier_spans": all_of(earlier[:5]),
        }
    return render(request, "approvals/request.html", page, status=status)


def may_decide(request: PortalRequest, asked: Request) -> DecideFacts:
    """Gather what is known before a verdict is chosen."""
    return gather(
        asked,
        verdict=Verdict.APPROVE,
        justification="",
        duration=None,
        seen=asked.digest,
        actor=actor_of(request),
        approver=request.user,
        now=request.now,
    )


def _outcome_state(asked: Request, request: PortalRequest) -> str:
    """Say how it stands with what was granted: planned, active, over, or lost; empty where nothing was.

    Lost is what has no eligibility behind it any more, and nobody has written its end down.
    """
    outcome = asked.outcome
    if outcome is None:
        return ""
    over_at = outcome.over_at
    if over_at is not None and over_at <= request.now:
        return "over"
    if Assignment.objects.orphaned(request.now).filter(pk=outcome.pk).exists():
        return "lost"
    if outcome.starts_at > request.now:
        return "planned"
    # The holder is disabled, or the role retired: nothing of it is held.
    return "active" if Assignment.objects.in_effect(request.now).filter(pk=outcome.pk).exists() else "lost"


@require_POST
def cancel(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Cancel one's own request while it waits."""
    asked = get_object_or_404(requests_of(request.user, request.now), pk=pk)
    try:
        cancel_request(asked.pk, actor=actor_of(request), clock=timezone.now)
    except Refused as refused:
        messages.warning(request, refused.sentence)
    else:
        words = _("Your request for {role} at {resource} was cancelled.")
        messages.success(request, words.format(role=asked.role.name, resource=asked.resource.name))
    return redirect("approvals:request", pk=asked.pk)
