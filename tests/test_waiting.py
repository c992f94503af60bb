"""Waiting too long for somebody else's change is told in a sentence, and changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, transaction

from audit.kinds import Kind
from audit.models import Event
from roles.models import Group
from roles.refusals import Busy
from roles.service import service
from roles.services.groups import add_group
from roles.services.locks import lock_principal
from tests.people import NOW, OPERATOR, at, group
from tests.races import PATIENCE, Result, race

pytestmark = pytest.mark.django_db(transaction=True)


def impatient() -> None:
    """Have this connection wait for a moment only."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'" if connection.vendor == "postgresql" else "PRAGMA busy_timeout = 50")


def while_it_is_locked(what: Group, act: Callable[[], object]) -> Result:
    """What this comes to while somebody else holds the lock for longer than it waits."""
    over = threading.Event()

    def wait_for_a_moment() -> None:
        impatient()
        try:
            act()
        finally:
            over.set()

    _first, second = race(lambda: lock_principal(what.pk), wait_for_a_moment, meanwhile=lambda: over.wait(PATIENCE))
    return second


@service(Kind.GROUP_CHANGED)
def rename(what: Group, *, actor, clock):
    locked = lock_principal(what.pk)
    locked.name = "Renamed"
    locked.save()


def test_who_waits_too_long_is_told_and_changes_nothing(transactional_db):
    operations = group("Operations")
    before = Event.objects.count()

    second = while_it_is_locked(operations, lambda: rename(operations, actor=OPERATOR, clock=at(NOW)))

    assert isinstance(second.error, Busy)
    assert "try again" in second.error.sentence
    assert Group.objects.get().name == "Operations"
    assert Event.objects.count() == before


def test_inside_a_transaction_of_another_it_is_an_error_of_that_one(transactional_db):
    operations = group("Operations")

    def in_a_transaction() -> None:
        with transaction.atomic():
            rename(operations, actor=OPERATOR, clock=at(NOW))

    second = while_it_is_locked(operations, in_a_transaction)

    assert isinstance(second.error, OperationalError)


def test_another_error_of_the_database_stays_what_it_is(transactional_db):
    @service(Kind.GROUP_ADDED)
    def broken(*, actor, clock):
        add_group("Operations", actor=actor, clock=clock)
        raise OperationalError("the disk is full")

    with pytest.raises(OperationalError, match="disk"):
        broken(actor=OPERATOR, clock=at(NOW))
    assert not Group.objects.exists()
