"""Copying the settings of a role at a place to other roles there: shown for each beforehand, then each on its own."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.models import Request
from approvals.services.settings_changes import change_or_ask
from approvals.views.settings_waiting import told_beforehand, who_is_asked
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.forms.copying import CopyForm
from roles.guards import at_place
from roles.middleware import PortalRequest
from roles.models import Resource, Role
from roles.places import Frame, address
from roles.refusals import Refused
from roles.rules.looser import loosened
from roles.selectors.settings import EffectiveSettings, SettingsBook, differ, settings_of
from roles.selectors.settings_lists import MOST_TO_CHOOSE, roles_to_copy_to
from roles.selectors.settings_use import approvers_in, names_of
from roles.services.settings import settings_to_copy
from roles.settings_words import Compared, differences
from roles.views.catalogue import found_at
from roles.views.ids import ids_in
from roles.views.results import Result, keep_results

FIND, PREVIEW, CHOOSE, COPY = "find", "preview", "choose", "copy"


@dataclass(frozen=True, slots=True)
class Target:
    """A role that would take the settings: what rules it now, what would be different, and whether that would wait."""

    role: Role
    now: EffectiveSettings
    rows: list[Compared]
    waits: str

    @property
    def same(self) -> bool:
        return not self.rows


@read_and_send
@at_place(Permission.CHANGE_SETTINGS)
def copy(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Choose roles, see what would change for each, copy. Only the last step changes anything."""
    source = found_at(place, pk)
    settings = settings_of(source, place)
    posted = request.POST if request.method == "POST" else None
    chosen = ids_in(request.POST, "to")
    roles = roles_to_copy_to(place, source, text=request.POST.get("q", ""), chosen=chosen, now=request.now)
    given: dict[str, Any] = {"request": request, "roles": roles}
    page = {
        "place": place,
        "frame": Frame(place, request.authority, "settings"),
        "shown": source,
        "more": len(roles) - len(chosen) >= MOST_TO_CHOOSE,
        "most": MOST_TO_CHOOSE,
    }
    if posted is None or FIND in posted or CHOOSE in posted:
        typed = {"to": [str(one) for one in chosen], "q": request.POST.get("q", "")}
        form = CopyForm(initial=typed, needs_factor=False, **given)
        return form_page(request, "manage/settings_copy.html", form, **page)
    if PREVIEW in posted or COPY not in posted:
        form = CopyForm(posted, needs_factor=False, **given)
        if not form.is_valid():
            return form_page(request, "manage/settings_copy.html", form, **page)
        form = CopyForm(initial={"seen": settings.seen}, **given)
        return _preview(request, form, settings, [one for one in roles if one.pk in chosen], page)
    form = CopyForm(posted, **given)
    targets = [one for one in roles if one.pk in chosen]
    if form.is_valid():
        if form.cleaned_data["seen"] != settings.seen:
            form.add_error(
                None, _("Somebody changed the settings of this role meanwhile. See below what they are now.")
            )
        else:
            done = _copy_to_each(request, form, source, settings, targets, place)
            if done is not None:
                return done
    return _preview(request, form, settings, targets, page)


def _preview(
    request: PortalRequest, form: CopyForm, settings: EffectiveSettings, roles: list[Role], page: dict[str, Any]
) -> HttpResponse:
    place: Resource = page["place"]
    book = SettingsBook(one.pk for one in roles)
    ruling = {one.pk: book.of(one, place) for one in roles}
    names = names_of(approvers_in(settings, *ruling.values()))
    targets = [
        Target(
            one,
            ruling[one.pk],
            differences(ruling[one.pk], settings, names),
            told_beforehand(request, one, place) if loosened(ruling[one.pk], settings) else "",
        )
        for one in roles
    ]
    page = page | {"targets": targets, "seen": settings.seen, "to_change": sum(not one.same for one in targets)}
    return form_page(request, "manage/settings_copy_preview.html", form, **page)


def _copy_to_each(
    request: PortalRequest,
    form: CopyForm,
    source: Role,
    settings: EffectiveSettings,
    targets: list[Role],
    place: Resource,
) -> HttpResponse | None:
    """Set each role to the same, in a transaction of its own; None where the form is to be filled in again."""
    try:
        actor = form.actor([one.pk for one in targets])
    except Refused as refused:
        form.add_refusal(refused)
        return None
    results: list[Result] = []
    for target in targets:
        url = address(place, "role_settings", pk=target.pk)
        ruling = settings_of(target, place)
        seen = request.POST.get(f"seen_{target.pk}", "") or "never"
        if seen == ruling.seen and not differ(ruling, settings):
            results.append(Result(target.name, "", _("Unchanged"), _("It had the same settings already."), url))
            continue
        try:
            done = change_or_ask(
                target,
                resource=place,
                **settings_to_copy(settings),
                seen=seen,
                actor=actor,
                clock=timezone.now,
            )
        except Refused as refused:
            if not results and "second_factor" in refused.codes:
                form.add_refusal(refused)
                return None
            results.append(Result(target.name, "refused", _("Refused"), refused.sentence, url))
        else:
            if isinstance(done, Request):
                page = reverse("approvals:request", args=[done.pk])
                results.append(Result(target.name, "pending", _("Waits"), who_is_asked(done, request), page))
            else:
                results.append(Result(target.name, "granted", _("Changed"), "", url))
    title = _("What became of copying the settings of {role}").format(role=source.name)
    return keep_results(request, title, results, back=address(place, "settings"))
