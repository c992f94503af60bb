"""One's own account: its page, its password, its sessions."""

from __future__ import annotations

from datetime import timedelta

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, update_session_auth_hash
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from pim_portal.accounts.browsers import named
from pim_portal.accounts.forms import PasswordForm, PreferencesForm
from pim_portal.accounts.selectors import sessions_of
from pim_portal.accounts.services import factors, profiles, sessions
from pim_portal.accounts.views.sign_in import record_failure
from roles.answers import form_page, read_and_send
from roles.middleware import PortalRequest, actor_of, zone_of
from roles.models import RecoveryCodes, TotpDevice
from roles.refusals import Refused


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
            record_failure(request, name)
            form.add_error("password", _("This is not your password."))
        else:
            AxesProxyHandler.reset_attempts(username=name, ip_address=request.META["REMOTE_ADDR"])
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


@require_POST
def sessions_end(request: PortalRequest) -> HttpResponseBase:
    """End every session of one's own but this one."""
    if request.session.session_key is None:
        raise Http404
    ended = sessions.end_other_sessions(
        request.user, but=request.session.session_key, actor=actor_of(request), clock=timezone.now
    )
    told = ngettext("{count} other session ended.", "{count} other sessions ended.", ended)
    messages.success(request, told.format(count=ended))
    return redirect("account")
