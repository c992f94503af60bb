"""What the worker does: thin doors to services. Each may run twice, late, or on two workers at once."""

from __future__ import annotations

import uuid

from django.utils import timezone

from pim_portal.imports.services import uploads
from pim_portal.operations import services


def sweep() -> int:
    """Write down what is over by the clock; see `operations.services.sweep`."""
    return services.sweep(clock=timezone.now)


def send() -> int:
    """Deliver the outbox."""
    return services.send(clock=timezone.now)


def heartbeat() -> None:
    """Show that the worker takes and finishes tasks."""
    services.beat(services.WORKER, clock=timezone.now)


def check_upload(pk: str) -> None:
    """Look at the next lines of a file that somebody sent."""
    uploads.check(uuid.UUID(pk), clock=timezone.now)


def apply_upload(pk: str) -> None:
    """Apply a file that its sender has confirmed."""
    uploads.apply(uuid.UUID(pk), clock=timezone.now)
