"""Escalation: people who may decide as well once half of the lapse window is over, by the clock alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from approvals.models import Request, RequestApprover, Status, Verdict
from approvals.selectors.approvers import approvers_of, asked_to_decide
from approvals.selectors.panels import panels_of
from approvals.selectors.requests import requests_awaiting, requests_visible_to
from approvals.selectors.shortfalls import Shortfall, shortfall_of
from pim_portal.models import DueItem, Notification
from pim_portal.notifications.reminders import remind
from roles.authority import Authority
from roles.models import Assignment, Purpose, StageApprover, User
from roles.refusals import Refused
from roles.selectors.settings import Stage, settings_behind, settings_of
from roles.services.approvers import remove_approver
from roles.services.principals import disable_person
from roles.services.settings import change_settings, settings_to_copy
from roles.settings_words import differences
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    NOW,
    OPERATOR,
    acting,
    at,
    configure,
    decide,
    directory,
    group,
    make_eligible,
    person,
    request_activation,
    role,
)
from tests.test_approval_pages import html_of, page_of
from tests.visitors import visiting

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)
HALF = NOW + 12 * HOUR


@pytest.fixture
def carla(db: None) -> User:
    """Of the escalation."""
    return person("carla")


def escalate(asked: list[Any], later: list[Any], *, quorum: int = 1, **values: Any) -> None:
    stage = Stage(1, quorum, frozenset(one.pk for one in asked), frozenset(one.pk for one in later))
    change_settings(
        role(EXCHANGE_ADMINISTRATOR),
        resource=None,
        values={"approval_required": True} | values,
        stages=(stage,),
        actor=OPERATOR,
        clock=at(NOW - 300 * DAY),
    )


@pytest.fixture
def pending(ines: User, adam: User, carla: User, petra: User, eligibility: Assignment) -> Request:
    """Ines asks; Adam approves, from half of a day on Carla may as well."""
    escalate([adam], [carla])
    return request_activation(ines, eligibility)


def may(request: Request, now: Any) -> set[str]:
    """Who can decide, as the panel of one request, the list of requests and the decision's rule say alike."""
    request = Request.objects.shown().get(pk=request.pk)
    people = {user.name for user in approvers_of(request, now).people}
    assert people == {user.name for user in panels_of([request], now)[request.pk].panel.people}
    return people


def waits_for(user: User, request: Request, now: Any) -> bool:
    return request in requests_awaiting(Authority(user, now))


class TestByTheClock:
    def test_its_people_may_decide_from_half_of_the_window_on_to_the_microsecond(self, pending, carla):
        assert may(pending, HALF - MICROSECOND) == {"Adam"}
        assert may(pending, HALF) == {"Adam", "Carla"}
        assert not waits_for(carla, pending, HALF - MICROSECOND)
        assert waits_for(carla, pending, HALF)

    def test_a_decision_before_is_refused_and_at_half_granted(self, pending, carla):
        with pytest.raises(Refused, match="not_an_approver"):
            decide(Verdict.APPROVE, pending, carla, now=HALF - MICROSECOND)
        assert decide(Verdict.APPROVE, pending, carla, now=HALF).status == Status.GRANTED

    @pytest.mark.parametrize("window", [HOUR, HOUR + MICROSECOND], ids=["even", "odd"])
    def test_the_panel_and_the_reminder_agree_on_the_half(self, ines, adam, carla, petra, eligibility, window):
        escalate([adam], [carla], approval_window=window)
        request = request_activation(ines, eligibility)
        half = request.escalates_at
        asked = RequestApprover.objects.filter(stage__request=request, principal=carla)
        assert not asked.asked(half - MICROSECOND).exists()
        assert may(request, half - MICROSECOND) == {"Adam"}
        assert asked.asked(half).exists()
        assert may(request, half) == {"Adam", "Carla"}

    def test_the_page_of_the_request_is_not_theirs_before(self, pending, carla):
        assert pending not in requests_visible_to(Authority(carla, HALF - MICROSECOND))
        assert pending in requests_visible_to(Authority(carla, HALF))

    def test_what_was_decided_before_half_is_never_theirs(self, pending, adam, carla):
        decide(Verdict.DENY, pending, adam, now=HALF - MICROSECOND)
        assert pending not in requests_visible_to(Authority(carla, HALF + DAY))

    def test_the_quorum_counts_them_like_approvers(self, ines, adam, berta, carla, petra, eligibility):
        escalate([adam, berta], [carla], quorum=2)
        request = request_activation(ines, eligibility)
        assert decide(Verdict.APPROVE, request, carla, now=HALF).status == Status.PENDING
        assert decide(Verdict.APPROVE, request, adam, now=HALF).status == Status.GRANTED


