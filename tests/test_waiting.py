"""Waiting too long for somebody else's change is told in a sentence, and changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, transaction
from django.urls import reverse

from approvals.models import Profile
from approvals.services.profiles import save_profile
from audit.kinds import Kind
from audit.models import Event
from roles.actors import Actor
from roles.models import Assignment, Group, Principal, Purpose, StepUp, TotpDevice, User
from roles.refusals import Busy
from roles.service import service
from roles.services.groups import add_group
from roles.services.locks import lock_principal
from roles.services.step_ups import give
from tests.people import EXCHANGE_ADMINISTRATOR, HOUR, NOW, OPERATOR, SESSION, at, group, make_eligible, person, role
from tests.races import PATIENCE, Result, race
from tests.stepping import code_of, errors_in
from tests.visitors import visiting

pytestmark = pytest.mark.django_db(transaction=True)


def impatient() -> None:
    """Have this connection wait for a moment only."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'" if connection.vendor == "postgresql" else "PRAGMA busy_timeout = 50")


def while_it_is_locked(what: Principal | TotpDevice, act: Callable[[], object]) -> Result:
    """What this comes to while somebody else holds the lock for longer than it waits."""
    over = threading.Event()

    def wait_for_a_moment() -> object:
        impatient()
        try:
            return act()
        finally:
            over.set()

    _first, second = race(lambda: lock(what), wait_for_a_moment, meanwhile=lambda: over.wait(PATIENCE))
    return second


def lock(what: Principal | TotpDevice) -> object:
    if isinstance(what, TotpDevice):
        return TotpDevice.objects.select_for_update().get(pk=what.pk)
    return lock_principal(what.pk)


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


def test_a_second_factor_that_waits_in_vain_is_told_and_not_used_up(transactional_db):
    device = phone_of(person("ines"))
    code = code_of(device.user)

    def try_it() -> StepUp:
        return give(
            device.user,
            actor=Actor(user=device.user),
            device_id=code["device"],
            token=code["code"],
            purpose=Purpose.ACTIVATE,
            session=SESSION,
            clock=at(NOW),
        )

    before = left_behind(device)
    second = while_it_is_locked(device, try_it)

    assert isinstance(second.error, Busy)
    assert left_behind(device) == before
    try_it()


def test_a_form_says_so_and_keeps_what_was_typed(transactional_db):
    ines = person("ines")
    eligibility = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    client, device = visiting(ines), phone_of(ines)
    typed = {"eligibility": str(eligibility.pk), "duration": "2", "when": "now", "reason": "the queue is stuck"}
    typed |= code_of(ines)

    before = left_behind(device)
    answer = while_it_is_locked(device, lambda: client.post(reverse("approvals:activate"), typed)).value

    assert answer.status_code == 422
    assert errors_in(answer.content.decode()) == [Busy().sentence]
    assert "the queue is stuck" in answer.content.decode()
    assert left_behind(device) == before
    assert client.post(reverse("approvals:activate"), typed).status_code == 302
    assert Assignment.objects.filter(activated_from=eligibility).count() == 1


def test_what_has_no_form_says_so_on_a_page_of_its_own(transactional_db):
    ines = person("ines")
    eligibility = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    said = {"scopes": {eligibility.pk: None}, "duration": HOUR, "reason": ""}
    profile = save_profile("Mornings", **said, actor=Actor(user=ines), clock=at(NOW))
    client = visiting(ines)
    pin = reverse("approvals:profile_pin", args=[profile.pk])

    answer = while_it_is_locked(ines, lambda: client.post(pin, {"pinned": "0"})).value

    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "What you sent was not carried out." in answer.content.decode()
    assert Profile.objects.get().pinned


def phone_of(user: User) -> TotpDevice:
    found: TotpDevice = TotpDevice.objects.get(user=user)
    return found


def left_behind(device: TotpDevice) -> tuple[object, ...]:
    row = TotpDevice.objects.filter(pk=device.pk).values().get()
    return row, StepUp.objects.count(), Event.objects.count(), Assignment.objects.count()
