"""Prolonging a running activation: no gap, no more than the settings allow from now, and with whatever they ask."""

from __future__ import annotations

from datetime import timedelta

import pytest

from approvals.models import Action, Request, Status, Verdict
from approvals.selectors.requests import status_at
from approvals.services.activations import Wanted
from approvals.services.closing import lapse_overdue
from approvals.services.prolonging import prolong
from audit.kinds import Kind
from audit.models import Event
from roles.actors import Actor
from roles.models import Assignment, Purpose, SecondFactor, User
from roles.refusals import Refused
from roles.services.assignments import deactivate, remove
from roles.services.principals import disable_person, enable_person
from tests.people import (
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    SECURITY_READER,
    acting,
    at,
    configure,
    decide,
    make_eligible,
    request_activation,
    request_prolonging,
    role,
)

pytestmark = pytest.mark.django_db

END = NOW + HOUR  # of the activation, as it was asked for first
LATE = NOW + 50 * MINUTE
TICK = timedelta(microseconds=1)


@pytest.fixture
def active(ines: User, eligibility: Assignment) -> Assignment:
    """Ines activated it at NOW for an hour; the settings allow eight."""
    request_activation(ines, eligibility)
    return Assignment.objects.get(activated_from=eligibility)


@pytest.fixture
def waiting(ines: User, active: Assignment, adam: User) -> Request:
    """She asks for two hours more, which Adam must approve."""
    configure(active.role, approvers=[adam])
    return request_prolonging(ines, active, now=LATE)


def test_the_end_of_the_same_assignment_moves(ines, active):
    request = request_prolonging(ines, active, now=LATE, hours=2)
    active.refresh_from_db()
    assert (request.status, request.outcome, active.ends_at) == (Status.GRANTED, None, LATE + 2 * HOUR)
    assert Assignment.objects.filter(activated_from=active.activated_from).count() == 1
    event = Event.objects.get(kind=Kind.ACTIVATION_PROLONGED)
    assert (event.request_id, event.authority_id) == (request.pk, active.activated_from_id)


def test_never_more_than_the_settings_allow_from_now(ines, active):
    with pytest.raises(Refused, match="duration_too_long"):
        request_prolonging(ines, active, now=LATE, hours=8.1)
    request_prolonging(ines, active, now=LATE, hours=8)
    active.refresh_from_db()
    assert active.ends_at == LATE + 8 * HOUR


def test_never_past_the_eligibility(ines):
    ending = make_eligible(ines, role(SECURITY_READER), ends_at=NOW + 3 * HOUR)
    activation = request_activation(ines, ending).outcome
    with pytest.raises(Refused, match="past_eligibility"):
        request_prolonging(ines, activation, now=LATE, hours=4)
    request_prolonging(ines, activation, now=LATE, hours=2.2)
    activation.refresh_from_db()
    assert activation.ends_at == NOW + 3 * HOUR
    with pytest.raises(Refused, match="eligibility_ends"):
        request_prolonging(ines, activation, now=NOW + 2 * HOUR, hours=1)


def test_never_to_an_earlier_end(ines, active):
    with pytest.raises(Refused, match="not_longer"):
        request_prolonging(ines, active, now=NOW + 10 * MINUTE, hours=0.5)


def test_not_at_its_end_and_one_microsecond_before_it(ines, active):
    with pytest.raises(Refused, match="not_active"):
        request_prolonging(ines, active, now=END)
    assert request_prolonging(ines, active, now=END - TICK).status == Status.GRANTED


def test_never_somebody_elses(zoe, active):
    with pytest.raises(Assignment.DoesNotExist):
        request_prolonging(zoe, active, now=LATE)


def test_never_what_an_administrator_gave(ines, eligibility):
    with pytest.raises(Assignment.DoesNotExist):
        request_prolonging(ines, eligibility, now=LATE)


def test_what_the_settings_ask_of_an_activation_is_asked_again(ines, active):
    configure(active.role, ticket_required=True, second_factor=SecondFactor.EVERY_TIME)
    wanted = Wanted(duration=2 * HOUR)
    with pytest.raises(Refused) as refused:
        prolong(active.pk, wanted=wanted, actor=acting(ines, Purpose.SIGN_IN, active.pk, now=LATE), clock=at(LATE))
    assert refused.value.codes == {"reason_missing", "ticket_missing", "second_factor"}
    assert request_prolonging(ines, active, now=LATE, ticket="CHG1").status == Status.GRANTED


def test_not_without_a_second_factor(ines, active):
    wanted = Wanted(duration=2 * HOUR, reason="r")
    with pytest.raises(Refused, match="second_factor"):
        prolong(active.pk, wanted=wanted, actor=Actor(user=ines), clock=at(LATE))


