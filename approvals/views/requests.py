"""Requests: one's own, and the page of one request, for who asked and for who decides."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from approvals.differences import carried
from approvals.forms.decision import DecideForm
from approvals.forms.renewals import DecideRenewalForm
from approvals.models import TIMED, Action, Request, Status, Verdict
from approvals.proposals import proposal_of
from approvals.rules.decisions import MAY_DECIDE, DecideFacts, roles_kept_apart
from approvals.rules.emergencies import may_break_glass
from approvals.rules.settings_changes import MAY_ALONE
from approvals.selectors.emergencies import review_of, reviewers_of
from approvals.selectors.panels import Waiting, panels_of
from approvals.selectors.requests import request_visible_to, requests_of, shown_requests, statuses_at, was_put_to
from approvals.selectors.settings_changes import preview_of_proposed_move, proposed, ruling, sees_preview
from approvals.selectors.shortfalls import shortfall_of
from approvals.selectors.showing import shown_digest
from approvals.selectors.stories import archived_of, earlier_activations, holds_beside, person_of, story_of
from approvals.services.activations import Wanted
from approvals.services.activations import gather as gather_activation
from approvals.services.decisions import gather
from approvals.services.settings_changes import gather_alone
from approvals.tables.requests import MyRequestsFilter, MyRequestsTable
from approvals.wording import all_of, names_of, title_of
from roles.catalogue import Permission
from roles.lists import ListPage
from roles.middleware import PortalRequest, actor_of
from roles.models import Assignment, AssignmentType, Resource
from roles.places import address
from roles.refusals import broken
from roles.selectors.moves import MovePreview
from roles.selectors.resources import places_of
from roles.selectors.settings import EffectiveSettings, settings_behind
from roles.settings_words import Compared
from roles.views.assigning import limits_of
from roles.views.tree import MOST_ROWS

_ENDED = {
    Status.DENIED: gettext_lazy("It was denied. Why stands with the decision."),
    Status.CANCELLED: gettext_lazy("It was cancelled before somebody decided."),
    Status.LAPSED: gettext_lazy("It lapsed: nobody decided in time, or what it was about ended."),
    Status.FAILED: gettext_lazy("It could not be granted any more."),
}


_CHANGED = gettext_lazy("The change is made. Who decided stands beside it.")


class RequestsPage(ListPage):
    """A list of requests; hangs on each row of the page what its cells show besides the request."""

    says_who_decides = False  # whether a cell tells whom a request waits for

    @property
    def viewer(self) -> PortalRequest:
        return cast("PortalRequest", self.request)

    def panels_known(self) -> dict[uuid.UUID, Waiting]:
        """Return who can decide what, where the page has looked that up already."""
        return {}

    def statuses(self, rows: Sequence[Any]) -> dict[uuid.UUID, Status]:
        """Return how each of these requests reads now."""
        return statuses_at(rows, self.viewer.now)

    def dress(self, rows: Sequence[Any]) -> None:
        places = places_of(row.resource for row in rows)
        statuses = self.statuses(rows)
        for row in rows:
            row.place = places[row.resource_id]
            row.status_now = statuses[row.pk]
        if self.says_who_decides:
            self._say_who_decides(rows)

    def _say_who_decides(self, rows: Sequence[Any]) -> None:
        panels = self.panels_known()
        unknown = [row for row in rows if row.status_now == Status.PENDING and row.pk not in panels]
        panels |= panels_of(unknown, self.viewer.now)
        for row in rows:
            row.stage = panels.get(row.pk)
            row.deciders = ""
            if row.stage is not None:
                panel = row.stage.panel
                row.deciders = names_of(panel.deciders, viewer=self.viewer.user, all_count=panel.quorum > 1)


class MyRequests(RequestsPage):
    """What the viewer asked for."""

    says_who_decides = True
    table_class = MyRequestsTable
    filter_class = MyRequestsFilter
    template_name = "approvals/my_requests.html"

    def rows(self) -> QuerySet[Any]:
        return requests_of(self.viewer.user)

    def fetch(self) -> Callable[[Sequence[Any]], Iterable[Any]]:
        return shown_requests


@require_safe
def request_page(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a request to who asked and to whom it was put; everybody else finds nothing. Opening it changes nothing."""
    return show_request(request, visible_request(request, pk))


