"""What hears of every event, and writes the mails that follow from it into the outbox, in the event's transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from django_q.models import OrmQ
from django_q.tasks import async_task

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.models import Notification
from pim_portal.notifications.catalogue import MAILS

SEND: Final = "pim_portal.tasks.send"
# One run delivers everything that is due. Where this many tasks wait, another one would not make it sooner, and
# without a worker (only `manage.py tick` from cron) the queue must not grow for ever.
ENOUGH_TASKS: Final = 20

_untold: ContextVar[bool] = ContextVar("untold", default=False)


@contextmanager
def untold() -> Iterator[None]:
    """Record events without telling anybody: for a history that is brought in from elsewhere, such as the sample's."""
    token = _untold.set(True)
    try:
        yield
    finally:
        _untold.reset(token)


def tell(event: Event) -> None:
    """Write a row for each mail to each person that this event calls for, and have them sent after the commit.

    The rows have unique keys, so no mail is written twice for one event, recipient and kind. The task row belongs to
    the transaction, too; if it is lost the schedule finds what is due.
    """
    if _untold.get() or event.outcome != Outcome.DONE:
        return
    rows = [
        Notification(
            event=event,
            recipient=recipient,
            mail=mail.name,
            dedupe_key=f"{event.uuid}:{mail.name}:{recipient.pk}",
        )
        for mail in MAILS.get(Kind(event.kind), ())
        for recipient in mail.to(event)
    ]
    if not rows:
        return
    Notification.objects.bulk_create(rows)
    if OrmQ.objects.count() < ENOUGH_TASKS:
        async_task(SEND, save=False)
