"""What the commands that import share."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, ClassVar

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from pim_portal.imports.bar import Bar
from pim_portal.imports.outcomes import Fate, Outcome
from pim_portal.imports.services.things import SHEETS, bring_in
from pim_portal.operations.operators import operator
from roles.actors import Actor
from roles.refusals import Refused


class ImportCommand(BaseCommand):
    """Say line by line what a file would make; with --apply make it, all or nothing, as the operator."""

    @property
    def needed(self) -> Sequence[str]:
        """The columns that a file must have."""
        raise NotImplementedError

    def bring(self, file: IO[bytes], *, reason: str, actor: Actor, options: dict[str, Any]) -> Counter[Fate]:
        """Tell of each line, make what it asks for where `apply` says so, and count the fates. Raises `Refused`."""
        raise NotImplementedError

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", type=Path)
        parser.add_argument("--apply", action="store_true", help="make it; without it nothing changes")
        parser.add_argument("--reason", default="", help="why; it is recorded")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        reason = options["reason"] or f"Imported from {path.name}"
        try:
            with path.open("rb") as file:
                self.bar = Bar(file, needed=self.needed, stream=sys.stderr)
                counts = self.bring(file, reason=reason, actor=operator(), options=options)
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


class ImportThings(ImportCommand):
    """Import people, groups or resources."""

    sheet: ClassVar[str]

    @property
    def needed(self) -> Sequence[str]:
        return SHEETS[self.sheet].needed

    def bring(self, file: IO[bytes], *, reason: str, actor: Actor, options: dict[str, Any]) -> Counter[Fate]:
        return bring_in(
            SHEETS[self.sheet],
            file,
            reason=reason,
            actor=actor,
            clock=timezone.now,
            invite=options.get("invite", False),
            dry=not options["apply"],
            told=self.tell,
        )
