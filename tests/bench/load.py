"""Fill the empty PostgreSQL that DATABASE_URL names with an organisation of a stated size.

python -m tests.bench.load 100000                  # assignments, as many requests, ten times the events
python -m tests.bench.load --events-only 1000000   # events about a small organisation

A history that is in use is left alone: there is no way to take such events out again. `make bench` builds what is the
same at every size once (`--base`), and fills copies of that database (`--filled-base`).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

import django

EVENTS_EACH = 10  # of an assignment


def main() -> None:
    """Migrate, build the organisation, write what it did; the key is the one of the settings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", type=int, nargs="?", default=100_000)
    parser.add_argument("--events-only", action="store_true")
    parser.add_argument("--base", action="store_true", help="build only what is the same at every size")
    parser.add_argument("--filled-base", action="store_true", help="that is there already")
    parser.add_argument("--cast", type=Path, default=Path("cast.json"), help="what visitors need to know of the base")
    given = parser.parse_args()
    django.setup()
    began = time.monotonic()
    if not given.filled_base:
        _base(given.cast, small=given.events_only)
    if not given.base:
        _fill(given.size, None if given.events_only else given.cast)
        sys.stderr.write(f"{given.size:,} in {time.monotonic() - began:.0f} s.\n")


def _base(cast_file: Path, *, small: bool) -> None:
    from django.core.management import call_command
    from django.utils import timezone

    from audit.models import Leaf
    from tests.bench import cast, organisation

    call_command("migrate", verbosity=0)
    if Leaf.objects.exists():
        sys.exit("There is a history in this database already.")
    if small:
        organisation.build()
    else:
        cast_file.write_text(json.dumps(asdict(cast.build(timezone.now()))))


def _fill(size: int, cast_file: Path | None) -> None:
    from django.conf import settings
    from django.utils import timezone

    from audit import keys
    from tests.bench import crowd, history, holdings

    events = size
    if cast_file is not None:
        cast = json.loads(cast_file.read_text())
        around = holdings.Around(asker=UUID(cast["asker"]), approver=UUID(cast["approver"]))
        holdings.fill(size, crowd.gather(size), around, now=timezone.now())
        events = EVENTS_EACH * size
    file = settings.PIM_AUDIT_KEY
    history.fill(events, keys.read(file) if file.exists() else keys.make(file), until=timezone.now())


if __name__ == "__main__":
    main()
