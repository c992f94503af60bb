"""Deputies: whom one named, for whom one stands in, naming somebody, and ending it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from approvals.forms.deputies import DeputyForm
from approvals.selectors.deputies import deputies_concerning, deputies_ever
from approvals.services.deputies import end_deputy, name_deputy
from approvals.views.tabs import tabs_of_approvals
from roles.answers import form_page, read_and_send
from roles.middleware import PortalRequest, actor_of
from roles.refusals import Refused


@require_safe
def deputies(request: PortalRequest) -> HttpResponse:
    """Show who stands in for the viewer, and for whom the viewer does."""
    rows = list(deputies_concerning(request.user, request.now))
    mine = [row for row in rows if row.approver_id == request.user.pk]
    page = {
        "tabs": tabs_of_approvals(request, "deputies"),
        "mine": mine,
        "others": [row for row in rows if row not in mine],
        "now": request.now,
    }
    return render(request, "approvals/deputies.html", page)


@read_and_send
def add_deputy(request: PortalRequest) -> HttpResponse:
    """Name somebody who decides in the viewer's place."""
    form = DeputyForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        said = form.cleaned_data
        try:
            made = name_deputy(
                said["deputy"],
                starts_at=said["starts_at"],
                ends_at=said["ends_at"],
                reason=said["reason"],
                actor=form.actor([request.user.pk]),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            words = _("{name} decides in your place until the time that you chose.")
            messages.success(request, words.format(name=made.deputy.name))
            return redirect("approvals:deputies")
    return form_page(request, "approvals/deputy_add.html", form)


@require_POST
def end(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """End that somebody stands in for the viewer, or the viewer for somebody."""
    row = get_object_or_404(deputies_ever(request.user), pk=pk)  # a double click finds it ended, and is told so
    try:
        end_deputy(row.pk, actor=actor_of(request), clock=timezone.now)
    except Refused as refused:
        messages.warning(request, refused.sentence)
    else:
        words = _("{deputy} no longer decides in place of {approver}.")
        messages.success(request, words.format(deputy=row.deputy.name, approver=row.approver.name))
    return redirect("approvals:deputies")
