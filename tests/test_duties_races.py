"""Two at once, and a rule between them: roles that are kept apart never meet unseen."""

from __future__ import annotations

import pytest

from roles import ids
from roles.models import Assignment, DutyReach, DutyRule, Group, Resource, Role, User
from roles.refusals import Refused
from roles.rules.duty_rules import DutyTerms
from roles.selectors.duties.conflicts import conflicts
from roles.services.duties import add_duty_rule
from roles.services.groups import disable_group, enable_group
from roles.services.principals import disable_person, enable_person
from tests.people import (
    MINUTE,
    NOW,
    OPERATOR,
    at,
    custom_role,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)
from tests.races import Act, race
from tests.separating import kept_apart

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SOON = at(NOW + MINUTE)


class World:
    """Ines is about to get one role, and another by way of a group or directly; a rule keeps them apart."""

    def __init__(self) -> None:
        give(person("petra"), role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        self.root, self.sub = tree("Root", "Sub")
        self.ines: User = person("ines")
        self.team: Group = group("Team")
        self.makes: Role = custom_role(self.root, "Makes payments")
        self.releases: Role = custom_role(self.root, "Releases payments")

    def rule(self) -> DutyRule:
        return kept_apart(self.makes, self.releases, place=self.root)

    def join(self) -> Assignment:
        return give(self.ines, role(ids.GROUP_MEMBER), self.team.resource)

    def gets(self, who: User | Group, what: Role, where: Resource | None = None) -> Assignment:
        return give(who, what, where or self.sub)


@pytest.fixture
def world(transactional_db) -> World:
    return World()


def _two_directly(world: World) -> tuple[Act, Act]:
    world.rule()
    return lambda: world.gets(world.ines, world.makes), lambda: world.gets(world.ines, world.releases, world.root)


def _one_through_the_group(world: World) -> tuple[Act, Act]:
    world.rule()
    world.join()
    return lambda: world.gets(world.ines, world.makes), lambda: world.gets(world.team, world.releases)


def _joining_while_the_group_gets_it(world: World) -> tuple[Act, Act]:
    world.rule()
    world.gets(world.ines, world.makes)
    return world.join, lambda: world.gets(world.team, world.releases)


def _joining_while_oneself_gets_it(world: World) -> tuple[Act, Act]:
    world.rule()
    world.gets(world.team, world.releases)
    return world.join, lambda: world.gets(world.ines, world.makes)


def _two_groups(world: World) -> tuple[Act, Act]:
    world.rule()
    world.join()
    other = group("Other", world.ines)
    return lambda: world.gets(world.team, world.releases), lambda: world.gets(other, world.makes)


def _enabling_the_group(world: World) -> tuple[Act, Act]:
    world.rule()
    world.join()
    make_eligible(world.team, world.releases, world.sub)
    disable_group(world.team.pk, reason="pause", actor=OPERATOR, clock=at(NOW))
    return lambda: enable_group(world.team.pk, actor=OPERATOR, clock=SOON), lambda: world.gets(world.ines, world.makes)


def _enabling_somebody(world: World) -> tuple[Act, Act]:
    world.rule()
    world.join()
    make_eligible(world.ines, world.makes, world.sub)
    disable_person(world.ines.pk, reason="leave", actor=OPERATOR, clock=at(NOW))
    return lambda: enable_person(world.ines.pk, actor=OPERATOR, clock=SOON), lambda: world.gets(
        world.team, world.releases
    )


def _activating_both(world: World) -> tuple[Act, Act]:
    kept_apart(world.makes, world.releases, place=world.root, reach=DutyReach.ACTIVE)
    one, other = (make_eligible(world.ines, what, world.sub) for what in (world.makes, world.releases))
    return lambda: request_activation(world.ines, one), lambda: request_activation(world.ines, other)


STAGED = [
    _two_directly,
    _one_through_the_group,
    _joining_while_the_group_gets_it,
    _joining_while_oneself_gets_it,
    _two_groups,
    _enabling_the_group,
    _enabling_somebody,
    _activating_both,
]


@pytest.mark.parametrize("turned", [False, True], ids=["in order", "turned"])
@pytest.mark.parametrize("stage", STAGED, ids=lambda stage: stage.__name__)
def test_the_second_of_two_is_refused(stage, turned, world):
    acts = stage(world)
    first, second = race(*(reversed(acts) if turned else acts))
    assert first.error is None
    assert isinstance(second.error, Refused)
    assert "duties" in second.error.codes
    assert conflicts(NOW + MINUTE, world.root) == []


def _add(world: World) -> DutyRule:
    terms = DutyTerms("Four eyes", "", DutyReach.HOLD, (world.makes, world.releases))
    return add_duty_rule(world.root, terms, seen=None, reason="now", actor=OPERATOR, clock=SOON)


@pytest.mark.parametrize("way", ["direct", "joining", "enabling"])
def test_what_waits_for_a_rule_that_is_being_made_obeys_it(way, world):
    world.gets(world.ines, world.makes)
    second = _second(way, world)
    made, late = race(lambda: _add(world), second)
    assert made.error is None
    assert isinstance(late.error, Refused)
    assert "duties" in late.error.codes


@pytest.mark.parametrize("way", ["direct", "joining", "enabling"])
def test_a_rule_counts_what_was_being_given_while_it_waited(way, world):
    world.gets(world.ines, world.makes)
    given, made = race(_second(way, world), lambda: _add(world))
    assert (given.error, made.error) == (None, None)
    from audit.kinds import Kind
    from audit.models import Event

    assert Event.objects.get(kind=Kind.DUTY_RULE_ADDED).details["conflicts"] == 1


def _second(way: str, world: World) -> Act:
    if way == "direct":
        return lambda: world.gets(world.ines, world.releases)
    if way == "joining":
        world.gets(world.team, world.releases)
        return world.join
    world.join()
    make_eligible(world.team, world.releases, world.sub)
    disable_group(world.team.pk, reason="pause", actor=OPERATOR, clock=at(NOW))
    return lambda: enable_group(world.team.pk, actor=OPERATOR, clock=SOON)
