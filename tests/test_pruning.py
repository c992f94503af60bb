"""What was mailed long ago goes; what waits, was set aside or is still needed stays."""

from __future__ import annotations

from typing import Any

import pytest

from pim_portal.models import DueItem, Notification, NotificationState
from pim_portal.notifications.pruning import KEPT, prune_sent
from pim_portal.operations.services import sweep
from roles.models import Assignment, User
from tests.people import EXCHANGE_ADMINISTRATOR, MINUTE, NOW, at, make_eligible, person, request_activation, role

pytestmark = pytest.mark.django_db
AGED = NOW + KEPT


@pytest.fixture
def mails(ines: User) -> list[Notification]:
    """Five mails that came of Ines being made eligible, and of others."""
    Notification.objects.all().delete()
    for name in ("one", "two", "three", "four"):
        make_eligible(person(name), role(EXCHANGE_ADMINISTRATOR))
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    Notification.objects.update(created_at=NOW, next_attempt_at=NOW)
    return list(Notification.objects.order_by("pk"))


def are(mails: list[Notification], state: NotificationState, **values: Any) -> None:
    ids = [one.pk for one in mails]
    Notification.objects.filter(pk__in=ids).update(state=state, **values)


def left() -> int:
    return Notification.objects.count()


def test_what_was_sent_goes_after_ninety_days_to_the_microsecond(mails):
    are(mails, NotificationState.SENT, sent_at=NOW)
    assert prune_sent(clock=at(AGED)) == 0
    assert prune_sent(clock=at(AGED + MINUTE)) == len(mails)
    assert left() == 0


def test_ninety_days_count_from_when_it_was_sent(mails):
    are(mails, NotificationState.SENT, sent_at=NOW + MINUTE)
    assert prune_sent(clock=at(AGED + MINUTE)) == 0


@pytest.mark.parametrize("state", [NotificationState.WAITING, NotificationState.GATHERED, NotificationState.FAILED])
def test_what_was_not_sent_stays(mails, state):
    are(mails, state)
    assert prune_sent(clock=at(AGED + 10 * KEPT)) == 0


def test_what_was_not_needed_goes_too(mails):
    are(mails, NotificationState.DROPPED)
    assert prune_sent(clock=at(AGED + MINUTE)) == len(mails)


def test_it_goes_in_chunks(mails):
    are(mails, NotificationState.SENT, sent_at=NOW)
    assert [prune_sent(clock=at(AGED + MINUTE), limit=2) for _each in range(4)] == [2, 2, 1, 0]


def test_a_digest_goes_after_what_was_kept_for_it(mails):
    digest, *kept = mails
    are(kept, NotificationState.FAILED, digest=digest)
    are([digest], NotificationState.SENT, sent_at=NOW)
    assert prune_sent(clock=at(AGED + MINUTE)) == 0
    are(kept, NotificationState.SENT, sent_at=NOW)
    assert prune_sent(clock=at(AGED + MINUTE)) == len(kept)
    assert prune_sent(clock=at(AGED + MINUTE)) == 1


def test_whom_an_open_request_was_put_to_stays_known(ines: User, with_approval: Assignment):
    Notification.objects.all().delete()
    request_activation(ines, with_approval)
    Notification.objects.update(created_at=NOW, state=NotificationState.SENT, sent_at=NOW)
    assert prune_sent(clock=at(AGED + MINUTE)) == 0


def test_the_sweep_does_it_and_what_was_due_is_not_due_anew(mails):
    are(mails, NotificationState.SENT, sent_at=NOW)
    items = set(DueItem.objects.values_list("pk", flat=True))
    sweep(clock=at(AGED + MINUTE))
    assert not Notification.objects.filter(pk__in=[one.pk for one in mails]).exists()
    assert items <= set(DueItem.objects.values_list("pk", flat=True))
