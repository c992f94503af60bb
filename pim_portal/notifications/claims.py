"""Taking rows of the outbox one at a time, and writing down what came of each attempt.

A row is claimed in a short transaction that counts the attempt and leaves a lease, sent outside any transaction, and
marked by compare-and-set. A crash in between sends it once more after the lease, under the same Message-ID.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from pim_portal.models import Notification, NotificationState
from roles.actors import Clock

logger = logging.getLogger(__name__)

# Longer than any one sending can take.
LEASE: Final = timedelta(minutes=5)
# Eight attempts over six hours: 3, 6, 12 ... minutes apart. A server that cannot be reached costs no attempt at all.
FIRST_RETRY: Final = timedelta(minutes=3)
MAX_ATTEMPTS: Final = 8
GIVE_UP_AFTER: Final = timedelta(days=3)

MAILS: Final = Q(channel="")
CHATS: Final = ~Q(channel="")


def due(now: datetime, which: Q = MAILS) -> QuerySet[Notification]:
    """Return the rows that wait and whose next attempt has come."""
    return Notification.objects.filter(which, state=NotificationState.WAITING, next_attempt_at__lte=now)


def claim(now: datetime, which: Q = MAILS) -> Notification | None:
    """Take the next row that is due: counted before it is sent, so that one which kills its sender ends some time."""
    with transaction.atomic():
        rows = due(now, which).select_for_update(skip_locked=True, of=("self",))
        row = rows.order_by("next_attempt_at", "created_at", "pk").first()
        if row is not None:
            row.attempts += 1
            row.next_attempt_at = now + LEASE
            row.save(update_fields=["attempts", "next_attempt_at"])
        return row


def refused(row: Notification, error: str, *, final: bool, clock: Clock) -> bool:
    """Write down that this attempt failed: tried again later, or set aside where that would change nothing."""
    if final or row.attempts >= MAX_ATTEMPTS:
        return set_aside(row, error)
    wait = FIRST_RETRY * 2 ** (row.attempts - 1)
    write(row, next_attempt_at=clock() + wait, last_error=error)
    return False


def set_aside(row: Notification, error: str) -> bool:
    """Give a row up until somebody sends it again."""
    logger.error("The mail %s was set aside: %s", row.pk, error)
    write(row, state=NotificationState.FAILED, last_error=error)
    return False


def drop(row: Notification, why: str) -> bool:
    """Write down that there is nothing to tell any more; of what was kept for a digest neither."""
    if write(row, state=NotificationState.DROPPED, last_error=why):
        kept = row.gathered.filter(state=NotificationState.GATHERED)
        kept.update(state=NotificationState.DROPPED, last_error=why)
    return False


def write(row: Notification, **values: object) -> bool:
    """Write what came of this attempt, unless another sender has claimed the row since."""
    mine = Notification.objects.filter(pk=row.pk, state=NotificationState.WAITING, attempts=row.attempts)
    return mine.update(**values) == 1
