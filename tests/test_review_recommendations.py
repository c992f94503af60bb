"""What is recommended, from use, to the microsecond; and which assignments a review takes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from audit.kinds import Kind
from reviews.models import Because, Covers, Recommendation
from reviews.rules.recommendations import UseFacts, recommend
from reviews.wording import reason_of_recommendation
from roles import ids
from roles.actors import Actor
from roles.models import AssignmentType
from roles.service import record
from roles.services.assignments import deactivate
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    NOW,
    at,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
)
from tests.reviewing import chosen, row_of, started

MICROSECOND = timedelta(microseconds=1)
SINCE = NOW - 30 * DAY
LONG_AGO = NOW - 300 * DAY
ELIGIBLE, ACTIVE = AssignmentType.ELIGIBLE, AssignmentType.ACTIVE
APPROVE, DENY, NONE = Recommendation.APPROVE, Recommendation.DENY, Recommendation.NONE


def advice(type, since, activations=0, seen=None):
    return recommend(UseFacts(type, since, NOW, 30, activations, seen))


@pytest.mark.parametrize(
    ("type", "since", "activations", "seen", "expected"),
    [
        (ELIGIBLE, LONG_AGO, 1, None, (APPROVE, Because.ACTIVATED)),
        (ELIGIBLE, LONG_AGO, 0, NOW, (DENY, Because.NOT_ACTIVATED)),
        (ELIGIBLE, SINCE, 0, None, (DENY, Because.NOT_ACTIVATED)),
        (ELIGIBLE, SINCE + MICROSECOND, 0, None, (NONE, Because.NEW)),
        (ACTIVE, LONG_AGO, 0, SINCE, (APPROVE, Because.SIGNED_IN)),
        (ACTIVE, LONG_AGO, 0, SINCE - MICROSECOND, (DENY, Because.NOT_SIGNED_IN)),
        (ACTIVE, LONG_AGO, 0, None, (DENY, Because.NEVER_SEEN)),
        (ACTIVE, SINCE + MICROSECOND, 0, None, (NONE, Because.NEW)),
    ],
)
def test_use_speaks(type, since, activations, seen, expected):
    assert advice(type, since, activations, seen) == expected


@pytest.fixture
def cast(db):
    return {name: person(name) for name in ("ines", "adam", "zoe")}


def signed_in(user, when):
    with transaction.atomic():
        record(Kind.SIGNED_IN, actor=Actor(user=user), at=when, target=user)


def exchange(adam, **values):
    return started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)], **values)


def test_each_row_says_how_much_it_is_used(cast):
    eligible = make_eligible(cast["ines"], role(EXCHANGE_ADMINISTRATOR))
    for days in (40, 20, 2):
        request_activation(cast["ines"], eligible, now=NOW - days * DAY)
    signed_in(cast["ines"], NOW - DAY)
    row = row_of(exchange(cast["adam"]), cast["ines"])
    assert (row.activations, row.last_activated_at, row.last_sign_in_at) == (2, NOW - 2 * DAY, NOW - DAY)
    assert (row.recommendation, row.because) == (APPROVE, Because.ACTIVATED)
    assert reason_of_recommendation(row, 30) == "Activated 2 times in the last 30 days."


def test_what_was_planned_and_called_off_before_its_start_is_no_use(cast):
    eligible = make_eligible(cast["ines"], role(EXCHANGE_ADMINISTRATOR))
    planned = request_activation(cast["ines"], eligible, now=NOW - 10 * DAY, start=NOW - 9 * DAY)
    deactivate(planned.outcome_id, actor=Actor(cast["ines"]), clock=at(NOW - 9 * DAY))
    row = row_of(exchange(cast["adam"]), cast["ines"])
    assert (row.activations, row.last_activated_at) == (0, None)
    assert (row.recommendation, row.because) == (DENY, Because.NOT_ACTIVATED)


def test_a_group_is_used_when_a_member_uses_it(cast):
    team = group("Team", cast["ines"], cast["zoe"])
    eligible = make_eligible(team, role(EXCHANGE_ADMINISTRATOR))
    for name in ("ines", "zoe"):
        request_activation(cast[name], eligible, now=NOW - DAY)
    signed_in(cast["zoe"], NOW - 3 * DAY)
    row = row_of(exchange(cast["adam"]), team)
    assert (row.activations, row.last_activated_at, row.last_sign_in_at) == (2, NOW - DAY, NOW - 3 * DAY)


@pytest.mark.parametrize(
    ("last", "taken"), [(NOW - 90 * DAY, True), (NOW - 90 * DAY + MICROSECOND, False), (None, True)]
)
def test_only_the_inactive_are_taken_where_the_review_says_so(last, taken, cast):
    give(cast["ines"], role(EXCHANGE_ADMINISTRATOR))
    if last:
        signed_in(cast["ines"], last)
    assert exchange(cast["adam"], inactive_days=90).verdicts.exists() == taken


@pytest.mark.parametrize(("covers", "count"), [(Covers.BOTH, 2), (Covers.ELIGIBLE, 1), (Covers.ACTIVE, 1)])
def test_eligible_active_or_both_and_never_an_activation(covers, count, cast):
    make_eligible(cast["zoe"], role(EXCHANGE_ADMINISTRATOR))
    eligible = make_eligible(cast["ines"], role(EXCHANGE_ADMINISTRATOR))
    give(cast["ines"], role(EXCHANGE_ADMINISTRATOR))
    request_activation(cast["zoe"], make_eligible(cast["zoe"], role(ids.SECURITY_READER)), now=NOW)
    assert exchange(cast["adam"], covers=covers).verdicts.count() == count + (covers != Covers.ACTIVE)
    assert eligible.activations.count() == 0


def test_what_is_planned_or_over_is_not_taken(cast):
    make_eligible(cast["ines"], role(EXCHANGE_ADMINISTRATOR), ends_at=NOW)
    make_eligible(cast["zoe"], role(EXCHANGE_ADMINISTRATOR), starts_at=NOW + MICROSECOND)
    assert exchange(cast["adam"]).rows_total == 0


def test_without_recommendations_there_are_none(cast):
    make_eligible(cast["ines"], role(EXCHANGE_ADMINISTRATOR))
    row = row_of(exchange(cast["adam"], recommendations=False), cast["ines"])
    assert (row.recommendation, row.because) == (NONE, Because.OFF)
