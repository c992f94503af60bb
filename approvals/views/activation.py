"""Activating a role, or several in one go."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from approvals.forms.activation import ActivateForm, Prospect, id_of, initial_of, prospect_of
from approvals.models import Action, ProfileItem, Request, Status
from approvals.rules.activations import ACTIVATE
from approvals.rules.emergencies import may_break_glass
from approvals.selectors.my_roles import eligibilities_among, request_behind
from approvals.selectors.profiles import Kept, kept_profiles, last_asked, profiles_of
from approvals.selectors.smaller import smaller_for
from approvals.services.activations import Wanted, ask, gather
from approvals.services.profiles import remember_use, save_profile
from approvals.verifying.asking import Desk
from approvals.views.tickets import with_ticket_checked
from approvals.wording import what_is_asked, who_approves
from roles import wording
from roles.actors import Actor
from roles.middleware import PortalRequest, actor_of
from roles.models import Assignment, Purpose
from roles.refusals import Busy, Refused, broken
from roles.selectors.resources import places_of
from roles.views.ids import ids_in
from roles.views.results import Result, keep_results

MOST_AT_ONCE = 20
_TYPED = ("duration", "when", "start", "scope", "resource", "ticket", "reason")
ALREADY = {"already_active", "already_asked"}


@require_http_methods(["GET", "HEAD", "POST"])
def activate(request: PortalRequest) -> HttpResponse:
    """Say beforehand what will be asked and who will approve; ask for the role, or for each of several."""
    ids = ids_in(request.POST if request.method == "POST" else request.GET, "eligibility")
    if not ids or len(ids) > MOST_AT_ONCE:
        sentence = _("Choose one role, or up to {most} at once, and then Activate.")
        messages.warning(request, sentence.format(most=MOST_AT_ONCE))
        return redirect("approvals:my_roles")
    eligibilities = eligibilities_among(request.user, ids, request.now)
    if len(eligibilities) < len(ids):
        raise Http404
    prospects = prospects_of(request, eligibilities)
    if request.method == "POST":
        return _sent(request, prospects, _profile(request))
    possible = [one for one in prospects if one.is_possible]
    initial = None
    if request.GET.get("like") == "last" and (asked := last_asked(request.user, eligibilities)):
        initial = initial_of(
            possible, duration=asked.wanted_duration, reason=asked.reason, resource_id=asked.resource_id
        )
    return activation_page(request, prospects, initial=initial)


@require_safe
def activate_profile(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """The form over all roles of a saved profile that its owner is still eligible for, as it was filled in last."""
    kept = _kept(request, pk)
    prospects = prospects_of(request, kept.eligibilities)
    possible = [one for one in prospects if one.is_possible]
    scopes = [one.item.scope_id for one in kept.lines if one.eligibility is not None]
    initial = initial_of(
        possible,
        duration=kept.profile.duration,
        reason=kept.profile.reason,
        resource_id=scopes[0] if len(scopes) == 1 else None,
    )
    return activation_page(request, prospects, initial=initial, kept=kept)


def prospects_of(request: PortalRequest, eligibilities: Sequence[Assignment]) -> list[Prospect]:
    """Say beforehand of each of these roles how it would go."""
    places = places_of(one.resource for one in eligibilities)
    actor = actor_of(request)
    return [
        prospect_of(request.user, one, place=places[one.resource_id], actor=actor, now=request.now)
        for one in eligibilities
    ]


def activation_page(
    request: PortalRequest,
    prospects: Sequence[Prospect],
    *,
    initial: dict[str, Any] | None = None,
    kept: Kept | None = None,
) -> HttpResponse:
    """Show the form, not filled in by whom it is for."""
    possible = [one for one in prospects if one.is_possible]
    form = ActivateForm(initial=initial, request=request, prospects=possible) if possible else None
    return _page(request, prospects, form, kept=kept)


def _profile(request: PortalRequest) -> Kept | None:
    """Return the saved profile that the form was opened from, if it was; somebody else's is as unknown as any."""
    given = request.POST.get("profile")
    if not given:
        return None
    pk = id_of(given)
    if pk is None:
        raise Http404
    return _kept(request, pk)


def _kept(request: PortalRequest, pk: uuid.UUID) -> Kept:
    profile = get_object_or_404(profiles_of(request.user), pk=pk)
    return kept_profiles(request.user, [profile], request.now)[0]


