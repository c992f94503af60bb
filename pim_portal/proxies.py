"""Whom a request comes from when proxies stand in front of the portal."""

from collections.abc import Callable
from ipaddress import ip_address

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
            entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
            # Fewer entries than proxies: the request went round one of them, so it stays with who called.
            if len(entries) >= self.proxies and (client := address(entries[-self.proxies])):
                request.META["REMOTE_ADDR"] = client
        return self.get_response(request)


def address(entry: str) -> str | None:
    try:
        return str(ip_address(entry.strip()))
    except ValueError:
        return None
