"""What a kind of mail is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from audit.models import Event
from pim_portal.models import Notification, Topic
from pim_portal.notifications.letters.letter import Compose
from pim_portal.notifications.recipients import DueRecipients, Recipients
from roles.models import Audience

Concerns = Callable[[Notification, datetime], bool]


def always(notification: Notification, now: datetime) -> bool:
    """What happened stays true, however late it is told."""
    return True


def always_applies(event: Event) -> bool:
    """Every event of its kind is told of."""
    return True


def nowhere_else(event: Event) -> Iterable[str]:
    """It goes to people only."""
    return ()


@dataclass(frozen=True, slots=True)
class Mail:
    """A kind of mail: who gets it, what it says, and whether it still concerns them when it is sent."""

    name: str
    to: Recipients
    compose: Compose
    concerns: Concerns = always
    # Which cell of a role's settings it belongs to; None: no setting of a role says anything about it.
    audience: Audience | None = None
    # Whether it waits for something from who gets it: such a mail is critical, and nobody can quiet it.
    asks: bool = False
    # What people may quiet it under; None: nobody can.
    topic: Topic | None = None
    # How it reads to somebody it is not about: the addresses that the settings name besides.
    for_others: Compose | None = None
    # Of which events it tells, where that is not all of their kind.
    applies: Callable[[Event], bool] = always_applies
    # Which addresses get it besides, whatever any settings say.
    besides: Callable[[Event], Iterable[str]] = nowhere_else
    # Of which events chat channels hear, too; None: of none.
    chat: Callable[[Event], bool] | None = None


@dataclass(frozen=True, slots=True)
class DueMail:
    """A kind of mail without an event behind it; the fields are those of `Mail`."""

    name: str
    to: DueRecipients
    compose: Compose
    concerns: Concerns = always
    audience: Audience | None = None
    asks: bool = False
    topic: Topic | None = None
    for_others: Compose | None = None


ADMINISTRATORS, HOLDER, APPROVERS = Audience.ADMINISTRATORS, Audience.HOLDER, Audience.APPROVERS
