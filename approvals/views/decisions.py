"""Deciding: what waits for the viewer, one request, or several with one justification."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.differences import carried, changed_since
from approvals.forms.decision import DecideForm
from approvals.forms.renewals import DecideRenewalForm
from approvals.models import Action, Request, Status, Verdict
from approvals.rules.decisions import MAY_DECIDE
from approvals.selectors.emergencies import emergencies_awaiting
from approvals.selectors.panels import Waiting
from approvals.selectors.requests import (
    decided_requests,
    panels_awaiting,
    requests_awaiting,
    requests_decided_by,
    requests_visible_to,
    with_decisions,
)
from approvals.selectors.showing import shown_digest
from approvals.services.decisions import approve, deny
from approvals.tables.requests import (
    ChangesTable,
    DecidedFilter,
    DecidedTable,
    RenewalsTable,
    WaitingFilter,
    WaitingTable,
)
from approvals.views.requests import (
    DecisionForm,
    RequestsPage,
    decision_form,
    may_decide,
    show_request,
    visible_request,
)
from approvals.views.tabs import tab_of, tabs_of_approvals
from approvals.wording import what_changed
from roles.actors import Actor
from roles.middleware import PortalRequest, actor_of
from roles.models import AssignmentType
from roles.refusals import Refused, broken
from roles.selectors.people import people_among
from roles.selectors.resources import places_of
from roles.selectors.settings import settings_behind
from roles.views.ids import ids_in
from roles.views.results import Result, keep_results

MOST_AT_ONCE = 50


class ApprovalsPage(RequestsPage):
    """One tab of Approve requests."""

    template_name = "approvals/approvals.html"
    tab: ClassVar[str]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        tabs = tabs_of_approvals(self.viewer, self.tab)
        emergencies = emergencies_awaiting(self.viewer.authority)
        places = places_of(one.request.resource for one in emergencies)
        blocks = [(one, places[one.request.resource_id], one.is_overdue(self.viewer.now)) for one in emergencies]
        return super().get_context_data(tabs=tabs, tab=self.tab, emergencies=blocks, **kwargs)

    def panels_known(self) -> dict[uuid.UUID, Waiting]:
        return panels_awaiting(self.viewer.authority)

    def dress(self, rows: Sequence[Any]) -> None:
        super().dress(rows)
        people = {one.pk: one for one in people_among([row.principal_id for row in rows])}
        for row in rows:
            row.person = people[row.principal_id]


class WaitingPage(ApprovalsPage):
    """The activations that the viewer can decide now, what lapses first first."""

    says_who_decides = True
    table_class = WaitingTable
    filter_class = WaitingFilter
    tab = "waiting"

    def rows(self) -> QuerySet[Any]:
        waiting = requests_awaiting(self.viewer.authority)
        ids = [one.pk for one in waiting if tab_of(one) == self.tab]
        return Request.objects.filter(pk__in=ids).shown().order_by("lapses_at", "pk")

    def in_hand(self) -> Mapping[Any, Any]:
        return {one.pk: one for one in requests_awaiting(self.viewer.authority)}

    def statuses(self, rows: Sequence[Any]) -> dict[uuid.UUID, Status]:
        return {row.pk: Status.PENDING for row in rows}  # as was asked for `rows`


class RenewalsPage(WaitingPage):
    """The extensions and renewals that the viewer can decide now."""

    table_class = RenewalsTable
    tab = "renewals"


class ChangesPage(WaitingPage):
    """The changes of settings that the viewer can decide now, as a second administrator; each on its own page."""

    table_class = ChangesTable
    tab = "changes"


class DecidedPage(ApprovalsPage):
    """What the viewer was asked to decide and is over, whoever decided it."""

    table_class = DecidedTable
    filter_class = DecidedFilter
    tab = "decided"

    def rows(self) -> QuerySet[Any]:
        rows = requests_decided_by(self.viewer.user, self.viewer.now)
        return with_decisions(rows)

    def fetch(self) -> Callable[[Sequence[Any]], Iterable[Any]]:
        return decided_requests


_PAGES = {page.tab: page.as_view() for page in (WaitingPage, RenewalsPage, ChangesPage, DecidedPage)}


@require_safe
def approvals(request: PortalRequest) -> HttpResponseBase:
    """Show the tab that the query string names; without one the first where something waits."""
    tab = request.GET.get("tab", "")
    if tab not in _PAGES:
        waiting = [tab_of(one) for one in requests_awaiting(request.authority)]
        tab = next((one for one in _PAGES if one in waiting), "waiting")
    return _PAGES[tab](request)


@require_POST
def decide(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Approve or deny one request from its page."""
    asked = visible_request(request, pk)
    form = decision_form(request, asked, request.POST)
    # What is whole is for the service to judge. No code is asked for what cannot succeed anyway.
    is_whole = form.is_valid() and form.step_up is not None
    if not is_whole and (told := broken(MAY_DECIDE, may_decide(request, asked))):
        _record_attempt(request, asked)
        return _too_late(request, asked, Refused(told))
    actor = form.actor_if_given([asked.pk])
    if form.errors or actor is None:
        return show_request(request, asked, form, status=422)
    try:
        _say(asked, form, actor=actor, seen=request.POST.get("seen", ""))
    except Refused as refused:
        asked = visible_request(request, pk)
        if told := broken(MAY_DECIDE, may_decide(request, asked)):
            # Also where it only waited too long for whoever was first.
            return _too_late(request, asked, Refused(told))
        form.add_refusal(refused)
        changed = changed_since(asked, request.POST.get("shown", "")) if "changed" in refused.codes else []
        return show_request(request, asked, form, changed=changed, status=422)
    messages.success(request, _told(Verdict(form.cleaned_data["verdict"])))
    return redirect("approvals:request", pk=asked.pk)


