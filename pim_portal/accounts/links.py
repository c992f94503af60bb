"""Links and addresses of the ways in."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def entry_link(secret: str) -> str:
    """Return the whole address of an entry ticket, to be copied or mailed."""
    return settings.PIM_BASE_URL + reverse("entry", args=[secret])


def way_on(request: HttpRequest) -> str:
    """Return where to go after signing in: `next`, if it is the path of a page of this portal, else the overview."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    # Without the slash Django would take it for the name of a page, and fail where there is none of that name.
    safe = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if safe and wanted.isprintable() else "/"


def leading_on(name: str, wanted: str) -> str:
    """Return the address of a page of the way in, which leads on to the wanted page."""
    return reverse(name) + (f"?{urlencode({'next': wanted})}" if wanted != "/" else "")


def next_step(request: HttpRequest) -> str:
    """Return where somebody signed in goes: on to their page, or first to their second factor."""
    wanted = way_on(request)
    if request.user.is_verified():  # type: ignore[union-attr]
        return wanted
    return leading_on("second_factor", wanted)
