"""Recording: the one way into the history, and the road along which others hear of it.

`record` takes plain values and knows no other app. It runs inside the transaction of the change that it tells of: if
the event cannot be written, neither is the change. Subscribers run in the same transaction, write to their own outbox
only and never change the domain.
"""

from __future__ import annotations

import secrets
import unicodedata
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.utils import timezone

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


Subscriber = Callable[[Event], None]
_subscribers: list[Subscriber] = []


def subscribe(subscriber: Subscriber) -> None:
    """Call `subscriber` with every event recorded from now on, in the transaction that records it."""
    if subscriber not in _subscribers:
        _subscribers.append(subscriber)


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
) -> Event:
    """Append one event and tell the subscribers.

    `at` is when it happened (UTC); `text` is personal and kept apart from the event, which gets commitments to it.
    Raises `TransactionManagementError` outside a transaction: an event never stands without its change.
    """
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An event is recorded in the transaction of its change.")
    fields = {name: value for name, value in (text or {}).items() if value}
    salts = {name: secrets.token_hex(16) for name in fields}
    event = Event.objects.create(
        occurred_at=at.astimezone(UTC),
        recorded_at=timezone.now(),
        kind=kind,
        outcome=outcome,
        realm=realm,
        actor_id=actor_id,
        target_id=ids.target,
        role_id=ids.role,
        resource_id=ids.resource,
        request_id=ids.request,
        assignment_id=ids.assignment,
        authority_id=ids.authority,
        details=dict(details or {}),
        commitments={name: commitment(value, salt=salts[name]) for name, value in fields.items()},
    )
    EventText.objects.create(event=event, fields=fields, salts=salts, search=folded(" ".join(fields.values())))
    Pending.objects.create(event=event)
    for subscriber in _subscribers:
        subscriber(event)
    return event
