"""The recurring jobs: what anybody may call at any time, by the worker or from cron.

None of them guards anything. Access ends by the clock; they only write it down, tell people and clear away.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from django.db import transaction
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from approvals.services.closing import lapse_overdue
from audit import keys
from audit.anchors import Anchor, Tip, anchor, tip
from audit.kinds import Kind
from audit.models import Anchoring, Batch, Pending
from audit.services import sealing
from pim_portal.activity.progress import prune_downloads
from pim_portal.imports.services.applying import take_up_again
from pim_portal.imports.services.uploads import prune_uploads
from pim_portal.models import Heartbeat, PortalSession
from pim_portal.notifications.chat import deliver_chats
from pim_portal.notifications.digests import write_digests
from pim_portal.notifications.outbox import deliver
from pim_portal.notifications.pruning import prune_sent
from pim_portal.notifications.reminders import remind
from pim_portal.operations.vitals import MAIL, SWEEP
from pim_portal.overview.selectors.figures import WORLD
from pim_portal.overview.selectors.insights import INSIGHTS
from pim_portal.overview.selectors.licences import LICENCES
from pim_portal.overview.selectors.lists import SMALLER_ROLES
from pim_portal.streams import claims
from pim_portal.streams.delivery import deliver_hooks
from reviews.services.clockwork import keep_reviews_going
from roles.actors import Actor, Clock
from roles.models import StepUp
from roles.selectors.numbers import GIVEN_AT
from roles.service import record
from roles.services.ends import write_down_ends
from roles.sweeping import one_by_one
from roles.tallies import count_anew

logger = logging.getLogger(__name__)

SEND: Final = "send"
SEAL: Final = "seal"
WORKER: Final = "worker"

SECONDS: Final = 10.0  # how long one sweep goes on; what is left follows at once in the next task
CHUNK: Final = 50  # rows between two looks at the watch
FEW_TASKS: Final = 20  # with more than these the worker has enough to do
MAIL_EVERY: Final = timedelta(days=1)
STEP_UPS_KEPT: Final = timedelta(days=1)
COUNTS: Final = (WORLD, INSIGHTS, SMALLER_ROLES, GIVEN_AT, LICENCES)


class Recurring(NamedTuple):
    """A job that the worker does every so many minutes."""

    func: str
    minutes: int


SCHEDULES: Final = {
    "pim-sweep": Recurring("pim_portal.tasks.sweep", 1),
    "pim-send": Recurring("pim_portal.tasks.send", 1),
    "pim-seal": Recurring("pim_portal.tasks.seal", 1),
    "pim-chat": Recurring("pim_portal.tasks.chat", 1),
    "pim-hooks": Recurring("pim_portal.tasks.hooks", 1),
    "pim-count": Recurring("pim_portal.tasks.count", 1),
    "pim-scan": Recurring("pim_portal.tasks.scan_alerts", 5),
    "pim-archive": Recurring("pim_portal.tasks.archive", 24 * 60),
}


def ensure_schedules() -> None:
    """Make the worker's schedules exactly those of this page.

    Any other row goes: a schedule runs whatever it names, and one that cannot be read stops all the others.
    """
    with transaction.atomic():
        Schedule.objects.exclude(name__in=SCHEDULES).delete()
        for name, job in SCHEDULES.items():
            row, *doubles = [*Schedule.objects.filter(name=name).order_by("pk")] or [Schedule(name=name)]
            for double in doubles:
                double.delete()
            row.func, row.schedule_type, row.minutes, row.repeats = job.func, Schedule.MINUTES, job.minutes, -1
            row.args = row.kwargs = row.hook = row.cluster = None
            row.save()


def beat(name: str, *, clock: Clock) -> None:
    """Write down that a job ran to its end."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": clock()})


def send(*, clock: Clock) -> int:
    """Deliver the outbox; return how many mails left."""
    sent = deliver(clock=clock)
    beat(SEND, clock=clock)
    return sent


def seal(*, key_file: Path, anchors: Sequence[Anchor], clock: Clock, seconds: float = SECONDS) -> int:
    """Seal the events that wait, tell every anchor the new tip, and the auditors once a day; return how many events.

    Goes on for at most about `seconds`; what is left, the next run seals. Raises `KeyUnusable` without a key.
    """
    deadline = time.monotonic() + seconds
    key = _signing_key(key_file)
    sealed = 0
    while (batch := sealing.seal(key, clock=clock)) is not None:
        sealed += batch.size
        if time.monotonic() >= deadline:
            break
    here = tip()
    errors: list[Exception] = []
    if here is not None:
        if sealed:
            logger.info("The audit history was sealed up to %s", here.line)
        _tell_the_auditors(here, clock=clock)
        errors = anchor(here, anchors, clock=clock)
        # Nobody waits for one that the settings no longer name.
        Anchoring.objects.exclude(name__in=[MAIL, *(one.name for one in anchors)]).delete()
    if errors:
        raise errors[0]
    beat(SEAL, clock=clock)
    return sealed


