"""Set the portal up from the server's shell, or print the code that the set-up page asks for."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from audit.models import Batch
from pim_portal.accounts.links import entry_link
from pim_portal.activity.services import make_key
from pim_portal.operations.operators import operator
from pim_portal.setup import services
from roles.refusals import Refused
from roles.wording import exact


class Command(BaseCommand):
    help = (
        "Print a new one-time code for the set-up page; or, with --no-browser, make the first person, who gets "
        "Security Administrator and Privileged Role Administrator, and print the link to choose a password by. "
        "Works until the portal is set up, and never again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-browser", action="store_true", help="make the first person here and now")
        parser.add_argument("--username", help="their user name")
        parser.add_argument("--name", help="their name")
        parser.add_argument("--email", help="their e-mail address")
        parser.add_argument("--root", default="", help="the first resource root, which they become Owner of")

    def handle(self, *args: Any, **options: Any) -> None:
        self._make_key()
        try:
            if options["no_browser"]:
                self._set_up(options)
            else:
                self._print_code()
        except Refused as refused:
            raise CommandError(refused.sentence) from refused

    def _make_key(self) -> None:
        """Make the key that signs the audit history, unless one stands there or should: what was sealed needs it."""
        file = settings.PIM_AUDIT_KEY
        if file.exists() or Batch.objects.exists():
            return
        try:
            make_key(file, replacing=False, actor=operator(), clock=timezone.now)
        except FileExistsError:
            return  # the worker was quicker
        except OSError as error:
            raise CommandError(f"The key of the audit history cannot be made at {file}: {error.strerror}.") from error
        self.stdout.write(f"The key of the audit history stands in {file}. Keep a copy where no backups are.")

    def _print_code(self) -> None:
        code = services.make_code(clock=timezone.now)
        self.stdout.write(f"Open {settings.PIM_BASE_URL}{reverse('setup')} within a day and enter this code: {code}")

    def _set_up(self, options: dict[str, Any]) -> None:
        missing = [f"--{name}" for name in ("username", "name", "email") if not options[name]]
        if missing:
            raise CommandError(f"Who is the first person? Also give {' and '.join(missing)}.")
        given = services.set_up_with_link(
            username=options["username"],
            name=options["name"],
            email=options["email"],
            root=options["root"],
            actor=operator(),
            clock=timezone.now,
        )
        self.stdout.write(f"{options['name']} is the first administrator. With this link they choose their password,")
        self.stdout.write(f"once, until {exact(given.ticket.until)} UTC, and then sign in and add a second factor:")
        self.stdout.write(entry_link(given.secret))
