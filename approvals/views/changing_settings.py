"""Changing the settings of a role at a place, and taking them from above again."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.models import Request
from approvals.selectors.settings_changes import changes_waiting_at
from approvals.services.settings_changes import change_or_ask, reset_or_ask
from approvals.views.settings_waiting import asked_instead, told_beforehand
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.forms.settings import ReasonedSettingsForm, SettingsForm, as_typed
from roles.forms.settings_stages import changes_only_the_form, stages_shown, stages_typed
from roles.guards import at_place
from roles.middleware import PortalRequest
from roles.models import Resource, Role, RoleKind
from roles.places import Frame, address
from roles.refusals import Refused
from roles.rules.looser import loosened
from roles.selectors.prospects import MOST_FOUND, principals_matching
from roles.selectors.settings import EffectiveSettings, SettingsBook, settings_of
from roles.selectors.settings_lists import is_own, source_of, standing_of
from roles.selectors.settings_use import approvers_in, names_of
from roles.settings_words import differences
from roles.views.catalogue import found_at
from roles.views.settings import gap_sentences


@read_and_send
@at_place(Permission.CHANGE_SETTINGS)
def edit(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Change the settings of a role. Finding approvers and arranging stages sends the form, too, and saves nothing."""
    shown = found_at(place, pk)
    settings = settings_of(shown, place)
    typed = stages_typed(request.POST) if request.method == "POST" else stages_shown(settings)
    people = [principals_matching(one.q, chosen=one.chosen) for one in typed]
    given: dict[str, Any] = {"request": request, "settings": settings, "stages": typed, "people": people}
    if request.method != "POST" or changes_only_the_form(request.POST):
        form = SettingsForm(**given)
        if request.method == "POST":
            as_typed(form, request.POST)
        return _page(request, form, shown, place, settings)
    form = SettingsForm(request.POST, **given)
    if form.is_valid():
        try:
            done = change_or_ask(
                shown,
                resource=place,
                values=form.values(),
                stages=form.stages(),
                cells=form.cells(),
                seen=form.cleaned_data["seen"],
                reason=form.cleaned_data["reason"],
                actor=form.actor([shown.pk]),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            if isinstance(done, Request):
                return asked_instead(request, done)
            return _saved(request, shown, place, settings)
    return _page(request, form, shown, place, settings)


def _page(
    request: PortalRequest, form: SettingsForm, role: Role, place: Resource, settings: EffectiveSettings
) -> HttpResponse:
    context = {
        "place": place,
        "frame": Frame(place, request.authority, "settings"),
        "shown": role,
        "own": is_own(settings, place),
        "standing": standing_of(settings, place),
        "source": source_of(settings),
        "administrators_decide": role.kind == RoleKind.DIRECTORY,
        "most": MOST_FOUND,
        "waits": told_beforehand(request, role, place),
        "waiting": changes_waiting_at(role, place, request.now),
    }
    return form_page(request, "manage/settings_edit.html", form, **context)


def _saved(request: PortalRequest, role: Role, place: Resource, before: EffectiveSettings) -> HttpResponse:
    """Say what is different now, and for whom nobody could approve."""
    after = settings_of(role, place)
    rows = differences(before, after, names_of(approvers_in(before, after)))
    labels = ", ".join(row.label for row in rows)
    if labels:
        messages.success(request, _("The settings are changed: {labels}.").format(labels=labels))
    else:
        messages.success(request, _("The settings are saved; no rule is different."))
    for sentence in gap_sentences(after, role, place, request):
        messages.warning(request, sentence)
    return redirect(address(place, "role_settings", pk=role.pk))


@read_and_send
@at_place(Permission.CHANGE_SETTINGS)
def reset(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Let settings come from above again; what will rule then is shown beforehand."""
    shown = found_at(place, pk)
    settings = settings_of(shown, place)
    then = SettingsBook([shown.pk]).without_own(shown, place)
    form = ReasonedSettingsForm(request.POST or None, request=request, initial={"seen": settings.seen})
    if form.is_valid():
        try:
            done = reset_or_ask(
                shown,
                resource=place,
                seen=form.cleaned_data["seen"],
                reason=form.cleaned_data["reason"],
                actor=form.actor([shown.pk]),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            if isinstance(done, Request):
                return asked_instead(request, done)
            messages.success(request, _("The settings come from above again."))
            return redirect(address(place, "role_settings", pk=pk))
    context = {
        "place": place,
        "frame": Frame(place, request.authority, "settings"),
        "shown": shown,
        "own": is_own(settings, place),
        "then": then,
        "source": source_of(then),
        "rows": differences(settings, then, names_of(approvers_in(settings, then))),
        "waits": told_beforehand(request, shown, place) if loosened(settings, then) else "",
    }
    return form_page(request, "manage/settings_reset.html", form, **context)
