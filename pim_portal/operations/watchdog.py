"""The watchdog over the worker: a killed child of django-q2's cluster can hang it for good, while it looks alive.

It puts a small task into the queue now and then. The task must not only run, its row must also be taken off the queue,
so this notices a worker that takes nothing and one that cannot write down what it has done.
"""

from __future__ import annotations

import logging
import time
from typing import Final

from django.db import DatabaseError
from django_q.models import OrmQ
from django_q.tasks import async_task

logger = logging.getLogger(__name__)

HEARTBEAT: Final = "pim_portal.tasks.heartbeat"
ASK_EVERY: Final = 10.0  # seconds between an answer and the next question
# Longer than the longest task, as both hands of the worker may be full.
STALLED_AFTER: Final = 45.0


class Watchdog:
    """Asks, and says when there was neither an answer nor any other progress for too long."""

    def __init__(self, *, ask_every: float = ASK_EVERY, stalled_after: float = STALLED_AFTER) -> None:
        self.ask_every = ask_every
        self.stalled_after = stalled_after
        self.started_anew()

    def started_anew(self) -> None:
        """Forget the question that a worker of before has not answered."""
        self.question: int | None = None
        self.ahead = 0
        self.since = time.monotonic()
        self.ask_at = self.since

    def is_stalled(self) -> bool:
        """Ask when it is time to, and return whether the worker hangs."""
        try:
            return self._look()
        except DatabaseError as error:
            # Without the database there is no answer to be had, and nothing to blame the worker for.
            logger.warning("The watchdog cannot ask the database: %s", error)
            self.since = time.monotonic()
            return False

    def _look(self) -> bool:
        now = time.monotonic()
        if self.question is None:
            if now >= self.ask_at:
                self._ask()
            return False
        if not OrmQ.objects.filter(pk=self.question).exists():
            self.question = None
            self.ask_at = now + self.ask_every
            return False
        ahead = self._waiting()
        if ahead < self.ahead:
            self.ahead, self.since = ahead, now
        return now - self.since > self.stalled_after

    def _ask(self) -> None:
        task_id = async_task(HEARTBEAT, save=False)
        row = next((row for row in OrmQ.objects.order_by("-pk") if row.task_id() == task_id), None)
        # Answered already, perhaps.
        self.question = row.pk if row else None
        self.since = time.monotonic()
        self.ask_at = self.since + self.ask_every
        self.ahead = self._waiting()

    def _waiting(self) -> int:
        return OrmQ.objects.filter(pk__lte=self.question).count() if self.question else 0

    def give_up(self) -> None:
        """Take the unanswered question off the queue, before the worker is started anew."""
        try:
            OrmQ.objects.filter(pk=self.question).delete()
        except DatabaseError as error:
            logger.warning("The watchdog cannot clear its question away: %s", error)
        self.started_anew()
