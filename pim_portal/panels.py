"""Side panels: a form page shown in a dialog by static/portal.js, and a plain page without it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, HttpResponseRedirectBase


class PanelMiddleware:
    """Answer a panel's request with the address to go to, instead of a redirect.

    The script could only follow a redirect unseen, and the page fetched for nothing would use up the messages that
    are meant for the person.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if "X-Panel" not in request.headers or not isinstance(response, HttpResponseRedirectBase):
            return response
        answer = HttpResponse(status=204, headers={"X-Panel-Location": response.url})
        answer.cookies = response.cookies
        return answer
