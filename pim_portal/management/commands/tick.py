"""The recurring jobs once, for cron: a second path beside the worker."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from pim_portal.operations import sealing, services


class Command(BaseCommand):
    help = "Write down what is over, send what is due, seal the history and send it on: once. From cron, every minute."

    def handle(self, *args: Any, **options: Any) -> None:
        written = services.sweep(clock=timezone.now)
        sent = services.send(clock=timezone.now)
        services.chat(clock=timezone.now)
        sealed = sealing.seal()
        services.hooks(allow_private=settings.PIM_WEB_HOOKS_ALLOW_PRIVATE, clock=timezone.now)
        if options["verbosity"] > 1:
            self.stdout.write(f"Written down or cleared away: {written}. Mails sent: {sent}. Events sealed: {sealed}.")