def _too_late(request: PortalRequest, asked: Request, refused: Refused) -> HttpResponse:
    """Tell whoever comes second how it ended, on the page that shows it."""
    messages.warning(request, refused.sentence)
    return redirect("approvals:request", pk=asked.pk)


def _record_attempt(request: PortalRequest, asked: Request) -> None:
    """Let the service refuse what cannot succeed, without a second factor: each refused attempt is in the history."""
    said = {"justification": request.POST.get("justification", ""), "seen": request.POST.get("seen", "")}
    verb = deny if _verdict(request.POST) == Verdict.DENY else approve
    with suppress(Refused):
        verb(asked.pk, **said, actor=actor_of(request), clock=timezone.now)


def _told(verdict: Verdict) -> str:
    return _("You approved this request.") if verdict == Verdict.APPROVE else _("You denied this request.")


def _say(asked: Request, form: DecisionForm, *, actor: Actor, seen: str) -> Request:
    said = form.cleaned_data
    justification = said["justification"]
    if said["verdict"] == Verdict.DENY:
        return deny(asked.pk, actor=actor, justification=justification, seen=seen, clock=timezone.now)
    if isinstance(form, DecideRenewalForm):
        return approve(
            asked.pk, actor=actor, justification=justification, seen=seen, terms=form.terms, clock=timezone.now
        )
    duration = said.get("duration")
    shorter = duration if duration != asked.wanted_duration else None
    return approve(asked.pk, actor=actor, justification=justification, seen=seen, duration=shorter, clock=timezone.now)


