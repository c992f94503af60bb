"""The pages of the settings of a group's own roles: who reaches them, what they change, for whom they stay closed."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from roles import ids
from roles.models import Group, Role, User
from roles.places import address
from roles.selectors.settings import settings_of
from tests.people import HOUR, NOW, configure, give, group, make_eligible, person, role
from tests.stepping import verified
from tests.test_role_settings_pages import as_shown
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(petra: User):
    """Petra administers the portal."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def team(ines: User) -> Group:
    """Ines is its member."""
    return group("Blue", ines)


@pytest.fixture
def greta(team: Group) -> User:
    """The Owner of the team, who holds nothing else."""
    user = person("greta")
    give(user, role(ids.GROUP_OWNER), team.resource)
    return user


@pytest.fixture
def member(db: None) -> Role:
    return role(ids.GROUP_MEMBER)


def save(user: User, team: Group, what: Role, **changes: Any) -> Any:
    url = address(team.resource, "role_settings_edit", pk=what.pk)
    return verified(user).post(url, as_shown(team.resource, what, **changes))


def test_the_page_of_a_group_leads_to_the_settings_of_both_roles(greta: User, team: Group, member: Role):
    client = visiting(greta)
    assert address(team.resource, "settings") in client.get(address(team.resource)).content.decode()
    shown = client.get(address(team.resource, "settings")).content.decode()
    for one in (member, role(ids.GROUP_OWNER)):
        assert address(team.resource, "role_settings", pk=one.pk) in shown


def test_an_owner_changes_them_for_their_own_group_only(greta: User, team: Group, member: Role):
    other = group("Red")
    assert save(greta, team, member, max_activation="2").status_code == 302
    assert settings_of(member, team.resource).max_activation == 2 * HOUR
    assert settings_of(member, other.resource).max_activation == 8 * HOUR
    assert save(greta, other, member, max_activation="2").status_code == 404


def test_they_are_reset_to_the_default(greta: User, team: Group, member: Role):
    configure(member, team.resource, max_activation=HOUR)
    seen = settings_of(member, team.resource).seen
    url = address(team.resource, "role_settings_reset", pk=member.pk)
    assert verified(greta).post(url, {"seen": seen}).status_code == 302
    assert settings_of(member, team.resource).is_default


def test_an_owner_of_a_group_that_holds_a_role_is_told_why_and_changes_nothing(greta: User, team: Group, member: Role):
    make_eligible(team, role(ids.SECURITY_READER))
    url = address(team.resource, "role_settings_edit", pk=member.pk)
    said = "This group holds roles that you may not assign: one that you may not see."
    assert said in visiting(greta).get(url).content.decode()
    answer = save(greta, team, member, max_activation="2")
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert settings_of(member, team.resource).is_default


def test_no_role_of_another_world_has_settings_there(greta: User, petra: User, team: Group):
    for user in (greta, petra):
        url = address(team.resource, "role_settings", pk=ids.SECURITY_READER)
        assert visiting(user).get(url).status_code == 404
