"""The recurring jobs once, for cron: a second path beside the worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from pim_portal.alerts.services.scanning import scan
from pim_portal.operations import sealing, services
from roles.sweeping import one_by_one


class Command(BaseCommand):
    help = (
        "Once, for cron, every minute: write down what is over, scan, send what is due, seal the history, send it on."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        jobs: list[Callable[[], int]] = [
            lambda: services.sweep(clock=timezone.now),
            lambda: scan(clock=timezone.now),
            lambda: services.send(clock=timezone.now),
            lambda: services.chat(clock=timezone.now),
            sealing.seal,
            lambda: services.hooks(allow_private=settings.PIM_WEB_HOOKS_ALLOW_PRIVATE, clock=timezone.now),
        ]
        counts: list[int] = []

        def run(job: Callable[[], int]) -> int:
            counts.append(job())
            return counts[-1]

        # Where there is no worker nothing else does the other jobs, either.
        one_by_one(jobs, run, failed="A recurring job failed.")
        if options["verbosity"] > 1:
            written, _looked, sent, _told, sealed, _taken = counts
            self.stdout.write(f"Written down or cleared away: {written}. Mails sent: {sent}. Events sealed: {sealed}.")
