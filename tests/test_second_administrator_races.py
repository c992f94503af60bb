"""Changes of settings that wait, raced: one outcome, one set of events, and the loser is told in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.models import Decision, Request, Status
from approvals.selectors.showing import shown_digest
from approvals.services.closing import cancel, lapse_overdue
from approvals.services.decisions import approve, deny
from approvals.services.settings_changes import change_or_ask, make_alone
from audit.kinds import Kind, Outcome
from audit.models import Event
from roles import ids
from roles.models import Purpose, Role, User
from roles.refusals import Refused
from roles.selectors.settings import settings_of
from roles.services.settings import change_settings
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    acting,
    at,
    directory,
    give,
    make_eligible,
    person,
    role,
)
from tests.races import Act, race

pytestmark = pytest.mark.django_db(transaction=True)
SOON = NOW + MINUTE


@pytest.fixture
def cast(transactional_db: None) -> dict[str, User]:
    """Three Privileged Role Administrators; Petra may activate the role that is fought over."""
    people = {name: person(name) for name in ("petra", "paul", "pia")}
    for one in people.values():
        give(one, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    make_eligible(people["petra"], role(EXCHANGE_ADMINISTRATOR))
    return people


@pytest.fixture
def exchange(cast: dict[str, User]) -> Role:
    return role(EXCHANGE_ADMINISTRATOR)


@pytest.fixture
def waiting(cast: dict[str, User], exchange: Role) -> Request:
    asked = asking(cast["petra"], exchange)()
    assert isinstance(asked, Request)
    return asked


def asking(user: User, what: Role) -> Act:
    actor = acting(user, Purpose.SETTINGS, what.pk)
    values = {"max_activation": 9 * HOUR}
    return lambda: change_or_ask(what, resource=directory(), values=values, actor=actor, clock=at(NOW))


def deciding(verb: Any, user: User, request: Request, *, now: Any = SOON) -> Act:
    actor, seen = acting(user, Purpose.DECIDE, request.pk, now=now), shown_digest(request)
    return lambda: verb(request.pk, actor=actor, justification="fine", seen=seen, clock=at(now))


def alone(user: User, request: Request) -> Act:
    actor, seen = acting(user, Purpose.SETTINGS, request.pk, now=NOW + DAY), shown_digest(request)
    return lambda: make_alone(request.pk, reason="nobody is there", seen=seen, actor=actor, clock=at(NOW + DAY))


def changed() -> int:
    """How often the settings were changed by a person."""
    rows = Event.objects.filter(kind=Kind.ROLE_SETTINGS_CHANGED, outcome=Outcome.DONE, actor_id__isnull=False)
    return rows.exclude(request_id=None).count()


def lost(result: Any, *codes: str) -> None:
    assert isinstance(result.error, Refused), result
    assert result.error.codes & set(codes), result.error.codes
    assert result.error.sentence


@pytest.mark.parametrize("second", [approve, deny], ids=["two approve", "approve against deny"])
def test_of_two_deciders_one_decides(waiting, cast, exchange, second):
    one, two = race(deciding(approve, cast["paul"], waiting), deciding(second, cast["pia"], waiting))
    assert one.error is None
    lost(two, "granted")
    assert Decision.objects.filter(request=waiting).count() == 1
    assert changed() == 1
    assert settings_of(exchange, directory()).max_activation == 9 * HOUR


def test_a_denial_first_leaves_the_settings(waiting, cast, exchange):
    one, two = race(deciding(deny, cast["paul"], waiting), deciding(approve, cast["pia"], waiting))
    assert one.error is None
    lost(two, "denied")
    assert changed() == 0
    assert settings_of(exchange, directory()).max_activation == 8 * HOUR


def test_a_decision_after_another_change_of_the_settings_is_refused(waiting, cast, exchange):
    actor = acting(cast["pia"], Purpose.SETTINGS, exchange.pk)
    stricter = {"max_activation": HOUR}
    one, two = race(
        lambda: change_settings(exchange, resource=directory(), values=stricter, actor=actor, clock=at(SOON)),
        deciding(approve, cast["paul"], waiting),
    )
    assert one.error is None
    lost(two, "changed", "settings_changed", "changed_meanwhile")
    assert settings_of(exchange, directory()).max_activation == HOUR
    waiting.refresh_from_db()
    assert waiting.status == Status.PENDING


def test_another_change_after_a_decision_is_refused_where_it_saw_other_settings(waiting, cast, exchange):
    actor, seen = acting(cast["pia"], Purpose.SETTINGS, exchange.pk), settings_of(exchange, directory()).seen
    one, two = race(
        deciding(approve, cast["paul"], waiting),
        lambda: change_settings(
            exchange, resource=directory(), values={"max_activation": HOUR}, seen=seen, actor=actor, clock=at(SOON)
        ),
    )
    assert one.error is None
    lost(two, "changed_meanwhile")
    assert settings_of(exchange, directory()).max_activation == 9 * HOUR


@pytest.mark.parametrize("verb", [approve, deny])
def test_alone_after_a_day_against_a_decision(waiting, cast, exchange, verb):
    one, two = race(deciding(verb, cast["paul"], waiting, now=NOW + DAY), alone(cast["petra"], waiting))
    assert one.error is None
    lost(two, "over")
    assert changed() == (verb is approve)
    assert not Event.objects.filter(kind=Kind.ROLE_SETTINGS_CHANGED_ALONE, outcome=Outcome.DONE).exists()


def test_a_decision_after_it_was_made_alone(waiting, cast, exchange):
    one, two = race(alone(cast["petra"], waiting), deciding(deny, cast["paul"], waiting, now=NOW + DAY))
    assert one.error is None
    lost(two, "granted")
    assert changed() == 1
    assert Event.objects.filter(kind=Kind.ROLE_SETTINGS_CHANGED_ALONE, outcome=Outcome.DONE).count() == 1


def test_alone_twice_is_made_once(waiting, cast, exchange):
    one, two = race(alone(cast["petra"], waiting), alone(cast["petra"], waiting))
    assert one.error is None
    lost(two, "over")
    assert changed() == 1


def test_a_decision_against_cancelling(waiting, cast, exchange):
    actor = acting(cast["petra"], Purpose.DECIDE, waiting.pk)
    one, two = race(deciding(approve, cast["paul"], waiting), lambda: cancel(waiting.pk, actor=actor, clock=at(SOON)))
    assert one.error is None
    lost(two, "over")
    assert changed() == 1


def test_a_decision_against_the_sweep_that_writes_down_that_it_lapsed(waiting, cast, exchange):
    late = at(waiting.lapses_at)
    one, two = race(lambda: lapse_overdue(clock=late), deciding(approve, cast["paul"], waiting))
    assert one.error is None
    lost(two, "lapsed")
    assert changed() == 0


def test_the_same_change_asked_twice_waits_once(cast, exchange):
    one, two = race(asking(cast["petra"], exchange), asking(cast["petra"], exchange))
    assert isinstance(one.value, Request)
    lost(two, "already_asked")
    assert Request.objects.count() == 1
