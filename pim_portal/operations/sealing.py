"""Sealing with the key and the anchors of this installation, for the worker and for cron alike."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from audit import anchors
from pim_portal.operations import services


def seal() -> int:
    """Seal what waits; return how many events. See `operations.services.seal`."""
    return services.seal(
        key_file=settings.PIM_AUDIT_KEY,
        anchors=anchors.named(settings.PIM_AUDIT_ANCHORS),
        clock=timezone.now,
    )
