"""Erase the personal text of everything that one person did or that was done to them."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import ngettext

from audit.models import Event
from audit.selectors import archived_of
from pim_portal.activity.services import archives_away, erase_texts_of
from pim_portal.operations.operators import operator
from roles.models import User
from roles.refusals import Refused


class Command(BaseCommand):
    help = (
        "Erase the personal text (names, reasons, tickets, addresses) of all events that somebody did or that were "
        "done to them. The events stay and still verify; that it was done is an event too. It cannot be undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("person", metavar="NAME", help="user name, e-mail address, or id of somebody long gone")
        parser.add_argument("--reason", required=True, help="why, and at whose request; it is recorded")
        parser.add_argument("--yes", action="store_true", help="do it; without this it only says how many there are")

    def handle(self, *args: Any, **options: Any) -> None:
        person = self._person(options["person"])
        if not options["yes"]:
            count = Event.objects.concerning(person).filter(text__erased_at=None).count()
            have = ngettext("{count} event has text", "{count} events have text", count).format(count=f"{count:,}")
            self.stdout.write(f"{have} that would be erased for good. To do it, add --yes.")
            if archived := archived_of(person).count():
                more = ngettext("{count} more is", "{count} more are", archived).format(count=f"{archived:,}")
                self.stdout.write(f"{more} in archives, where such text would be erased, too.")
            return
        try:
            erased = erase_texts_of(
                person,
                reason=options["reason"],
                actor=operator(),
                clock=timezone.now,
                archives=settings.PIM_AUDIT_ARCHIVES,
            )
        except Refused as refused:
            raise CommandError(refused.sentence) from refused
        events = ngettext("{count} event", "{count} events", erased).format(count=f"{erased:,}")
        self.stdout.write(f"The personal text of {events} was erased. Backups made before still hold it.")
        for file in archives_away(person, folder=settings.PIM_AUDIT_ARCHIVES):
            self.stdout.write(f"Not at hand, and not erased there: {file}. Bring it back, and run this again.")

    def _person(self, name: str) -> uuid.UUID:
        try:
            return User.objects.get_by_natural_key(name).pk
        except User.DoesNotExist:
            pass
        try:
            person = uuid.UUID(name)
        except ValueError:
            raise CommandError(f"Nobody has the user name or e-mail address {name!r}.") from None
        if not Event.objects.concerning(person).exists() and not archived_of(person).exists():
            raise CommandError(f"The history knows nobody with the id {person}.")
        return person
