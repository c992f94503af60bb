"""Answering an alert: scanning, dismissing, fixing, setting it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from pim_portal.alerts.definitions.base import AlertKind, Fix
from pim_portal.alerts.forms import AlertForm, DismissForm
from pim_portal.alerts.selectors.fixes import PURPOSES, Proposal, proposals
from pim_portal.alerts.selectors.grounds import values_at
from pim_portal.alerts.selectors.sight import incidents_at, may_scan
from pim_portal.alerts.services.answering import change_alert, dismiss, scan_now, seen_of
from pim_portal.alerts.services.fixing import fix
from pim_portal.alerts.views.common import answered_at
from pim_portal.alerts.views.lists import dress
from pim_portal.models import Incident
from roles.actors import Actor
from roles.answers import form_page, read_and_send
from roles.forms.assignments import EndForm
from roles.guards import at_place
from roles.middleware import PortalRequest, actor_of
from roles.models import Resource
from roles.places import Frame, address
from roles.refusals import Refused
from roles.views.ids import ids_in
from roles.views.results import Result, keep_results

MOST_AT_ONCE = 50


@require_POST
@at_place()
def scan(request: PortalRequest, place: Resource) -> HttpResponse:
    """Have a place scanned now; what takes longer goes on in the background."""
    if not may_scan(request.authority, place):
        if place.pk == _directory_of(request, place):
            raise PermissionDenied
        raise Http404
    done = scan_now(place, actor=actor_of(request), clock=timezone.now)
    if done:
        messages.success(request, _("Everything was scanned."))
    else:
        messages.info(request, _("The scan goes on in the background. Load this page again in a while."))
    return redirect(address(place, "alerts"))


def _directory_of(request: PortalRequest, place: Resource) -> Any:
    """Return the id of the place where its address names none: a section answers 403, what has an id 404."""
    names = request.resolver_match.namespace if request.resolver_match else ""
    return place.pk if names == "directory" else None


def _page(
    request: PortalRequest, template: str, form: Any, place: Resource, kind: AlertKind, **more: Any
) -> HttpResponse:
    page = {"place": place, "frame": Frame(place, request.authority, "alerts"), "kind": kind, **more}
    return form_page(request, template, form, **page)


def _chosen(request: PortalRequest, place: Resource, kind: AlertKind) -> list[Incident]:
    """Return the open incidents that were chosen; 404 where one of them never stood here."""
    ids = ids_in(request.POST if request.method == "POST" else request.GET, "chosen")
    here = incidents_at(place, kind)
    if here.filter(pk__in=ids).count() < len(ids):
        raise Http404
    found = list(here.open().filter(pk__in=ids))
    for one in found:
        dress(one, kind)
    return found


@read_and_send
@at_place()
def dismiss_chosen(request: PortalRequest, place: Resource, key: str) -> HttpResponse:
    """Dismiss the incidents that were chosen, or, where none was, all that are open."""
    kind = answered_at(request, place, key)
    chosen = _chosen(request, place, kind)
    # Sent again as they came: where all of them are over meanwhile, to send none would be to dismiss everything.
    asked = ids_in(request.POST if request.method == "POST" else request.GET, "chosen")
    everything = not asked
    form = DismissForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        try:
            count = dismiss(
                key,
                place=place,
                incidents=None if everything else [one.pk for one in chosen],
                shown_at=form.cleaned_data["shown_at"],
                reason=form.cleaned_data["reason"],
                actor=form.actor([place.pk]),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            sentence = ngettext("{count} incident is dismissed.", "{count} incidents are dismissed.", count)
            messages.success(request, sentence.format(count=count))
            return redirect(address(place, "alert", key=key))
    count = incidents_at(place, kind).open().count() if everything else len(chosen)
    more = {"chosen": chosen, "asked": asked, "everything": everything, "count": count}
    return _page(request, "alerts/dismiss.html", form, place, kind, **more)


@read_and_send
@at_place()
def fix_chosen(request: PortalRequest, place: Resource, key: str) -> HttpResponse:
    """Show what fixing the chosen incidents would do, and do it, each in a transaction of its own."""
    kind = answered_at(request, place, key)
    if kind.fix is None:
        raise Http404
    chosen = _chosen(request, place, kind)
    shown = proposals(one for one in chosen if kind.fixable(one))
    by_hand = [one for one in chosen if not kind.fixable(one)]
    form = EndForm(request.POST if request.method == "POST" else None, request=request, purpose=PURPOSES[kind.fix])
    if form.is_bound and not 0 < len(shown) <= MOST_AT_ONCE:
        sentence = _("Choose one open incident, or up to {most} at once.").format(most=MOST_AT_ONCE)
        form.add_error(None, sentence)
    if form.is_valid():
        try:
            actor = form.actor({pk for one in shown for pk in one.covers})
        except Refused as refused:
            form.add_refusal(refused)
        else:
            over = _over(request, place, kind)
            results = [_fix(request, one, form.cleaned_data["reason"], actor) for one in shown] + over
            title = ngettext("What became of the incident", "What became of the {count} incidents", len(results))
            back = address(place, "alert", key=key)
            return keep_results(request, title.format(count=len(results)), results, back=back)
    more = {"proposals": shown, "by_hand": by_hand, "removes": kind.fix == Fix.REMOVE}
    return _page(request, "alerts/fix.html", form, place, kind, **more)


def _fix(request: PortalRequest, one: Proposal, reason: str, actor: Actor) -> Result:
    name = _named(one.incident)
    seen = request.POST.get(f"seen-{one.incident.pk}", "")
    try:
        fix(one.incident.pk, seen=seen, reason=reason, actor=actor, clock=timezone.now)
    except Refused as refused:
        return Result(name, "refused", _("Refused"), refused.sentence)
    return Result(name, "good", _("Fixed"), one.sentence)


def _over(request: PortalRequest, place: Resource, kind: AlertKind) -> list[Result]:
    """Tell of what was chosen and is no longer open: somebody else has answered it, or it is no longer so."""
    gone = incidents_at(place, kind).filter(pk__in=ids_in(request.POST, "chosen"))
    results = []
    for one in gone.exclude(pk__in=incidents_at(place, kind).open().values("pk")):
        dress(one, kind)
        results.append(Result(_named(one), "none", _("Left alone"), _("This incident is no longer open.")))
    return results


def _named(one: Incident) -> str:
    return _("{name} at {place}").format(name=one.about_whom, place=one.resource.name)  # type: ignore[attr-defined]


@read_and_send
@at_place()
def settings(request: PortalRequest, place: Resource, key: str) -> HttpResponse:
    """Set an alert at a place and below."""
    kind = answered_at(request, place, key)
    values = values_at(place, [kind])[key]
    sent = request.POST if request.method == "POST" else None
    form = AlertForm(sent, request=request, kind=kind, values=values, initial={"seen": seen_of(values)})
    if form.is_valid():
        try:
            change_alert(
                key,
                place=place,
                enabled=form.cleaned_data["enabled"],
                mails=form.cleaned_data["mails"],
                numbers=form.numbers(),
                seen=form.cleaned_data["seen"],
                actor=form.actor([place.pk]),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("The alert is set. It looks anew at once."))
            return redirect(address(place, "alert", key=key))
    return _page(request, "alerts/settings.html", form, place, kind, values=values)
