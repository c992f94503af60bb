"""The codes that the sample people's phones would show: the demo's answer to a newcomer without one."""

from __future__ import annotations

import time

from django_otp.oath import TOTP

from roles.models import TotpDevice, User
from roles.models.factors import DIGITS, PERIOD


def device_of(user: User) -> TotpDevice | None:
    """Return the authenticator app whose codes the demo shows, or None for somebody who has none."""
    apps = TotpDevice.objects.filter(user=user, confirmed=True)
    device: TotpDevice | None = apps.order_by("created_at", "pk").first()
    return device


def next_code(device: TotpDevice) -> str:
    """Return a code that the device accepts now.

    It is the code of this half minute, or of the next one that was not used yet: the device counts that as drift, so
    whoever plays several people never waits for a code.
    """
    totp = TOTP(bytes.fromhex(device.key), PERIOD, 0, DIGITS, device.drift)
    totp.time = time.time()
    totp.drift += max(device.last_step + 1 - totp.t(), 0)
    return f"{totp.token():0{DIGITS}d}"
