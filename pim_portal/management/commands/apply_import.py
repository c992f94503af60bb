"""Apply a file that somebody sent and confirmed: the process that the worker starts for it."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from pim_portal.imports.services.applying import apply


class Command(BaseCommand):
    help = "Apply an import that was sent and confirmed on a page. The worker runs this; running it again is harmless."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("upload", type=uuid.UUID)

    def handle(self, *args: Any, **options: Any) -> None:
        apply(options["upload"], clock=timezone.now)
