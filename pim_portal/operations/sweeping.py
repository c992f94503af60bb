"""Having the sweep go on at once where somebody waits for what it does: the schedule would come within the minute."""

from __future__ import annotations

from typing import Final

from django_q.models import OrmQ
from django_q.tasks import async_task

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.operations.services import FEW_TASKS, SCHEDULES

AWAITED: Final = frozenset({Kind.REVIEW_CREATED, Kind.REVIEW_STOPPED, Kind.REVIEW_APPLYING})


def sweep_soon(event: Event) -> None:
    """Enqueue a sweep, in the transaction of an event that somebody waits to see go on, if none waits already.

    An act that goes on in chunks says so in the details of its first (`more`).
    """
    awaited = event.kind in AWAITED or bool(event.details.get("more"))
    if not awaited or event.actor_id is None or event.outcome != Outcome.DONE:
        return
    waiting = [row.func() for row in OrmQ.objects.order_by("pk")[:FEW_TASKS]]
    if len(waiting) < FEW_TASKS and SCHEDULES["pim-sweep"].func not in waiting:
        async_task(SCHEDULES["pim-sweep"].func, save=False)
