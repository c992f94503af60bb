"""The worker: django-q2's cluster, none of whose processes outlives the one that started it."""

from __future__ import annotations

import os
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from pim_portal.operations.processes import die_with_parent


class Command(BaseCommand):
    help = "Run the worker alone, without the watchdog. To run it for good: manage.py supervise --only worker."

    def handle(self, *args: Any, **options: Any) -> None:
        # A killed main process would leave its children at work as orphans.
        os.register_at_fork(after_in_child=die_with_parent)
        call_command("qcluster")
