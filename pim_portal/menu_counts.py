"""How much waits for the viewer, beside three lines of the menu of every page.

Which requests somebody may decide is a question of many rules, and a page that is about something else need not ask it
each time. So a count is kept for some seconds, for one person; it is asked anew on the page that it leads to, and by
the first page after the person has sent a form, whichever process answers.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.http.response import HttpResponseBase

KEPT_SECONDS = 15
LAST_ACT = "last_act"  # in the session: a mark of the form that was sent last, which says only that it is another one
DONE = (HTTPStatus.FOUND, HTTPStatus.SEE_OTHER, HTTPStatus.NO_CONTENT)


def count_of(request: HttpRequest, entry: str, ask: Callable[[], int], *, anew: bool) -> int:
    """Return how much waits at this entry of the menu: as it was known some seconds ago, unless it is asked `anew`."""
    key = f"menu:{entry}:{request.user.pk}:{request.session.get(LAST_ACT, '')}"
    known: int | None = None if anew else cache.get(key)
    if known is None:
        known = ask()
        cache.set(key, known, KEPT_SECONDS)
    return known


class LastActMiddleware:
    """Mark the session of somebody who has sent a form: what was counted before may have changed by it.

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
