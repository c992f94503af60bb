"""Say what the lines of a file that somebody sent would do: the process that the worker starts for it."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from pim_portal.imports.services.trying import try_out


class Command(BaseCommand):
    help = "Try a file of people, groups or resources that was sent on a page. The worker runs this."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("upload", type=uuid.UUID)

    def handle(self, *args: Any, **options: Any) -> None:
        try_out(options["upload"], clock=timezone.now)
