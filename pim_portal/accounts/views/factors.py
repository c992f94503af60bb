"""The second factors of one's own: apps and recovery codes."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from pim_portal.accounts import entering
from pim_portal.accounts.forms import AppForm, FactorsForm
from pim_portal.accounts.key import key_to_show
from pim_portal.accounts.services import factors
from roles.answers import form_page, read_and_send
from roles.middleware import PortalRequest
from roles.models import RecoveryCodes, TotpDevice
from roles.refusals import Refused


@read_and_send
@sensitive_post_parameters("key", "code", "app_code")
def factor_add(request: PortalRequest) -> HttpResponseBase:
    """Add one more authenticator app."""
    form = AppForm(request.POST or None, request=request)
    if form.is_valid():
        try:
            app = factors.add_app(
                request.user,
                key=form.cleaned_data["key"],
                name=form.cleaned_data["name"],
                code=form.cleaned_data["app_code"],
                actor=form.actor([request.user.pk]),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("“{name}” is added.").format(name=app.name))
            return redirect("account")
    return form_page(request, "accounts/factor_add.html", form, **key_to_show(request, form))


@read_and_send
@sensitive_post_parameters("code")
def factor_remove(request: PortalRequest, pk: int) -> HttpResponseBase:
    """Remove one of several authenticator apps of one's own."""
    app = get_object_or_404(TotpDevice, pk=pk, user=request.user, confirmed=True)
    form = FactorsForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        try:
            factors.remove_app(request.user, app_id=app.pk, actor=form.actor([request.user.pk]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            _stay_open(request)
            messages.success(request, _("“{name}” is removed.").format(name=app.name))
            return redirect("account")
    return form_page(request, "accounts/factor_remove.html", form, app=app)


def _stay_open(request: PortalRequest) -> None:
    """Keep this session open when the app that opened it is gone: another factor was given for that."""
    opened_by = cast("Any", request.user).otp_device
    if isinstance(opened_by, TotpDevice) and not TotpDevice.objects.filter(pk=opened_by.pk).exists():
        entering.verify(request, TotpDevice.objects.filter(user=request.user, confirmed=True).order_by("pk")[0])


@read_and_send
@sensitive_post_parameters("code")
def recovery_codes(request: PortalRequest) -> HttpResponseBase:
    """Make new recovery codes; they are shown once."""
    codes = RecoveryCodes.objects.filter(user=request.user).first()
    form = FactorsForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        try:
            made = factors.make_recovery_codes(request.user, actor=form.actor([request.user.pk]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            return render(request, "accounts/new_recovery_codes.html", {"codes": made})
    return form_page(request, "accounts/recovery_codes.html", form, left=codes.left if codes else 0)