def _sent(request: PortalRequest, prospects: Sequence[Prospect], kept: Kept | None) -> HttpResponse:
    possible = [one for one in prospects if one.is_possible]
    if "find" in request.POST and possible:
        # Looking for a scope sends the form, too, keeps what was typed and changes nothing.
        typed = {name: request.POST[name] for name in _TYPED if request.POST.get(name)}
        return activation_page(request, prospects, initial=typed, kept=kept)
    if "save" in request.POST and possible:
        return _save(request, prospects, possible, kept)
    return _submitted(request, prospects, possible, kept)


def _save(
    request: PortalRequest, prospects: Sequence[Prospect], possible: Sequence[Prospect], kept: Kept | None
) -> HttpResponse:
    """Keep these roles, with what was typed, as a profile; nothing is activated."""
    form = ActivateForm(request.POST, request=request, prospects=possible)
    form.is_valid()
    form.keep_errors_of("duration")
    said = form.cleaned_data
    try:
        if form.errors:
            return _page(request, prospects, form, kept=kept, status=422)
        made = save_profile(
            said.get("name", ""),
            scopes={one.pk: said.get("resource") for one in prospects},
            duration=said["duration"],
            reason=said.get("reason", ""),
            actor=actor_of(request),
            clock=timezone.now,
        )
    except Refused as refused:
        form.add_refusal(refused)
        return _page(request, prospects, form, kept=kept, status=422)
    sentence = _("Saved as {name}. Nothing was activated yet.")
    messages.success(request, sentence.format(name=made.name))
    return redirect("approvals:profile_activate", pk=made.pk)


def _submitted(
    request: PortalRequest, prospects: Sequence[Prospect], possible: Sequence[Prospect], kept: Kept | None
) -> HttpResponse:
    if len(prospects) == 1 and (answer := _already(request, prospects[0])):
        return answer
    if not possible:
        return _page(request, prospects, None, kept=kept, status=422)
    form = ActivateForm(request.POST, request=request, prospects=possible)
    form.is_valid()
    actor = _actor(form, possible)
    if form.errors or actor is None:
        _tell_the_rest(request, form, possible)
        return _page(request, prospects, form, kept=kept, status=422)
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


def _actor(form: ActivateForm, prospects: Sequence[Prospect]) -> Actor | None:
    """Return who asks, with the code of the form if one was typed; None when it was none or a wrong one."""
    if form.step_up is None and form.asks_for_code and not {"device", "code"} <= form.cleaned_data.keys():
        return None
    try:
        return form.actor(one.pk for one in prospects)
    except Refused as refused:
        form.add_refusal(refused)
        return None


def _tell_the_rest(request: PortalRequest, form: ActivateForm, prospects: Sequence[Prospect]) -> None:
    """What could not be read does not hide what the rules say of the rest."""
    for one in prospects:
        facts, _resource = gather(
            request.user, one.pk, wanted=form.wanted(one), actor=actor_of(request), now=request.now
        )
        form.tell(broken(ACTIVATE, facts))


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
        return _page(request, [prospect], form, kept=kept, status=422)
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
        return _page(request, prospects, form, kept=kept, status=422)
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


def _page(
    request: PortalRequest,
    prospects: Sequence[Prospect],
    form: ActivateForm | None,
    *,
    kept: Kept | None = None,
    status: int = 200,
) -> HttpResponse:
    alone = prospects[0] if len(prospects) == 1 else None
    possible = [one for one in prospects if one.is_possible]
    page: dict[str, Any] = {
        "prospects": prospects,
        "alone": alone,
        "kept": kept,
        "form": form,
        "waits": any(one.facts.panels for one in possible),
        "at_once": any(not one.facts.panels for one in possible),
        "rows": [_row(request, one) for one in prospects],
        "by_sign_in": bool(form and form.step_up and form.step_up.purpose == Purpose.SIGN_IN),
    }
    if alone is not None:
        settings = alone.facts.settings
        behind = request_behind(request.user, alone.eligibility, alone.eligibility.resource_id, request.now)
        page |= {
            "settings": settings,
            "approvals": _approvals(alone),
            "lapses_at": request.now + settings.approval_window,
            "behind": behind,
            "emergency": may_break_glass(alone.facts),
        }
    return render(request, "approvals/activate.html", page, status=status)


def _approvals(prospect: Prospect) -> list[str]:
    panels = prospect.facts.panels
    return [who_approves(one, of_several=len(panels) > 1) for one in panels]


def _row(request: PortalRequest, prospect: Prospect) -> dict[str, Any]:
    possible = prospect.is_possible
    return {
        "smaller": smaller_for(request.user, prospect.eligibility, request.now) if possible else [],
        "prospect": prospect,
        "asks": what_is_asked(prospect.facts.settings),
        "approvals": _approvals(prospect),
        "hindrances": prospect.hindrances,
    }
