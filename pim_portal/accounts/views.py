"""Signing in, getting back in, and one's own account."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

import segno
from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, logout, update_session_auth_hash
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_otp.models import Device

from pim_portal.accounts import entering
from pim_portal.accounts.browsers import named
from pim_portal.accounts.forms import (
    AppForm,
    EnrolForm,
    EntryForm,
    FactorsForm,
    PasswordForm,
    PreferencesForm,
    RefusableForm,
    SecondFactorForm,
    SignInForm,
)
from pim_portal.accounts.links import way_on
from pim_portal.accounts.selectors import sessions_of, working_ticket
from pim_portal.accounts.services import factors, profiles, sessions, tickets
from pim_portal.answers import form_page
from pim_portal.models import TicketKind
from pim_portal.setup.services import is_set_up
from roles import wording
from roles.actors import Actor
from roles.guards import open_to_strangers, open_to_unverified
from roles.middleware import PortalRequest, actor_of, session_of, zone_of
from roles.models import Purpose, RecoveryCodes, TotpDevice, User
from roles.models.principals import search_key
from roles.refusals import Refused
from roles.services import step_ups

read_and_send = require_http_methods(["GET", "HEAD", "POST"])

WHY_OVER = {
    "idle": gettext_lazy("Your session ended because nothing was done in it for a while. Sign in again."),
    "old": gettext_lazy("Your session ended because it was open for long enough. Sign in again."),
}


# In


@open_to_strangers
@read_and_send
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Ask for user name or e-mail, and password."""
    if not is_set_up():
        return redirect("setup")
    if request.user.is_authenticated:
        return redirect(_next_step(request))
    form = SignInForm(request.POST or None)
    if form.is_valid():
        # What axes counts by; upper case or a full-width letter is not another account.
        name = search_key(form.cleaned_data["username"])
        user = authenticate(request, username=name, password=form.cleaned_data["password"])
        if isinstance(user, User):
            AxesProxyHandler.reset_attempts(username=name, ip_address=request.META["REMOTE_ADDR"])
            entering.begin(request, user)
            return redirect(_next_step(request))
        _record_failure(request, name)
        form.add_error(None, _("There is no such user name or e-mail address, or the password is wrong."))
    over = WHY_OVER.get(request.GET.get("over", ""), "")
    return form_page(request, "accounts/sign_in.html", form, next=way_on(request), over=over)


def _record_failure(request: HttpRequest, name: str) -> None:
    # Nothing is written of a name that nobody has: people type their password there by mistake.
    user = User.objects.filter(**{"email_key" if "@" in name else "username_key": name}).first()
    if user is None or request.axes_failures_since_start is None:  # type: ignore[attr-defined]
        return
    address = request.META.get("REMOTE_ADDR", "")
    sessions.record_wrong_password(user, address=address, clock=timezone.now)
    if request.axes_locked_out:  # type: ignore[attr-defined]
        sessions.record_lock(user, address=address, clock=timezone.now)


def locked_out(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any]) -> HttpResponse:
    """Say for how long sign-in is locked; axes answers with this instead of the view."""
    failures = AccessAttempt.objects.filter(
        username=credentials.get("username"), ip_address=request.META.get("REMOTE_ADDR")
    )
    last = failures.aggregate(last=Max("attempt_time"))["last"] or timezone.now()
    cool_off = get_cool_off(request) or timedelta()
    context = {"until": last + cool_off, "left": wording.roughly(max(last + cool_off - timezone.now(), timedelta()))}
    return render(request, "accounts/locked_out.html", context, status=settings.AXES_HTTP_RESPONSE_CODE)


def _next_step(request: HttpRequest) -> str:
    """Return where somebody signed in goes: on to their page, or first to their second factor."""
    wanted = way_on(request)
    if request.user.is_verified():  # type: ignore[union-attr]
        return wanted
    return reverse("second_factor") + (f"?{urlencode({'next': wanted})}" if wanted != "/" else "")


@open_to_unverified
@read_and_send
@sensitive_post_parameters("code")
def second_factor(request: PortalRequest) -> HttpResponseBase:
    """Ask for a code; it opens the session and counts as fresh for five minutes."""
    wanted = way_on(request)
    if request.user.is_verified():  # type: ignore[attr-defined]
        return redirect(wanted)
    if not factors.has_factor(request.user):
        return redirect(reverse("enrol") + (f"?{urlencode({'next': wanted})}" if wanted != "/" else ""))
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
        return redirect(_next_step(request))
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
    return form_page(request, "accounts/enrol.html", form, next=wanted, **_key_to_show(request, form))


def _key_to_show(request: PortalRequest, form: EnrolForm | AppForm) -> dict[str, Any]:
    key = form.new_key()
    device = TotpDevice(user=request.user, key=key)
    secret = base64.b32encode(bytes.fromhex(key)).decode()
    return {
        "sealed": form.seal(key),
        "qr": _picture(device.uri(issuer=_issuer(request))),
        "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
    }


def _issuer(request: HttpRequest) -> str:
    # Whoever has the apps of two portals sees which is which; a colon would end the issuer's name.
    return "PIM " + request.get_host().partition(":")[0]


