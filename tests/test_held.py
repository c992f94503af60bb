"""Each condition of *held* by itself, on rows as no service would leave them: what stands on them gives nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from roles import ids
from roles.models import Assignment, AssignmentType, Purpose, Resource, User
from roles.services.elevation import elevate
from tests.people import NOW, acting, at, give, group, make_eligible, person, request_activation, role, tree

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)
ACTIVE, ELIGIBLE = AssignmentType.ACTIVE, AssignmentType.ELIGIBLE


def activated(user: User, eligibility: Assignment, **wanted: Any) -> Assignment:
    made = request_activation(user, eligibility, **wanted).outcome
    assert made is not None
    return made


class Ground:
    """Ines is eligible to belong to a team that is eligible at a root; she activated both, the second one below."""

    def __init__(self) -> None:
        self.root, self.between, self.below = tree("Root", "Sub", "Group")
        self.beside: Resource = tree("Beside")[0]
        self.ines: User = person("ines")
        self.other: User = person("zoe")
        self.team, self.others = group("Team"), group("Others")
        self.joining = make_eligible(self.ines, role(ids.GROUP_MEMBER), self.team.resource)
        self.membership = activated(self.ines, self.joining)
        self.eligibility = make_eligible(self.team, role(ids.OWNER), self.root)
        self.activation = activated(self.ines, self.eligibility, resource_id=self.below.pk)


def put(row: Any, **values: Any) -> None:
    type(row).objects.filter(pk=row.pk).update(**values)


def over(row: Assignment) -> None:
    put(row, ended_at=NOW, end_reason="removed")


def direct(ground: Ground, **values: Any) -> None:
    """Let the membership be one that nobody activated, with these values."""
    put(ground.membership, activated_from=None, **values)


def to_be_activated(ground: Ground) -> None:
    over(ground.joining)
    direct(ground, type=ELIGIBLE)


BREAKS: dict[str, Callable[[Ground], None]] = {
    "the role is retired": lambda one: put(role(ids.OWNER), retired_at=NOW),
    "the place is retired": lambda one: put(one.below, retired_at=NOW),
    "the place above is retired": lambda one: put(one.between, retired_at=NOW),
    "the place of the eligibility is retired": lambda one: put(one.root, retired_at=NOW),
    "the eligibility is over": lambda one: over(one.eligibility),
    "the eligibility is over by the clock": lambda one: put(one.eligibility, ends_at=NOW + TICK),
    "the eligibility begins later": lambda one: put(one.eligibility, starts_at=NOW + 2 * TICK),
    "the eligibility is none": lambda one: put(one.eligibility, type=ACTIVE),
    "the eligibility is for another role": lambda one: put(one.eligibility, role=ids.READER),
    "the eligibility is for another place": lambda one: put(one.eligibility, resource=one.beside),
    "the eligibility is somebody else's": lambda one: put(one.eligibility, principal=one.other),
    "the eligibility is another group's": lambda one: put(one.eligibility, principal=one.others),
    "the group is disabled": lambda one: put(one.team, enabled=False),
    "the node of the group is retired": lambda one: put(one.team.resource, retired_at=NOW),
    "the membership is over": lambda one: over(one.membership),
    "the membership is over by the clock": lambda one: put(one.membership, ends_at=NOW + TICK),
    "the membership began after the activation": lambda one: put(one.membership, starts_at=NOW + TICK),
    "the membership is somebody else's": lambda one: direct(one, principal=one.other),
    "the membership may be activated only": to_be_activated,
    "the membership is ownership": lambda one: direct(one, role=ids.GROUP_OWNER),
    "what the membership came from is over": lambda one: over(one.joining),
    "what the membership came from is none": lambda one: put(one.joining, type=ACTIVE, starts_at=NOW + TICK),
    "what the membership came from is ownership": lambda one: put(one.joining, role=ids.GROUP_OWNER),
    "what the membership came from is another group's": lambda one: put(one.joining, resource=one.others.resource),
    "what the membership came from is somebody else's": lambda one: put(one.joining, principal=one.other),
}


@pytest.mark.parametrize("what", BREAKS)
def test_an_activation_that_lost_what_it_stands_on_gives_nothing(what: str):
    ground = Ground()
    now = NOW + TICK

    def found() -> tuple[bool, bool, bool]:
        rows = Assignment.objects.filter(pk=ground.activation.pk)
        by_keys = Assignment.objects.in_effect_of([ground.activation.pk], now)
        return rows.held_by(ground.ines.pk, now).exists(), by_keys.exists(), rows.orphaned(now).exists()

    assert found() == (True, True, False)
    BREAKS[what](ground)
    assert found() == (False, False, True)


def test_nothing_comes_of_a_retired_role():
    row = give(person("ines"), role(ids.OWNER), tree("Root")[0], starts_at=NOW + TICK)
    assert Assignment.objects.now_or_later(NOW).filter(pk=row.pk).exists()
    put(role(ids.OWNER), retired_at=NOW)
    assert not Assignment.objects.now_or_later(NOW).filter(pk=row.pk).exists()


ROLE_BREAKS: dict[str, Callable[[Assignment, Assignment], None]] = {
    "the role behind it is over": lambda behind, _member: over(behind),
    "the role behind it is over by the clock": lambda behind, _member: put(behind, ends_at=NOW + TICK),
    "the role behind it may be activated only": lambda behind, _member: put(behind, activated_from=None, type=ELIGIBLE),
    "the role behind it is somebody else's": lambda behind, _member: put(
        behind, activated_from=None, principal=person("zoe")
    ),
    "what the role came from is over": lambda behind, member: over(behind.activated_from or member),
    "the group of the role is left": lambda _behind, member: over(member),
}


@pytest.mark.parametrize("what", ROLE_BREAKS)
@pytest.mark.parametrize("way", ["activated", "given"])
def test_elevated_access_that_lost_the_role_behind_it_gives_nothing(what: str, way: str):
    """The role is held through a group: activated from what the group is eligible for, or given to the group."""
    tree("Root")
    gina = person("gina")
    team = group("Team", gina)
    member = Assignment.objects.get(principal=gina, role=ids.GROUP_MEMBER)
    administrator = role(ids.GLOBAL_ADMINISTRATOR)
    behind = activated(gina, make_eligible(team, administrator)) if way == "activated" else give(team, administrator)
    elevate(reason="needed", actor=acting(gina, Purpose.ELEVATE, gina.pk), clock=at(NOW))

    def found() -> tuple[bool, bool]:
        rows = Assignment.objects.filter(elevated_from=behind.pk)
        return rows.in_effect(NOW + TICK).exists(), rows.orphaned(NOW + TICK).exists()

    assert found() == (True, False)
    ROLE_BREAKS[what](behind, member)
    assert found() == (False, True)
