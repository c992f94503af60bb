"""Elevate access: a Global Administrator's way over the wall, and back."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from roles.answers import form_page, read_and_send
from roles.forms.resources import ElevateForm
from roles.middleware import PortalRequest, actor_of
from roles.refusals import Refused
from roles.services.elevation import elevate as elevate_access
from roles.services.elevation import end_elevation


@read_and_send
def elevate(request: PortalRequest) -> HttpResponse:
    """Take User Access Administrator at every resource root for an hour."""
    if request.authority.elevatable_by is None:
        raise PermissionDenied
    if request.method != "POST" and request.authority.elevated:
        messages.info(
            request, _("Your access is elevated already. It ends by itself; end it now before you take it anew.")
        )
        return redirect("resources")
    form = ElevateForm(request.POST or None, request=request)
    if form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            elevate_access(reason=reason, actor=form.actor([request.user.pk]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("You see every resource now. End it as soon as you are done."))
            return redirect("resources")
    return form_page(request, "manage/elevate.html", form, elevated=request.authority.elevated)


@require_POST
def end(request: PortalRequest) -> HttpResponse:
    """End one's own elevated access."""
    if not request.authority.elevated:
        raise PermissionDenied
    try:
        end_elevation(actor=actor_of(request), clock=timezone.now)
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, _("Your elevated access has ended."))
    return redirect("overview")
