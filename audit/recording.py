"""Recording: the one way into the history, and the road along which others hear of it.

`write` takes plain values and knows no other app. It runs inside the transaction of the change that it tells of: if
the event cannot be written, neither is the change. Subscribers run in the same transaction, write to their own outbox
only and never change the domain.
"""

from __future__ import annotations

import secrets
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, InternalError, OperationalError, ProgrammingError, transaction
from django.utils import timezone

from audit.appending import append
from audit.canonical import commitment
from audit.kinds import Kind, Outcome, Realm
from audit.models import Event, EventText, Pending


@dataclass(frozen=True, slots=True)
class Ids:
    """The objects an event is about, by id only."""

    target: uuid.UUID | None = None
    role: uuid.UUID | None = None
    resource: uuid.UUID | None = None
    request: uuid.UUID | None = None
    assignment: uuid.UUID | None = None
    authority: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What an event will tell. `at` is when it happened (UTC); `text` is personal and kept apart from the event."""

    kind: Kind
    at: datetime
    realm: Realm
    actor_id: uuid.UUID | None
    ids: Ids
    outcome: Outcome = Outcome.DONE
    details: Mapping[str, object] = field(default_factory=dict)
    text: Mapping[str, str] = field(default_factory=dict)


class HistoryClosed(OperationalError):  # noqa: N818 - the state of the database, as others of its kind
    """The database takes no event, so nothing is changed: whoever runs the portal has to open the history again."""


Clock = Callable[[], datetime]
Subscriber = Callable[[Event], None]
ManySubscriber = Callable[[Sequence[Event], uuid.UUID], None]
_subscribers: list[Subscriber] = []
_of_many: dict[Subscriber, ManySubscriber] = {}


def subscribe(subscriber: Subscriber, *, many: ManySubscriber | None = None) -> None:
    """Call `subscriber` with every event recorded from now on, in the transaction that records it.

    `many` is called in its place with events that are written together, as those of an import, a part at a time, and
    the id that all parts of one import share: who tells of each event may tell of all of them together. Without it
    each event comes by itself.
    """
    if subscriber not in _subscribers:
        _subscribers.append(subscriber)
    if many is not None:
        _of_many[subscriber] = many


def folded(text: str) -> str:
    """Return the form of `text` that is searched: compatible letters as one, without case."""
    return unicodedata.normalize("NFKC", text).casefold()


def write(
    kind: Kind,
    *,
    at: datetime,
    realm: Realm,
    actor_id: uuid.UUID | None,
    ids: Ids,
    outcome: Outcome = Outcome.DONE,
    details: Mapping[str, object] | None = None,
    text: Mapping[str, str] | None = None,
    at_hand: Iterable[object] = (),
) -> Event:
    """Append one event and tell the subscribers.

    `at` is when it happened (UTC); `text` is personal and kept apart from the event, which gets commitments to it.
    `at_hand` are objects that it is about as they are now, for the subscribers.
    Raises `TransactionManagementError` outside a transaction: an event never stands without its change; and
    `HistoryClosed`.
    """
    now = _inside_its_change()
    entry = Entry(kind, at, realm, actor_id, ids, outcome, details or {}, text or {})
    personal = _text(entry)
    with _taken():
        event = Event(**_fields(entry, personal, recorded_at=now))
        append(event, personal)
    event.at_hand = tuple(at_hand)
    for subscriber in _subscribers:
        subscriber(event)
    return event


def write_many(entries: Sequence[Entry], *, batch: uuid.UUID) -> list[Event]:
    """Append events that are made together, in their order, and tell the subscribers; see `write`.

    The same events as by writing each, with a few queries. `batch` is the same for all parts of an import.
    """
    now = _inside_its_change()
    texts = [_text(entry) for entry in entries]
    pairs = zip(entries, texts, strict=True)
    with _taken():
        events = Event.objects.bulk_create(Event(**_fields(entry, text, recorded_at=now)) for entry, text in pairs)
        for event, text in zip(events, texts, strict=True):
            text.event = event
        EventText.objects.bulk_create(texts)
        Pending.objects.bulk_create(Pending(event=event) for event in events)
    for subscriber in _subscribers:
        many = _of_many.get(subscriber)
        if many is not None:
            many(events, batch)
            continue
        for event in events:
            subscriber(event)
    return events


def _inside_its_change() -> datetime:
    """Return the time of recording; an event never stands without the transaction of its change."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("An event is recorded in the transaction of its change.")
    return timezone.now()


@contextmanager
def _taken() -> Iterator[None]:
    """Say that the history is closed where the database refuses an event: a right or a trigger is not as it was."""
    try:
        yield
    except (ProgrammingError, IntegrityError, InternalError) as error:
        raise HistoryClosed(f"The history takes no event: {error}") from error


def _text(entry: Entry) -> EventText:
    fields = {name: value for name, value in entry.text.items() if value}
    salts = {name: secrets.token_hex(16) for name in fields}
    return EventText(fields=fields, salts=salts, search=folded(" ".join(fields.values())))


def _fields(entry: Entry, text: EventText, *, recorded_at: datetime) -> dict[str, Any]:
    return {
        "occurred_at": entry.at.astimezone(UTC),
        "recorded_at": recorded_at,
        "kind": entry.kind,
        "outcome": entry.outcome,
        "realm": entry.realm,
        "actor_id": entry.actor_id,
        "target_id": entry.ids.target,
        "role_id": entry.ids.role,
        "resource_id": entry.ids.resource,
        "request_id": entry.ids.request,
        "assignment_id": entry.ids.assignment,
        "authority_id": entry.ids.authority,
        "details": dict(entry.details),
        "commitments": {name: commitment(value, salt=text.salts[name]) for name, value in text.fields.items()},
    }
