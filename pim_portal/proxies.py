"""Whom a request comes from when proxies stand in front of the portal."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class TrustedProxiesMiddleware:
    """Put the client's address into `REMOTE_ADDR`, so that everything after reads it in one place.

    Each trusted proxy appends the address it was called from to X-Forwarded-For. What stands left of those entries was
    written by the client and is never believed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.proxies: int = settings.PIM_TRUSTED_PROXIES

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if self.proxies:
            forwarded = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
            if len(forwarded) >= self.proxies and forwarded[-self.proxies]:
                request.META["REMOTE_ADDR"] = forwarded[-self.proxies]
        return self.get_response(request)
