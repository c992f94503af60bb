"""The second factor that opens a session, and the first one of somebody new."""

from __future__ import annotations

from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django_otp.models import Device

from pim_portal.accounts import entering
from pim_portal.accounts.forms import EnrolForm, SecondFactorForm
from pim_portal.accounts.key import key_to_show
from pim_portal.accounts.links import leading_on, next_step, way_on
from pim_portal.accounts.services import factors, sessions
from roles.actors import Actor
from roles.answers import form_page, read_and_send
from roles.guards import open_to_unverified
from roles.middleware import PortalRequest, actor_of, session_of
from roles.models import Purpose, RecoveryCodes
from roles.refusals import Refused
from roles.services import step_ups


@open_to_unverified
@read_and_send
@sensitive_post_parameters("code")
def second_factor(request: PortalRequest) -> HttpResponseBase:
    """Ask for a code; it opens the session and counts as fresh for five minutes."""
    wanted = way_on(request)
    if request.user.is_verified():  # type: ignore[attr-defined]
        return redirect(wanted)
    if not factors.has_factor(request.user):
        return redirect(leading_on("enrol", wanted))
    form = SecondFactorForm(request.POST or None, user=request.user)
    if form.is_valid():
        actor = actor_of(request)
        try:
            step_up = step_ups.give(
                request.user,
                actor=actor,
                device_id=form.cleaned_data["device"],
                token=form.cleaned_data["code"],
                purpose=Purpose.SIGN_IN,
                session=session_of(request),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            _open(request, step_up.device, actor)
            return redirect(wanted)
    return form_page(request, "accounts/second_factor.html", form, next=wanted)


def _open(request: PortalRequest, device_id: str, actor: Actor) -> None:
    device = Device.from_persistent_id(device_id)
    sessions.record_sign_in(request.user, actor=actor, clock=timezone.now)
    entering.verify(request, device)
    if isinstance(device, RecoveryCodes):
        sentence = _("You used a recovery code; {left} are left. If your phone is lost, add a new app and remove it.")
        messages.warning(request, sentence.format(left=device.left))


@open_to_unverified
@read_and_send
@sensitive_post_parameters("key", "code")
def enrol(request: PortalRequest) -> HttpResponseBase:
    """Let somebody without a second factor add an authenticator app: the one thing they can do."""
    wanted = way_on(request)
    if request.user.is_verified() or factors.has_factor(request.user):  # type: ignore[attr-defined]
        return redirect(next_step(request))
    form = EnrolForm(request.POST or None, request=request)
    if form.is_valid():
        actor = actor_of(request)
        try:
            step_up = factors.enrol(
                request.user,
                key=form.cleaned_data["key"],
                name=form.cleaned_data["name"],
                code=form.cleaned_data["code"],
                session=session_of(request),
                actor=actor,
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            _open(request, step_up.device, actor)
            codes = factors.make_first_recovery_codes(request.user, actor=actor, clock=timezone.now)
            return render(request, "accounts/first_recovery_codes.html", {"codes": codes, "next": wanted})
    return form_page(request, "accounts/enrol.html", form, next=wanted, **key_to_show(request, form))
