"""What the commands that import people, groups and resources share."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from pim_portal.imports.bar import Bar
from pim_portal.imports.outcomes import Fate, Outcome
from pim_portal.imports.services.things import SHEETS, bring_in
from roles.actors import Actor
from roles.refusals import Refused


class ImportCommand(BaseCommand):
    """Say line by line what a file would make; with --apply make it, all or nothing, as the operator."""

    sheet: ClassVar[str]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", type=Path)
        parser.add_argument("--apply", action="store_true", help="make it; without it nothing changes")
        parser.add_argument("--reason", default="", help="why; it is recorded")
        if self.sheet == "people":
            parser.add_argument("--invite", action="store_true", help="mail each new person their invitation")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            with path.open("rb") as file:
                self.bar = Bar(file, needed=SHEETS[self.sheet].needed, stream=sys.stderr)
                counts = bring_in(
                    SHEETS[self.sheet],
                    file,
                    reason=options["reason"] or f"Imported from {path.name}",
                    actor=Actor.operator(getpass.getuser()),
                    clock=timezone.now,
                    invite=options.get("invite", False),
                    dry=not options["apply"],
                    told=self.tell,
                )
        except OSError as error:
            raise CommandError(str(error)) from error
        except Refused as refused:
            raise CommandError(f"Nothing was imported. {refused.sentence}") from refused
        self.bar.clear()
        self.stdout.write(", ".join(f"{fate}: {counts[fate]}" for fate in Fate))
        if not options["apply"]:
            self.stdout.write("This was a dry run. Use --apply to make them.")

    def tell(self, one: Outcome) -> None:
        self.bar.count()
        if one.sentence:
            self.bar.clear()
            self.stdout.write(f"Line {one.line.number}, {one.fate}: {one.sentence}")
