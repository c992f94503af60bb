"""Monitors that ask the process itself: by whatever address it has for them, and without the TLS of the proxy."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class MonitorsMiddleware:
    """Take no offence at the host that a monitor names: it is an address of this machine, and no answer repeats it.

    That such a request is not led to https is said by `SECURE_REDIRECT_EXEMPT`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info in settings.PIM_MONITORED:
            request.META["HTTP_HOST"] = settings.ALLOWED_HOSTS[0]
        return self.get_response(request)
