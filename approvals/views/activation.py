"""Activating a role, or several in one go; what was typed can be saved as a profile."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from approvals.forms.activation import ActivateForm, Prospect, id_of, initial_of
from approvals.selectors.my_roles import eligibilities_among
from approvals.selectors.profiles import Kept, kept_profiles, last_asked, profiles_of
from approvals.services.profiles import save_profile
from approvals.views.activation_page import activation_page, page_of, prospects_of
from approvals.views.asking import submitted
from roles.middleware import PortalRequest, actor_of
from roles.refusals import Refused
from roles.views.ids import ids_in

MOST_AT_ONCE = 20
_TYPED = ("duration", "when", "start", "scope", "resource", "ticket", "reason")


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
    return kept_profiles(request.authority, [profile])[0]


def _sent(request: PortalRequest, prospects: Sequence[Prospect], kept: Kept | None) -> HttpResponse:
    possible = [one for one in prospects if one.is_possible]
    if "find" in request.POST and possible:
        # Looking for a scope sends the form, too, keeps what was typed and changes nothing.
        typed = {name: request.POST[name] for name in _TYPED if request.POST.get(name)}
        return activation_page(request, prospects, initial=typed, kept=kept)
    if "save" in request.POST and possible:
        return _save(request, prospects, possible, kept)
    return submitted(request, prospects, possible, kept)


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
            return page_of(request, prospects, form, kept=kept, status=422)
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
        return page_of(request, prospects, form, kept=kept, status=422)
    sentence = _("Saved as {name}. Nothing was activated yet.")
    messages.success(request, sentence.format(name=made.name))
    return redirect("approvals:profile_activate", pk=made.pk)