def _picture(address: str) -> SafeString:
    code = segno.make(address, error="m")
    svg: str = code.svg_inline(scale=4, svgclass="qr", omitsize=True)
    return mark_safe(svg)  # noqa: S308  # drawn by segno out of squares only


@open_to_strangers
@require_POST
def sign_out(request: PortalRequest) -> HttpResponseBase:
    """End this session; `next` is kept for whoever signs in afterwards."""
    wanted = way_on(request)
    if request.user.is_authenticated:
        sessions.record_sign_out(request.user, actor=actor_of(request), clock=timezone.now)
    logout(request)
    response = redirect(reverse("sign_in") + (f"?{urlencode({'next': wanted})}" if wanted != "/" else ""))
    # Not "cookies": that would clear those of every other service on the same domain.
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


# Back in


@open_to_strangers
@read_and_send
@sensitive_post_parameters("new_password", "repeated")
def entry(request: PortalRequest, secret: str) -> HttpResponseBase:
    """Use an invitation or a reset link. Opening it changes nothing, and it never signs anybody in."""
    ticket = working_ticket(tickets.digest_of(secret), request.now)
    if ticket is None:
        return render(request, "accounts/entry_over.html", status=404)
    kind = TicketKind(ticket.kind)
    data = request.POST if request.method == "POST" else None
    form = EntryForm(data, user=ticket.user) if kind.gives_password else RefusableForm(data)
    if form.is_valid():
        actor = Actor(user=ticket.user, address=request.META.get("REMOTE_ADDR", ""))
        try:
            tickets.use(ticket.pk, password=form.cleaned_data.get("new_password"), actor=actor, clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            AxesProxyHandler.reset_attempts(username=ticket.user.username_key)
            AxesProxyHandler.reset_attempts(username=ticket.user.email_key or ticket.user.username_key)
            # Whoever was signed in in this browser may be somebody else.
            logout(request)
            return render(request, "accounts/entry_used.html", {"kind": kind})
    return form_page(request, "accounts/entry.html", form, ticket=ticket, person=ticket.user, kind=kind)


# Own account


@read_and_send
def account(request: PortalRequest) -> HttpResponseBase:
    """Show one's own account, and set time zone and theme."""
    user = request.user
    form = PreferencesForm(request.POST or None, initial={"time_zone": user.time_zone, "theme": user.theme})
    if form.is_valid():
        profiles.set_preferences(
            user,
            time_zone=form.cleaned_data["time_zone"],
            theme=form.cleaned_data["theme"],
            actor=actor_of(request),
            clock=timezone.now,
        )
        with timezone.override(zone_of(form.cleaned_data["time_zone"])):
            zone = timezone.get_current_timezone_name()
        messages.success(request, _("Saved. Times are shown in {zone}.").format(zone=zone))
        return redirect("account")
    own = sessions_of(
        user,
        now=request.now,
        idle=timedelta(minutes=settings.PIM_IDLE_MINUTES),
        whole=timedelta(hours=settings.PIM_SESSION_HOURS),
    )
    shown = [{"row": row, "browser": named(row.browser), "this": row.pk == request.session.session_key} for row in own]
    apps = TotpDevice.objects.filter(user=user, confirmed=True).order_by("created_at", "pk")
    codes = RecoveryCodes.objects.filter(user=user, confirmed=True).first()
    context = {
        "apps": apps,
        "may_add": len(apps) < factors.MAX_APPS,
        "may_remove": len(apps) > 1,
        "codes": codes,
        "sessions": shown,
        "others": sum(not one["this"] for one in shown),
        "idle_minutes": settings.PIM_IDLE_MINUTES,
        "session_hours": settings.PIM_SESSION_HOURS,
    }
    return form_page(request, "accounts/account.html", form, **context)


@read_and_send
@sensitive_post_parameters()
def password_change(request: PortalRequest) -> HttpResponseBase:
    """Change one's own password."""
    user = request.user
    form = PasswordForm(request.POST or None, request=request)
    if form.is_valid():
        name = user.username_key
        if authenticate(request, username=name, password=form.cleaned_data["password"]) is None:
            _record_failure(request, name)
            form.add_error("password", _("This is not your password."))
        else:
            try:
                changed = profiles.change_password(
                    user,
                    password=form.cleaned_data["new_password"],
                    but=str(request.session.session_key),
                    actor=form.actor([user.pk]),
                    clock=timezone.now,
                )
            except Refused as refused:
                form.add_refusal(refused)
            else:
                update_session_auth_hash(request, changed)
                messages.success(request, _("Your password is changed, and every other session of yours has ended."))
                return redirect("account")
    return form_page(request, "accounts/password_change.html", form)


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
    return form_page(request, "accounts/factor_add.html", form, **_key_to_show(request, form))


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


@require_POST
def sessions_end(request: PortalRequest) -> HttpResponseBase:
    """End every session of one's own but this one."""
    if request.session.session_key is None:
        raise Http404
    ended = sessions.end_other_sessions(
        request.user, but=request.session.session_key, actor=actor_of(request), clock=timezone.now
    )
    messages.success(request, _("{count} other sessions ended.").format(count=ended))
    return redirect("account")
