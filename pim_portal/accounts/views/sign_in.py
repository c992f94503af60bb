"""In with a password, and out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate, logout
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from pim_portal.accounts import entering
from pim_portal.accounts.forms import SignInForm
from pim_portal.accounts.links import leading_on, next_step, way_on
from pim_portal.accounts.services import sessions
from pim_portal.setup.services import is_set_up
from roles import wording
from roles.answers import form_page, read_and_send
from roles.guards import open_to_strangers
from roles.middleware import PortalRequest, actor_of
from roles.models import User

WHY_OVER = {
    "idle": gettext_lazy("Your session ended because nothing was done in it for a while. Sign in again."),
    "old": gettext_lazy("Your session ended because it was open for long enough. Sign in again."),
}


@open_to_strangers
@read_and_send
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Ask for user name or e-mail, and password."""
    if not is_set_up():
        return redirect("setup")
    if request.user.is_authenticated:
        return redirect(next_step(request))
    form = SignInForm(request.POST or None)
    if form.is_valid():
        name = form.cleaned_data["username"]  # what axes counts by, too
        user = authenticate(request, username=name, password=form.cleaned_data["password"])
        if isinstance(user, User):
            AxesProxyHandler.reset_attempts(username=name, ip_address=request.META["REMOTE_ADDR"])
            entering.begin(request, user)
            return redirect(next_step(request))
        record_failure(request, name)
        form.add_error(None, _("There is no such user name or e-mail address, or the password is wrong."))
    over = WHY_OVER.get(request.GET.get("over", ""), "")
    return form_page(request, "accounts/sign_in.html", form, next=way_on(request), over=over)


def record_failure(request: HttpRequest, name: str) -> None:
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


@open_to_strangers
@require_POST
def sign_out(request: PortalRequest) -> HttpResponseBase:
    """End this session; `next` is kept for whoever signs in afterwards."""
    wanted = way_on(request)
    if request.user.is_authenticated:
        sessions.record_sign_out(request.user, actor=actor_of(request), clock=timezone.now)
    logout(request)
    response = redirect(leading_on("sign_in", wanted))
    # Not "cookies": that would clear those of every other service on the same domain.
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response
