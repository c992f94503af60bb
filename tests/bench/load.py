"""Fill the empty PostgreSQL that DATABASE_URL names with a large history: python -m tests.bench.load 1000000.

A history that is in use is left alone: there is no way to take such events out again.
"""

from __future__ import annotations

import argparse
import sys
import time

import django


def main() -> None:
    """Migrate, build the organisation, write the events; the key is the one of the settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=int, nargs="?", default=1_000_000)
    events = parser.parse_args().events
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.utils import timezone

    from audit import keys
    from audit.models import Leaf
    from tests.bench import history, organisation

    call_command("migrate", verbosity=0)
    if Leaf.objects.exists():
        sys.exit("There is a history in this database already.")
    file = settings.PIM_AUDIT_KEY
    key = keys.read(file) if file.exists() else keys.make(file)
    organisation.build()
    began = time.monotonic()
    history.fill(events, key, until=timezone.now())
    sys.stdout.write(f"{events:,} events in {time.monotonic() - began:.0f} s.\n")


if __name__ == "__main__":
    main()
