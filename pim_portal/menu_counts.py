"""What was counted for somebody may have changed by what they did: see `roles.kept`."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from roles.kept import LAST_ACT

DONE = (HTTPStatus.FOUND, HTTPStatus.SEE_OTHER, HTTPStatus.NO_CONTENT)


class LastActMiddleware:
    """Mark the session of somebody who has sent a form.

    The processes of the portal share no cache; the session is what they all read.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        user: Any = getattr(request, "user", None)
        if request.method == "POST" and response.status_code in DONE and user is not None and user.is_authenticated:
            request.session[LAST_ACT] = secrets.token_hex(8)
        return response