class TestWho:
    def test_the_requestor_never_decides_by_an_escalation(self, ines, adam, petra, eligibility):
        managers = group("Managers", ines)
        escalate([adam], [managers])
        request = request_activation(ines, eligibility)
        assert may(request, HALF) == {"Adam"}
        with pytest.raises(Refused, match="own_request"):
            decide(Verdict.APPROVE, request, ines, now=HALF)

    def test_members_of_a_group_then_and_now(self, ines, adam, carla, zoe, petra, eligibility):
        managers = group("Managers", carla)
        escalate([adam], [managers])
        request = request_activation(ines, eligibility)
        from roles import ids
        from tests.people import give

        give(zoe, role(ids.GROUP_MEMBER), managers.resource)
        assert may(request, HALF) == {"Adam", "Carla"}
        disable_person(carla.pk, reason="left", actor=OPERATOR, clock=at(NOW))
        assert may(request, HALF) == {"Adam"}

    def test_who_is_taken_out_meanwhile_decides_no_more(self, pending, adam, carla):
        escalate([adam], [])
        assert may(pending, HALF) == {"Adam"}

    def test_who_decided_the_first_stage_is_not_said_to_decide_the_second_later(
        self, ines, adam, carla, petra, eligibility
    ):
        first = Stage(1, 1, frozenset([carla.pk]))
        then = Stage(2, 1, frozenset([adam.pk]), frozenset([carla.pk]))
        values = {"approval_required": True}
        change_settings(
            eligibility.role,
            resource=None,
            values=values,
            stages=(first, then),
            actor=OPERATOR,
            clock=at(NOW - DAY),
        )
        request = request_activation(ines, eligibility)
        request = decide(Verdict.APPROVE, request, carla, now=NOW + HOUR)
        assert (may(request, HALF), approvers_of(request, NOW + HOUR).later) == ({"Adam"}, ())

    def test_who_is_added_meanwhile_decides_later_requests_only(self, pending, adam, carla, berta):
        escalate([adam], [carla, berta])
        assert may(pending, HALF) == {"Adam", "Carla"}

    def test_the_stricter_of_then_and_now(self, pending, adam, carla):
        """An approver who became an escalation waits for half; an escalation who became an approver does, too."""
        escalate([carla], [adam])
        assert may(pending, HALF - MICROSECOND) == set()
        assert may(pending, HALF) == {"Adam", "Carla"}

    def test_whoever_approves_anyway_is_no_escalation(self, adam, carla, petra):
        escalate([adam], [adam, carla])
        seats = StageApprover.objects.values_list("principal__name", "escalation")
        assert sorted(seats) == [("Adam", False), ("Carla", True)]

    def test_without_any_approval_now_those_who_were_asked_decide_in_their_time(self, pending, carla):
        configure(role(EXCHANGE_ADMINISTRATOR), approval_required=False)
        assert may(pending, HALF - MICROSECOND) == {"Adam"}
        assert may(pending, HALF) == {"Adam", "Carla"}

    def test_an_escalation_can_still_grant_what_lost_its_approvers(self, pending, adam, carla):
        disable_person(adam.pk, reason="left", actor=OPERATOR, clock=at(NOW))
        assert shortfall_of(pending, NOW) is None
        disable_person(carla.pk, reason="left", actor=OPERATOR, clock=at(NOW))
        assert shortfall_of(pending, NOW) == Shortfall(stage=1, lacking=1, people=0)

    def test_an_escalation_alone_does_not_make_settings_possible(self, carla, petra, ines, eligibility):
        """It may decide only after half of the window: who is asked at first must suffice."""
        escalate([ines], [carla])
        with pytest.raises(Refused, match="nobody_to_approve"):
            request_activation(ines, eligibility)


