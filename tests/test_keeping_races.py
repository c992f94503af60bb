"""Two at once about what is to be kept for longer: one outcome, one set of events, told to the loser in a sentence."""

from __future__ import annotations

from datetime import timedelta

import pytest

from approvals.models import Action, Decision, Request, Status, Verdict
from approvals.services.activations import Wanted
from approvals.services.prolonging import prolong
from audit.kinds import Kind
from roles import ids
from roles.actors import Actor
from roles.models import Assignment, AssignmentType, EndReason, Purpose, User
from roles.refusals import Refused
from roles.services.assignments import deactivate, remove
from roles.services.changes import renew
from roles.services.ends import write_down_ends
from tests.people import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECURITY_READER,
    acting,
    ask_to_keep,
    at,
    configure,
    decide,
    give,
    make_eligible,
    person,
    request_activation,
    request_prolonging,
    role,
)
from tests.races import race
from tests.told import done

pytestmark = pytest.mark.django_db(transaction=True)
END = NOW + 10 * DAY
LATER = END + 30 * DAY
SOON = NOW + MINUTE


@pytest.fixture
def cast(transactional_db) -> dict[str, User]:
    people = {name: person(name) for name in ("ines", "adam", "petra", "paul")}
    for name in ("petra", "paul"):
        give(people[name], role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    return people


@pytest.fixture
def ending(cast) -> Assignment:
    return make_eligible(cast["ines"], role(SECURITY_READER), ends_at=END)


@pytest.fixture
def asked(cast, ending) -> Request:
    return ask_to_keep(cast["ines"], ending, ends_at=LATER)


@pytest.fixture
def active(cast) -> Assignment:
    eligibility = make_eligible(cast["ines"], role(ids.GLOBAL_READER))
    request_activation(cast["ines"], eligibility)
    return Assignment.objects.get(activated_from=eligibility)


def lost(error: BaseException | None, *codes: str) -> bool:
    return isinstance(error, Refused) and bool(error.codes & set(codes)) and bool(error.sentence)


@pytest.mark.parametrize(("first", "second"), [("approve", "approve"), ("approve", "deny"), ("deny", "approve")])
def test_two_administrators_decide_one_extension(cast, ending, asked, first, second):
    one, two = race(
        lambda: decide(Verdict(first), asked, cast["petra"], now=SOON),
        lambda: decide(Verdict(second), asked, cast["paul"], now=SOON),
    )
    assert one.error is None
    assert lost(two.error, "granted", "denied")
    ending.refresh_from_db()
    assert ending.ends_at == (LATER if first == "approve" else END)
    assert Decision.objects.count() == 1
    assert done(Kind.ASSIGNMENT_EXTENDED) == (first == "approve")


def test_an_extension_against_the_removal_of_the_assignment(cast, ending, asked):
    removing = acting(cast["paul"], Purpose.ASSIGN, ending.pk, now=SOON)
    one, two = race(
        lambda: remove(ending.pk, actor=removing, reason="no", clock=at(SOON)),
        lambda: decide(Verdict.APPROVE, asked, cast["petra"], now=SOON),
    )
    assert one.error is None
    assert lost(two.error, "lapsed")
    ending.refresh_from_db()
    assert (ending.ends_at, ending.end_reason) == (END, EndReason.REMOVED)


def test_the_removal_of_an_assignment_against_its_extension(cast, ending, asked):
    removing = acting(cast["paul"], Purpose.ASSIGN, ending.pk, now=SOON)
    one, two = race(
        lambda: decide(Verdict.APPROVE, asked, cast["petra"], now=SOON),
        lambda: remove(ending.pk, actor=removing, reason="no", clock=at(SOON)),
    )
    assert (one.error, two.error) == (None, None)
    ending.refresh_from_db()
    assert ending.end_reason == EndReason.REMOVED
    assert not Assignment.objects.in_effect(SOON).filter(pk=ending.pk).exists()


def test_a_double_click_asks_once(cast, ending):
    one, two = race(
        lambda: ask_to_keep(cast["ines"], ending, ends_at=LATER),
        lambda: ask_to_keep(cast["ines"], ending, ends_at=LATER),
    )
    assert one.error is None
    assert lost(two.error, "already_asked")
    assert (Request.objects.count(), done(Kind.REQUEST_MADE)) == (1, 1)


def test_renewed_directly_and_by_a_request_it_is_renewed_once(cast):
    gone = make_eligible(cast["ines"], role(SECURITY_READER), starts_at=NOW - 60 * DAY, ends_at=NOW - DAY)
    asked = ask_to_keep(cast["ines"], gone, ends_at=LATER)
    directly = acting(cast["paul"], Purpose.ASSIGN, gone.pk, now=SOON)
    terms = {"type": AssignmentType.ELIGIBLE, "ends_at": LATER, "reason": "r", "clock": at(SOON)}
    one, two = race(
        lambda: decide(Verdict.APPROVE, asked, cast["petra"], now=SOON),
        lambda: renew(gone.pk, actor=directly, **terms),
    )
    assert one.error is None
    assert lost(two.error, "already_renewed")
    assert (Assignment.objects.filter(renewed_from=gone).count(), done(Kind.ASSIGNMENT_RENEWED)) == (1, 1)


def test_two_administrators_grant_one_renewal(cast):
    gone = make_eligible(cast["ines"], role(SECURITY_READER), starts_at=NOW - 60 * DAY, ends_at=NOW - DAY)
    asked = ask_to_keep(cast["ines"], gone, ends_at=LATER)
    one, two = race(
        lambda: decide(Verdict.APPROVE, asked, cast["petra"], now=SOON),
        lambda: decide(Verdict.APPROVE, asked, cast["paul"], now=SOON),
    )
    assert one.error is None
    assert lost(two.error, "granted")
    assert Assignment.objects.filter(renewed_from=gone).count() == 1


def test_prolonging_against_the_end_at_the_microsecond(cast, active):
    last = NOW + HOUR - timedelta(microseconds=1)
    one, two = race(
        lambda: request_prolonging(cast["ines"], active, now=last),
        lambda: write_down_ends(clock=at(NOW + HOUR)),
    )
    assert (one.error, two.error) == (None, None)
    active.refresh_from_db()
    assert (active.ended_at, active.ends_at) == (None, last + 2 * HOUR)
    assert done(Kind.ACTIVATION_EXPIRED) == 0


def test_the_end_against_prolonging_at_the_microsecond(cast, active):
    one, two = race(
        lambda: write_down_ends(clock=at(NOW + HOUR)),
        lambda: request_prolonging(cast["ines"], active, now=NOW + HOUR),
    )
    assert one.error is None
    assert lost(two.error, "not_active")
    active.refresh_from_db()
    assert (active.end_reason, active.ends_at) == (EndReason.EXPIRED, NOW + HOUR)


@pytest.mark.parametrize("ending_act", ["deactivate", "remove"])
def test_what_is_over_is_not_prolonged(cast, active, ending_act):
    def over() -> None:
        if ending_act == "deactivate":
            deactivate(active.pk, actor=Actor(user=cast["ines"]), clock=at(SOON))
        else:
            actor = acting(cast["petra"], Purpose.ASSIGN, active.activated_from_id, now=SOON)
            remove(active.activated_from_id, actor=actor, reason="no", clock=at(SOON))

    one, two = race(over, lambda: request_prolonging(cast["ines"], active, now=SOON))
    assert one.error is None
    assert lost(two.error, "not_active")
    assert done(Kind.ACTIVATION_PROLONGED) == 0


@pytest.mark.parametrize("ending_act", ["deactivate", "remove"])
def test_what_was_prolonged_ends_all_the_same(cast, active, ending_act):
    def over() -> None:
        if ending_act == "deactivate":
            deactivate(active.pk, actor=Actor(user=cast["ines"]), clock=at(SOON))
        else:
            actor = acting(cast["petra"], Purpose.ASSIGN, active.activated_from_id, now=SOON)
            remove(active.activated_from_id, actor=actor, reason="no", clock=at(SOON))

    one, two = race(lambda: request_prolonging(cast["ines"], active, now=SOON), over)
    assert (one.error, two.error) == (None, None)
    assert not Assignment.objects.in_effect(SOON).filter(pk=active.pk).exists()


def test_one_code_prolongs_once(cast, active):
    """The same form, sent twice at once: the second has nothing to prolong to, and no second factor of its own."""
    actor = acting(cast["ines"], Purpose.ACTIVATE, active.pk, now=SOON)
    wanted = Wanted(duration=2 * HOUR, reason="r")

    def click() -> Request:
        return prolong(active.pk, wanted=wanted, actor=actor, clock=at(SOON))

    one, two = race(click, click)
    assert one.error is None
    assert lost(two.error, "not_longer")
    assert (done(Kind.ACTIVATION_PROLONGED), Request.objects.filter(action=Action.PROLONG).count()) == (1, 1)


def test_an_approval_of_prolonging_against_the_deactivation(cast, active):
    configure(active.role, approvers=[cast["adam"]])
    request = request_prolonging(cast["ines"], active, now=SOON)
    one, two = race(
        lambda: deactivate(active.pk, actor=Actor(user=cast["ines"]), clock=at(SOON)),
        lambda: decide(Verdict.APPROVE, request, cast["adam"], now=SOON),
    )
    assert one.error is None
    assert lost(two.error, "lapsed")
    active.refresh_from_db()
    assert active.end_reason == EndReason.DEACTIVATED
    assert Request.objects.get(pk=request.pk).status in (Status.PENDING, Status.LAPSED)
