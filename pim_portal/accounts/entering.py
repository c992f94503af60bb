"""The two steps into a session: the password, then a second factor. Every door of the portal takes both here."""

from __future__ import annotations

import secrets
from typing import Any

import django_otp
from django.contrib.auth import login
from django.http import HttpRequest
from django.utils import timezone
from django_otp.models import Device

from pim_portal.accounts import sessions
from roles.middleware import SESSION_MARK
from roles.models import User

BACKEND = "pim_portal.accounts.backends.PasswordBackend"


def begin(request: HttpRequest, user: User) -> None:
    """Begin a session of somebody whose password was right. It opens nothing before `verify`."""
    login(request, user, backend=BACKEND)
    unverify(request)


def describe(*, request: HttpRequest, **kwargs: Any) -> None:
    """Write into a session that has just begun since when and from where (receives `user_logged_in`)."""
    now = timezone.now()
    session: sessions.SessionStore = request.session  # type: ignore[assignment]
    session[SESSION_MARK] = secrets.token_hex(16)
    session[sessions.SIGNED_IN_AT] = now.isoformat()
    session[sessions.ADDRESS] = request.META.get("REMOTE_ADDR", "")[:64]
    session[sessions.BROWSER] = request.META.get("HTTP_USER_AGENT", "")[:300]
    session.last_seen_at = now


def unverify(request: HttpRequest) -> None:
    """Give the user whom Django has just put into the request what django-otp gives to every user."""
    user: Any = request.user
    user.otp_device = None
    user.is_verified = lambda: user.otp_device is not None


def verify(request: HttpRequest, device: Device) -> None:
    """Open the session by a second factor that was accepted just now; a session key known before is worth nothing."""
    django_otp.login(request, device)
    request.session.cycle_key()