class TestWaiting:
    def test_it_runs_on_until_its_end_and_no_longer(self, waiting, active, ines):
        assert (waiting.status, waiting.action, waiting.lapses_at) == (Status.PENDING, Action.PROLONG, active.ends_at)
        held = Assignment.objects.held_by(ines.pk, END - TICK).filter(pk=active.pk)
        assert held.exists()
        assert not Assignment.objects.held_by(ines.pk, END).filter(pk=active.pk).exists()

    def test_an_approval_counts_from_then(self, waiting, active, adam):
        decide(Verdict.APPROVE, waiting, adam, now=LATE + 5 * MINUTE)
        active.refresh_from_db()
        assert active.ends_at == LATE + 5 * MINUTE + 2 * HOUR

    def test_an_approver_may_shorten_but_not_below_what_runs(self, waiting, active, adam):
        with pytest.raises(Refused, match="not_longer"):
            decide(Verdict.APPROVE, waiting, adam, now=LATE, duration=5 * MINUTE)
        decide(Verdict.APPROVE, waiting, adam, now=LATE, duration=30 * MINUTE)
        active.refresh_from_db()
        assert active.ends_at == LATE + 30 * MINUTE

    def test_granted_after_the_end_fails_without_a_gap(self, waiting, active, adam):
        with pytest.raises(Refused, match="lapsed"):
            decide(Verdict.APPROVE, waiting, adam, now=END)
        active.refresh_from_db()
        assert active.ends_at == NOW + HOUR
        assert lapse_overdue(clock=at(END)) == 1

    def test_deactivated_meanwhile_it_stays_over(self, waiting, active, adam, ines):
        deactivate(active.pk, actor=Actor(user=ines), clock=at(LATE))
        with pytest.raises(Refused, match="lapsed"):
            decide(Verdict.APPROVE, waiting, adam, now=LATE + MINUTE)

    def test_without_its_eligibility_it_stays_over(self, waiting, active, adam):
        remove(active.activated_from_id, actor=OPERATOR, reason="no", clock=at(LATE))
        with pytest.raises(Refused, match="lapsed"):
            decide(Verdict.APPROVE, waiting, adam, now=LATE + MINUTE)

    def test_disabled_and_enabled_again_it_stays_over(self, waiting, active, adam, ines, petra):
        disable_person(ines.pk, reason="x", actor=OPERATOR, clock=at(LATE))
        enable_person(ines.pk, actor=OPERATOR, clock=at(LATE + TICK))
        with pytest.raises(Refused):
            decide(Verdict.APPROVE, waiting, adam, now=LATE + MINUTE)
        with pytest.raises(Refused, match="not_active"):
            request_prolonging(ines, active, now=LATE + MINUTE)

    def test_settings_that_became_shorter_shorten_it(self, waiting, active, adam):
        configure(active.role, approvers=[adam], max_activation=HOUR)
        decide(Verdict.APPROVE, waiting, adam, now=LATE)
        active.refresh_from_db()
        assert active.ends_at == LATE + HOUR

    def test_settings_that_became_too_short_fail_it_with_a_sentence(self, waiting, active, adam):
        configure(active.role, approvers=[adam], max_activation=5 * MINUTE)
        decide(Verdict.APPROVE, waiting, adam, now=LATE)
        waiting.refresh_from_db()
        active.refresh_from_db()
        assert (waiting.status, active.ends_at) == (Status.FAILED, NOW + HOUR)
        assert waiting.status_reason

    def test_nobody_approves_their_own(self, waiting, ines):
        with pytest.raises(Refused, match="own_request"):
            decide(Verdict.APPROVE, waiting, ines, now=LATE)

    def test_once(self, waiting, active, ines):
        with pytest.raises(Refused, match="already_asked"):
            request_prolonging(ines, active, now=LATE + MINUTE)

    def test_what_waits_of_somebody_else_is_in_nobodys_way(self, waiting, eligibility, zoe):
        configure(eligibility.role, approval_required=False)
        other = request_activation(zoe, make_eligible(zoe, eligibility.role)).outcome
        assert request_prolonging(zoe, other, now=LATE).status == Status.GRANTED

    def test_it_is_bound_to_what_was_asked(self, waiting, adam):
        Request.objects.filter(pk=waiting.pk).update(wanted_duration=8 * HOUR)
        with pytest.raises(Refused, match="changed"):
            decide(Verdict.APPROVE, waiting, adam, now=LATE)


def test_it_lapses_after_the_window_of_the_settings_where_that_is_shorter(ines, eligibility, adam):
    activation = request_activation(ines, eligibility, hours=8).outcome
    configure(activation.role, approvers=[adam], approval_window=HOUR)
    request = request_prolonging(ines, activation, now=NOW + HOUR, hours=8)
    assert status_at(request, NOW + 2 * HOUR - TICK) == Status.PENDING
    assert status_at(request, NOW + 2 * HOUR) == Status.LAPSED


def test_prolonged_again_and_again_it_never_reaches_further_than_allowed_from_that_moment(ines, eligibility):
    activation = request_activation(ines, eligibility, hours=8).outcome
    for hour in range(1, 30, 7):
        moment = NOW + hour * HOUR
        request_prolonging(ines, activation, now=moment, hours=8)
        activation.refresh_from_db()
        assert activation.ends_at == moment + 8 * HOUR
    assert activation.starts_at == NOW
    assert activation.ends_at == NOW + 37 * HOUR
