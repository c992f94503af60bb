"""Deputies: who decides in whose place, when, and that nobody counts twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from approvals.models import Decision, Deputy, Request, RequestApprover, Status, Verdict
from approvals.rules.deputies import LONGEST
from approvals.selectors.approvers import approvers_of, asked_to_decide
from approvals.selectors.panels import panels_of
from approvals.selectors.requests import requests_awaiting, requests_visible_to
from approvals.selectors.stories import story_of
from approvals.services.deputies import end_deputy, name_deputy
from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.models import Notification
from roles.actors import Actor
from roles.authority import Authority
from roles.models import Assignment, User
from roles.refusals import Refused
from roles.services.principals import disable_person
from tests.deputising import named
from tests.people import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    at,
    configure,
    decide,
    person,
    request_activation,
)

pytestmark = pytest.mark.django_db

SOON = NOW + 2 * MINUTE
YES, NO = Verdict.APPROVE, Verdict.DENY
TICK = timedelta(microseconds=1)


@pytest.fixture
def pending(ines: User, with_approval: Assignment) -> Request:
    """Adam or Berta decides."""
    return request_activation(ines, with_approval)


@pytest.fixture
def both(ines: User, adam: User, berta: User, with_approval: Assignment) -> Request:
    """Adam and Berta decide."""
    configure(with_approval.role, approvers=[adam, berta], quorum=2)
    return request_activation(ines, with_approval)


def test_a_deputy_decides_in_place_of_an_approver_and_it_says_so(pending, adam, zoe):
    named(adam, zoe)
    assert decide(YES, pending, zoe, now=SOON).status == Status.GRANTED
    said = Decision.objects.get()
    assert (said.approver_id, said.for_approver_id, said.said_by) == (zoe.pk, adam.pk, "Zoe, in place of Adam")
    event = Event.objects.get(kind=Kind.REQUEST_APPROVED, outcome=Outcome.DONE)
    assert event.details["instead_of"] == str(adam.pk)
    assert "Zoe approved, in place of Adam, the request of Ines" in " ".join(one.what for one in story_of(pending))


def test_a_denial_of_a_deputy_ends_the_request_and_says_for_whom(pending, adam, zoe):
    named(adam, zoe)
    assert decide(NO, pending, zoe, now=SOON).status == Status.DENIED
    event = Event.objects.get(kind=Kind.REQUEST_DENIED, outcome=Outcome.DONE)
    assert event.details["instead_of"] == str(adam.pk)


def test_where_nobody_is_named_a_deputy_decides_by_what_the_administrator_holds(ines, petra, zoe, eligibility):
    configure(eligibility.role, approval_required=True)
    named(petra, zoe)
    decide(YES, request_activation(ines, eligibility), zoe, now=SOON)
    event = Event.objects.get(kind=Kind.REQUEST_APPROVED, outcome=Outcome.DONE)
    assert event.authority_id == Authority(petra, SOON).held[0].assignment_id


@pytest.mark.parametrize(("moment", "may"), [(-TICK, False), (0 * TICK, True), (DAY - TICK, True), (DAY, False)])
def test_only_within_the_span_to_the_microsecond(ines, adam, zoe, with_approval, moment, may):
    start = NOW + HOUR
    named(adam, zoe, starts_at=start, ends_at=start + DAY)
    configure(with_approval.role, approval_window=3 * DAY)
    request = request_activation(ines, with_approval)
    now = start + moment
    assert (zoe in approvers_of(request, now).deciders) == may
    assert (request in requests_awaiting(Authority(zoe, now))) == may
    assert (zoe in asked_to_decide(request, now)) == may
    if may:
        decide(YES, request, zoe, now=now)
    else:
        with pytest.raises(Refused, match="not_an_approver"):
            decide(YES, request, zoe, now=now)


def test_the_requestor_never_decides_as_a_deputy(pending, adam, ines):
    named(adam, ines)
    assert ines not in approvers_of(pending, SOON).deciders
    with pytest.raises(Refused, match="own_request"):
        decide(YES, pending, ines, now=SOON)
    assert ines not in asked_to_decide(pending, SOON)


def test_a_deputy_cannot_pass_it_on(pending, adam, zoe):
    other = person("otto")
    named(adam, zoe)
    named(zoe, other)
    with pytest.raises(Refused, match="not_an_approver"):
        decide(YES, pending, other, now=SOON)


def test_a_deputy_of_somebody_who_is_no_approver_any_more_does_not_decide(pending, adam, berta, zoe):
    named(adam, zoe)
    configure(pending.role, approvers=[berta])
    with pytest.raises(Refused, match="not_an_approver"):
        decide(YES, pending, zoe, now=SOON)


def test_a_deputy_of_who_became_an_approver_later_does_not_decide(pending, adam, berta, zoe):
    late = person("late")
    named(late, zoe)
    configure(pending.role, approvers=[adam, berta, late])
    with pytest.raises(Refused, match="not_an_approver"):
        decide(YES, pending, zoe, now=SOON)


@pytest.mark.parametrize("who", ["adam", "zoe"])
def test_neither_of_a_disabled_pair_decides_by_it(pending, adam, zoe, petra, who):
    named(adam, zoe)
    disable_person({"adam": adam, "zoe": zoe}[who].pk, reason="left", actor=OPERATOR, clock=at(NOW + MINUTE))
    with pytest.raises(Refused, match="not_an_approver"):
        decide(YES, pending, zoe, now=SOON)
    assert {"adam": adam, "zoe": zoe}[who] not in asked_to_decide(pending, SOON)


@pytest.mark.parametrize("by", ["adam", "zoe"])
def test_either_of_them_ends_it_at_once(pending, adam, zoe, by):
    row = named(adam, zoe)
    end_deputy(row.pk, actor=Actor(user={"adam": adam, "zoe": zoe}[by]), clock=at(NOW + MINUTE))
    with pytest.raises(Refused, match="not_an_approver"):
        decide(YES, pending, zoe, now=SOON)
    with pytest.raises(Refused, match="over"):
        end_deputy(row.pk, actor=Actor(user=adam), clock=at(SOON))


def test_nobody_ends_what_its_end_has_ended(adam, zoe):
    row = named(adam, zoe)
    with pytest.raises(Refused, match="over"):
        end_deputy(row.pk, actor=Actor(user=adam), clock=at(row.ends_at))
    assert end_deputy(row.pk, actor=Actor(user=adam), clock=at(row.ends_at - TICK)).ended_at == row.ends_at - TICK


def test_nobody_else_ends_it(adam, zoe, petra):
    row = named(adam, zoe)
    with pytest.raises(Refused, match="not_allowed"):
        end_deputy(row.pk, actor=Actor(user=petra), clock=at(SOON))


class TestNobodyCountsTwice:
    def test_a_deputy_who_is_an_approver_too_counts_once_in_their_own_seat(self, both, adam, berta):
        named(adam, berta)
        assert decide(YES, both, berta, now=SOON).status == Status.PENDING
        assert Decision.objects.get().for_approver_id is None
        with pytest.raises(Refused, match="decided_before"):
            decide(YES, both, berta, now=SOON)
        assert decide(YES, both, adam, now=SOON).status == Status.GRANTED

    def test_a_seat_counts_once_after_the_deputy(self, both, adam, zoe):
        named(adam, zoe)
        assert decide(YES, both, zoe, now=SOON).status == Status.PENDING
        with pytest.raises(Refused, match="seat_taken") as refused:
            decide(YES, both, adam, now=SOON)
        assert "Zoe has already decided in this place" in refused.value.sentence

    def test_a_seat_counts_once_after_the_approver(self, both, adam, zoe):
        named(adam, zoe)
        assert decide(YES, both, adam, now=SOON).status == Status.PENDING
        with pytest.raises(Refused, match="seat_taken"):
            decide(YES, both, zoe, now=SOON)

    def test_two_deputies_of_one_approver_count_once(self, both, adam, zoe):
        other = person("otto")
        named(adam, zoe)
        named(adam, other)
        decide(YES, both, zoe, now=SOON)
        with pytest.raises(Refused, match="seat_taken"):
            decide(YES, both, other, now=SOON)

    def test_one_deputy_of_two_approvers_decides_once(self, both, adam, berta, zoe):
        named(adam, zoe)
        named(berta, zoe)
        assert decide(YES, both, zoe, now=SOON).status == Status.PENDING
        with pytest.raises(Refused, match="decided_before"):
            decide(YES, both, zoe, now=SOON)
        assert decide(YES, both, berta, now=SOON).status == Status.GRANTED

    def test_who_stood_in_in_the_first_stage_does_not_decide_the_second(self, ines, adam, berta, zoe, with_approval):
        configure(with_approval.role, approvers=[[adam], [berta, zoe]])
        request = request_activation(ines, with_approval)
        named(adam, zoe)
        decide(YES, request, zoe, now=SOON)
        with pytest.raises(Refused, match="decided_before"):
            decide(YES, request, zoe, now=SOON)
        assert decide(YES, request, berta, now=SOON).status == Status.GRANTED

    def test_the_seat_of_who_decided_the_first_stage_is_not_filled_in_the_second(
        self, ines, adam, berta, zoe, with_approval
    ):
        configure(with_approval.role, approvers=[[adam], [adam, berta]])
        request = request_activation(ines, with_approval)
        named(adam, zoe)
        decide(YES, request, adam, now=SOON)
        with pytest.raises(Refused, match="seat_taken"):
            decide(YES, request, zoe, now=SOON)

    def test_the_panel_says_who_is_left_and_in_which_seat(self, both, adam, berta, zoe):
        for approver, deputy in ((adam, zoe), (berta, zoe), (adam, berta)):
            named(approver, deputy)
        panel = approvers_of(both, SOON)
        assert [(one.deputy, one.approver) for one in panel.substitutes] == [(zoe, adam), (zoe, berta)]
        decide(YES, both, zoe, now=SOON)
        panel = approvers_of(both, SOON)
        assert (panel.people, panel.substitutes) == ((berta,), ())


class TestWhatADeputyGains:
    def test_what_waits_and_its_page_and_nothing_else(self, pending, adam, zoe):
        assert not requests_visible_to(Authority(zoe, SOON)).filter(pk=pending.pk).exists()
        before = Authority(zoe, SOON).held
        row = named(adam, zoe)
        assert requests_awaiting(Authority(zoe, SOON)) == [pending]
        assert requests_visible_to(Authority(zoe, SOON)).filter(pk=pending.pk).exists()
        assert Authority(zoe, SOON).held == before
        end_deputy(row.pk, actor=Actor(user=adam), clock=at(SOON))
        assert not requests_visible_to(Authority(zoe, SOON)).filter(pk=pending.pk).exists()

    def test_a_list_says_who_can_decide_as_the_page_does(self, both, adam, berta, zoe):
        named(adam, zoe)
        decide(YES, both, berta, now=SOON)
        rows = list(Request.objects.filter(status=Status.PENDING).shown())
        for row in rows:
            assert panels_of(rows, SOON)[row.pk].panel == approvers_of(row, SOON)

    def test_who_stands_in_is_told_of_what_is_asked(self, ines, adam, zoe, with_approval):
        named(adam, zoe)
        request = request_activation(ines, with_approval)
        mails = Notification.objects.filter(mail="request_waits", event__request_id=request.pk)
        assert zoe.pk in set(mails.values_list("recipient", flat=True))
        assert not RequestApprover.objects.filter(principal=zoe).exists()


class TestNaming:
    def test_both_are_told(self, adam, zoe):
        named(adam, zoe)
        told = Notification.objects.filter(mail="deputy_named").values_list("recipient", flat=True)
        assert set(told) == {adam.pk, zoe.pk}

    def test_for_ninety_days_and_no_longer(self, adam, zoe):
        with pytest.raises(Refused, match="too_long"):
            named(adam, zoe, ends_at=NOW + LONGEST + TICK)
        named(adam, zoe, ends_at=NOW + LONGEST)

    @pytest.mark.parametrize(("first", "last"), [((9, 1), (11, 30)), ((3, 1), (5, 30))])
    def test_ninety_days_are_those_of_the_clock_when_it_changes_meanwhile(self, first, last, adam, zoe):
        berlin = ZoneInfo("Europe/Berlin")
        starts_at, ends_at = (datetime(2027, month, day, 9, tzinfo=berlin) for month, day in (first, last))
        with timezone.override(berlin):
            with pytest.raises(Refused, match="too_long"):
                named(adam, zoe, starts_at=starts_at, ends_at=ends_at + TICK)
            assert named(adam, zoe, starts_at=starts_at, ends_at=ends_at).ends_at == ends_at

    @pytest.mark.parametrize("ends_at", [NOW, NOW - DAY])
    def test_it_ends_later(self, adam, zoe, ends_at):
        with pytest.raises(Refused, match="ends_too_early"):
            named(adam, zoe, ends_at=ends_at)

    def test_a_start_in_the_past_is_now(self, adam, zoe):
        assert named(adam, zoe, starts_at=NOW - DAY).starts_at == NOW

    def test_not_oneself_nor_nobody_nor_twice(self, adam, berta, petra, zoe):
        with pytest.raises(Refused, match="oneself"):
            named(adam, adam)
        with pytest.raises(Refused, match="nobody"):
            named(adam, User(username="no-such"))
        with pytest.raises(Refused, match="nobody"):
            named(adam, User(username=" "))
        disable_person(berta.pk, reason="left", actor=OPERATOR, clock=at(NOW))
        with pytest.raises(Refused, match="nobody"):
            named(adam, berta)
        named(adam, zoe)
        with pytest.raises(Refused, match="named_already"):
            named(adam, zoe, starts_at=NOW + 6 * DAY, ends_at=NOW + 8 * DAY)
        named(adam, zoe, starts_at=NOW + 7 * DAY, ends_at=NOW + 8 * DAY)

    def test_with_a_reason_and_a_second_factor(self, adam, zoe):
        with pytest.raises(Refused, match="reason_missing"):
            named(adam, zoe, reason="\u200b")
        with pytest.raises(Refused, match="second_factor"):
            name_deputy(
                zoe.username, starts_at=None, ends_at=NOW + DAY, reason="r", actor=Actor(user=adam), clock=at(NOW)
            )
        assert Deputy.objects.count() == 0
