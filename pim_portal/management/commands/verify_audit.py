"""Verify the whole audit history: exit code 0 when all is well, 1 with the first wrong thing, 2 when it cannot."""

from __future__ import annotations

import json
import logging
import os
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit import anchors, keys, verifying
from audit.hands import hands
from audit.proofs import read_keys, tips_in

logger = logging.getLogger(__name__)

CANNOT = 2
MANY = 20_000  # events, for which it is worth to start more processes


class Command(BaseCommand):
    help = (
        "Verify that nothing in the audit history was changed, removed, added, swapped, cut off or signed by another "
        "key. Exits with 0 when all is well, with 1 and the first wrong thing otherwise, with 2 when it cannot verify."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="answer in JSON")
        parser.add_argument("--anchors", action="append", default=[], type=Path, metavar="FILE", help="tips kept in a "
                            "file of any form: an anchor, a log, a saved mail")  # fmt: skip
        parser.add_argument("--tip", action="append", default=[], help='a tip that you kept: "pim-audit-tip 1 …"')
        parser.add_argument("--processes", type=int, metavar="NUMBER", help="how many processes check events "
                            "(default: one for each processor where there are many events)")  # fmt: skip
        parser.add_argument("--public-keys", type=Path, help="trust the keys in this file, one in hex a line")

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Whatever keeps it from verifying is no finding: an exit with 1 says something of the history alone."""
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            error.returncode = CANNOT
            raise
        except Exception as error:
            logger.exception("The history could not be verified.")
            raise CommandError(f"The history could not be verified: {error!r}", returncode=CANNOT) from error

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            trusted = self._keys(options["public_keys"])
            tips = self._tips(options)
        except anchors.Unreadable as anchor:
            raise CommandError(f"An anchor cannot be read: {anchor}") from anchor
        except (OSError, ValueError, keys.KeyUnusable) as error:
            raise CommandError(str(error)) from error
        progress = verifying.begin(tips)
        with ExitStack() as stack:
            processes = options["processes"] or (len(os.sched_getaffinity(0)) if progress.total >= MANY else 1)
            leaves = stack.enter_context(hands(processes)) if processes > 1 else None
            while not progress.done:
                verifying.advance(
                    progress,
                    trusted,
                    now=timezone.now(),
                    archives=settings.PIM_AUDIT_ARCHIVES,
                    seconds=2.0,
                    leaves=leaves,
                )
                if sys.stderr.isatty() and not options["json"]:
                    self.stderr.write(f"\r{progress.leaves:,} of {progress.total:,} events", ending="")
        self._answer(progress, as_json=options["json"])
        if progress.finding:
            sys.exit(1)

    def _keys(self, file: Path | None) -> verifying.Keys:
        return read_keys(file.read_text().splitlines()) if file else keys.trusted(settings.PIM_AUDIT_KEY)

    def _tips(self, options: dict[str, Any]) -> list[verifying.Tip]:
        tips = anchors.tips_of(anchors.named(settings.PIM_AUDIT_ANCHORS))
        named = [(str(path), path.read_text(errors="replace")) for path in options["anchors"]]
        for name, text in [*named, *(("--tip", text) for text in options["tip"])]:
            found = list(tips_in(text))
            if not found:
                raise ValueError(f"There is no tip in {name}.")
            tips += found
        return tips

    def _answer(self, progress: verifying.Progress, *, as_json: bool) -> None:
        if as_json:
            answer = {
                "ok": progress.finding is None,
                "batches": progress.batch,
                "events": progress.leaves,
                "waiting": progress.waiting,
                "erased_texts": progress.erased,
                "archived": progress.archived,
                "archives": progress.archive,
                "archives_not_at_hand": [f"{name}.jsonl" for name in progress.absent],
                "anchors": len(progress.tips),
                "tip": progress.link,
                "finding": asdict(progress.finding) if progress.finding else None,
            }
            self.stdout.write(json.dumps(answer, indent=2))
        elif progress.finding:
            self.stdout.write(f"WRONG: {verifying.sentence_of(progress)} [{progress.finding.code}]")
        else:
            self.stdout.write(verifying.sentence_of(progress))
