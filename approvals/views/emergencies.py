"""Activating in an emergency, and the page on which somebody else reviews it."""

from __future__ import annotations

import uuid
from contextlib import suppress

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.forms.activation import Prospect, prospect_of
from approvals.forms.emergencies import BreakGlassForm, CloseEmergencyForm
from approvals.models import EmergencyReview, Request
from approvals.rules.emergencies import BREAK_GLASS_BEFOREHAND
from approvals.rules.emergency_reviews import MAY_CLOSE, CloseFacts
from approvals.selectors.emergencies import review_of
from approvals.selectors.my_roles import eligibilities_among, request_behind
from approvals.selectors.requests import was_put_to
from approvals.selectors.stories import earlier_activations, holds_beside
from approvals.services.activations import Wanted, gather
from approvals.services.emergencies import break_glass as activate_at_once
from approvals.services.emergency_reviews import close_review, gather_closing
from approvals.views.requests import visible_request
from approvals.views.tickets import with_ticket_checked
from approvals.wording import all_of, who_approves
from roles.answers import form_page, read_and_send
from roles.middleware import PortalRequest, actor_of
from roles.models import User
from roles.refusals import Refused, broken
from roles.selectors.resources import places_of
from roles.selectors.settings import settings_behind


@read_and_send
def break_glass(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Activate a role that needs approval at once, where its settings allow that."""
    prospect = _prospect(request, pk)
    hindrances = broken(BREAK_GLASS_BEFOREHAND, prospect.facts)
    finding = request.method == "POST" and "find" in request.POST
    if finding:
        # Looking for a scope sends the form, too, keeps what was typed and changes nothing.
        typed = {name: value for name in ("duration", "scope", "ticket", "reason") if (value := request.POST.get(name))}
        form = BreakGlassForm(initial=typed, request=request, prospects=[prospect])
    else:
        sent = request.POST if request.method == "POST" else None
        form = BreakGlassForm(sent, request=request, prospects=[prospect])
    if form.is_bound and hindrances:
        if answer := _already(request, prospect, prospect.eligibility.resource_id):
            return answer
        form.is_valid()
        form.add_refusal(Refused(hindrances))
    elif form.is_valid():
        wanted = form.wanted(prospect)
        place_id = wanted.resource_id or prospect.eligibility.resource_id
        # Before the code is looked at: that of a double click has been used.
        if answer := _already(request, prospect, place_id):
            return answer
        try:
            actor = form.actor([pk])
            wanted = with_ticket_checked(request, wanted, prospect, actor=actor, emergency=True)
            made = activate_at_once(pk, wanted=wanted, actor=actor, clock=timezone.now)
        except Refused as refused:
            if answer := _already(request, prospect, place_id):
                return answer
            form.add_refusal(refused)
        else:
            messages.warning(request, _("The role is active now. Everybody who would have approved it was told."))
            return redirect("approvals:request", pk=made.pk)
    settings = settings_behind(prospect.eligibility)
    wanted = Wanted(duration=prospect.longest)
    facts, _resource = gather(
        request.user, pk, wanted=wanted, actor=actor_of(request), now=request.now, settings=settings
    )
    page = {
        "prospect": prospect,
        "hindrances": [] if form.is_bound else hindrances,
        "possible": not hindrances,
        "approvals": [who_approves(one, of_several=len(facts.panels) > 1) for one in facts.panels],
        "review_within": settings.break_glass_review_within,
        "waiting": facts.already_asked,
    }
    return form_page(request, "approvals/break_glass.html", form, **page)


def _prospect(request: PortalRequest, pk: uuid.UUID) -> Prospect:
    """Return the eligibility as it could be activated in an emergency; answers 404 where the viewer has none such."""
    found = eligibilities_among(request.user, [pk], request.now)
    if not found:
        raise Http404
    place = places_of([found[0].resource])[found[0].resource_id]
    return prospect_of(request.user, found[0], place=place, actor=actor_of(request), now=request.now, emergency=True)


def _already(request: PortalRequest, prospect: Prospect, place_id: uuid.UUID) -> HttpResponse | None:
    """Lead to the request that a double click, or another window, has made already there."""
    behind = request_behind(request.user, prospect.eligibility, place_id, timezone.now())
    if behind is None or not behind.outcome_id:
        return None
    messages.info(request, _("This role is already active, or its activation is planned."))
    return redirect("approvals:request", pk=behind.pk)


@read_and_send
def review(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Close the review of an emergency; whoever may see it and cannot close it is led to its request."""
    asked = visible_request(request, pk)
    found = review_of(asked)
    if found is None:
        raise Http404
    hindrances = broken(MAY_CLOSE, may_close(request, asked, found))
    if hindrances:
        if request.method == "POST":
            # The service refuses, so that the attempt is in the history.
            with suppress(Refused):
                close_review(asked.pk, justified=None, finding="", actor=actor_of(request), clock=timezone.now)
            messages.warning(request, Refused(hindrances).sentence)
        return redirect("approvals:request", pk=asked.pk)
    runs = _runs(request, asked)
    form = CloseEmergencyForm(request.POST if request.method == "POST" else None, request=request, runs=runs)
    if form.is_valid():
        said = form.cleaned_data
        try:
            close_review(
                asked.pk,
                justified=said["justified"],
                finding=said["finding"],
                end_now=said.get("end_now", False),
                actor=form.actor([asked.pk]),
                clock=timezone.now,
            )
        except Refused as refused:
            if "closed" in refused.codes:
                messages.warning(request, refused.sentence)
                return redirect("approvals:request", pk=asked.pk)
            form.add_refusal(refused)
        else:
            messages.success(request, _("The emergency of {name} is reviewed.").format(name=asked.principal.name))
            return redirect("approvals:request", pk=asked.pk)
    takes_part = was_put_to(asked, request.user.pk, request.now)
    earlier = earlier_activations(asked, request.now, takes_part=takes_part)
    page = {
        "asked": asked,
        "review": found,
        "overdue": found.is_overdue(request.now),
        "runs": runs,
        "place": places_of([asked.resource])[asked.resource_id],
        "person": User.objects.select_related("manager").get(pk=asked.principal_id),
        "holds": holds_beside(asked, request.authority, takes_part=takes_part),
        "earlier": len(earlier),
        "earlier_spans": all_of(earlier[:5]),
    }
    return form_page(request, "approvals/emergency_review.html", form, **page)


def may_close(request: PortalRequest, asked: Request, found: EmergencyReview) -> CloseFacts:
    """Gather what is known before anything is said."""
    return gather_closing(
        asked, found, justified=None, finding="", actor=actor_of(request), reviewer=request.user, now=request.now
    )


def _runs(request: PortalRequest, asked: Request) -> bool:
    outcome = asked.outcome
    return outcome is not None and (outcome.over_at is None or outcome.over_at > request.now)