def visible_request(request: PortalRequest, pk: uuid.UUID) -> Request:
    """Return a request that the viewer takes part in, or answer as for any unknown id."""
    asked = request_visible_to(request.authority, pk)
    if asked is None:
        raise Http404
    return asked


DecisionForm = DecideForm | DecideRenewalForm


def decision_form(request: PortalRequest, asked: Request, data: QueryDict | None = None) -> DecisionForm:
    """Return the form in which this request is decided."""
    if not asked.is_renewal:
        # A change of settings is agreed to as it is, or not.
        return DecideForm(data, request=request, asked=asked if asked.action in TIMED else None)
    type = data.get("type", asked.wanted_type) if data else asked.wanted_type
    own_code = type == AssignmentType.ACTIVE and settings_behind(asked.behind).second_factor_on_assign
    return DecideRenewalForm(data, request=request, asked=asked, own_code=own_code)


def show_request(
    request: PortalRequest,
    asked: Request,
    form: DecisionForm | None = None,
    *,
    changed: Sequence[Compared] = (),
    status: int = 200,
) -> HttpResponse:
    """Render the page of a request as it is now, with the decision form where the viewer can decide it.

    `changed` is what is not as the page was before, when a decision was refused for it.
    """
    now = request.now
    own = request.user.pk in (asked.principal_id, asked.requestor_id)
    if own:
        request.menu_path = reverse("approvals:my_requests") + f"{asked.pk}/"
    takes_part = not own and was_put_to(asked, request.user.pk, now)
    facts = may_decide(request, asked)
    hindrances = broken(MAY_DECIDE, facts)
    can_decide = not hindrances
    if can_decide and form is None:
        form = decision_form(request, asked)
    deciders = names_of(facts.panel.deciders, viewer=request.user, all_count=facts.panel.quorum > 1)
    waits = facts.status == Status.PENDING and bool(deciders)
    preview = preview_of_proposed_move(asked, now)
    page: dict[str, Any] = {
        "asked": asked,
        "own": own,
        "status_now": facts.status,
        "form": form if can_decide else None,
        # Told before a verdict is chosen, and once only.
        "apart": broken((roles_kept_apart,), facts) if can_decide and form is not None and not form.is_bound else [],
        "seen": shown_digest(asked, facts.settings, preview=preview),
        "shown": carried(asked, facts.settings) if can_decide else "",
        "changed": changed,
        # Somebody who was asked and may no longer decide is told why; how it ended stands on the page anyway.
        # Who only looks on need not hear that they do not decide.
        "hindrances": hindrances if takes_part and facts.status == Status.PENDING else [],
        "title": title_of(asked, own=own),
        "limits": limits_of(facts.settings) if asked.is_renewal and can_decide else [],
        "result": asked.result,
        "may_cancel": may_cancel(request, asked, facts.status),
        "panel": facts.panel,
        "deciders": deciders,
        "later": names_of(facts.panel.later, viewer=request.user),
        "waits_for": _("Waiting for {names}").format(names=deciders) if waits else "",
        "shortfall": shortfall_of(asked, now, facts.settings, said=facts.said)
        if facts.status == Status.PENDING
        else None,
        "stages": len(facts.stages),
        "place": places_of([asked.resource])[asked.resource_id],
        "decisions": facts.said,
        "instead_of": facts.instead_of,
        "story": story_of(asked),
        "archived": archived_of(asked),
        "outcome_state": _outcome_state(asked, request),
        "ended_sentence": _ENDED.get(facts.status, ""),
    }
    if asked.action == Action.CHANGE_SETTINGS:
        page |= _proposed(request, asked, facts, preview)
    if asked.break_glass:
        page |= _emergency(request, asked)
    elif own and facts.status == Status.PENDING and asked.action == Action.ACTIVATE:
        page["emergency"] = _may_break_glass(request, asked, facts.settings)
    if not own:
        earlier = earlier_activations(asked, now, takes_part=takes_part)
        page |= {
            "person": person_of(asked),
            "holds": holds_beside(asked, request.authority, takes_part=takes_part),
            "earlier": len(earlier),
            "earlier_spans": all_of(earlier[:5]),
        }
    return render(request, "approvals/request.html", page, status=status)


