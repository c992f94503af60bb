"""An approver and a deputy at once, and deciding against what takes the right to decide away: one outcome."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from approvals.models import Decision, Request, Status
from approvals.selectors.showing import shown_digest
from approvals.services.closing import lapse_overdue
from approvals.services.decisions import approve, deny
from approvals.services.deputies import end_deputy
from audit.kinds import Kind
from roles import ids
from roles.actors import Actor
from roles.models import Assignment, Purpose, User
from roles.refusals import Refused
from roles.services.principals import disable_person
from tests.deputising import named
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    at,
    configure,
    give,
    make_eligible,
    person,
    request_activation,
    role,
)
from tests.races import race
from tests.told import done

pytestmark = pytest.mark.django_db(transaction=True)
SOON = at(NOW + MINUTE)


@pytest.fixture
def cast(transactional_db) -> dict[str, User]:
    people = {name: person(name) for name in ("ines", "adam", "berta", "zoe", "petra")}
    give(people["petra"], role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    return people


@pytest.fixture
def pending(cast) -> Request:
    """Adam and Berta must agree; Zoe stands in for Adam."""
    eligible = make_eligible(cast["ines"], role(EXCHANGE_ADMINISTRATOR))
    configure(eligible.role, approvers=[cast["adam"], cast["berta"]], quorum=2)
    named(cast["adam"], cast["zoe"], now=NOW - MINUTE)
    return request_activation(cast["ines"], eligible)


def deciding(service: Callable[..., Request], request: Request, user: User) -> Callable[[], Request]:
    actor, seen = acting(user, Purpose.DECIDE, request.pk), shown_digest(request)
    return lambda: service(request.pk, actor=actor, justification="ok", seen=seen, clock=SOON)


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(["adam", "zoe"])))
def test_an_approver_and_their_deputy_at_once_count_once(cast, pending, first, second):
    winner, loser = race(deciding(approve, pending, cast[first]), deciding(approve, pending, cast[second]))
    assert winner.error is None
    assert isinstance(loser.error, Refused), loser
    assert loser.error.codes == {"seat_taken"}
    assert f"{cast[first].name} has already decided" in loser.error.sentence
    assert Decision.objects.count() == done(Kind.REQUEST_APPROVED) == 1
    pending.refresh_from_db()
    assert pending.status == Status.PENDING
    assert not Assignment.objects.filter(activated_from=pending.assignment).exists()


def test_a_deputy_who_was_ended_while_they_waited_does_not_decide(cast, pending):
    row = cast["adam"].deputies.get()
    ended, said = race(
        lambda: end_deputy(row.pk, actor=Actor(user=cast["adam"]), clock=SOON),
        deciding(approve, pending, cast["zoe"]),
    )
    assert ended.error is None
    assert isinstance(said.error, Refused), said
    assert said.error.codes == {"not_an_approver"}
    assert not Decision.objects.exists()


@pytest.mark.parametrize("who", ["adam", "zoe"])
def test_who_was_disabled_while_they_waited_does_not_decide(cast, pending, who):
    disabled, said = race(
        lambda: disable_person(cast[who].pk, reason="left", actor=OPERATOR, clock=SOON),
        deciding(approve, pending, cast[who]),
    )
    assert disabled.error is None
    assert isinstance(said.error, Refused), said
    assert "not_an_approver" in said.error.codes
    assert not Decision.objects.exists()


def test_a_deputy_does_not_decide_while_the_approver_is_disabled(cast, pending):
    disabled, said = race(
        lambda: disable_person(cast["adam"].pk, reason="left", actor=OPERATOR, clock=SOON),
        deciding(approve, pending, cast["zoe"]),
    )
    assert disabled.error is None
    assert isinstance(said.error, Refused), said
    assert not Decision.objects.exists()


def test_a_request_whose_requestor_is_disabled_meanwhile_is_not_decided(cast, pending):
    disabled, said = race(
        lambda: disable_person(cast["ines"].pk, reason="left", actor=OPERATOR, clock=SOON),
        deciding(deny, pending, cast["berta"]),
    )
    assert disabled.error is None
    assert isinstance(said.error, Refused), said
    assert "lapsed" in said.error.codes
    assert done(Kind.REQUEST_DENIED) == 0


@pytest.mark.parametrize("sweep_first", [True, False])
def test_a_decision_against_the_sweep_that_lapses_it(cast, pending, sweep_first):
    late = pending.lapses_at
    actor, seen = acting(cast["berta"], Purpose.DECIDE, pending.pk, now=late), shown_digest(pending)

    def say() -> Request:
        return deny(pending.pk, actor=actor, justification="ok", seen=seen, clock=at(late))

    acts = (lambda: lapse_overdue(clock=at(late)), say)
    results = race(*acts) if sweep_first else race(*reversed(acts))
    said = results[1] if sweep_first else results[0]
    assert isinstance(said.error, Refused), said
    assert "lapsed" in said.error.codes
    assert done(Kind.REQUEST_LAPSED) <= 1
    assert done(Kind.REQUEST_DENIED) == 0
