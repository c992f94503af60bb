"""A second factor given for one act is worth nothing for another: kind, object, session, person and time are its."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from roles import ids
from roles.actors import Actor
from roles.models import AssignmentType, Group, Purpose, Resource, ResourceKind, User
from roles.refusals import Refused
from roles.selectors.moves import preview_of_move, preview_of_retirement
from roles.services import step_ups
from roles.services.assignments import assign, remove
from roles.services.changes import change
from roles.services.custom_roles import add_role, definition_of, retire_role
from roles.services.groups import add_group, change_group, disable_group
from roles.services.moves import move_resource
from roles.services.people import change_person
from roles.services.principals import add_person, disable_person
from roles.services.resources import add_resource, rename_resource
from roles.services.retirements import retire_resource
from roles.services.settings import change_settings
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    MINUTE,
    NOW,
    acting,
    at,
    custom_role,
    directory,
    give,
    group,
    make_eligible,
    person,
    role,
    tree,
    unit,
)

pytestmark = pytest.mark.django_db
MICROSECOND = timedelta(microseconds=1)


@dataclass
class Stage:
    """Whom and what the acts are about. Petra holds everything that they need."""

    petra: User
    ines: User
    team: Group
    berlin: Resource
    prod: Resource
    left: Resource


@pytest.fixture
def stage(db) -> Stage:
    petra = person("petra")
    give(petra, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    give(petra, role(ids.GROUPS_ADMINISTRATOR))
    root, prod = tree("Root", "Prod")
    give(petra, role(ids.OWNER), root)
    left = add_resource(
        ResourceKind.MANAGEMENT_GROUP, name="Left", parent=root, actor=Actor.operator("tests"), clock=at(NOW - DAY)
    )
    return Stage(petra, person("ines"), group("Team"), unit("Berlin"), prod, left)


Made = tuple[Purpose, uuid.UUID, Callable[[Actor], Any]]


def _person(stage: Stage) -> dict[str, Any]:
    return {"username": "irene", "name": "Irene", "email": "", "job_title": "", "department": "", "manager_id": None}


def _assigning(stage: Stage, now: Any) -> Made:
    def act(actor: Actor) -> Any:
        return assign(
            stage.ines.pk,
            role=role(EXCHANGE_ADMINISTRATOR),
            resource=directory(),
            type=AssignmentType.ELIGIBLE,
            reason="needed",
            actor=actor,
            clock=now,
        )

    return Purpose.ASSIGN, stage.ines.pk, act


def _removing(stage: Stage, now: Any) -> Made:
    row = make_eligible(stage.ines, role(EXCHANGE_ADMINISTRATOR))
    return Purpose.ASSIGN, row.pk, lambda actor: remove(row.pk, reason="left", actor=actor, clock=now)


def _changing(stage: Stage, now: Any) -> Made:
    row = make_eligible(stage.ines, role(EXCHANGE_ADMINISTRATOR))
    end = NOW + 30 * DAY
    return (
        Purpose.ASSIGN,
        row.pk,
        lambda actor: change(row.pk, starts_at=None, ends_at=end, reason="less", actor=actor, clock=now),
    )


def _settings(stage: Stage, now: Any) -> Made:
    what = role(EXCHANGE_ADMINISTRATOR)
    values = {"ticket_required": True}
    return (
        Purpose.SETTINGS,
        what.pk,
        lambda actor: change_settings(what, resource=None, values=values, actor=actor, clock=now),
    )


def _custom(stage: Stage, now: Any) -> Made:
    wanted = definition_of(name="Made here", permissions="")
    return Purpose.ASSIGN, stage.petra.pk, lambda actor: add_role(directory(), wanted, actor=actor, clock=now)


def _retiring_a_role(stage: Stage, now: Any) -> Made:
    made = custom_role(directory(), "Made here")
    return Purpose.ASSIGN, made.pk, lambda actor: retire_role(made.pk, actor=actor, clock=now)


def _growing(stage: Stage, now: Any) -> Made:
    def act(actor: Actor) -> Any:
        return add_resource(ResourceKind.RESOURCE_GROUP, name="rg", parent=stage.prod, actor=actor, clock=now)

    return Purpose.ASSIGN, stage.petra.pk, act


def _renaming(stage: Stage, now: Any) -> Made:
    pk = stage.berlin.pk
    return Purpose.ASSIGN, pk, lambda actor: rename_resource(pk, name="Paris", actor=actor, clock=now)


def _moving(stage: Stage, now: Any) -> Made:
    pk, to = stage.prod.pk, stage.left.pk
    seen = preview_of_move(stage.prod, stage.left, NOW).digest
    return Purpose.ASSIGN, pk, lambda actor: move_resource(pk, to, seen=seen, actor=actor, clock=now)


def _retiring(stage: Stage, now: Any) -> Made:
    pk = stage.berlin.pk
    seen = preview_of_retirement(stage.berlin, NOW).digest
    return Purpose.ASSIGN, pk, lambda actor: retire_resource(pk, seen=seen, actor=actor, clock=now)


def _adding_people(stage: Stage, now: Any) -> Made:
    return Purpose.PEOPLE, stage.petra.pk, lambda actor: add_person(username="zoe", name="Zoe", actor=actor, clock=now)


def _changing_people(stage: Stage, now: Any) -> Made:
    pk = stage.ines.pk
    return Purpose.PEOPLE, stage.petra.pk, lambda actor: change_person(pk, **_person(stage), actor=actor, clock=now)


def _disabling_people(stage: Stage, now: Any) -> Made:
    pk = stage.ines.pk
    return Purpose.PEOPLE, stage.petra.pk, lambda actor: disable_person(pk, reason="left", actor=actor, clock=now)


def _adding_groups(stage: Stage, now: Any) -> Made:
    return Purpose.PEOPLE, stage.petra.pk, lambda actor: add_group("Other", actor=actor, clock=now)


def _changing_groups(stage: Stage, now: Any) -> Made:
    pk = stage.team.pk
    return (
        Purpose.PEOPLE,
        stage.petra.pk,
        lambda actor: change_group(pk, name="Other", description="", actor=actor, clock=now),
    )


def _disabling_groups(stage: Stage, now: Any) -> Made:
    pk = stage.team.pk
    return Purpose.PEOPLE, stage.petra.pk, lambda actor: disable_group(pk, reason="over", actor=actor, clock=now)


ACTS = [
    _assigning,
    _removing,
    _changing,
    _settings,
    _custom,
    _retiring_a_role,
    _growing,
    _renaming,
    _moving,
    _retiring,
    _adding_people,
    _changing_people,
    _disabling_people,
    _adding_groups,
    _changing_groups,
    _disabling_groups,
]
ELSEWHERE = uuid.UUID(int=7)


def refused(act: Callable[[Actor], Any], actor: Actor) -> bool:
    try:
        act(actor)
    except Refused as refusal:
        return "second_factor" in refusal.codes
    return False


@pytest.mark.parametrize("make", ACTS)
def test_what_was_given_for_anything_else_does_nothing(stage, make):
    purpose, about, act = make(stage, at(NOW))
    right = acting(stage.petra, purpose, about)
    assert right.presented is not None
    # The form of a leaver does several kinds of acts at once, each on what it names.
    wrong = {
        "none": replace(right, presented=None),
        "another kind": acting(stage.petra, Purpose.DECIDE, about),
        "another object": acting(stage.petra, purpose, ELSEWHERE),
        "the leaver's form over another object": acting(stage.petra, Purpose.LEAVE, ELSEWHERE),
        "nothing": acting(stage.petra, purpose),
        "another session": replace(right, presented=replace(right.presented, session="other")),
        "another person": replace(acting(stage.ines, purpose, about), user=stage.petra),
        "the one of an order that was never given": replace(right, presented=None, ordered=frozenset({Purpose.DECIDE})),
    }
    assert [name for name, actor in wrong.items() if not refused(act, actor)] == []
    act(right)


@pytest.mark.parametrize("make", ACTS)
def test_it_is_fresh_to_the_microsecond(stage, make):
    moment = [NOW]
    purpose, about, act = make(stage, lambda: moment[0])
    actor = acting(stage.petra, purpose, about)
    moment[0] = NOW + 4 * MINUTE  # given a minute before
    assert refused(act, actor)
    moment[0] -= MICROSECOND
    act(actor)


@pytest.mark.parametrize("make", ACTS)
def test_one_that_was_spent_on_another_form_does_nothing(stage, make):
    purpose, about, act = make(stage, at(NOW))
    actor = acting(stage.petra, purpose, about)
    assert actor.presented is not None
    other = replace(actor.presented, objects=frozenset({ELSEWHERE}), form=ELSEWHERE)
    step_ups.spend(replace(actor, presented=other), purpose, ELSEWHERE, now=NOW)
    assert refused(act, actor)


@pytest.mark.parametrize("what", ["object", "time", "person", "session", "purpose", "form"])
def test_what_does_not_serve_cannot_be_spent_either(what: str, stage: Stage):
    """Asking and spending look for themselves: a service that forgot to ask spends nothing that is not for it."""
    actor, about, purpose, now = acting(stage.petra, Purpose.ASSIGN, stage.ines.pk), stage.ines.pk, Purpose.ASSIGN, NOW
    presented = actor.presented
    assert presented is not None
    assert step_ups.serves(actor, purpose, about, now=now + 4 * MINUTE - MICROSECOND)
    match what:
        case "object":
            about = stage.team.pk
        case "time":
            now += 4 * MINUTE
        case "person":
            actor = replace(actor, user=stage.ines)
        case "session":
            actor = replace(actor, presented=replace(presented, session="another"))
        case "purpose":
            purpose = Purpose.PEOPLE
        case "form":
            step_ups.spend(actor, purpose, about, now=now)
            actor = replace(actor, presented=replace(presented, form=uuid.uuid4()))
    assert not step_ups.serves(actor, purpose, about, now=now)
    with pytest.raises(Refused, match="second_factor"):
        step_ups.spend(actor, purpose, about, now=now)
