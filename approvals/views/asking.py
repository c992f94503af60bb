"""Asking for the roles of a form: for one, or for each of several, with a result for each."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.forms.activation import ActivateForm, Prospect, prospect_of
from approvals.models import Action, ProfileItem, Request, Status
from approvals.rules.activations import ACTIVATE
from approvals.selectors.my_roles import request_behind
from approvals.selectors.profiles import Kept
from approvals.services.activations import Wanted, ask, gather
from approvals.services.profiles import remember_use
from approvals.verifying.asking import Desk
from approvals.views.activation_page import page_of
from approvals.views.tickets import with_ticket_checked
from roles import wording
from roles.actors import Actor
from roles.middleware import PortalRequest, actor_of
from roles.models import Assignment
from roles.refusals import Busy, Refused, Violation, broken
from roles.views.results import Result, keep_results

ALREADY = {"already_active", "already_asked"}


def submitted(
    request: PortalRequest, prospects: Sequence[Prospect], possible: Sequence[Prospect], kept: Kept | None
) -> HttpResponse:
    if len(prospects) == 1 and (answer := _already(request, prospects[0])):
        return answer
    if not possible:
        return page_of(request, prospects, None, kept=kept, status=422)
    form = ActivateForm(request.POST, request=request, prospects=possible)
    form.is_valid()
    actor = form.actor_if_given(one.pk for one in possible)
    if form.errors or actor is None:
        told = {one.pk: _broken(request, form, one) for one in possible}
        if len(prospects) == 1 and (answer := _already(request, prospects[0], form, Refused(told[prospects[0].pk]))):
            return answer  # the code of a double click has been used
        for violations in told.values():
            form.tell(violations)
        return page_of(request, prospects, form, kept=kept, status=422)
    if len(prospects) == 1:
        answer = _ask_alone(request, form, prospects[0], actor, kept)
    else:
        answer = _ask_each(request, form, prospects, possible, actor, kept)
    if kept is not None and answer.status_code == HTTPStatus.FOUND:
        said = form.cleaned_data
        with suppress(Busy):  # the roles are asked for; only what was said is not kept
            remember_use(
                kept.profile.pk, duration=said["duration"], reason=said["reason"], actor=actor, clock=timezone.now
            )
    return answer


def _broken(request: PortalRequest, form: ActivateForm, prospect: Prospect) -> list[Violation]:
    """Return what the rules say of this role: what could not be read does not hide that."""
    wanted = form.wanted(prospect)
    facts, _resource = gather(request.user, prospect.pk, wanted=wanted, actor=actor_of(request), now=request.now)
    return broken(ACTIVATE, facts)


def _ask_alone(
    request: PortalRequest, form: ActivateForm, prospect: Prospect, actor: Actor, kept: Kept | None
) -> HttpResponse:
    wanted = with_ticket_checked(request, form.wanted(prospect), prospect, actor=actor)
    try:
        made = ask(prospect.pk, wanted=wanted, actor=actor, clock=timezone.now)
    except Refused as refused:
        if refused.codes & ALREADY and (answer := _already(request, prospect, form, refused)):
            return answer
        if isinstance(refused, Busy) and (answer := _already(request, _again(request, prospect), form)):
            return answer
        form.add_refusal(refused)
        return page_of(request, [prospect], form, kept=kept, status=422)
    for item in kept.gone if kept else ():
        messages.warning(request, _("Left out: {role}.").format(role=_name(item)))
    return redirect("approvals:request", pk=made.pk)


def _again(request: PortalRequest, prospect: Prospect) -> Prospect:
    """Ask once more what stands in the way: what was waited for may have been a double click."""
    now = timezone.now()
    return prospect_of(request.user, prospect.eligibility, place=prospect.place, actor=actor_of(request), now=now)


def _already(
    request: PortalRequest, prospect: Prospect, form: ActivateForm | None = None, refused: Refused | None = None
) -> HttpResponse | None:
    """Lead to the request that a double click, or another window, has made already."""
    told = refused.violations if refused else prospect.hindrances
    sentences = [str(one.message) for one in told if one.code in ALREADY]
    if not sentences:
        return None
    resource_id = prospect.eligibility.resource_id
    if form is not None:
        resource_id = form.cleaned_data.get("resource") or resource_id
    behind = request_behind(request.user, prospect.eligibility, resource_id, timezone.now())
    if behind is None:
        return None
    messages.info(request, " ".join(sentences))
    return redirect("approvals:request", pk=behind.pk)


def _ask_each(
    request: PortalRequest,
    form: ActivateForm,
    prospects: Sequence[Prospect],
    possible: Sequence[Prospect],
    actor: Actor,
    kept: Kept | None,
) -> HttpResponse:
    """Ask for each in a transaction of its own. What the form lacks is said before anything is granted."""
    results: dict[uuid.UUID, Result] = {}
    desk = Desk(Action.ACTIVATE)
    wanted = {one.pk: with_ticket_checked(request, form.wanted(one), one, actor=actor, desk=desk) for one in possible}
    lacking = [one for one in possible if _lacks(request, wanted[one.pk], one, actor)]
    for one in lacking:
        try:
            results[one.pk] = _granted(ask(one.pk, wanted=wanted[one.pk], actor=actor, clock=timezone.now), one)
        except Refused as refused:
            form.tell(refused.violations)
    if form.errors and not results:
        return page_of(request, prospects, form, kept=kept, status=422)
    for one in prospects:
        if one.pk in results:
            continue
        try:
            asked = wanted.get(one.pk) or form.wanted(one)
            results[one.pk] = _granted(ask(one.pk, wanted=asked, actor=actor, clock=timezone.now), one)
        except Refused as refused:
            results[one.pk] = Result(_name(one.eligibility), "refused", _("Refused"), refused.sentence)
    title = _("What became of the {count} roles").format(count=len(prospects))
    told = [results[one.pk] for one in prospects]
    told += [
        Result(_name(item), "warn", _("Left out"), _("You are no longer eligible for it there."))
        for item in (kept.gone if kept else ())
    ]
    return keep_results(request, title, told, back=reverse("approvals:my_roles"))


def _lacks(request: PortalRequest, wanted: Wanted, prospect: Prospect, actor: Actor) -> bool:
    """Whether a field of the form stands in the way of this role."""
    facts, _resource = gather(request.user, prospect.pk, wanted=wanted, actor=actor, now=timezone.now())
    return any(one.field for one in broken(ACTIVATE, facts))


def _name(one: Assignment | ProfileItem) -> str:
    return _("{role} at {resource}").format(role=one.role.name, resource=one.resource.name)


def _granted(made: Request, prospect: Prospect) -> Result:
    url = reverse("approvals:request", args=[made.pk])
    outcome = made.outcome
    if made.status == Status.GRANTED and outcome is not None and outcome.ends_at is not None:
        ends = wording.exact(outcome.ends_at)
        if outcome.starts_at > made.made_at:
            begins = wording.exact(outcome.starts_at)
            sentence = _("From {begins} until {ends}.").format(begins=begins, ends=ends)
            return Result(_name(prospect.eligibility), "scheduled", _("Planned"), sentence, url)
        return Result(_name(prospect.eligibility), "active", _("Active"), _("Until {ends}.").format(ends=ends), url)
    if made.status == Status.PENDING:
        sentence = _("Unanswered, it lapses on {lapses}.").format(lapses=wording.exact(made.lapses_at))
        return Result(_name(prospect.eligibility), "pending", _("Waiting for approval"), sentence, url)
    return Result(_name(prospect.eligibility), made.status, made.get_status_display(), made.status_reason, url)
