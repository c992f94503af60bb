"""Measure the portal at several sizes, as production runs it: make bench (or, on an empty PostgreSQL of one's own,
DATABASE_URL=... python -m tests.bench.run 1000 100000).

The tables go to standard output, how far it is to standard error. Every database that it makes is its own.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import django


def main() -> None:
    """Load each size, count, measure, compare, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", type=int, nargs="*", default=[1_000, 100_000])
    parser.add_argument("--samples", type=int, default=40, help="of each page and act at each size")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement of many at once")
    parser.add_argument(
        "--due", type=int, default=100_000, help="assignments that the sweep writes down; 0: leave it out"
    )
    parser.add_argument("--rivals", type=Path, help="the Python of the environment with the packages to compare with")
    given = parser.parse_args()
    url = os.environ["DATABASE_URL"]
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    from tests.bench import comparing, crowding, measuring, report
    from tests.bench.databases import Cluster

    with tempfile.TemporaryDirectory(prefix="pim-bench-") as name:
        cluster = Cluster(url, Path(name))
        cast = cluster.base()
        sites = [measuring.site_of(size, cluster.filled(size), cast) for size in sorted(set(given.sizes))]
        for site in sites:
            measuring.count(site, cluster.folder)
        measuring.measure(sites, cluster.folder, samples=given.samples)
        say("## Pages and acts", report.CLIENT, report.pages(sites), report.summary(sites))
        crowded = crowding.crowd(sites[-1], cluster.folder, seconds=given.seconds)
        say(f"## Many at once, {sites[-1].size:,} assignments", crowded)
        say("## Beside others", *comparing.compare(sites[-1], cluster, due=given.due, rivals=given.rivals))
        say(report.machine())


def say(*parts: str) -> None:
    """Print what is done: a run that breaks off later has told it."""
    sys.stdout.write("\n\n".join(parts) + "\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
