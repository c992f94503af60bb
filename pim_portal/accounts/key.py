"""The key of a new authenticator app, as a page shows it."""

from __future__ import annotations

import base64
from typing import Any

import segno
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe

from pim_portal.accounts.forms import AppForm, EnrolForm
from roles.middleware import PortalRequest
from roles.models import TotpDevice


def key_to_show(request: PortalRequest, form: EnrolForm | AppForm) -> dict[str, Any]:
    """Return what accounts/key.html shows: the key as a picture and in letters, and sealed for the form."""
    key = form.new_key()
    device = TotpDevice(user=request.user, key=key)
    secret = base64.b32encode(bytes.fromhex(key)).decode()
    return {
        "sealed": form.seal(key),
        "qr": _picture(device.uri(issuer=_issuer(request))),
        "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
    }


def _issuer(request: HttpRequest) -> str:
    # Whoever has the apps of two portals sees which is which; a colon would end the issuer's name.
    return "PIM " + request.get_host().partition(":")[0]


def _picture(address: str) -> SafeString:
    code = segno.make(address, error="m")
    svg: str = code.svg_inline(scale=4, svgclass="qr", omitsize=True)
    return mark_safe(svg)  # noqa: S308  # drawn by segno out of squares only
