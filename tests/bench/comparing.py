"""Beside others in the same run: psql's own export, the bare SQL of a sweep, and other packages for Django."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pim_portal.environment import BASE_DIR
from tests import postgres
from tests.bench.databases import Cluster, tell
from tests.bench.measuring import Site
from tests.bench.report import table
from tests.bench.serving import environment, served


def compare(site: Site, cluster: Cluster, *, due: int, rivals: Path | None) -> Iterator[str]:
    """Yield a table for each comparison; each sentence says what is compared."""
    yield _export(site, cluster)
    yield _packages(site, cluster, rivals)
    yield _least(site, cluster)
    if due:
        yield _sweep(cluster, due)


def _export(site: Site, cluster: Cluster) -> str:
    tell("The whole history as a file, and psql's \\copy of the same rows.")
    into = cluster.folder / "theirs.csv"
    statement = _inside(cluster, site.url, "statement")["statement"]
    script = cluster.folder / "copy.sql"
    script.write_text(f"\\copy ({statement}) TO '{into}' (FORMAT csv)\n")
    _psql(site.url, script)  # Whoever reads first waits for the disk, three times as long.
    with served(cluster.folder, site.url, workers=1) as port:
        ours = site.visitors["nina.auditor"].at(port).get("/activity/audit/?download=csv")
    assert ours.status == 200
    seconds = _psql(site.url, script)
    size = into.stat().st_size
    rows = [
        ["Audit history, CSV over HTTP", f"{ours.seconds:.1f}", f"{ours.size / 2**20:.0f}"],
        ["psql `\\copy` of the same columns", f"{seconds:.1f}", f"{size / 2**20:.0f}"],
    ]
    ratio = f"{ours.seconds / seconds:.2f} times as long as `\\copy` takes"
    said = f"The whole directory's part of a history of {10 * site.size:,} events as a file; {ratio}."
    return said + "\n\n" + table(["Export", "seconds", "MB"], rows)


def _psql(url: str, script: Path) -> float:
    programs = postgres.binaries()
    assert programs is not None
    place, _slash, name = url.removeprefix("postgres://").rpartition("/")
    user, _at, host = place.partition("@")
    command = [
        str(programs / "psql"),
        "-q",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        "/" + host.lstrip("/"),
        "-U",
        user,
        "-d",
        name,
    ]
    began = time.perf_counter()
    subprocess.run([*command, "-f", str(script)], check=True)
    return time.perf_counter() - began


def _inside(cluster: Cluster, url: str, *what: str) -> dict[str, Any]:
    """Measure in a process of the portal's own; return what it says."""
    command = [sys.executable, "-m", "tests.bench.inside", *what]
    done = subprocess.run(
        command, cwd=BASE_DIR, env=environment(cluster.folder, url), check=True, stdout=subprocess.PIPE, text=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _packages(site: Site, cluster: Cluster, python: Path | None) -> str:
    tell("has_perm and recording, beside other packages.")
    ours = _inside(cluster, site.url, "calls")
    rows = [[name, *figures] for name, figures in ours.items()]
    if python is not None:
        url = cluster.copy("bench_rivals", "template0")
        kept = {name: value for name, value in environment(cluster.folder, url).items() if not name.startswith("PIM_")}
        kept |= {"DJANGO_SETTINGS_MODULE": "tests.bench.rivals.settings", "PYTHONPATH": str(BASE_DIR)}
        command = [str(python), "-m", "tests.bench.rivals.run", str(site.size)]
        done = subprocess.run(command, cwd=BASE_DIR, env=kept, check=True, stdout=subprocess.PIPE, text=True)
        rows += [[name, *figures] for name, figures in json.loads(done.stdout).items()]
    said = (
        "A call each, inside the process and in a transaction where it writes. Ours asks what is held at this moment;"
        " the others read a fixed grant, of a user fetched anew. What we record has its text apart, salted commitments,"
        " and its mails in the same transaction."
    )
    return said + "\n\n" + table(["Call", "median (ms)", "p95 (ms)", "queries"], rows)


def _least(site: Site, cluster: Cluster) -> str:
    tell("The least that a list and an act take with these libraries.")
    rows = [[name, *figures] for name, figures in _inside(cluster, site.url, "least").items()]
    said = (
        "What Django and django-tables2 take by themselves on this machine, inside the process: a list without sign-in,"
        " links, filters or a page around it, and the queries of an act without what they are for."
    )
    return said + "\n\n" + table(["The least", "median (ms)", "p95 (ms)", "queries"], rows)


def _sweep(cluster: Cluster, due: int) -> str:
    tell(f"Writing down the ends of {due:,} assignments.")
    url = cluster.copy("bench_sweep", "bench_base")
    told = _inside(cluster, url, "sweep", str(due))
    rows = [[name, f"{seconds:.1f}", f"{1000 * seconds / due:.3f}"] for name, seconds in told["seconds"].items()]
    ours, bare = told["seconds"].values()
    said = (
        f"{due:,} assignments that are over, written down with their events: by the sweep, a transaction each under its"
        f" holder's lock, and by one statement of SQL that writes the same rows; {ours / bare:.0f} times as long."
        " Access ended before, by the clock."
    )
    return said + "\n\n" + table(["Sweep", "seconds", "ms each"], rows)