class TestMails:
    def test_they_are_told_once_when_half_is_over(self, pending, adam, carla):
        assert [user.name for user in asked_to_decide(pending, HALF - MICROSECOND)] == ["Adam"]
        remind(clock=at(HALF - MICROSECOND))
        assert not Notification.objects.filter(mail="request_escalated").exists()
        for moment in (HALF, HALF, HALF + HOUR):
            remind(clock=at(moment))
        told = Notification.objects.filter(mail="request_escalated")
        assert [one.recipient_id for one in told] == [carla.pk]
        assert DueItem.objects.filter(subject_id=pending.pk).count() == 1
        reminded = Notification.objects.filter(mail="still_waits")
        assert [one.recipient_id for one in reminded] == [adam.pk]

    def test_a_stage_that_begins_after_half_tells_its_escalation_with_its_first_mail(self, ines, adam, carla, petra):
        berta = person("berta")
        stages = (Stage(1, 1, frozenset({adam.pk})), Stage(2, 1, frozenset({berta.pk}), frozenset({carla.pk})))
        exchange = role(EXCHANGE_ADMINISTRATOR)
        change_settings(
            exchange,
            resource=None,
            values={"approval_required": True},
            stages=stages,
            actor=OPERATOR,
            clock=at(NOW - 300 * DAY),
        )
        request = request_activation(ines, make_eligible(ines, exchange))
        remind(clock=at(HALF))
        decide(Verdict.APPROVE, request, adam, now=HALF + HOUR)
        told = Notification.objects.filter(mail="request_waits", event__occurred_at=HALF + HOUR)
        assert {one.recipient.name for one in told} == {"Berta", "Carla"}


class TestSettings:
    def test_the_settings_say_it_and_a_copy_takes_it_along(self, adam, carla, petra):
        escalate([adam], [carla])
        exchange, other = role(EXCHANGE_ADMINISTRATOR), role(petra_reads())
        settings = settings_of(exchange, directory())
        change_settings(other, resource=directory(), **settings_to_copy(settings), actor=OPERATOR, clock=at(NOW))
        copied = settings_of(other, directory())
        assert copied.stages == settings.stages
        assert copied.digest == settings.digest

    def test_the_digest_and_what_is_seen_know_it(self, adam, carla, petra):
        escalate([adam], [])
        before = settings_of(role(EXCHANGE_ADMINISTRATOR), directory())
        escalate([adam], [carla])
        after = settings_of(role(EXCHANGE_ADMINISTRATOR), directory())
        assert before.digest != after.digest
        assert before.seen != after.seen
        (row,) = differences(before, after, {adam.pk: "Adam", carla.pk: "Carla"})
        assert row.right == "Adam: 1 must agree; from half of the window on also Carla"

    def test_whoever_leaves_is_taken_out_of_it(self, adam, carla, petra):
        escalate([adam], [carla])
        seat = StageApprover.objects.get(principal=carla)
        actor = acting(petra, Purpose.SETTINGS, EXCHANGE_ADMINISTRATOR)
        remove_approver(seat.stage.settings_id, principal_id=carla.pk, actor=actor, clock=at(NOW))
        assert not StageApprover.objects.filter(principal=carla).exists()
        assert StageApprover.objects.filter(principal=adam).exists()

    def test_a_request_changes_its_settings_digest_with_it(self, pending, adam):
        then = pending.settings_digest
        escalate([adam], [])
        assert settings_behind(pending.behind).digest != then


def test_the_page_of_the_request_says_who_may_decide_later_and_from_when(pending, ines):
    with time_machine.travel(NOW + HOUR, tick=False):
        html = html_of(visiting(ines), page_of(pending))
    assert "Carla may decide as well from" in html
    assert "24 Nov 2026, 00:00" in html


def petra_reads() -> Any:
    from roles import ids

    return ids.GLOBAL_READER
