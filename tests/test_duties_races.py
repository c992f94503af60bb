"""Two at once, and a rule between them: roles that are kept apart never meet unseen."""

from __future__ import annotations

import pytest

from audit.kinds import Kind
from audit.models import Event
from pim_portal.imports.services.assignments import import_assignments
from roles import ids
from roles.models import Assignment, DutyReach, DutyRule, Group, Resource, ResourceKind, Role, User
from roles.refusals import Refused
from roles.rules.duty_rules import DutyTerms
from roles.selectors.duties.conflicts import conflicts
from roles.services.duties import add_duty_rule, change_duty_rule
from roles.services.groups import disable_group, enable_group
from roles.services.moves import move_resource
from roles.services.principals import disable_person, enable_person
from roles.services.resources import add_resource
from tests.people import (
    DAY,
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
from tests.test_bulk_imports import file_of

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


def _moving_a_place(world: World) -> tuple[Act, Act]:
    """Below the rule stands one role; a place where the other one is held moves there."""
    left, right = (_managed(world, name) for name in ("Left", "Right"))
    moved = _placed(ResourceKind.SUBSCRIPTION, "Moved", right)
    kept_apart(world.makes, world.releases, place=left)
    world.gets(world.ines, world.makes, moved)
    return (
        lambda: move_resource(moved.pk, left.pk, seen=None, reason="tidy", actor=OPERATOR, clock=SOON),
        lambda: world.gets(world.ines, world.releases, left),
    )


def _managed(world: World, name: str) -> Resource:
    return _placed(ResourceKind.MANAGEMENT_GROUP, name, world.root)


def _placed(kind: ResourceKind, name: str, parent: Resource) -> Resource:
    made = add_resource(kind, name=name, parent=parent, actor=OPERATOR, clock=at(NOW - 400 * DAY))
    found: Resource = Resource.objects.get(pk=made.pk)
    return found


def _importing(world: World) -> tuple[Act, Act]:
    world.rule()
    return lambda: _bring(world, world.makes), lambda: world.gets(world.ines, world.releases)


def _importing_twice(world: World) -> tuple[Act, Act]:
    world.rule()
    return lambda: _bring(world, world.makes), lambda: _bring(world, world.releases)


def _bring(world: World, what: Role) -> object:
    """Import one line as an export writes it: Ines has this role, active and for ever."""
    line = f"Active,{world.ines.name},{what.name},{world.ines.username},Direct,,,{world.sub.scope_path}"
    return import_assignments(file_of([line]), reason="moved in", actor=OPERATOR, clock=SOON)


STAGED = [
    _moving_a_place,
    _importing,
    _importing_twice,
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
    # An import names the line, and why.
    assert "duties" in second.error.codes or "keep" in second.error.sentence
    assert conflicts(NOW + MINUTE, world.root) == []


TERMS = ("Four eyes", "", DutyReach.HOLD)


def _adding(world: World) -> Act:
    terms = DutyTerms(*TERMS, (world.makes, world.releases))
    return lambda: add_duty_rule(world.root, terms, seen=None, reason="now", actor=OPERATOR, clock=SOON)


def _changing(world: World) -> Act:
    """A rule that kept something else apart names both from now on."""
    other = custom_role(world.root, "Audits payments")
    rule = kept_apart(world.makes, other, place=world.root)
    terms = DutyTerms(*TERMS, (world.makes, world.releases, other))
    return lambda: change_duty_rule(rule.pk, terms, seen=None, reason="now", actor=OPERATOR, clock=SOON)


@pytest.mark.parametrize("rule", [_adding, _changing])
@pytest.mark.parametrize("way", ["direct", "joining", "enabling"])
def test_what_waits_for_a_rule_that_is_being_made_or_changed_obeys_it(way, rule, world):
    ruling = rule(world)
    world.gets(world.ines, world.makes)
    made, late = race(ruling, _second(way, world))
    assert made.error is None
    assert isinstance(late.error, Refused)
    assert "duties" in late.error.codes


@pytest.mark.parametrize("rule", [_adding, _changing])
@pytest.mark.parametrize("way", ["direct", "joining", "enabling"])
def test_a_rule_counts_what_was_being_given_while_it_waited(way, rule, world):
    ruling = rule(world)
    world.gets(world.ines, world.makes)
    given, made = race(_second(way, world), ruling)
    assert (given.error, made.error) == (None, None)
    kind = Kind.DUTY_RULE_ADDED if rule is _adding else Kind.DUTY_RULE_CHANGED
    assert Event.objects.get(kind=kind).details["conflicts"] == 1


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
