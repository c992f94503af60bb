"""The order of looseness: every field of the settings has one, and says which way is looser."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from roles.models import (
    ApprovalStage,
    Audience,
    NotificationCell,
    NotifiedAct,
    RoleSettings,
    SecondFactor,
    StageApprover,
)
from roles.rules.looser import LOOSER, loosened
from roles.selectors.settings import RULES, Cell, EffectiveSettings, Stage
from roles.settings_words import field_names, loosened_words

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
ADAM, BERTA, CARLA = (uuid.UUID(int=number) for number in (1, 2, 3))
CELL = Cell(NotifiedAct.ACTIVATED, Audience.ADMINISTRATORS)

STRICT = EffectiveSettings(
    role_id=uuid.UUID(int=9),
    source_id=None,
    source_name="",
    is_default=False,
    max_activation=HOUR,
    second_factor=SecondFactor.EVERY_TIME,
    reason_required=True,
    ticket_required=True,
    ticket_pattern="INC[0-9]+",
    ticket_verified=True,
    approval_required=True,
    approval_window=HOUR,
    break_glass_allowed=False,
    break_glass_max=HOUR,
    break_glass_review_within=DAY,
    stages=(Stage(1, 2, frozenset({ADAM, BERTA}), frozenset({CARLA})), Stage(2, 1, frozenset({BERTA}))),
    permanent_eligible_allowed=False,
    expire_eligible_after=DAY,
    permanent_active_allowed=False,
    expire_active_after=DAY,
    second_factor_on_assign=True,
    reason_on_assign=True,
    cells=(replace(CELL, additional=("ciso@example.org",)),),
)


def stages(*given: Any) -> dict[str, Any]:
    """Settings with these stages: (quorum, approvers, escalation)."""
    made = [
        Stage(number, quorum, frozenset(asked), frozenset(later))
        for number, (quorum, asked, later) in enumerate(given, start=1)
    ]
    return {"stages": tuple(made)}


FIRST: Any = (2, [ADAM, BERTA], [CARLA])
SECOND: Any = (1, [BERTA], [])

# One step towards loose, for every field of the table.
STEPS: dict[str, dict[str, Any]] = {
    "max_activation": {"max_activation": HOUR + MICROSECOND},
    "second_factor": {"second_factor": SecondFactor.FRESH},
    "reason_required": {"reason_required": False},
    "ticket_required": {"ticket_required": False},
    "ticket_pattern": {"ticket_pattern": ""},
    "ticket_verified": {"ticket_verified": False},
    "approval_required": {"approval_required": False, "stages": ()},
    "approval_window": {"approval_window": HOUR + MICROSECOND},
    "break_glass_allowed": {"break_glass_allowed": True},
    "break_glass_max": {"break_glass_max": HOUR + MICROSECOND},
    "break_glass_review_within": {"break_glass_review_within": DAY + MICROSECOND},
    "permanent_eligible_allowed": {"permanent_eligible_allowed": True},
    "expire_eligible_after": {"expire_eligible_after": DAY + MICROSECOND},
    "permanent_active_allowed": {"permanent_active_allowed": True},
    "expire_active_after": {"expire_active_after": DAY + MICROSECOND},
    "second_factor_on_assign": {"second_factor_on_assign": False},
    "reason_on_assign": {"reason_on_assign": False},
    "stage.number": stages(FIRST),
    "stage.quorum": stages((1, [ADAM, BERTA], [CARLA]), SECOND),
    "stage.approvers": stages(FIRST, (1, [BERTA, CARLA], [])),
    "stage.escalation": stages(FIRST, (1, [BERTA], [ADAM])),
    "cell.default_recipients": {"cells": (replace(STRICT.cells[0], default_recipients=False),)},
    "cell.critical_only": {"cells": (replace(STRICT.cells[0], critical_only=True),)},
    "cell.additional": {"cells": ()},
}


def test_no_field_is_forgotten():
    """Of the settings, their stages, approvers, escalations and cells; a new field needs a line in the table."""
    about = {"id", "settings", "stage", "act", "audience"}
    seats = {"principal": "approvers", "escalation": "escalation"}
    wanted = set(RULES)
    wanted |= {f"stage.{one.name}" for one in ApprovalStage._meta.concrete_fields if one.name not in about}
    wanted |= {f"stage.{seats[one.name]}" for one in StageApprover._meta.concrete_fields if one.name not in about}
    wanted |= {f"cell.{one.name}" for one in NotificationCell._meta.concrete_fields if one.name not in about}
    assert set(LOOSER) == wanted
    assert set(RULES) == set(field_names())
    assert {one.name for one in RoleSettings._meta.related_objects} == {"cells", "stages"}


def test_every_field_has_a_step_that_is_tried():
    assert STEPS.keys() == LOOSER.keys()


@pytest.mark.parametrize("field", STEPS)
def test_a_step_towards_loose_is_told_and_the_way_back_is_not(field):
    loose = replace(STRICT, **STEPS[field])
    assert loosened(STRICT, loose) == (field,)
    if field not in ("ticket_pattern", "approval_window", "stage.number"):
        assert field not in loosened(loose, STRICT)


@pytest.mark.parametrize("field", STEPS)
def test_every_field_has_words(field):
    assert all(loosened_words([field]))


def test_the_same_is_not_looser():
    assert loosened(STRICT, STRICT) == ()


def test_a_pattern_instead_of_any_is_stricter_and_another_pattern_counts_as_looser():
    assert loosened(replace(STRICT, ticket_pattern=""), STRICT) == ()
    assert loosened(STRICT, replace(STRICT, ticket_pattern="INC.*")) == ("ticket_pattern",)


def test_fewer_approvers_are_stricter():
    assert loosened(STRICT, replace(STRICT, **stages((2, [ADAM], [CARLA]), SECOND))) == ()


@pytest.mark.parametrize("approvers", [[], [CARLA]], ids=["nobody named: the administrators", "somebody else"])
def test_others_who_approve_are_looser(approvers):
    assert loosened(STRICT, replace(STRICT, **stages(FIRST, (1, approvers, [])))) == ("stage.approvers",)


def test_the_administrators_replaced_by_named_people_are_looser():
    administrators = replace(STRICT, **stages(FIRST, (1, [], [])))
    assert loosened(administrators, STRICT) == ("stage.approvers",)


def test_an_approver_who_becomes_an_escalation_is_stricter_and_the_other_way_round_looser():
    later = replace(STRICT, **stages((2, [ADAM], [BERTA, CARLA]), SECOND))
    assert loosened(STRICT, later) == ()
    assert loosened(later, STRICT) == ("stage.approvers",)


def test_one_more_stage_is_stricter():
    assert loosened(STRICT, replace(STRICT, **stages(FIRST, SECOND, (1, [CARLA], [])))) == ()


def test_a_shorter_window_lets_an_escalation_decide_sooner():
    shorter = replace(STRICT, approval_window=HOUR - MICROSECOND)
    assert loosened(STRICT, shorter) == ("approval_window",)
    without = {"stages": (Stage(1, 1, frozenset({ADAM})),)}
    assert loosened(replace(STRICT, **without), replace(shorter, **without)) == ()


def test_while_no_approval_is_asked_for_its_stages_and_window_are_nothing_to_loosen():
    off = replace(STRICT, approval_required=False, stages=())
    assert loosened(off, replace(off, approval_window=2 * HOUR)) == ()
    assert loosened(off, STRICT) == ()


def test_additional_addresses_may_be_written_otherwise_and_more_of_them_are_not_looser():
    more = replace(CELL, additional=("CISO@example.org", "soc@example.org"))
    assert loosened(STRICT, replace(STRICT, cells=(more,))) == ()
