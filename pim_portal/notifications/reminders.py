"""Reminders: what falls due by the clock becomes mails, once, however often and late the sweep runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from django.db import transaction

from approvals.models import Request
from pim_portal.models import Due, DueItem, Notification
from pim_portal.notifications.catalogue import DUE_MAILS
from pim_portal.notifications.mails.mail import DueMail
from pim_portal.notifications.matrix import Row, addressees, row_of_assignment, row_of_request
from pim_portal.notifications.rows import Cause, have_it_sent, rows_for
from pim_portal.notifications.selectors import (
    ONE_DAY,
    TWO_WEEKS,
    Candidate,
    activations_ending,
    assignments_ending,
    emergency_reviews_overdue,
    requests_halfway,
)
from pim_portal.notifications.subscriber import is_untold
from roles.actors import Clock
from roles.models import Assignment
from roles.sweeping import one_by_one


def due_now(now: datetime, *, limit: int) -> Iterator[Candidate]:
    """Yield what is due and not written down yet, at most about `limit`; what ends first comes first."""
    parts: list[Callable[[int], Iterable[Candidate]]] = [
        lambda left: activations_ending(now, limit=left),
        lambda left: emergency_reviews_overdue(now, limit=left),
        lambda left: requests_halfway(now, limit=left),
        lambda left: assignments_ending(now, kind=Due.ENDS_TOMORROW, ahead=ONE_DAY, limit=left),
        lambda left: assignments_ending(now, kind=Due.ENDS_IN_TWO_WEEKS, ahead=TWO_WEEKS, limit=left),
    ]
    for part in parts:
        for candidate in part(limit):
            limit -= 1
            yield candidate
        if limit <= 0:
            return


def remind(*, clock: Clock, limit: int = 500) -> int:
    """Write the mails of what is due, a small transaction each; return how many items were written down.

    One that cannot be written keeps no other waiting; see `one_by_one`.
    """
    now = clock()
    return one_by_one(list(due_now(now, limit=limit)), lambda candidate: _write(candidate, now=now))


@transaction.atomic
def _write(candidate: Candidate, *, now: datetime) -> bool:
    """Write the item down with its mails; False when another sweep was faster, which the constraint decides."""
    item, mine = DueItem.objects.get_or_create(
        kind=candidate.kind, subject_id=candidate.subject.pk, at=candidate.at, defaults={"written_at": now}
    )
    if mine and candidate.worth_telling and not is_untold():
        rows = [row for mail in DUE_MAILS[candidate.kind] for row in _rows(mail, item, candidate, now)]
        if rows:
            Notification.objects.bulk_create(rows)
            have_it_sent()
    return mine


def _rows(mail: DueMail, item: DueItem, candidate: Candidate, now: datetime) -> Iterator[Notification]:
    row = _row_of(candidate.subject)
    found = addressees(lambda: mail.to(candidate.subject, now), row=row, audience=mail.audience, asks=mail.asks)
    yield from rows_for(mail.name, Cause(due=item), found)


def _row_of(subject: Assignment | Request) -> Row | None:
    return row_of_request(subject) if isinstance(subject, Request) else row_of_assignment(subject)
