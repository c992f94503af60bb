"""Break things on purpose and see that the invariants hold: python -m tests.faults [sqlite] [postgresql].

Each database is tried by a process of its own, which connects to it as the portal does.
"""

# ruff: noqa: T201 - a command that prints
from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults.postgres import Cluster
from tests.faults.volume import volume

DATABASES = ("sqlite", "postgresql")
ROOM = {"sqlite": 160, "postgresql": 400}  # megabytes of the volume that a database gets
WIDTH = 110
BAD, NOT_TRIED, GOOD = "BROKEN", "not tried", "holds"


class Line(NamedTuple):
    """A fault, what was done, and what the invariants said of it."""

    database: str
    fault: str
    seen: str
    seconds: float
    verdict: str


def main(wanted: list[str]) -> int:
    if wanted[:1] == ["--inside"]:
        return inside(wanted[1], Path(wanted[2]))
    # Whatever ends it, nothing is left behind.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    failed = 0
    print(f"{'fault':44}{'seconds':>8}  verdict\n")
    for database in wanted or DATABASES:
        with tempfile.TemporaryDirectory(prefix="pim-faults-") as folder:
            os.chmod(folder, 0o755)  # noqa: S103 - PostgreSQL runs as somebody else
            failed += on(database, Path(folder))
    return 1 if failed else 0


def on(database: str, folder: Path) -> int:
    """Try everything on one database, in a process of its own."""
    # The stand-in for a disk that is full needs a volume of its own; the whole database stands on it.
    with volume(folder, ROOM[database]):
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment["DJANGO_SETTINGS_MODULE"] = "tests.settings"
        command = [sys.executable, "-m", "tests.faults", "--inside", database, str(folder)]
        if database == "sqlite":
            environment["DATABASE_URL"] = f"sqlite:///{folder}/pim.sqlite3"
            return subprocess.run(command, env=environment, check=False).returncode
        cluster = Cluster(folder / "cluster")
        cluster.make()
        try:
            environment["DATABASE_URL"] = cluster.url
            return subprocess.run(command, env=environment, check=False).returncode
        finally:
            cluster.start_again_if_it_stopped()
            cluster.stop("fast")


def inside(database: str, folder: Path) -> int:
    import django

    django.setup()
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    from django.core.management import call_command
    from django.db import connections

    from tests.faults import clock, data, post, web, work
    from tests.faults.arena import Arena, arena

    call_command("migrate", verbosity=0)
    connections.close_all()
    cluster = Cluster(folder / "cluster") if database == "postgresql" else None
    url = cluster.raw_url if cluster is not None else f"sqlite:///{folder}/pim.sqlite3"
    with_cluster: list[Any] = [data.stopped_amid_traffic, data.stopped_amid_a_sweep] if cluster is not None else []
    faults: list[Callable[[Arena], str]] = [
        web.history_refuses,
        web.rows_blocked,
        *(partial(fault, cluster=cluster) for fault in with_cluster),
        *([web.lines_cut] if cluster is not None else []),
        work.queue_children_killed,
        work.secret_changed,
        post.mail_server_in_every_mood,
        clock.jumping_clock,
        web.web_workers_killed,
        web.hundred_at_once,
        partial(data.disk_full, cluster=cluster),
    ]
    only = os.environ.get("PIM_FAULTS", "").split(",")
    failed = 0
    with arena(folder, url) as there:
        for fault in faults:
            if any(part in _name(fault) for part in only):
                failed += tell(tried(database, fault, there))
    return failed


def _name(fault: Callable[..., str]) -> str:
    return str(getattr(fault, "func", fault).__name__)


def tried(database: str, fault: Callable[..., str], there: object) -> Line:
    began = time.monotonic()
    try:
        seen = fault(there)
        verdict = NOT_TRIED if seen.startswith(NOT_TRIED) else GOOD
    except Exception as error:  # noqa: BLE001 - told in the table, and the others are tried all the same
        traceback.print_exc()
        seen, verdict = str(error) or repr(error), BAD
    return Line(database, _name(fault).replace("_", " "), seen, time.monotonic() - began, verdict)


def tell(line: Line) -> int:
    print(f"{f'{line.database}: {line.fault}':44}{line.seconds:8.0f}  {line.verdict}")
    print(textwrap.indent(textwrap.fill(line.seen, WIDTH), "    "), flush=True)
    return line.verdict == BAD


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
