"""The tables of a run, as Markdown."""

from __future__ import annotations

import os
import platform
import timeit
from collections.abc import Iterable, Sequence

from tests.bench.measuring import Measured, Site
from tests.bench.visits import ACTS, PAGES

CLIENT = (
    "One client, one request at a time: Python's http.client over a kept connection, from the first byte sent to the"
    " last byte read. One gunicorn worker of eight threads; the sizes are asked in turn."
)

BEST = 0.05  # of the paces that a machine had: the very best may be a slip of the clock


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; every column but the first is of figures."""
    lines = [f"| {' | '.join(header)} |", f"|---|{'---:|' * (len(header) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])


def machine() -> str:
    """Say what the run ran on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    counting = 1000 * min(timeit.repeat("sum(range(10**7))", number=1))
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.release()}, Python"
        f" {platform.python_version()}, in which sum(range(10**7)) takes {counting:.0f} ms; load at the end {load:.1f}."
    )


def pages(sites: Sequence[Site]) -> str:
    """Return the table of pages and acts: medians and p95 at each size, the ratio of the largest to the smallest."""
    smallest, largest, best = sites[0], sites[-1], _share(paces(sites), BEST)
    columns = [f"{name} at {site.size:,}" for name in ("median", "p95", "p95 paced") for site in sites]
    header = ["Page or act (ms)", *columns, "goal", "ratio", "queries", "KB", "SQL share"]
    rows = []
    for one in (*PAGES, *ACTS):
        here, there = largest.of(one.name), smallest.of(one.name)
        queries = f"{here.queries}" if here.queries == there.queries else f"{here.queries} (was {there.queries})"
        measured = [site.of(one.name) for site in sites]
        rows.append([
            one.name, *(f"{at.median:.1f}" for at in measured), *(_p95(at, one.goal) for at in measured),
            *(_against(at.paced(0.95, best), one.goal) for at in measured), one.goal,
            f"{here.median / there.median:.2f}", queries, f"{here.size / 1024:.0f}",
            f"{100 * min(1, 1000 * here.sql_seconds / here.median):.0f} %",
        ])  # fmt: skip
    return table(header, rows)


def _counts(met: Sequence[tuple[int, int]]) -> str:
    return ", ".join(f"{count} at {size:,}" for size, count in met)


def _p95(measured: Measured, goal: int) -> str:
    failed = f" ({measured.failed} failed)" if measured.failed else ""
    return _against(measured.p95, goal) + failed


def _against(took: float, goal: int) -> str:
    return f"{took:.1f}{'' if took <= goal else ' ✗'}"


def paces(sites: Sequence[Site]) -> list[float]:
    """The pace of the machine beside each answer of the run, in seconds, the best first."""
    return sorted(pace for site in sites for measured in site.measured.values() for pace in measured.paces)


def _share(ordered: Sequence[float], share: float) -> float:
    return ordered[int(share * len(ordered))]


def summary(sites: Sequence[Site]) -> str:
    """Say how many goals were met, and how many pages grew by more than 1.3."""
    smallest, largest = sites[0], sites[-1]
    every = (*PAGES, *ACTS)
    found = paces(sites)
    best, middle, slow = (_share(found, share) for share in (BEST, 0.5, 0.95))
    met = [(site.size, sum(site.of(one.name).p95 <= one.goal for one in every)) for site in sites]
    paced = [(site.size, sum(site.of(one.name).paced(0.95, best) <= one.goal for one in every)) for site in sites]
    steady = sum(largest.of(one.name).median <= 1.3 * smallest.of(one.name).median for one in every)
    constant = sum(largest.of(one.name).queries == smallest.of(one.name).queries for one in every)
    ms = [f"{1000 * one:.2f}" for one in (best, middle, slow)]
    return (
        f"Within their goal at the 95th percentile: {_counts(met)} of {len(every)}. A fixed piece of work beside each"
        f" answer took {ms[0]} ms in the best {BEST:.0%}, {ms[1]} in the median, {ms[2]} at the 95th percentile: so"
        f" much the machine itself varied. Reckoned for each answer at that best pace (paced) within their goal:"
        f" {_counts(paced)}. At {largest.size:,} assignments, as many requests and {10 * largest.size:,} events"
        f" {steady} take at most 1.3 times as long as at {smallest.size:,}; {constant} ask as many queries."
    )
