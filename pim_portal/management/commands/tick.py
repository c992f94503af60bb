"""The recurring jobs once, for cron: a second path beside the worker."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from pim_portal.alerts.services.scanning import scan
from pim_portal.operations import sealing, services


class Command(BaseCommand):
    help = (
        "Once, for cron, every minute: write down what is over, scan, send what is due, seal the history, send it on."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        written = services.sweep(clock=timezone.now)
        scan(clock=timezone.now)
        sent = services.send(clock=timezone.now)
        services.chat(clock=timezone.now)
        sealed = sealing.seal()
        services.hooks(allow_private=settings.PIM_WEB_HOOKS_ALLOW_PRIVATE, clock=timezone.now)
        if options["verbosity"] > 1:
            self.stdout.write(f"Written down or cleared away: {written}. Mails sent: {sent}. Events sealed: {sealed}.")
