"""What every request carries: its moment, the authority of who makes it, and the actor for services."""

from __future__ import annotations

import hashlib
import zoneinfo
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from roles.actors import Actor
from roles.authority import Authority

if TYPE_CHECKING:
    from datetime import datetime

    from roles.models import User

SESSION_MARK = "mark"


class PortalRequest(HttpRequest):
    """A request as views of the portal know it (for types; Django makes the object)."""

    user: User
    now: datetime
    authority: Authority
    menu_path: str  # set by a view whose page stands below another entry of the menu than its address


class AuthorityMiddleware:
    """Give the request its `now` and its `authority`, and show times in the viewer's zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.now = timezone.now()  # type: ignore[attr-defined]
        request.authority = SimpleLazyObject(  # type: ignore[attr-defined]
            lambda: Authority(request.user, request.now)  # type: ignore[attr-defined, arg-type]
        )
        with timezone.override(zone_of(getattr(request.user, "time_zone", ""))):
            return self.get_response(request)


def zone_of(name: str) -> zoneinfo.ZoneInfo:
    """Return the zone of this name, or the portal's default where it is empty or no longer known."""
    try:
        return zoneinfo.ZoneInfo(name or settings.PIM_DEFAULT_TIME_ZONE)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def session_of(request: HttpRequest) -> str:
    """Return the hash that names this session in step-ups; it outlives a change of the session key."""
    return named_by(request.session.get(SESSION_MARK, ""))


def named_by(mark: str) -> str:
    """Return the hash that names the session with this mark."""
    return hashlib.sha256(mark.encode()).hexdigest()


def actor_of(request: HttpRequest) -> Actor:
    """Return who acts in this request, without a step-up."""
    return Actor(user=request.user, address=request.META.get("REMOTE_ADDR", ""))  # type: ignore[arg-type]
