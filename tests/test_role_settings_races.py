"""Two who change the settings of one role at once: the first is kept, the second is told."""

from __future__ import annotations

from typing import Any

import pytest

from audit.kinds import Kind, Outcome
from audit.models import Event
from roles import ids
from roles.models import Purpose, Resource, Role, User
from roles.refusals import Refused
from roles.selectors.settings import settings_of
from roles.services.settings import change_settings, reset_settings
from tests.people import EXCHANGE_ADMINISTRATOR, HOUR, MINUTE, NOW, acting, at, configure, directory, give, person, role
from tests.races import race

pytestmark = pytest.mark.django_db(transaction=True)
SOON = at(NOW + MINUTE)


@pytest.fixture
def exchange(transactional_db: None) -> Role:
    return role(EXCHANGE_ADMINISTRATOR)


@pytest.fixture
def cast(transactional_db: None) -> dict[str, User]:
    """Two Privileged Role Administrators, who look at the same page."""
    people = {name: person(name) for name in ("petra", "paul")}
    for one in people.values():
        give(one, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    return people


def changing(user: User, what: Role, where: Resource, **values: Any) -> Any:
    seen, actor = settings_of(what, where).seen, acting(user, Purpose.SETTINGS, what.pk)
    return lambda: change_settings(what, resource=where, values=values, seen=seen, actor=actor, clock=SOON)


def resetting(user: User, what: Role, where: Resource) -> Any:
    seen, actor = settings_of(what, where).seen, acting(user, Purpose.SETTINGS, what.pk)
    return lambda: reset_settings(what, resource=where, seen=seen, actor=actor, clock=SOON)


def done(kind: Kind) -> int:
    return Event.objects.filter(kind=kind, outcome=Outcome.DONE, actor_id__isnull=False).count()


@pytest.mark.parametrize("own", [False, True], ids=["the first settings of the place", "settings that were there"])
def test_of_two_changes_at_once_the_second_is_refused(own, cast, exchange):
    if own:
        configure(exchange, directory(), reason_required=False)
    first, second = race(
        changing(cast["petra"], exchange, directory(), max_activation=HOUR),
        changing(cast["paul"], exchange, directory(), ticket_required=True),
    )
    assert first.error is None
    assert isinstance(second.error, Refused), second
    assert second.error.codes == {"changed_meanwhile"}
    found = settings_of(exchange, directory())
    assert (found.max_activation, found.ticket_required) == (HOUR, False)
    assert done(Kind.ROLE_SETTINGS_CHANGED) == 1


def test_a_change_of_what_is_reset_meanwhile_is_refused(cast, exchange):
    configure(exchange, directory(), ticket_required=True)
    first, second = race(
        resetting(cast["petra"], exchange, directory()),
        changing(cast["paul"], exchange, directory(), max_activation=HOUR),
    )
    assert first.error is None
    assert isinstance(second.error, Refused), second
    assert second.error.codes == {"changed_meanwhile"}
    assert settings_of(exchange, directory()).is_default


def test_two_resets_at_once_are_one(cast, exchange):
    configure(exchange, directory(), ticket_required=True)
    first, second = race(
        resetting(cast["petra"], exchange, directory()), resetting(cast["paul"], exchange, directory())
    )
    assert first.error is None
    assert isinstance(second.error, Refused), second
    assert second.error.codes == {"changed_meanwhile", "nothing_to_reset"}
    assert done(Kind.ROLE_SETTINGS_RESET) == 1


def test_the_authority_is_read_after_the_lock(cast, exchange):
    """Whoever loses Privileged Role Administrator while they wait changes nothing."""
    ending = person("zoe")
    give(ending, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), ends_at=NOW + 2 * MINUTE)
    time = [NOW + MINUTE]
    actor = acting(ending, Purpose.SETTINGS, exchange.pk, now=NOW + 2 * MINUTE)
    _first, second = race(
        changing(cast["petra"], exchange, directory(), max_activation=HOUR),
        lambda: change_settings(
            exchange, resource=directory(), values={"ticket_required": True}, actor=actor, clock=lambda: time[0]
        ),
        meanwhile=lambda: time.__setitem__(0, NOW + 2 * MINUTE),
    )
    assert isinstance(second.error, Refused), second
    assert "not_allowed" in second.error.codes
