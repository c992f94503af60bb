"""Move events that are older than they are to be kept into sealed archives: exit code 0, or 2 when it cannot."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import ngettext

from audit import archive_files
from audit.archiving import MovedMeanwhile, left
from audit.keys import KeyUnusable
from audit.models import Archive
from audit.proofs import Broken
from pim_portal.keeping import services, staying
from pim_portal.operations.operators import operator
from roles.actors import Actor

CANNOT = 2


class Command(BaseCommand):
    help = (
        "Move events of the audit history that are older than is set for their kind into sealed archives, and out of "
        "the database. It may be stopped at any moment, and run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be moved, and change nothing")
        parser.add_argument("--by-worker", action="store_true", help="say in the history that the portal did it")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self._say()
            return
        if not services.may_delete():
            raise CommandError("This role of the database may not delete events: docs/keeping.md.", returncode=CANNOT)
        folder = settings.PIM_AUDIT_ARCHIVES
        try:
            made = services.archive_history(
                folder=folder,
                key_file=settings.PIM_AUDIT_KEY,
                portal=settings.PIM_BASE_URL,
                actor=Actor.portal() if options["by_worker"] else operator(),
                clock=timezone.now,
            )
        except services.AnotherArchives as another:
            raise CommandError("Another process archives now.", returncode=CANNOT) from another
        except (Broken, KeyUnusable, MovedMeanwhile, OSError) as error:
            raise CommandError(f"Nothing was lost, but it did not end: {error!r}", returncode=CANNOT) from error
        for archive in made:
            events = ngettext("{count} event of {realm} is", "{count} events of {realm} are", archive.leaves)
            moved = events.format(count=f"{archive.leaves:,}", realm=archive.realm)
            self.stdout.write(f"{moved} in {archive.name}.jsonl.")
        if not made:
            self.stdout.write("Nothing was to be moved.")
        known = Archive.objects.values_list("name", flat=True)
        for name in archive_files.strays(folder, known):
            self.stdout.write(f"No archive is called {name}.jsonl: a run broke off before it counted.")

    def _say(self) -> None:
        now = timezone.now()
        kept = staying.retention()
        for group, days in kept.items():
            if days is None:
                self.stdout.write(f"{group.label}: kept for ever.")
                continue
            old = staying.old(now, kept={group: days})
            going = staying.may_go(old).count()
            stays = old.count() - going
            moved = ngettext("{count} event would", "{count} events would", going).format(count=f"{going:,}")
            stay = ngettext("{count} older one stays", "{count} older ones stay", stays).format(count=f"{stays:,}")
            said = f"{group.label}: kept for {days} days; {moved} be moved"
            self.stdout.write(f"{said}, {stay}, since something needs {'it' if stays == 1 else 'them'}.")
        if left():
            self.stdout.write("An earlier run broke off: events that are archived would leave the database.")
