"""Import assignments from a CSV file, ours or the hosted product's, as the operator."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from pim_portal.imports.bar import Bar
from pim_portal.imports.outcomes import Fate, Outcome
from pim_portal.imports.reading import NEEDED
from pim_portal.imports.services.assignments import dry_run, import_assignments
from roles.actors import Actor
from roles.refusals import Refused


class Command(BaseCommand):
    help = "Say line by line what a CSV file of assignments would make; with --apply make it, all or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", type=Path)
        parser.add_argument("--apply", action="store_true", help="make the assignments; without it nothing changes")
        parser.add_argument("--reason", default="", help="why; it is recorded with each assignment")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        actor = Actor.operator(getpass.getuser())
        reason = options["reason"] or f"Imported from {path.name}"
        try:
            with path.open("rb") as file:
                self.bar = Bar(file, needed=NEEDED, stream=sys.stderr)
                if options["apply"]:
                    counts = import_assignments(file, reason=reason, actor=actor, clock=timezone.now, told=self.tell)
                else:
                    counts = Counter()
                    for one in dry_run(file, reason=reason, actor=actor, now=timezone.now()):
                        counts[one.fate] += 1
                        self.tell(one)
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
