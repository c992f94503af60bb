"""Many visitors at once: how many pages a second one and two workers serve, and how long each takes then."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from tests.bench.databases import tell
from tests.bench.measuring import Measured, Site
from tests.bench.report import table
from tests.bench.serving import served
from tests.bench.visits import PAGES

NAMES = ("My roles", "Approvals that wait", "Directory: roles", "Audit history: newest")
WORKERS, VISITORS = (1, 2), (1, 2, 8)


def crowd(site: Site, folder: Path, *, seconds: float) -> str:
    """Return a table of pages a second; the visitors open the same few pages, each on a line of its own."""
    rows = []
    for workers in WORKERS:
        with served(folder, site.url, workers=workers) as port:
            for visitors in VISITORS:
                tell(f"{workers} worker(s), {visitors} visitor(s) at once.")
                done = _visit(site, port, visitors, seconds)
                rate = len(done.seconds) / seconds
                rows.append([workers, visitors, f"{rate:.0f}", f"{done.median:.0f}", f"{done.p95:.0f}"])
    return table(["workers", "visitors at once", "pages a second", "median (ms)", "p95 (ms)"], rows)


def _visit(site: Site, port: int, visitors: int, seconds: float) -> Measured:
    done, lock = Measured(), threading.Lock()
    pages = [page for page in PAGES if page.name in NAMES]
    until = time.monotonic() + seconds

    def visit(number: int) -> None:
        lines = {page.who: site.visitors[page.who].at(port) for page in pages}
        turn = number
        while time.monotonic() < until:
            page = pages[turn % len(pages)]
            took = lines[page.who].get(page.address(site.cast))
            assert took.status == 200, (page.name, took.status)
            with lock:
                done.seconds.append(took.seconds)
            turn += 1

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done