def seal_soon() -> None:
    """Have what waits sealed by the next free hand of the worker."""
    if Pending.objects.exists():
        _soon("pim-seal")


def hooks_soon(*, clock: Clock) -> None:
    """Have what is due sent to the web hooks by the next free hand of the worker."""
    if claims.due(clock()).exists():
        _soon("pim-hooks")


def _soon(name: str) -> None:
    waiting = [row.func() for row in OrmQ.objects.order_by("pk")[:FEW_TASKS]]
    if len(waiting) < FEW_TASKS and SCHEDULES[name].func not in waiting:
        async_task(SCHEDULES[name].func, save=False)


def _signing_key(file: Path) -> keys.SigningKey:
    """Return the key; the very first one makes itself, while it can still be nobody else's place that it takes."""
    if not file.exists() and not Batch.objects.exists():
        try:
            return keys.make(file)
        except FileExistsError:
            logger.info("Another process has just made the audit key.")
    return keys.read(file)


def _tell_the_auditors(here: Tip, *, clock: Clock) -> None:
    """Record the tip once a day: the mail that tells of the event keeps it outside the portal."""
    with transaction.atomic():
        Anchoring.objects.get_or_create(name=MAIL)
        row = Anchoring.objects.select_for_update(no_key=True).get(name=MAIL)
        now = clock()
        if row.batch >= here.batch or (row.anchored_at and row.anchored_at > now - MAIL_EVERY):
            return
        details = {"batch": here.batch, "leaves": here.leaves, "tip": here.hash}
        record(Kind.HISTORY_ANCHORED, actor=Actor.portal(), at=now, details=details)
        row.batch, row.anchored_at = here.batch, now
        row.save()


def chat(*, clock: Clock) -> int:
    """Deliver the lines to chat channels; return how many were taken."""
    return deliver_chats(clock=clock)


def hooks(*, allow_private: bool, clock: Clock) -> int:
    """Send the history on to the web hooks; return how many messages were taken."""
    return deliver_hooks(allow_private=allow_private, clock=clock)


def count(*, clock: Clock, seconds: float = SECONDS) -> int:
    """Count anew what the figures of the pages show of what there is much of; return how many counts."""
    return count_anew(COUNTS, clock=clock, seconds=seconds)


def sweep(*, clock: Clock, seconds: float = SECONDS) -> int:
    """Write down what ended, lapsed and fell due, keep reviews going, clear away the rest; return how many rows.

    Goes on for at most about `seconds` and has the rest done by a task that follows at once. A part that fails does
    not keep the others from their work; its error is raised afterwards.
    """
    deadline = time.monotonic() + seconds
    writing_down = (write_down_ends, lapse_overdue, keep_reviews_going, remind, write_digests)
    clearing_away = (take_up_again, _prune, prune_uploads, prune_downloads, prune_sent)
    parts: tuple[Callable[..., int], ...] = (*writing_down, *clearing_away)
    try:
        written = one_by_one(
            parts,
            lambda part: _in_chunks(part, clock=clock, deadline=deadline),
            failed="A part of the sweep failed.",
        )
    finally:
        if time.monotonic() >= deadline:
            async_task(SCHEDULES["pim-sweep"].func, save=False)
    beat(SWEEP, clock=clock)
    return written


def _in_chunks(part: Callable[..., int], *, clock: Clock, deadline: float) -> int:
    written = 0
    while True:
        count = part(clock=clock, limit=CHUNK)
        written += count
        if count < CHUNK or time.monotonic() >= deadline:
            return written


def _prune(*, clock: Clock, limit: int) -> int:
    """Remove step-ups that nobody can use any more, and sessions that are over."""
    now: datetime = clock()
    old = StepUp.objects.filter(until__lt=now - STEP_UPS_KEPT).order_by("pk").values_list("pk", flat=True)[:limit]
    step_ups, _rows = StepUp.objects.filter(pk__in=list(old)).delete()
    over = PortalSession.objects.filter(expire_date__lt=now).order_by("pk").values_list("pk", flat=True)[:limit]
    sessions, _rows = PortalSession.objects.filter(pk__in=list(over)).delete()
    return step_ups + sessions