def _proposed(
    request: PortalRequest, asked: Request, facts: DecideFacts, preview: MovePreview | None
) -> dict[str, Any]:
    """Return what the page of a change of settings shows besides: old and new, and what the author may do."""
    proposal = proposal_of(asked)
    pending = facts.status == Status.PENDING
    alone = gather_alone(asked, reason="", seen="", actor=actor_of(request), now=request.now)
    seen_there = request.authority.allows(Permission.SEE, asked.resource)
    return {
        "proposal": proposal,
        "proposed": proposed(asked),
        "target": Resource.objects.filter(pk=proposal.target_id).first() if proposal.target_id else None,
        "settings_url": address(asked.resource, "role_settings", pk=asked.role_id) if seen_there else "",
        "drifted": facts.drifted if pending else "",
        "preview": preview if pending and sees_preview(asked, request.authority) else None,
        "most": MOST_ROWS,
        "alone_from": alone.allowed_from,
        "may_alone": not broken(MAY_ALONE, alone),
        "ended_sentence": _CHANGED if facts.status == Status.GRANTED else _ENDED.get(facts.status, ""),
    }


def _emergency(request: PortalRequest, asked: Request) -> dict[str, Any]:
    """Return what the page says of the review of an emergency, and of who can close it."""
    review = review_of(asked)
    if review is None:
        raise LookupError("An emergency has a review.")
    people = reviewers_of(asked, request.now) if review.closed_at is None else []
    return {
        "review": review,
        "overdue": review.is_overdue(request.now),
        "reviewers": names_of(people, viewer=request.user),
        "may_review": any(one.pk == request.user.pk for one in people),
    }


def _may_break_glass(request: PortalRequest, asked: Request, settings: EffectiveSettings) -> bool:
    if not settings.break_glass_allowed:
        return False
    facts, _resource = gather_activation(
        request.user,
        asked.about.pk,
        wanted=Wanted(duration=asked.time),
        actor=actor_of(request),
        now=request.now,
        emergency=True,
        settings=settings,
    )
    return may_break_glass(facts)


def may_cancel(request: PortalRequest, asked: Request, status: Status) -> bool:
    """Whether the viewer may cancel this request as an administrator: their own has a button of its own."""
    own = request.user.pk in (asked.principal_id, asked.requestor_id)
    return status == Status.PENDING and not own and request.authority.allows(Permission.ASSIGN, asked.resource)


def may_decide(request: PortalRequest, asked: Request) -> DecideFacts:
    """Gather what is known before a verdict is chosen."""
    settings = ruling(asked)
    return gather(
        asked,
        verdict=Verdict.APPROVE,
        justification="",
        duration=None,
        seen=shown_digest(asked, settings, preview=preview_of_proposed_move(asked, request.now)),
        actor=actor_of(request),
        approver=request.user,
        now=request.now,
        settings=settings,
    )


def _outcome_state(asked: Request, request: PortalRequest) -> str:
    """Say how it stands with what was granted: planned, active, over, or lost; empty where nothing was.

    Lost is what has no eligibility behind it any more, and nobody has written its end down.
    """
    outcome = asked.result
    if outcome is None:
        return ""
    over_at = outcome.over_at
    if over_at is not None and over_at <= request.now:
        return "over"
    if asked.is_renewal:
        return "kept"
    if Assignment.objects.orphaned(request.now).filter(pk=outcome.pk).exists():
        return "lost"
    if outcome.starts_at > request.now:
        return "planned"
    # The holder is disabled, or the role retired: nothing of it is held.
    return "active" if Assignment.objects.in_effect(request.now).filter(pk=outcome.pk).exists() else "lost"
