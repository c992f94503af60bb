"""The rows of the outbox: one for each mail to each person, with a key that no second row can have."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django_q.models import OrmQ
from django_q.tasks import async_task

from audit.models import Event
from pim_portal.models import DueItem, Notification
from pim_portal.notifications.matrix import Addressees

SEND: Final = "pim_portal.tasks.send"
CHAT: Final = "pim_portal.tasks.chat"
# One run delivers everything that is due. Where this many tasks wait, another one would not make it sooner, and
# without a worker (only `manage.py tick` from cron) the queue must not grow for ever.
ENOUGH_TASKS: Final = 20


@dataclass(frozen=True, slots=True)
class Cause:
    """What a mail tells of: an event, or something that fell due."""

    event: Event | None = None
    due: DueItem | None = None

    @property
    def key(self) -> str:
        if self.event is not None:
            return str(self.event.uuid)
        if self.due is not None:
            return str(self.due.pk)
        raise ValueError("A mail tells of something.")


def rows_for(mail: str, cause: Cause, found: Addressees) -> Iterator[Notification]:
    """Yield the rows, unsaved, of one mail to everybody that it goes to."""
    for user in found.people:
        key = f"{cause.key}:{mail}:{user.pk}"
        yield Notification(event=cause.event, due=cause.due, mail=mail, recipient=user, dedupe_key=key)
    for address in found.addresses:
        key = f"{cause.key}:{mail}:{hashed(address)}"
        yield Notification(event=cause.event, due=cause.due, mail=mail, address=address, dedupe_key=key)


def hashed(address: str) -> str:
    """Return an address as a part of a key: it may be longer than the key itself."""
    return hashlib.sha256(address.casefold().encode()).hexdigest()[:32]


def have_it_sent(*, chats: bool = False) -> None:
    """Enqueue a run of the sender, in the transaction of the rows; if it is lost the schedule finds them."""
    if OrmQ.objects.count() < ENOUGH_TASKS:
        async_task(SEND, save=False)
        if chats:
            async_task(CHAT, save=False)
