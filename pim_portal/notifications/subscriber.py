"""What hears of every event, and writes the mails that follow from it into the outbox, in the event's transaction."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from django_q.models import OrmQ
from django_q.tasks import async_task

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.models import Notification
from pim_portal.notifications.catalogue import MAILS, ROLES_IMPORTED
from pim_portal.notifications.recipients import holders_of_many

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
    if rows:
        Notification.objects.bulk_create(rows)
        _have_them_sent()


def tell_many(events: Sequence[Event], batch: uuid.UUID) -> None:
    """Tell each person concerned once of an import, whatever it brought them; see `tell`.

    The assignments of an import are told in one mail to each holder: they are found by its moment when it is sent.
    Another kind of event that comes with them is told as ever.
    """
    added = [event for event in events if event.kind == Kind.ASSIGNMENT_ADDED and event.outcome == Outcome.DONE]
    for event in events:
        if event.kind != Kind.ASSIGNMENT_ADDED:
            tell(event)
    if _untold.get() or not added:
        return
    rows = {
        f"{batch}:{ROLES_IMPORTED.name}:{recipient.pk}": Notification(
            event=event, recipient=recipient, mail=ROLES_IMPORTED.name
        )
        for recipient, event in holders_of_many(added)
    }
    # Told already with an earlier part of the same import.
    for key in Notification.objects.filter(dedupe_key__in=list(rows)).values_list("dedupe_key", flat=True):
        del rows[key]
    for key, row in rows.items():
        row.dedupe_key = key
    Notification.objects.bulk_create(rows.values())
    _have_them_sent()


def _have_them_sent() -> None:
    if OrmQ.objects.count() < ENOUGH_TASKS:
        async_task(SEND, save=False)
