"""What page tests of acts need: a client whose sign-in counts as the second factor, and codes to type."""

from __future__ import annotations

import hashlib
import re
import time
from typing import Any

from django.apps import apps
from django.test import Client
from django_otp.oath import TOTP

from roles.middleware import SESSION_MARK
from roles.models import Purpose, StepUp, TotpDevice, User
from tests.people import MINUTE, NOW
from tests.visitors import visiting


def verified(user: User) -> Client:
    """A client of somebody who gave their second factor at sign-in a minute ago."""
    client = visiting(user)
    give_step_up(client, user)
    return client


def give_step_up(client: Client, user: User, purpose: Purpose = Purpose.SIGN_IN) -> StepUp:
    return StepUp.objects.create(
        user=user,
        session=hashlib.sha256(client.session[SESSION_MARK].encode()).hexdigest(),
        purpose=purpose,
        device=TotpDevice.objects.get(user=user).persistent_id,
        verified_at=NOW - MINUTE,
        until=NOW + 4 * MINUTE,
    )


def code_of(user: User) -> dict[str, str]:
    """The fields that this person types from their app now."""
    device = TotpDevice.objects.get(user=user)
    totp = TOTP(bytes.fromhex(device.key), 30, 0, 6, 0)
    totp.time = time.time()
    return {"device": device.persistent_id, "code": f"{totp.token():06d}"}


def rows_of_everything() -> dict[str, list[Any]]:
    """Every row of the portal, but for sessions: to see that nothing changed."""
    models = [model for model in apps.get_models() if model._meta.model_name != "portalsession"]
    return {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in models}


def body_without(html: str, *parts: str) -> str:
    """A page without its tokens and these parts, to compare it with another."""
    html = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", html)
    for part in parts:
        html = html.replace(part, "")
    return html


def errors_in(html: str) -> list[str]:
    """The sentences beside the fields and above the form."""
    found = re.findall(r'<div class="error"[^>]*>(.*?)</div>', html, re.S)
    found += re.findall(r"data-errors>(.*?)</div>\s*</div>", html, re.S)
    return [sentence.strip() for part in found for sentence in re.findall(r"<p>(.*?)</p>", part, re.S)]
