"""Staging a race: the second starts after the first has decided and before it commits.

So the race is lost every time a lock is missing, not once in a while. Works on both databases: on PostgreSQL the
second is seen to wait for a lock, on SQLite for the one write lock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

PATIENCE = 10  # seconds after which a race is stuck
Act = Callable[[], Any]


@dataclass
class Result:
    """What one side of a race came to."""

    value: Any = None
    error: BaseException | None = None


def race(first: Act, second: Act, *, meanwhile: Act = lambda: None) -> tuple[Result, Result]:
    """Run `second` while `first` has done its work and not committed; return what each came to.

    `meanwhile` happens while the second waits.
    """
    decided, go = threading.Event(), threading.Event()
    results = (Result(), Result())

    def run_first() -> None:
        try:
            with transaction.atomic():
                results[0].value = first()
                decided.set()
                go.wait(PATIENCE)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            results[0].error = error
        finally:
            decided.set()
            connection.close()

    def run_second() -> None:
        try:
            results[1].value = second()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            results[1].error = error
        finally:
            connection.close()

    one = threading.Thread(target=run_first)
    two = threading.Thread(target=run_second)
    one.start()
    assert decided.wait(PATIENCE)
    two.start()
    _until_it_waits_or_is_done(two)
    meanwhile()
    go.set()
    one.join(PATIENCE)
    two.join(PATIENCE)
    assert not one.is_alive()
    assert not two.is_alive()
    return results


def _until_it_waits_or_is_done(thread: threading.Thread) -> None:
    until = time.monotonic() + (PATIENCE if connection.vendor == "postgresql" else 0.3)
    while thread.is_alive() and time.monotonic() < until and not _somebody_waits_for_a_lock():
        thread.join(0.02)


def _somebody_waits_for_a_lock() -> bool:
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


def at_once(*acts: Act) -> list[Result]:
    """Run all of them at the same moment, each in a thread of its own."""
    barrier = threading.Barrier(len(acts))
    results = [Result() for _ in acts]

    def run(act: Act, result: Result) -> None:
        try:
            barrier.wait(PATIENCE)
            result.value = act()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            result.error = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in zip(acts, results, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3 * PATIENCE)
        assert not thread.is_alive()
    return results
