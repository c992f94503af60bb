"""The doors of the demo: signing in as one of the sample people with one click. Closed everywhere else."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device

from pim_portal.accounts import entering
from pim_portal.accounts.services import sessions
from pim_portal.demo.codes import device_of, next_code
from roles.middleware import actor_of, session_of
from roles.models import Purpose, TotpDevice, User
from roles.services import step_ups

# Whom to try first, and what for.
INTRODUCED: dict[str, str | Promise] = {
    "ines": _("asks for roles: Exchange Administrator needs approval, Reports Reader lasts five minutes"),
    "amelie": _("approves what Ines asks for in mail and workplace services"),
    "jonas": _("administers roles, and approves Global Administrator"),
    "priya": _("runs identity, and approves as Jonas does"),
    "olu": _("owns the resources"),
    "tom": _("approves who touches production"),
    "sven": _("is Head of security"),
    "noor": _("audits"),
}


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """Somebody to sign in as, and the code that their phone would show now."""

    user: User
    code: str
    role: str | Promise


def people() -> tuple[list[SamplePerson], list[SamplePerson]]:
    """Return whom to try first, and everybody else by name; only who can sign in."""
    devices = TotpDevice.objects.filter(confirmed=True, user__enabled=True).select_related("user")
    found: dict[str, SamplePerson] = {}
    for device in devices.order_by(F("user__name_key"), "created_at", "pk"):
        user = device.user
        role = INTRODUCED.get(user.username, user.job_title)
        found.setdefault(user.username, SamplePerson(user, next_code(device), role))
    first = [found.pop(name) for name in INTRODUCED if name in found]
    return first, list(found.values())


def can_enter(user: User | None) -> bool:
    """Return whether the demo can sign in as this person: they are enabled and have a second factor."""
    return user is not None and user.enabled and device_of(user) is not None


def enter(request: HttpRequest, user: User) -> None:
    """Sign in as this person, through the same steps as a password and a code that are typed.

    Raises `PermissionDenied` outside the demo, and `Refused` when the second factor is not accepted.
    """
    if not settings.PIM_DEMO or not can_enter(user):
        raise PermissionDenied
    if request.user.is_authenticated:
        sessions.record_sign_out(request.user, actor=actor_of(request), clock=timezone.now)
    entering.begin(request, user)
    device = device_of(user)
    assert device is not None  # noqa: S101 - can_enter has just said so
    step_up = step_ups.give(
        user,
        actor=actor_of(request),
        device_id=device.persistent_id,
        token=next_code(device),
        purpose=Purpose.SIGN_IN,
        session=session_of(request),
        clock=timezone.now,
    )
    sessions.record_sign_in(user, actor=actor_of(request), clock=timezone.now)
    entering.verify(request, Device.from_persistent_id(step_up.device))
