"""What hears of every event, and writes the mails that follow from it into the outbox, in the event's transaction."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.models import Notification
from pim_portal.notifications.catalogue import MAILS
from pim_portal.notifications.chat import lines_for
from pim_portal.notifications.ends import rows_for_ends, tells_of_an_end
from pim_portal.notifications.mails.assignments import ROLES_IMPORTED
from pim_portal.notifications.mails.mail import HOLDER, Mail
from pim_portal.notifications.matrix import Addressees, Row, addressees, named_for_assignments, row_of_event
from pim_portal.notifications.recipients import holders_of_many
from pim_portal.notifications.rows import Cause, hashed, have_it_sent, rows_for

Key = tuple[object, ...]

_untold: ContextVar[bool] = ContextVar("untold", default=False)


@contextmanager
def untold() -> Iterator[None]:
    """Record events, and write down what is due, without telling anybody: for a history that is brought in."""
    token = _untold.set(True)
    try:
        yield
    finally:
        _untold.reset(token)


def is_untold() -> bool:
    """Whether nobody is told of what is written down now."""
    return _untold.get()


def tell(event: Event) -> None:
    """Write a row for each mail to each person that this event calls for, and have them sent after the commit."""
    if _untold.get() or event.outcome != Outcome.DONE:
        return
    mails = [mail for mail in MAILS.get(Kind(event.kind), ()) if mail.applies(event)]
    row = row_of_event(event) if any(mail.audience for mail in mails) else None
    rows = [one for mail in mails for one in _rows(mail, event, row)]
    rows += [line for mail in mails for line in lines_for(mail, event)]
    if rows:
        Notification.objects.bulk_create(rows)
        have_it_sent(chats=any(one.channel for one in rows))


def tell_many(events: Sequence[Event], batch: uuid.UUID) -> None:
    """Tell each person concerned once of an import, whatever it brought them, and each address besides; see `tell`.

    The assignments of an import are told in one mail to each holder: they are found by its moment when it is sent.
    Of what ended each is told as ever, with a few queries for all (`ends`), and so is any other kind of event.
    """
    added = [event for event in events if event.kind == Kind.ASSIGNMENT_ADDED and event.outcome == Outcome.DONE]
    ended = [event for event in events if tells_of_an_end(event)]
    for event in events:
        if event.kind != Kind.ASSIGNMENT_ADDED and not tells_of_an_end(event):
            tell(event)
    if _untold.get():
        return
    if ended and (rows_of_ends := list(rows_for_ends(ended))):
        Notification.objects.bulk_create(rows_of_ends)
        have_it_sent()
    if added:
        _tell_of_import(added, batch)


def _tell_of_import(added: Sequence[Event], batch: uuid.UUID) -> None:
    ruled = _rows_of_many(added)
    informing = [event for event in added if (rule := ruled[_key(event)]) is None or rule.cell(HOLDER).informs]
    rows = {
        f"{batch}:{ROLES_IMPORTED.name}:{recipient.pk}": Notification(
            event=event, recipient=recipient, mail=ROLES_IMPORTED.name
        )
        for recipient, event in (holders_of_many(informing) if informing else ())
    }
    for event in added:
        rule = ruled[_key(event)]
        for address in named_for_assignments(rule) if rule else ():
            key = f"{batch}:{ROLES_IMPORTED.name}:{hashed(address)}"
            rows.setdefault(key, Notification(event=event, address=address, mail=ROLES_IMPORTED.name))
    # Told already with an earlier part of the same import.
    for key in Notification.objects.filter(dedupe_key__in=list(rows)).values_list("dedupe_key", flat=True):
        del rows[key]
    for key, row in rows.items():
        row.dedupe_key = key
    Notification.objects.bulk_create(rows.values())
    have_it_sent()


def _rows_of_many(added: Sequence[Event]) -> dict[Key, Row | None]:
    """Return what the settings say of these assignments, which are ruled alike by role, place and type."""
    ruled: dict[Key, Row | None] = {}
    for event in added:
        if _key(event) not in ruled:
            ruled[_key(event)] = row_of_event(event)
    return ruled


def _key(event: Event) -> Key:
    return event.role_id, event.resource_id, event.details.get("type")


def _rows(mail: Mail, event: Event, row: Row | None) -> Iterator[Notification]:
    found = addressees(lambda: mail.to(event), row=row, audience=mail.audience, asks=mail.asks)
    if besides := tuple(mail.besides(event)):
        found = Addressees(found.people, tuple(dict.fromkeys((*found.addresses, *besides))))
    yield from rows_for(mail.name, Cause(event=event), found)
