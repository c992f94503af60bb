"""Asking to extend what one was given and that ends soon, and to renew what has ended."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.forms.renewals import AskRenewalForm, may_be_permanent, proposed_end
from approvals.models import Action, Request
from approvals.selectors.renewals import own_assignments, standing_of, who_decides
from approvals.services.extensions import ask_to_extend, ask_to_renew, what_stands_in_the_way
from approvals.wording import names_of
from roles.answers import form_page, read_and_send
from roles.middleware import PortalRequest, actor_of
from roles.models import Assignment
from roles.refusals import Refused
from roles.selectors.resources import places_of
from roles.selectors.settings import settings_of

_SERVICES: dict[Action, Callable[..., Request]] = {Action.EXTEND: ask_to_extend, Action.RENEW: ask_to_renew}


@read_and_send
def extend(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for a later end of an assignment of one's own."""
    return _ask(request, pk, Action.EXTEND)


@read_and_send
def renew(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for an assignment of one's own anew that has ended."""
    return _ask(request, pk, Action.RENEW)


def _ask(request: PortalRequest, pk: uuid.UUID, action: Action) -> HttpResponse:
    row = get_object_or_404(own_assignments(request.user, request.now), pk=pk)
    settings = settings_of(row.role, row.resource)
    end = proposed_end(row, action, settings, request.now)
    told = what_stands_in_the_way(
        request.user, row, action, ends_at=end, reason="…", actor=actor_of(request), now=request.now
    )
    # What the form can answer is no hindrance.
    hindrances = [one for one in told if one.field not in ("ends_at", "reason", "code")]
    permanent = may_be_permanent(row, settings)
    form = AskRenewalForm(request.POST or None, request=request, end=end, permanent=permanent)
    if form.is_bound and hindrances:
        form.is_valid()
        form.add_refusal(Refused(hindrances))
    elif form.is_valid():
        given = form.cleaned_data
        try:
            made = _SERVICES[action](
                pk, ends_at=given["ends_at"], reason=given["reason"], actor=form.actor([pk]), clock=timezone.now
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("You asked. You get a mail when it is decided."))
            return redirect("approvals:request", pk=made.pk)
    possible = all(one.field for one in told)
    shown = [] if form.is_bound else hindrances
    return _page(request, form, row, action, hindrances=shown, possible=possible)


def _page(
    request: PortalRequest, form: AskRenewalForm, row: Assignment, action: Action, **context: object
) -> HttpResponse:
    deciders = who_decides(row, request.user, request.now)
    page = {
        "shown": row,
        "action": action,
        "extends": action == Action.EXTEND,
        "place": places_of([row.resource])[row.resource_id],
        "standing": standing_of(request.user, row, request.now),
        "deciders": names_of(deciders),
    }
    return form_page(request, "approvals/ask_renewal.html", form, **page, **context)
