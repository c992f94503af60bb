"""The pages about web hooks: the list, one of them, and each act in a panel."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from audit.kinds import Kind
from pim_portal.models import WebHook
from pim_portal.streams import services
from pim_portal.streams.forms import ActForm, AddHookForm, HookForm, ReplayForm, RotateForm
from pim_portal.streams.leaves import last_leaf
from pim_portal.streams.selectors import hook_seen_by, hooks_seen_by, old_secret_until
from pim_portal.streams.tables import HookFilter, HookTable, events, state_of, without_query
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.guards import holding
from roles.lists import ListPage
from roles.middleware import PortalRequest
from roles.refusals import Refused


@method_decorator(holding(Permission.OPERATE), name="dispatch")
class Hooks(ListPage):
    """Every web hook, how far it got and what keeps it."""

    request: PortalRequest
    table_class = HookTable
    filter_class = HookFilter
    template_name = "streams/hooks.html"

    def rows(self) -> QuerySet[Any]:
        return hooks_seen_by(self.request.authority)


hooks = Hooks.as_view()


@require_safe
def hook(request: PortalRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Show one web hook: where it leads, where it stands, and what can be done with it."""
    row = _seen(request, pk)
    look, state = state_of(row)
    labels = dict(Kind.choices)
    context = {
        "hook": row,
        "look": look,
        "state": state,
        "url": without_query(row.url),
        "behind": events(row.behind),  # type: ignore[attr-defined]  # counted by the selector
        "kinds": [str(labels.get(kind, kind)) for kind in row.kinds],
        "old_secret_until": old_secret_until(row, request.now),
    }
    return render(request, "streams/hook.html", context)


@sensitive_post_parameters("code")
@never_cache
@holding(Permission.OPERATE)
@read_and_send
def add(request: PortalRequest) -> HttpResponseBase:
    """Add a web hook; its secret is shown this once."""
    form = AddHookForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        try:
            given = services.add_hook(
                form.wanted,
                from_the_first=form.cleaned_data["start"] == "first",
                allow_private=settings.PIM_WEB_HOOKS_ALLOW_PRIVATE,
                actor=form.actor([request.user.pk]),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            return render(request, "streams/secret.html", {"hook": given.hook, "secret": given.secret})
    return form_page(request, "streams/add.html", form)


@sensitive_post_parameters("code")
@read_and_send
def change(request: PortalRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Change a web hook."""
    row = _seen(request, pk)
    form = HookForm(request.POST if request.method == "POST" else None, request=request, initial=HookForm.about(row))
    if form.is_valid():
        try:
            services.change_hook(
                pk,
                form.wanted,
                allow_private=settings.PIM_WEB_HOOKS_ALLOW_PRIVATE,
                actor=form.actor([pk]),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("Saved. It holds for every message from now on."))
            return redirect("web_hook", pk=pk)
    return form_page(request, "streams/change.html", form, hook=row)


@sensitive_post_parameters("code")
@never_cache
@read_and_send
def rotate(request: PortalRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Give a web hook a new secret, which is shown this once."""
    row = _seen(request, pk)
    form = RotateForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        try:
            overlap = form.cleaned_data["overlap"]
            given = services.rotate_secret(pk, overlap=overlap, actor=form.actor([pk]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            until = given.hook.old_secret_until
            return render(request, "streams/secret.html", {"hook": given.hook, "secret": given.secret, "until": until})
    return form_page(request, "streams/rotate.html", form, hook=row)


@sensitive_post_parameters("code")
@read_and_send
def replay(request: PortalRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Send everything again, from one leaf on."""
    row = _seen(request, pk)
    form = ReplayForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        try:
            leaf = form.cleaned_data["leaf"]
            services.replay_hook(pk, leaf=leaf, actor=form.actor([pk]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("Everything from leaf {leaf} on is sent again.").format(leaf=leaf))
            return redirect("web_hook", pk=pk)
    return form_page(request, "streams/replay.html", form, hook=row, last=last_leaf())


@dataclass(frozen=True, slots=True)
class Act:
    """An act that needs nothing said but the second factor."""

    service: Callable[..., None]
    title: str | Promise
    lead: str | Promise
    verb: str | Promise
    done: str | Promise
    tone: str = "primary"
    leads_to_list: bool = False


ACTS = {
    "pause": Act(
        services.pause_hook,
        gettext_lazy("Pause a web hook"),
        gettext_lazy("Nothing more goes there until somebody resumes it. What happens meanwhile is sent then."),
        gettext_lazy("Pause"),
        gettext_lazy("The web hook is paused."),
    ),
    "resume": Act(
        services.resume_hook,
        gettext_lazy("Resume a web hook"),
        gettext_lazy("It goes on at once, with the event after the last that was taken."),
        gettext_lazy("Resume"),
        gettext_lazy("The web hook goes on."),
    ),
    "test": Act(
        services.ask_for_test,
        gettext_lazy("Send a test"),
        gettext_lazy("A signed message without events goes there, also while the web hook is paused."),
        gettext_lazy("Send a test"),
        gettext_lazy("A test is being sent. Load this page again in some seconds to see what came of it."),
    ),
    "delete": Act(
        services.delete_hook,
        gettext_lazy("Delete a web hook"),
        gettext_lazy("Nothing goes there any more, and how far it got is forgotten. The history keeps every event."),
        gettext_lazy("Delete"),
        gettext_lazy("The web hook is deleted."),
        tone="danger",
        leads_to_list=True,
    ),
}


@sensitive_post_parameters("code")
@read_and_send
def act(request: PortalRequest, pk: uuid.UUID, name: str) -> HttpResponseBase:
    """Pause, resume, test or delete a web hook."""
    row, wanted = _seen(request, pk), ACTS[name]
    form = ActForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        try:
            wanted.service(pk, actor=form.actor([pk]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, str(wanted.done))
            return redirect("web_hooks") if wanted.leads_to_list else redirect("web_hook", pk=pk)
    return form_page(request, "streams/act.html", form, hook=row, act=wanted)


def _seen(request: PortalRequest, pk: uuid.UUID) -> WebHook:
    found = hook_seen_by(request.authority, pk)
    if found is None:
        raise Http404
    return found
