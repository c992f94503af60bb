"""What the worker does: thin doors to services. Each may run twice, late, or on two workers at once."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.utils import timezone
from django_q.tasks import async_task

from pim_portal.activity.services import go_on_verifying
from pim_portal.alerts.services.scanning import scan
from pim_portal.imports.services import applying, uploads
from pim_portal.keeping import services as keeping
from pim_portal.operations import sealing, services


def sweep() -> int:
    """Write down what is over by the clock; see `operations.services.sweep`."""
    return services.sweep(clock=timezone.now)


def send() -> int:
    """Deliver the outbox."""
    return services.send(clock=timezone.now)


def seal() -> int:
    """Seal the events that wait."""
    sealed = sealing.seal()
    services.hooks_soon(clock=timezone.now)
    return sealed


def verify(verification: str) -> None:
    """Go on with a verification of the history."""
    go_on_verifying(
        uuid.UUID(verification),
        key_file=settings.PIM_AUDIT_KEY,
        archives=settings.PIM_AUDIT_ARCHIVES,
        clock=timezone.now,
    )


def chat() -> int:
    """Deliver the lines to chat channels."""
    return services.chat(clock=timezone.now)


def hooks() -> int:
    """Send the history on to the web hooks."""
    return services.hooks(allow_private=settings.PIM_WEB_HOOKS_ALLOW_PRIVATE, clock=timezone.now)


def archive() -> None:
    """Have a process of its own move what is older than it is to be kept into archives."""
    keeping.start(clock=timezone.now)


def count() -> int:
    """Count anew what pages show of what there is much of."""
    return services.count(clock=timezone.now)


def scan_alerts() -> None:
    """Look for incidents; what is left is done by a task that follows at once."""
    if not scan(clock=timezone.now):
        async_task("pim_portal.tasks.scan_alerts", save=False)


def heartbeat() -> None:
    """Show that the worker takes and finishes tasks; have what happened since sealed, sooner than every minute."""
    services.beat(services.WORKER, clock=timezone.now)
    services.seal_soon()
    services.hooks_soon(clock=timezone.now)


def check_upload(pk: str) -> None:
    """Look at the next lines of a file that somebody sent."""
    uploads.check(uuid.UUID(pk), clock=timezone.now)


def apply_upload(pk: str) -> None:
    """Have a process of its own apply a file that its sender has confirmed."""
    applying.start(uuid.UUID(pk))
