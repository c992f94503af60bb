"""Faults of the worker: its children killed one by one, the secret changed while its queue is full."""

from __future__ import annotations

import time

from django.conf import settings
from django.db import connections
from django.utils import timezone
from django_q.tasks import async_task

from pim_portal.operations.services import SCHEDULES
from tests.faults.arena import Arena
from tests.faults.processes import cluster_of, kill
from tests.faults.waiting import PATIENCE, until
from tests.people import HOUR, request_activation
from tests.served import Visitor

HEALED = 300  # seconds until everything is done after a kill
NEW_SECRET = "Zk4wT9bVq2LxH7cNf0RmYs8GdJ3pAeUi6oQhXrCtWvEnBzKlMgSaDyPj"


def due_items(arena: Arena, count: int) -> None:
    """So many activations whose time is over, and the mails of their beginning and end."""
    now = timezone.now()
    for holder, _approver, eligibility in arena.people(count, approved=False):
        request_activation(holder, eligibility, now=now - 2 * HOUR, hours=1)
    connections.close_all()


def overdue(arena: Arena) -> int:
    now = "now()" if arena.postgresql else "strftime('%Y-%m-%d %H:%M:%f', 'now')"
    return arena.waiting("roles_assignment", f"ended_at IS NULL AND ends_at <= {now}")


def drained(arena: Arena, *, within: float = HEALED) -> float:
    """Wait until every end is written down and every mail sent; return how long it took, in seconds.

    The minutes between two schedules, and between two attempts at a mail, are skipped once nothing moves.
    """
    began = looked = time.monotonic()
    before = -1

    def done() -> bool:
        nonlocal looked, before
        left = overdue(arena) + arena.waiting()
        if left and time.monotonic() - looked > 4:
            if left == before:
                arena.hurry()
            before, looked = left, time.monotonic()
        return not left

    until(done, within, "everything is done")
    return time.monotonic() - began


def queue_children_killed(arena: Arena, *, items: int = 8) -> str:
    """SIGKILL of each child of django-q2's cluster, with work to do."""
    seen = []
    with arena.processes.worker(**arena.mail) as supervised:
        for name in ("idle worker", "other worker", "monitor", "pusher", "guard (sentinel)", "main process"):
            until(lambda: cluster_of(supervised), PATIENCE, "the cluster is there")
            due_items(arena, items)
            arena.hurry()
            for pid in cluster_of(supervised).get(name, []):
                kill(pid)
            arena.repeats += 1
            seen.append(f"{name} {drained(arena):.0f} s")
            arena.check()
    mails = arena.check_post()
    return f"all done after: {', '.join(seen)}; {mails}, none lost"


def secret_changed(arena: Arena, *, tasks: int = 40) -> str:
    """The secret is another one while the queue is full: its tasks cannot be read any more."""
    due_items(arena, 10)
    for number in range(tasks):
        async_task([job.func for job in SCHEDULES.values()][number % len(SCHEDULES)], save=False)
    holder, _approver, _eligibility = arena.people(1)[0]
    visitor = Visitor(arena.processes.served, holder)
    connections.close_all()
    queued = arena.waiting("django_q_ormq", "1 = 1")
    rotated = {"PIM_SECRET_KEY": NEW_SECRET, "PIM_SECRET_KEY_FALLBACKS": settings.SECRET_KEY}
    with arena.processes.worker(**(arena.mail | rotated)):
        arena.hurry()
        took = drained(arena)
    with arena.processes.web(**rotated):
        page = visitor.get("/tasks/roles/").statuses
        assert page in ((200,), (302, 200)), page
    arena.check()
    return (
        f"{queued} tasks in the queue; every end written down and every mail sent in {took:.0f} s; {arena.check_post()}"
    )
