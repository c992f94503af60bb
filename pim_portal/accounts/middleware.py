"""Sessions end after idling, and absolutely."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase, HttpResponseRedirectBase
from django.urls import reverse
from django.utils import timezone

from pim_portal.accounts.entering import unverify
from pim_portal.accounts.sessions import SessionStore

SEEN_EVERY = timedelta(minutes=1)


class SessionLimitsMiddleware:
    """End a session that idled too long or is too old; remember, once a minute, that it is used."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        over = self._limit(request) if request.user.is_authenticated else ""
        response = self.get_response(request)
        sign_in = reverse("sign_in")
        if over and isinstance(response, HttpResponseRedirectBase) and response.url.startswith(sign_in):
            joint = "&" if "?" in response.url else "?"
            response["Location"] += joint + urlencode({"over": over})
        return response

    def _limit(self, request: HttpRequest) -> str:
        session = cast("SessionStore", request.session)
        now = timezone.now()
        if over := why_over(session, now):
            logout(request)
            unverify(request)
            return over
        if session.last_seen_at is None or now - session.last_seen_at >= SEEN_EVERY:
            session.seen(now)
        return ""


def why_over(session: SessionStore, now: datetime) -> str:
    """Return "idle" or "old" for a session that has ended by the clock, else nothing."""
    since = session.signed_in_at
    if since is None or now - since >= timedelta(hours=settings.PIM_SESSION_HOURS):
        return "old"
    if session.last_seen_at is not None and now - session.last_seen_at >= timedelta(minutes=settings.PIM_IDLE_MINUTES):
        return "idle"
    return ""


def is_over(session_key: str | None, now: datetime) -> bool:
    """Return whether a session has ended while something that it began goes on, which itself is no idling."""
    return why_over(SessionStore(session_key), now) == "old"
