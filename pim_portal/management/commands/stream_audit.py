"""Write the sealed history to standard output: one event a line, as JSON, in leaf order, from where it was left."""

from __future__ import annotations

import signal
import sys
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.utils import timezone

from pim_portal.streams.leaves import LeafGone
from pim_portal.streams.lines import AheadOfHistory, Busy, Cursor, FileCursor, RowCursor, write_out

LOOK_EVERY: Final = 1.0  # seconds


class Command(BaseCommand):
    help = (
        "Write each sealed event of the audit history to standard output as one line of JSON, in the order of the "
        "leaves, from where the cursor stands. After a crash some lines may come twice; their ids tell."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--follow", action="store_true", help="go on with what is sealed from now on")
        parser.add_argument("--cursor", default="stdout", metavar="NAME", help="the cursor in the database")
        parser.add_argument("--cursor-file", type=Path, metavar="FILE", help="a cursor in a file instead")
        parser.add_argument("--from", dest="start", type=int, metavar="LEAF", help="begin with this leaf, "
                            "where there is no cursor yet (default: the first)")  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        start = 1 if options["start"] is None else options["start"]
        if start < 1:
            raise CommandError("Leaves are numbered from 1.")
        file = options["cursor_file"]
        cursor: Cursor = (
            FileCursor(file, start=start - 1)
            if file
            else RowCursor(options["cursor"][:100], clock=timezone.now, start=start - 1)
        )
        over = threading.Event()
        if options["follow"]:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: over.set())
        while True:
            try:
                write_out(sys.stdout.buffer, cursor)
            except Busy:
                if not options["follow"]:
                    raise CommandError("Another process writes for this cursor now.") from None
            except LeafGone as gone:
                raise CommandError(f"Leaf {gone.number} of the history is gone: manage.py verify_audit") from gone
            except AheadOfHistory as ahead:
                raise CommandError(
                    f"The cursor stands after leaf {ahead.position}, and the history ends with leaf {ahead.last}: "
                    "a backup was restored, or the end cut off. What to do: docs/streams.md."
                ) from ahead
            except ValueError as error:
                raise CommandError(f"The cursor cannot be read: {error}") from error
            except BrokenPipeError:
                # Whoever read has gone; nothing is left to flush at the end.
                sys.stdout = None
                raise CommandError("Nobody reads the lines any more.") from None
            except OSError as error:
                raise CommandError(f"The cursor or the output cannot be read or written: {error}") from error
            if not options["follow"] or over.wait(LOOK_EVERY):
                return
            close_old_connections()
