"""Cancelling a request: one's own, or somebody's as an administrator of its place."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from approvals.forms.closing import CancelForm
from approvals.selectors.requests import requests_of, status_at
from approvals.services.closing import cancel as cancel_request
from approvals.services.closing import cancel_for as cancel_somebodys
from approvals.views.requests import may_cancel, visible_request
from approvals.wording import title_of
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.middleware import PortalRequest, actor_of
from roles.refusals import Refused
from roles.selectors.resources import places_of


@require_POST
def cancel(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Cancel one's own request while it waits."""
    asked = get_object_or_404(requests_of(request.user), pk=pk)
    try:
        cancel_request(asked.pk, actor=actor_of(request), clock=timezone.now)
    except Refused as refused:
        messages.warning(request, refused.sentence)
    else:
        words = _("Your request for {role} at {resource} was cancelled.")
        messages.success(request, words.format(role=asked.role.name, resource=asked.resource.name))
    return redirect("approvals:request", pk=asked.pk)


@read_and_send
def cancel_for(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Cancel somebody's request, with a reason that they are told."""
    asked = visible_request(request, pk)
    if not request.authority.allows(Permission.ASSIGN, asked.resource):
        raise Http404
    if not may_cancel(request, asked, status_at(asked, request.now)) and request.method != "POST":
        return redirect("approvals:request", pk=asked.pk)
    form = CancelForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            cancel_somebodys(asked.pk, reason=reason, actor=form.actor([asked.pk]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("The request of {name} is cancelled.").format(name=asked.principal.name))
            return redirect("approvals:request", pk=asked.pk)
    page = {
        "asked": asked,
        "title": title_of(asked, own=False),
        "place": places_of([asked.resource])[asked.resource_id],
    }
    return form_page(request, "approvals/cancel.html", form, **page)
