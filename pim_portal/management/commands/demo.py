"""`manage.py demo`: the portal with a sample organisation, on this machine only."""

from __future__ import annotations

import socket
import time
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from pim_portal.demo.environment import DEFAULT_PORT
from pim_portal.demo.loader import PASSWORD, load
from pim_portal.operations import supervisor

HOST = "127.0.0.1"


class Command(BaseCommand):
    help = "Serve the portal with a sample organisation; Ctrl-C stops it, a second start keeps what was done."
    # The tables that checks look at may not be there yet.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="where to serve (default: %(default)s)")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        if not settings.PIM_DEMO:
            raise CommandError("This is no demo. Start one with: make demo")
        if urlsplit(settings.PIM_BASE_URL).port != port:
            raise CommandError(f"PIM_BASE_URL is {settings.PIM_BASE_URL}, which is not port {port}: unset it.")
        _require_free(port)
        call_command("migrate", verbosity=0)
        self._load()
        self.stdout.write(WELCOME.format(address=settings.PIM_BASE_URL, password=PASSWORD))
        self.stdout.flush()
        supervisor.run(port=port, host=HOST, audit_lines=settings.PIM_AUDIT_STDOUT)

    def _load(self) -> None:
        self.stdout.write("Loading the sample organisation, if it is not there yet (half a minute, once).")
        self.stdout.flush()
        began = time.monotonic()
        loaded = load(timezone.now())
        if loaded is None:
            self.stdout.write("It is there; nothing was changed. Start over with: make demo-reset")
        else:
            self.stdout.write(
                f"{loaded.people} people, {loaded.assignments} assignments and {loaded.requests} requests "
                f"in {time.monotonic() - began:.0f} seconds."
            )


WELCOME = """
  Open     {address}
  Sign in  with one click on somebody's name: first as ines, who asks for a role,
           then as amelie, who approves it. Everybody's password: {password}
  Mails    {address}/demo/mailbox/
  Stop     Ctrl-C
"""


def _require_free(port: int) -> None:
    """Say that the port is taken before half a minute of loading, not after it."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except PermissionError as error:
            raise CommandError(
                f"Port {port} may only be opened by root. Choose another: make demo PORT=8123"
            ) from error
        except OSError as error:
            sentence = f"Port {port} is in use by another program. Choose another: make demo PORT={port % 65535 + 1}"
            raise CommandError(sentence) from error
