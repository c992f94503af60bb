"""The operator's last resort: let somebody back in who lost password or phone, when nobody else can."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from pim_portal.accounts.links import entry_link
from pim_portal.accounts.services import tickets
from pim_portal.models import TicketKind
from pim_portal.operations.operators import operator
from roles.models import User
from roles.refusals import Refused
from roles.wording import exact


class Command(BaseCommand):
    help = (
        "Print a one-time link by which somebody chooses a new password and, at their next sign-in, adds a new second "
        "factor. It enables nobody and gives no role; it is in the history, and they are told by mail."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("person", metavar="NAME", help="user name or e-mail address")
        parser.add_argument("--reason", required=True, help="why, and how you made sure who is asking; it is recorded")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = User.objects.get_by_natural_key(options["person"])
        except User.DoesNotExist as unknown:
            raise CommandError(f"Nobody has the user name or e-mail address {options['person']!r}.") from unknown
        try:
            given = tickets.help_back_in(
                user.pk,
                kind=TicketKind.RECOVERY,
                reason=options["reason"],
                actor=operator(),
                clock=timezone.now,
            )
        except Refused as refused:
            raise CommandError(refused.sentence) from refused
        self.stdout.write(f"Hand this link to {user.name} ({user.username}) over a channel that you trust.")
        self.stdout.write(f"It works once, until {exact(given.ticket.until)} UTC, and removes the old second factors:")
        self.stdout.write(entry_link(given.secret))
