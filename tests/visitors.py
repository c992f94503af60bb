"""People at the door: a client, or a browser's cookie, of somebody who has given both factors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest
from django.test import Client

from pim_portal.accounts.entering import begin, verify
from pim_portal.accounts.sessions import SessionStore
from roles.models import TotpDevice, User

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer


def session_of(user: User) -> str:
    """Open a session as the sign-in does, and return its key."""
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = "127.0.0.1"
    request.session = SessionStore()
    request.user = user
    begin(request, user)
    verify(request, TotpDevice.objects.get(user=user))
    request.session.save()
    return str(request.session.session_key)


def visiting(user: User) -> Client:
    """A client in which this person is signed in."""
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session_of(user)
    return client


def cookie_of(user: User, server: LiveServer) -> Any:
    """The cookie that lets a browser in as this person."""
    return {"name": settings.SESSION_COOKIE_NAME, "value": session_of(user), "url": server.url}