@require_http_methods(["GET", "HEAD", "POST"])
def decide_selected(request: PortalRequest) -> HttpResponse:
    """Approve or deny several requests with one justification, each in a transaction of its own."""
    query = request.POST if request.method == "POST" else request.GET
    ids = ids_in(query, "request")
    if not ids or len(ids) > MOST_AT_ONCE:
        sentence = _("Choose one request, or up to {most} at once, and then Approve or Deny.")
        messages.warning(request, sentence.format(most=MOST_AT_ONCE))
        return redirect("approvals:approvals")
    found = requests_visible_to(request.authority).in_bulk(ids)
    if len(found) < len(ids):
        raise Http404
    chosen = [found[one] for one in ids]
    if change := next((one for one in chosen if one.action == Action.CHANGE_SETTINGS), None):
        # A link may name it here: nobody agrees to settings that this page does not show.
        messages.warning(request, _("A change of settings is decided on its own page, which says what would change."))
        return redirect("approvals:request", pk=change.pk)
    if request.method != "POST":
        form = DecideForm(request=request, initial={"verdict": _verdict(query)}, own_code=_asks_own_code(chosen))
        return _selected_page(request, chosen, form)
    form = DecideForm(request.POST, request=request, own_code=_asks_own_code(chosen))
    form.is_valid()
    actor = form.actor_if_given(one.pk for one in chosen)
    if form.errors or actor is None:
        return _selected_page(request, chosen, form, status=422)
    return _decide_each(request, form, chosen, actor)


def _asks_own_code(chosen: Sequence[Request]) -> bool:
    """Whether one of them would make somebody active straight away where the settings ask for a code with that."""
    return any(
        one.is_renewal
        and one.wanted_type == AssignmentType.ACTIVE
        and settings_behind(one.behind).second_factor_on_assign
        for one in chosen
    )


def _verdict(query: QueryDict) -> str:
    said = query.get("verdict", "")
    return said if said in Verdict.values else Verdict.APPROVE


def _decide_each(request: PortalRequest, form: DecideForm, chosen: Sequence[Request], actor: Actor) -> HttpResponse:
    seen = dict(value.partition(":")[::2] for value in request.POST.getlist("seen"))
    shown = dict(value.partition(":")[::2] for value in request.POST.getlist("shown"))
    results: list[Result] = []
    for asked in chosen:
        name = _("{role} for {person}").format(role=asked.role.name, person=asked.principal.name)
        url = reverse("approvals:request", args=[asked.pk])
        try:
            said = _say(asked, form, actor=actor, seen=seen.get(str(asked.pk), ""))
        except Refused as refused:
            if not results and any(one.field in form.fields for one in refused.violations):
                # What the one justification lacks it lacks for all.
                form.add_refusal(refused)
                return _selected_page(request, chosen, form, status=422)
            sentence = refused.sentence
            if "changed" in refused.codes:
                now = Request.objects.shown().get(pk=asked.pk)
                if changed := what_changed(changed_since(now, shown.get(str(asked.pk), ""))):
                    sentence = f"{sentence} {changed}."
            results.append(Result(name, "refused", _("Refused"), sentence, url))
        else:
            results.append(_result(said, name, url, verdict=Verdict(form.cleaned_data["verdict"])))
    title = ngettext("What became of the request", "What became of the {count} requests", len(chosen))
    return keep_results(request, title.format(count=len(chosen)), results, back=reverse("approvals:approvals"))


def _result(said: Request, name: str, url: str, *, verdict: Verdict) -> Result:
    if said.status == Status.PENDING:
        sentence = _("Others must agree, too.")
        return Result(name, "approve", _("You approved"), sentence, url)
    if verdict == Verdict.APPROVE and said.status != Status.GRANTED:
        return Result(name, said.status, said.get_status_display(), said.status_reason, url)
    return Result(name, said.status, said.get_status_display(), "", url)


def _selected_page(
    request: PortalRequest, chosen: Sequence[Request], form: DecideForm, status: int = 200
) -> HttpResponse:
    places = places_of(one.resource for one in chosen)
    items = [
        {
            "asked": one,
            "place": places[one.resource_id],
            "seen": shown_digest(one, facts.settings),
            "shown": carried(one, facts.settings),
            "hindrances": broken(MAY_DECIDE, facts),
        }
        for one, facts in ((one, may_decide(request, one)) for one in chosen)
    ]
    verdict = form["verdict"].value()
    page = {"items": items, "form": form, "denies": verdict == Verdict.DENY, "count": len(chosen)}
    return render(request, "approvals/decide_selected.html", page, status=status)
