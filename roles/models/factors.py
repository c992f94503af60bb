"""Second factors: an authenticator app (TOTP) and recovery codes, as devices of django-otp.

django-otp's own models keep keys and codes in clear; ours encrypt the key and hash the codes. A code is only ever
verified through `django_otp.verify_token`, which locks the device: calling `device.verify_token` accepts one code
several times when asked in parallel.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote, urlencode

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin, VerifyNotAllowed
from django_otp.oath import TOTP

from roles.models.encrypted import EncryptedTextField

PERIOD = 30  # seconds one code stands for
DIGITS = 6
TOLERANCE = 1  # steps before and after: a phone's clock may be half a minute off
CODES = 10  # recovery codes in a set

# Wrong codes in a row, and how long the device then waits. NIST SP 800-63B allows 100 in all; this allows far fewer
# an hour and is never long enough to keep somebody out of an emergency.
WAITS = ((10, timedelta(minutes=30)), (5, timedelta(minutes=15)))


THROTTLING = ("throttling_failure_timestamp", "throttling_failure_count")  # columns that count wrong codes


def fresh_key() -> str:
    """Return a new TOTP key of 160 bits, in hex."""
    return secrets.token_hex(20)


class Allowed(NamedTuple):
    """Whether a device may be tried now."""

    now: bool
    reason: dict[str, Any] | None


class CappedThrottling(ThrottlingMixin):
    """Throttling with a cap: django-otp's own doubles without end, so that an attacker could lock a person out."""

    class Meta:
        abstract = True

    def verify_is_allowed(self) -> Allowed:
        """Say whether a code may be tried; if not, `reason["locked_until"]` says when."""
        for failures, wait in WAITS:
            if self.throttling_failure_count >= failures and self.throttling_failure_timestamp is not None:
                until = self.throttling_failure_timestamp + wait
                if timezone.now() < until:
                    return Allowed(
                        False,
                        {
                            "reason": VerifyNotAllowed.N_FAILED_ATTEMPTS,
                            "failure_count": self.throttling_failure_count,
                            "locked_until": until,
                        },
                    )
                break
        return Allowed(True, None)

    # Only what has changed is written, or the encrypted key would be stored anew, which is a change with its event.
    def throttle_increment(self, commit: bool = True) -> None:
        super().throttle_increment(commit=False)
        if commit:
            self.save(update_fields=THROTTLING)

    def throttle_reset(self, commit: bool = True) -> None:
        super().throttle_reset(commit=False)
        if commit:
            self.save(update_fields=THROTTLING)

    def get_throttle_factor(self) -> int:
        """Unused by the capped rule, but django-otp demands that it exists."""
        return 1


class TotpDevice(CappedThrottling, Device):
    """An authenticator app."""

    key = EncryptedTextField(default=fresh_key)
    last_step = models.BigIntegerField(default=-1, help_text=_("The latest step used; none up to it counts again."))
    drift = models.SmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta(Device.Meta):
        verbose_name = _("authenticator app")
        verbose_name_plural = _("authenticator apps")

    def _totp(self) -> TOTP:
        totp = TOTP(bytes.fromhex(self.key), PERIOD, 0, DIGITS, self.drift)
        totp.time = time.time()
        return totp

    def verify_token(self, token: str) -> bool:
        """Accept a code of this moment once; called by `django_otp.verify_token` under its lock."""
        if not self.verify_is_allowed().now:
            return False
        try:
            code = int("".join(token.split()))  # apps show "123 456"
        except ValueError:
            code = -1
        totp = self._totp()
        if code >= 0 and totp.verify(code, TOLERANCE, self.last_step + 1):
            self.last_step = totp.t()
            self.drift = totp.drift
            self.last_used_at = timezone.now()
            self.throttle_reset(commit=False)
            self.save(update_fields=["last_step", "drift", "last_used_at", *THROTTLING])
            return True
        self.throttle_increment()
        return False

    def uri(self, *, issuer: str) -> str:
        """Return the otpauth address that an authenticator app reads from the QR code."""
        key = base64.b32encode(bytes.fromhex(self.key)).decode().rstrip("=")
        query = urlencode({"secret": key, "issuer": issuer, "digits": DIGITS, "period": PERIOD})
        return f"otpauth://totp/{quote(issuer)}:{quote(self.user.get_username())}?{query}"


class RecoveryCodes(CappedThrottling, Device):
    """The set of recovery codes of one person."""

    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(Device.Meta):
        verbose_name = _("recovery codes")
        verbose_name_plural = _("recovery codes")

    def verify_token(self, token: str) -> bool:
        """Accept each code of the set once; called by `django_otp.verify_token` under its lock."""
        if not self.verify_is_allowed().now:
            return False
        unused = self.codes.filter(used_at=None, digest=RecoveryCode.digest_of(token))
        if unused.update(used_at=timezone.now()) == 1:
            self.throttle_reset()
            return True
        self.throttle_increment()
        return False

    @property
    def left(self) -> int:
        """How many codes are still unused."""
        return int(self.codes.filter(used_at=None).count())


class RecoveryCode(models.Model):
    """One recovery code, hashed. It holds 80 random bits, so a plain SHA-256 keeps it."""

    device = models.ForeignKey(RecoveryCodes, models.CASCADE, related_name="codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    ALPHABET: ClassVar[str] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes (single)")
        constraints = [models.UniqueConstraint(fields=["device", "digest"], name="recovery_code_once_in_its_set")]

    def __str__(self) -> str:
        return str(self.pk)

    @classmethod
    def digest_of(cls, code: str) -> str:
        """Return what is stored for `code`; dashes, spaces and case do not count."""
        bare = "".join(character for character in code.upper() if character in cls.ALPHABET)
        return hashlib.sha256(bare.encode()).hexdigest()

    @classmethod
    def fresh(cls) -> str:
        """Return a new code such as ``7KQ2-M4XD-9WPA-HT3E``."""
        groups = ("".join(secrets.choice(cls.ALPHABET) for _i in range(4)) for _j in range(4))
        return "-".join(groups)
