"""Links and addresses of the ways in."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def entry_link(secret: str) -> str:
    """Return the whole address of an entry ticket, to be copied or mailed."""
    return settings.PIM_BASE_URL + reverse("entry", args=[secret])


def way_on(request: HttpRequest) -> str:
    """Return where to go after signing in: `next`, if it is a page of this portal, else the overview."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    hosts = {request.get_host()}
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=hosts, require_https=request.is_secure())
    return wanted if safe and wanted.isprintable() else "/"
