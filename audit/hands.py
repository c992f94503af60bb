"""Several processes that check leaves ahead of a verification, which itself goes on batch after batch, in order.

What they find counts only when the verification comes to that batch: by then it knows that the batch is signed and
follows on the one before, so that the first wrong thing is the same as without them.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections

from audit.findings import Erasures, Finding, Wrong
from audit.leaves import Checked, check_leaves
from audit.models import Batch
from audit.spawned import begin
from audit.verifying import UNREADABLE, LeafCheck, unreadable

AHEAD: Final = 8  # batches that wait for each process
Span = tuple[int, int, int]  # a batch, its first and its last leaf


@contextmanager
def hands(processes: int) -> Iterator[LeafCheck]:
    """Give what checks the leaves of batches, asked for in their order, in so many processes."""
    # Not forked: a child would share the connection to the database.
    context = multiprocessing.get_context("spawn")
    name = connections[DEFAULT_DB_ALIAS].settings_dict["NAME"]
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=begin, initargs=(str(name),))
    waiting: dict[Span, Future[Checked | Finding]] = {}
    coming: Iterator[Span] | None = None

    def check(batch: int, first: int, last: int, erasures: Erasures) -> Checked:
        nonlocal coming
        coming = coming or _spans(batch)
        for span in islice(coming, AHEAD * processes - len(waiting)):
            waiting[span] = pool.submit(_check, span)
        future = waiting.pop((batch, first, last), None)
        found = future.result() if future else _check((batch, first, last))
        if isinstance(found, Finding):
            raise Wrong.of(found)
        return found

    try:
        yield check
    finally:
        pool.shutdown(cancel_futures=True)


def _spans(batch: int) -> Iterator[Span]:
    rows = Batch.objects.filter(number__gte=batch).order_by("number").values_list("number", "first", "size")
    return ((number, first, first + size - 1) for number, first, size in rows.iterator())


_erasures: Erasures | None = None


def _check(span: Span) -> Checked | Finding:
    global _erasures
    try:
        _erasures = _erasures or Erasures()
        return check_leaves(*span, _erasures)
    except Wrong as wrong:
        return wrong.finding
    except UNREADABLE as error:
        return unreadable(span[0], error)
