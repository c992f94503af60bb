"""Principals are locked first and all at once: what is asked for later was locked before, so nobody waits in a ring."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

import pytest

from pim_portal.alerts.selectors.fixes import proposal_of
from pim_portal.alerts.services.fixing import fix
from roles import ids
from roles.models import Purpose, User
from roles.services import locks
from roles.services.replacements import make_eligible
from tests.alerting import scanned, set_alert
from tests.people import EXCHANGE_ADMINISTRATOR, NOW, OPERATOR, acting, at, give, group, person, role, tree
from tests.separating import kept_apart

pytestmark = pytest.mark.django_db


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> list[set[uuid.UUID]]:
    """The principals that were locked, one lock after the other."""
    asked: list[set[uuid.UUID]] = []
    locking = locks._LOCKED

    class Told:
        def ask(self, wanted: Iterable[uuid.UUID]) -> Any:
            asked.append(set(wanted))
            return locking.ask(wanted)

    monkeypatch.setattr(locks, "_LOCKED", Told())
    return asked


def test_making_a_group_eligible_locks_its_members_with_it(ines: User, zoe: User, locked: list[set[uuid.UUID]]):
    """Where a rule names the role, they are concerned as well."""
    exchange = role(EXCHANGE_ADMINISTRATOR)
    kept_apart(exchange, role(ids.USER_ADMINISTRATOR))
    team = group("Team", ines, zoe)
    active = give(team, exchange)
    locked.clear()
    make_eligible(active.pk, reason="just in time", actor=OPERATOR, clock=at(NOW))
    assert locked[0] == set().union(*locked) == {team.pk, ines.pk, zoe.pk}


def test_so_does_fixing_that_before_the_alert_itself_is_locked(
    ines: User, zoe: User, petra: User, locked: list[set[uuid.UUID]]
):
    root = tree("Contoso")[0]
    kept_apart(role(ids.OWNER), role(ids.READER), place=root)
    team = group("Team", ines, zoe)
    for one in (petra, team, person("olga")):
        give(one, role(ids.OWNER), root)
    set_alert("too_many_permanent_owners", root, count=2)
    incident = next(one for one in scanned("too_many_permanent_owners", root) if one.principal_id == team.pk)
    proposal = proposal_of(incident)
    actor = acting(petra, Purpose.ASSIGN, *proposal.covers)
    locked.clear()
    fix(incident.pk, seen=proposal.seen, reason="just in time", actor=actor, clock=at(NOW))
    assert locked[0] == set().union(*locked) == {team.pk, ines.pk, zoe.pk}
