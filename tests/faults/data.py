"""Faults of the database: stopped at once, amid people at work and amid a sweep; no room left on its disk."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.db import connections

from tests.faults.arena import Arena
from tests.faults.postgres import Cluster
from tests.faults.traffic import UNREACHABLE, traffic
from tests.faults.waiting import PATIENCE, until
from tests.faults.web import UNREACHED, ask, state
from tests.faults.work import drained, due_items, overdue
from tests.people import EXCHANGE_ADMINISTRATOR, configure, role

CLIENTS = 4
NO_ROOM = 4096  # bytes that a file may have


def stopped_amid_traffic(arena: Arena, cluster: Cluster, *, times: int = 2, seconds: float = 4) -> str:
    """PostgreSQL is stopped at once (pg_ctl stop -m immediate) and started again."""
    back = []
    with arena.processes.web(), traffic(arena.pairs(CLIENTS), arena.raw) as journal:
        until(lambda: journal.acts > CLIENTS, PATIENCE, "people work")
        for _each in range(times):
            connections.close_all()
            cluster.stop()
            time.sleep(seconds)
            cluster.start()
            started = time.monotonic()
            until(lambda: journal.last_done > started, PATIENCE, "somebody gets something done again")  # noqa: B023
            back.append(journal.last_done - started)
        done = journal.acts
        until(lambda: journal.acts > done + CLIENTS, PATIENCE, "people work on")
    said = arena.check(journal, faulty=UNREACHED)
    return f"{times} stops; first act {max(back):.1f} s after the return; {said}; only 503 meanwhile"


def stopped_amid_a_sweep(arena: Arena, cluster: Cluster, *, items: int = 200) -> str:
    """PostgreSQL is stopped at once while the worker writes ends down, which it does fifty at a time."""
    due_items(arena, items)
    with arena.processes.worker(**arena.mail):
        arena.hurry()
        until(lambda: overdue(arena) < items, PATIENCE, "the sweep is at work")
        left = overdue(arena)
        cluster.stop()
        assert left, "The sweep was done before anything was stopped."
        time.sleep(3)
        cluster.start()
        arena.repeats += 2
        took = drained(arena)
    arena.check()
    return (
        f"stopped with {left} of {items} ends to write; all written {took:.0f} s after the return; {arena.check_post()}"
    )


def disk_full(arena: Arena, cluster: Cluster | None = None) -> str:
    """No room is left where the database stands: nothing changes, and it goes on once there is room again."""
    pairs = arena.pairs(3)
    configure(role(EXCHANGE_ADMINISTRATOR), approval_required=False)
    connections.close_all()
    own_volume = _is_mount(arena.folder)
    if not own_volume and arena.postgresql:
        return "not tried: PostgreSQL on a full disk needs a volume of its own, and only root may mount one"
    limits = None if own_volume else _no_file_grows
    with arena.processes.web(limits=limits):
        before = state(arena.raw)
        pages = [pair.holder.get(f"/tasks/roles/activate/?eligibility={pair.eligibility}") for pair in pairs]
        assert all(page.statuses == (200,) for page in pages)
        with _filled(arena.folder) if own_volume else _nothing():
            answers = [_tried(pair, arena) for pair in pairs for _each in range(3)]
        if cluster is not None:
            cluster.start_again_if_it_stopped()
        until(
            lambda: state(arena.raw)["roles_assignment"] >= before["roles_assignment"], PATIENCE, "the database is back"
        )
        failed = [one for one in answers if one != 302]
        done = len(answers) - len(failed)
        now = state(arena.raw)
        # What fitted into the last free bytes is whole; the rest is absent.
        assert now["roles_assignment"] - before["roles_assignment"] <= done + (0 if not arena.postgresql else 1)
        assert failed, "The disk was not full."
        assert set(failed) <= {503, 0, 422}, answers
        if own_volume:
            again = [pair for pair in pairs if not _active(arena, pair.eligibility)]
            assert all(_retried(pair) for pair in again), "It does not go on."
    if not own_volume:
        with arena.processes.web():
            assert all(ask(pair) == 302 for pair in pairs)
    arena.check()
    how = (
        "a tmpfs of its own, filled" if own_volume else "RLIMIT_FSIZE on the web process, as there is no right to mount"
    )
    told = ", ".join(f"{answers.count(one)} × {one or 'no answer'}" for one in sorted(set(answers)))
    return f"{how}: {told}; nothing half done; went on without a restart of the portal"


def _active(arena: Arena, eligibility: str) -> int:
    source = f"REPLACE(CAST(activated_from_id AS TEXT), '-', '') = '{eligibility}' AND ended_at IS NULL"
    return arena.waiting("roles_assignment", source)


def _tried(pair: Any, arena: Arena) -> int:
    with suppress(*UNREACHABLE, AssertionError):
        return ask(pair)
    return arena.processes.asked("/readyz")


def _retried(pair: Any) -> bool:
    for _each in range(20):
        with suppress(*UNREACHABLE, AssertionError):
            if ask(pair) == 302:
                return True
        time.sleep(0.5)
    return False


def _is_mount(folder: Path) -> bool:
    return folder.is_mount()


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    """Leave no byte free on the volume of this folder."""
    ballast = folder / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"\0" * 4096)
        yield
    finally:
        ballast.unlink()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _no_file_grows() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (NO_ROOM, NO_ROOM))
