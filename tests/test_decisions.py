"""Deciding: who may, what it is bound to, and that each request ends once."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from approvals.models import TRANSITIONS, Decision, Request, RequestApprover, Status, Verdict
from approvals.selectors.approvers import approvers_of
from approvals.selectors.requests import requests_awaiting, requests_visible_to
from approvals.selectors.showing import shown_digest
from approvals.services.closing import cancel, cancel_requests_of, lapse_overdue
from approvals.services.decisions import approve, deny
from audit.kinds import Kind, Outcome
from audit.models import Event
from roles import ids
from roles.actors import Actor
from roles.authority import Authority
from roles.models import Assignment, Purpose, User
from roles.refusals import Refused
from roles.selectors.settings import Stage
from roles.services.assignments import remove
from roles.services.changes import change
from roles.services.principals import disable_person, enable_person
from roles.services.settings import change_settings
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    at,
    configure,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    unit,
)

pytestmark = pytest.mark.django_db

SOON = NOW + 2 * MINUTE
TICK = timedelta(microseconds=1)


@pytest.fixture
def pending(ines: User, with_approval: Assignment) -> Request:
    return request_activation(ines, with_approval, hours=4)


def say(
    verdict: Verdict, request: Request, user: User, *, now=SOON, justification="fine", seen=None, **kwargs
) -> Request:
    service = approve if verdict == Verdict.APPROVE else deny
    return service(
        request.pk,
        actor=acting(user, Purpose.DECIDE, request.pk, now=now),
        justification=justification,
        seen=shown_digest(Request.objects.get(pk=request.pk)) if seen is None else seen,
        clock=at(now),
        **kwargs,
    )


def say_yes(request: Request, user: User, **kwargs) -> Request:
    return say(Verdict.APPROVE, request, user, **kwargs)


def say_no(request: Request, user: User, **kwargs) -> Request:
    return say(Verdict.DENY, request, user, **kwargs)


def test_an_approval_activates_and_the_clock_starts_then(pending, adam, ines):
    say_yes(pending, adam)
    activation = Assignment.objects.get(activated_from=pending.assignment)
    assert (activation.starts_at, activation.ends_at) == (SOON, SOON + 4 * HOUR)
    assert Assignment.objects.held_by(ines.pk, SOON).filter(role=EXCHANGE_ADMINISTRATOR).exists()


def test_a_later_start_that_was_asked_for_is_kept(ines, adam, with_approval):
    request = request_activation(ines, with_approval, start=NOW + 3 * HOUR)
    say_yes(request, adam)
    activation = Assignment.objects.get(activated_from=with_approval)
    assert activation.starts_at == NOW + 3 * HOUR


def test_a_start_that_passed_while_it_waited_becomes_the_approval(ines, adam, with_approval):
    request = request_activation(ines, with_approval, start=NOW + HOUR)
    say_yes(request, adam, now=NOW + 2 * HOUR)
    activation = Assignment.objects.get(activated_from=with_approval)
    assert (activation.starts_at, activation.ends_at) == (NOW + 2 * HOUR, NOW + 3 * HOUR)


def test_a_denial_ends_it(pending, adam, berta):
    say_no(pending, adam)
    with pytest.raises(Refused, match="denied"):
        say_yes(pending, berta)
    assert not Assignment.objects.filter(activated_from=pending.assignment).exists()


def test_an_approver_may_shorten_and_never_widen(pending, adam):
    with pytest.raises(Refused, match="wider"):
        say_yes(pending, adam, duration=4 * HOUR + MINUTE)
    with pytest.raises(Refused, match="duration_too_short"):
        say_yes(pending, adam, duration=MINUTE)
    say_yes(pending, adam, duration=HOUR)
    assert Assignment.objects.get(activated_from=pending.assignment).ends_at == SOON + HOUR


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("justification", ["", "  ", "\u200b\u200b", "\u2800"])
def test_both_verdicts_need_a_visible_justification(pending, adam, verdict, justification):
    with pytest.raises(Refused, match="justification_missing"):
        say(verdict, pending, adam, justification=justification)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_both_verdicts_need_a_fresh_second_factor(pending, adam, verdict):
    service = approve if verdict == Verdict.APPROVE else deny
    with pytest.raises(Refused, match="second_factor"):
        service(pending.pk, actor=Actor(user=adam), justification="ok", seen=shown_digest(pending), clock=at(SOON))


class TestWhoMayDecide:
    def test_nobody_decides_their_own(self, ines, adam, eligibility):
        configure(eligibility.role, approvers=[ines, adam])
        own = request_activation(ines, eligibility)
        for verdict in Verdict:
            with pytest.raises(Refused, match="own_request"):
                say(verdict, own, ines)

    def test_not_through_a_group_either(self, ines, adam, eligibility):
        configure(eligibility.role, approvers=[group("Approvers", ines, adam)])
        own = request_activation(ines, eligibility)
        assert {user.pk for user in approvers_of(own, SOON).people} == {adam.pk}
        with pytest.raises(Refused, match="own_request"):
            say_yes(own, ines)

    def test_not_by_naming_oneself_while_it_waits(self, ines, pending):
        configure(pending.role, approvers=[ines])
        with pytest.raises(Refused, match="own_request"):
            say_yes(pending, ines)

    @pytest.mark.parametrize("who", ["zoe", "petra", "nina"])
    def test_a_stranger_does_not_whatever_they_hold(self, pending, who, request):
        with pytest.raises(Refused, match="not_an_approver"):
            say_yes(pending, request.getfixturevalue(who))

    def test_who_is_no_approver_any_more_does_not(self, pending, adam, berta):
        configure(pending.role, approvers=[berta])
        with pytest.raises(Refused, match="not_an_approver"):
            say_yes(pending, adam)

    def test_who_became_an_approver_later_does_not(self, pending, adam, zoe):
        configure(pending.role, approvers=[adam, zoe])
        with pytest.raises(Refused, match="not_an_approver"):
            say_yes(pending, zoe)

    def test_who_joined_the_approving_group_later_does_not(self, ines, adam, zoe, eligibility):
        team = group("Approvers", adam)
        configure(eligibility.role, approvers=[team])
        request = request_activation(ines, eligibility)
        give(zoe, role(ids.GROUP_MEMBER), team.resource, starts_at=NOW + MINUTE)
        with pytest.raises(Refused, match="not_an_approver"):
            say_yes(request, zoe)
        say_yes(request, adam)

    def test_who_left_the_approving_group_does_not(self, ines, adam, berta, eligibility):
        configure(eligibility.role, approvers=[group("Approvers", adam, berta)])
        request = request_activation(ines, eligibility)
        membership = Assignment.objects.get(principal=adam, role=ids.GROUP_MEMBER)
        remove(membership.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
        with pytest.raises(Refused, match="not_an_approver"):
            say_yes(request, adam)

    def test_a_disabled_approver_does_not(self, pending, adam, petra):
        disable_person(adam.pk, reason="left", actor=OPERATOR, clock=at(NOW + MINUTE))
        with pytest.raises(Refused, match="not_an_approver"):
            say_yes(pending, adam)

    def test_nobody_named_means_who_administers_now(self, ines, petra, eligibility):
        becoming = person("paula")
        make_eligible(becoming, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        configure(eligibility.role, approval_required=True)
        request = request_activation(ines, eligibility)
        with pytest.raises(Refused, match="not_an_approver"):
            say_yes(request, becoming)
        own = Assignment.objects.get(principal=becoming, role=ids.PRIVILEGED_ROLE_ADMINISTRATOR)
        request_activation(becoming, own, now=NOW + MINUTE)
        say_yes(request, becoming)
        assert Event.objects.get(kind=Kind.REQUEST_APPROVED, outcome=Outcome.DONE).authority_id is not None

    def test_who_is_not_named_decides_by_what_they_hold_over_the_directory(self, ines, adam, eligibility):
        """In the stage that names nobody, whatever they hold elsewhere and whoever is named in another."""
        holder = person("paula")
        give(holder, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), unit("North"), ends_at=NOW + DAY)
        held = give(holder, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        configure(eligibility.role, approvers=[[adam], []])
        request = request_activation(ines, eligibility)
        for user in (adam, holder):
            say_yes(request, user)
        events = Event.objects.filter(kind=Kind.REQUEST_APPROVED, outcome=Outcome.DONE)
        assert dict(events.values_list("actor_id", "authority_id")) == {adam.pk: None, holder.pk: held.pk}

    def test_what_waits_for_me_is_what_i_can_decide(self, pending, ines, adam, berta, zoe):
        waits = {user.pk: len(requests_awaiting(Authority(user, SOON))) for user in (ines, adam, berta, zoe)}
        assert waits == {ines.pk: 0, adam.pk: 1, berta.pk: 1, zoe.pk: 0}
        configure(pending.role, approvers=[berta])
        assert requests_awaiting(Authority(adam, SOON)) == []

    def test_who_takes_part_sees_it_and_who_may_look_there(self, pending, ines, adam, zoe, nina):
        people = (ines, adam, zoe, nina)
        seen = [requests_visible_to(Authority(user, SOON)).filter(pk=pending.pk).exists() for user in people]
        assert seen == [True, True, False, True]


class TestBinding:
    def test_a_decision_is_bound_to_what_was_seen(self, pending, adam):
        with pytest.raises(Refused, match="changed"):
            say_yes(pending, adam, seen="0" * 64)

    def test_a_row_that_was_altered_is_not_approved(self, pending, adam):
        Request.objects.filter(pk=pending.pk).update(wanted_duration=8 * HOUR)
        with pytest.raises(Refused, match="changed"):
            say_yes(pending, adam)

    def test_a_shorter_maximum_of_today_shortens_it(self, pending, adam):
        configure(pending.role, max_activation=HOUR)
        say_yes(pending, adam)
        assert Assignment.objects.get(activated_from=pending.assignment).ends_at == SOON + HOUR

    def test_a_longer_maximum_of_today_does_not_lengthen_it(self, pending, adam):
        configure(pending.role, max_activation=24 * HOUR)
        say_yes(pending, adam)
        assert Assignment.objects.get(activated_from=pending.assignment).ends_at == SOON + 4 * HOUR

    @pytest.mark.parametrize("stricter", [{"ticket_required": True}, {"approvers": "two stages"}])
    def test_stricter_settings_that_it_cannot_meet_refuse_it(self, pending, adam, berta, stricter):
        if "approvers" in stricter:
            stricter = {"approvers": [[adam], [berta]]}
        configure(pending.role, **stricter)
        with pytest.raises(Refused, match="settings_stricter"):
            say_yes(pending, adam)
        say_no(pending, adam)

    def test_dropping_approval_while_it_waits_grants_nothing(self, pending, adam):
        configure(pending.role, approval_required=False)
        pending.refresh_from_db()
        assert pending.status == Status.PENDING
        say_yes(pending, adam)

    def test_a_larger_quorum_of_today_counts(self, pending, adam, berta):
        configure(pending.role, approvers=[adam, berta], quorum=2)
        assert say_yes(pending, adam).status == Status.PENDING
        assert say_yes(pending, berta).status == Status.GRANTED

    def test_a_smaller_quorum_of_today_does_not(self, ines, adam, berta, eligibility):
        configure(eligibility.role, approvers=[adam, berta], quorum=2)
        request = request_activation(ines, eligibility)
        configure(eligibility.role, approvers=[adam, berta])
        assert say_yes(request, adam).status == Status.PENDING
        assert say_yes(request, berta).status == Status.GRANTED

    def test_it_ends_with_the_eligibility(self, ines, adam, berta):
        eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + 2 * HOUR)
        configure(eligible.role, approvers=[adam])
        request = request_activation(ines, eligible, hours=2)
        say_yes(request, adam, now=NOW + HOUR)
        assert Assignment.objects.get(activated_from=eligible).ends_at == NOW + 2 * HOUR

    @pytest.mark.parametrize(("left", "status"), [(TICK, Status.GRANTED), (0 * TICK, Status.FAILED)])
    def test_what_is_left_of_the_eligibility_at_the_start_is_given_if_anything_is(self, ines, adam, left, status):
        eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + 2 * DAY)
        configure(eligible.role, approvers=[adam])
        request = request_activation(ines, eligible, start=NOW + DAY)
        change(eligible.pk, ends_at=NOW + DAY + left, actor=OPERATOR, clock=at(NOW + MINUTE))
        assert say_yes(request, adam).status == status
        assert Assignment.objects.filter(activated_from=eligible).count() == (status == Status.GRANTED)


class TestStages:
    @pytest.fixture
    def staged(self, ines, adam, berta, zoe, eligibility) -> Request:
        configure(eligibility.role, approvers=[[adam, berta], [berta, zoe]])
        return request_activation(ines, eligibility)

    def test_each_stage_in_its_turn(self, staged, adam, zoe):
        with pytest.raises(Refused, match="not_an_approver"):
            say_yes(staged, zoe)
        assert say_yes(staged, adam).status == Status.PENDING
        assert say_yes(staged, zoe).status == Status.GRANTED

    def test_nobody_counts_twice_over_the_stages(self, staged, berta, zoe):
        say_yes(staged, berta)
        with pytest.raises(Refused, match="decided_before"):
            say_yes(staged, berta)
        assert say_yes(staged, zoe).status == Status.GRANTED

    def test_a_denial_in_the_second_stage_ends_it(self, staged, adam, zoe):
        say_yes(staged, adam)
        assert say_no(staged, zoe).status == Status.DENIED

    def test_more_who_must_agree_in_a_stage_that_is_over_refuse_it(self, staged, adam, berta, zoe, nina):
        say_yes(staged, adam)
        configure(staged.role, approvers=[[adam, berta], [zoe, nina]], quorum=2)
        with pytest.raises(Refused, match="settings_stricter"):
            say_yes(staged, zoe)
        assert say_no(staged, zoe).status == Status.DENIED

    def test_as_many_as_agreed_in_a_stage_that_is_over_are_enough(self, staged, adam, berta, zoe, nina):
        configure(staged.role, approvers=[[adam, berta], [zoe, nina]], quorum=2)
        for one in (adam, berta):
            say_yes(staged, one)
        configure(staged.role, approvers=[[adam, berta], [berta, zoe]])
        assert say_yes(staged, zoe).status == Status.GRANTED

    def test_the_shortest_grant_of_all_holds(self, staged, adam, zoe):
        say_yes(staged, adam, duration=30 * MINUTE)
        say_yes(staged, zoe)
        assert Assignment.objects.get(activated_from=staged.assignment).ends_at == SOON + 30 * MINUTE


# Every transition tried from every status: the grid is generated, so a new status or act is tried by itself.

ACTS = {
    "approve": (Status.GRANTED, lambda request, ines, adam: say_yes(request, adam)),
    "deny": (Status.DENIED, lambda request, ines, adam: say_no(request, adam)),
    "cancel": (
        Status.CANCELLED,
        lambda request, ines, _adam: cancel(request.pk, actor=Actor(ines), clock=at(SOON)),
    ),
}


def _bring_to(status: Status, request: Request) -> None:
    fields: dict[str, object] = {"status": status}
    if status != Status.PENDING:
        fields["decided_at"] = NOW + MINUTE
    if status == Status.GRANTED:
        fields["outcome"] = Assignment.objects.create(
            principal=request.principal,
            role=request.role,
            resource=request.resource,
            type="active",
            starts_at=NOW,
            ends_at=NOW + HOUR,
            activated_from=request.assignment,
        )
    Request.objects.filter(pk=request.pk).update(**fields)


@pytest.mark.parametrize(("status", "act"), list(itertools.product(Status, ACTS)))
def test_every_act_from_every_status(status, act, pending, ines, adam):
    _bring_to(status, pending)
    expected, do = ACTS[act]
    before = Event.objects.filter(outcome=Outcome.DONE).count()
    if expected in TRANSITIONS[status]:
        do(pending, ines, adam)
        wanted = expected
    else:
        with pytest.raises(Refused):
            do(pending, ines, adam)
        wanted = status
        assert Event.objects.filter(outcome=Outcome.DONE).count() == before
    pending.refresh_from_db()
    assert pending.status == wanted


@pytest.mark.parametrize("status", [one for one in Status if one != Status.PENDING])
def test_what_is_over_never_lapses(status, pending):
    _bring_to(status, pending)
    assert lapse_overdue(clock=at(NOW + 3 * DAY)) == 0


def test_a_lapsed_request_cannot_be_approved(pending, adam):
    with pytest.raises(Refused, match="lapsed"):
        say_yes(pending, adam, now=pending.lapses_at)
    say_yes(pending, adam, now=pending.lapses_at - TICK)


def test_disabling_somebody_cancels_what_waits_for_them(pending, ines, adam, petra):
    with transaction.atomic():
        disable_person(ines.pk, reason="left", actor=OPERATOR, clock=at(NOW + MINUTE))
        assert cancel_requests_of(ines.pk, actor=OPERATOR, now=NOW + MINUTE, why="disabled") == 1
    with pytest.raises(Refused, match="cancelled"):
        say_yes(pending, adam)


@pytest.mark.parametrize("later", [0 * MINUTE, MINUTE])
def test_what_nobody_decided_in_time_is_not_cancelled_by_who_disables_them(pending, ines, adam, petra, later):
    late = pending.lapses_at + later
    with transaction.atomic():
        disable_person(ines.pk, reason="left", actor=OPERATOR, clock=at(late))
        assert cancel_requests_of(ines.pk, actor=OPERATOR, now=late, why="disabled") == 0
    pending.refresh_from_db()
    assert (pending.status, pending.decided_at) == (Status.LAPSED, pending.lapses_at)
    assert pending.status_reason == "Nobody decided in time."


def test_before_it_is_written_down_a_disabled_persons_request_reads_as_lapsed(pending, ines, adam, petra):
    disable_person(ines.pk, reason="left", actor=OPERATOR, clock=at(NOW + MINUTE))
    with pytest.raises(Refused, match="lapsed"):
        say_yes(pending, adam)


def test_enabling_gives_back_what_must_be_activated_anew_and_nothing_more(ines, petra, eligibility):
    request_activation(ines, eligibility, hours=4)
    disable_person(ines.pk, reason="away", actor=OPERATOR, clock=at(NOW + MINUTE))
    assert not Assignment.objects.eligible_for(ines.pk, SOON).exists()
    enable_person(ines.pk, actor=OPERATOR, clock=at(SOON))
    assert Assignment.objects.eligible_for(ines.pk, SOON).get() == eligibility
    assert not Assignment.objects.held_by(ines.pk, SOON).exists()


class TestTheDatabaseSaysSoToo:
    def test_an_approver_decides_once(self, pending, adam):
        say_yes(pending, adam)
        one = Decision.objects.get()
        with pytest.raises(IntegrityError), transaction.atomic():
            Decision.objects.create(
                request=pending, stage=one.stage, approver=adam, verdict="deny", justification="x", decided_at=NOW
            )

    def test_a_granted_request_has_an_outcome(self, pending):
        with pytest.raises(IntegrityError), transaction.atomic():
            Request.objects.filter(pk=pending.pk).update(status=Status.GRANTED, decided_at=NOW)


def test_a_refused_decision_is_in_the_history(ines, adam, eligibility):
    configure(eligibility.role, approvers=[ines, adam])
    own = request_activation(ines, eligibility)
    with pytest.raises(Refused):
        say_yes(own, ines)
    event = Event.objects.get(kind=Kind.REQUEST_APPROVED)
    assert (event.outcome, event.actor_id, event.request_id) == (Outcome.REFUSED, ines.pk, own.pk)
    assert event.details["refused"] == ["own_request"]


def test_settings_of_a_resource_role_must_name_somebody(petra):
    with pytest.raises(Refused, match="approvers_missing"):
        change_settings(
            role(ids.OWNER),
            resource=None,
            values={"approval_required": True},
            stages=(Stage(1, 1, frozenset()),),
            actor=OPERATOR,
            clock=at(NOW),
        )


def test_the_approvers_stand_in_the_request_by_name(pending, adam, berta):
    rows = RequestApprover.objects.filter(stage__request=pending)
    assert {row.principal_id for row in rows} == {adam.pk, berta.pk}
