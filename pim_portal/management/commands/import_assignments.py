"""Import assignments from a CSV file, ours or the hosted product's, as the operator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import IO, Any

from django.utils import timezone

from pim_portal.imports.command import ImportCommand
from pim_portal.imports.outcomes import Fate
from pim_portal.imports.reading import NEEDED
from pim_portal.imports.services.assignments import dry_run, import_assignments
from roles.actors import Actor


class Command(ImportCommand):
    help = "Say line by line what a CSV file of assignments would make; with --apply make it, all or nothing."

    @property
    def needed(self) -> Sequence[str]:
        return NEEDED

    def bring(self, file: IO[bytes], *, reason: str, actor: Actor, options: dict[str, Any]) -> Counter[Fate]:
        if options["apply"]:
            return import_assignments(file, reason=reason, actor=actor, clock=timezone.now, told=self.tell)
        counts: Counter[Fate] = Counter()
        for one in dry_run(file, reason=reason, actor=actor, now=timezone.now()):
            counts[one.fate] += 1
            self.tell(one)
        return counts
