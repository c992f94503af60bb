"""Making one's own change of settings alone, when no second administrator has answered within a day."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.forms.settings_changes import AloneForm
from approvals.models import Action
from approvals.rules.settings_changes import MAY_ALONE
from approvals.selectors.requests import requests_of
from approvals.selectors.settings_changes import preview_of_proposed_move, proposed, sees_preview
from approvals.selectors.showing import shown_digest
from approvals.services.settings_changes import gather_alone, make_alone
from approvals.wording import title_of
from roles.answers import form_page, read_and_send
from roles.middleware import PortalRequest, actor_of
from roles.refusals import Refused, broken
from roles.views.tree import MOST_ROWS


@read_and_send
def change_alone(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Make a change of settings alone, with a reason; loudly."""
    asked = get_object_or_404(requests_of(request.user), pk=pk)
    if asked.action != Action.CHANGE_SETTINGS:
        raise Http404
    request.menu_path = reverse("approvals:my_requests") + f"{asked.pk}/"
    facts = gather_alone(asked, reason="", seen="", actor=actor_of(request), now=request.now)
    if request.method != "POST" and (told := broken(MAY_ALONE, facts)):
        for one in told:
            messages.warning(request, str(one.message))
        return redirect("approvals:request", pk=asked.pk)
    posted = request.POST if request.method == "POST" else None
    preview = preview_of_proposed_move(asked, request.now)
    form = AloneForm(posted, request=request, initial={"seen": shown_digest(asked, preview=preview)})
    if form.is_valid():
        given = form.cleaned_data
        try:
            make_alone(
                asked.pk,
                reason=given["reason"],
                seen=given["seen"],
                actor=form.actor([asked.pk]),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("The change is made. All administrators here are told that you made it alone."))
            return redirect("approvals:request", pk=asked.pk)
    page = {
        "asked": asked,
        "title": title_of(asked, own=True),
        "proposed": proposed(asked),
        "preview": preview if sees_preview(asked, request.authority) else None,
        "most": MOST_ROWS,
    }
    return form_page(request, "approvals/change_alone.html", form, **page)
