"""Asking for a role and holding it: the main job."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from approvals.models import Request, Status
from approvals.services.activations import Wanted, ask
from approvals.services.closing import cancel, lapse_overdue
from audit.kinds import Kind, Outcome
from audit.models import Event
from roles import ids
from roles.actors import Actor
from roles.models import Assignment, EndReason, Purpose, SecondFactor, StepUp, User
from roles.refusals import Refused
from roles.services.assignments import deactivate, remove
from roles.services.ends import write_down_ends
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
    directory,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
    unit,
)

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)


def held(user: User, now=NOW) -> set[uuid.UUID]:
    return set(Assignment.objects.held_by(user.pk, now).values_list("role_id", flat=True))


def test_without_approval_the_role_is_active_at_once(ines, eligibility):
    request = request_activation(ines, eligibility)
    assert request.status == Status.GRANTED
    assert held(ines) == {EXCHANGE_ADMINISTRATOR}


def test_an_activation_ends_by_the_clock_to_the_microsecond(ines, eligibility):
    request_activation(ines, eligibility, hours=2)
    assert held(ines, NOW + 2 * HOUR - MICROSECOND) == {EXCHANGE_ADMINISTRATOR}
    assert held(ines, NOW + 2 * HOUR) == set()


def test_it_can_be_activated_again_at_its_very_end_without_the_worker(ines, eligibility):
    request_activation(ines, eligibility, hours=2)
    again = request_activation(ines, eligibility, now=NOW + 2 * HOUR)
    assert again.status == Status.GRANTED
    first = Assignment.objects.exclude(granted_by_request=again).get(activated_from=eligibility)
    assert (first.ended_at, first.end_reason) == (NOW + 2 * HOUR, EndReason.EXPIRED)


def test_an_active_role_is_not_activated_twice(ines, eligibility):
    request_activation(ines, eligibility)
    with pytest.raises(Refused, match="already_active"):
        request_activation(ines, eligibility, now=NOW + MINUTE)


def test_a_planned_activation_begins_at_its_start(ines, eligibility):
    request_activation(ines, eligibility, start=NOW + DAY)
    assert held(ines) == set()
    assert held(ines, NOW + DAY - MICROSECOND) == set()
    assert held(ines, NOW + DAY) == {EXCHANGE_ADMINISTRATOR}
    assert held(ines, NOW + DAY + HOUR) == set()


def test_an_activation_never_outlives_its_eligibility(ines):
    eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + 30 * MINUTE)
    request = request_activation(ines, eligible, hours=0.55)
    assert request.outcome.ends_at == NOW + 30 * MINUTE


def test_removing_the_eligibility_ends_the_activation_at_once(ines, eligibility):
    request = request_activation(ines, eligibility)
    remove(eligibility.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
    assert held(ines, NOW + MINUTE) == set()
    request.outcome.refresh_from_db()
    assert request.outcome.end_reason == EndReason.ELIGIBILITY_ENDED


def test_somebody_who_leaves_the_group_loses_what_they_activated_through_it(ines, petra):
    team = group("Blue team", ines)
    eligible = make_eligible(team, role(EXCHANGE_ADMINISTRATOR))
    request = request_activation(ines, eligible)
    assert held(ines) == {EXCHANGE_ADMINISTRATOR, ids.GROUP_MEMBER}
    membership = Assignment.objects.get(principal=ines, role=ids.GROUP_MEMBER)
    remove(membership.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
    assert held(ines, NOW + MINUTE) == set()
    assert write_down_ends(clock=at(NOW + 2 * MINUTE)) == 1
    request.outcome.refresh_from_db()
    assert request.outcome.end_reason == EndReason.ELIGIBILITY_ENDED
    # What ended stays ended, even when she is a member again.
    give(ines, role(ids.GROUP_MEMBER), team.resource, starts_at=NOW + 3 * MINUTE)
    assert held(ines, NOW + 4 * MINUTE) == {ids.GROUP_MEMBER}


def test_what_was_lost_is_in_the_way_of_nothing_before_somebody_wrote_that_down(ines):
    team = group("Blue team", ines)
    eligible = make_eligible(team, role(EXCHANGE_ADMINISTRATOR))
    lost = request_activation(ines, eligible).outcome
    membership = Assignment.objects.get(principal=ines, role=ids.GROUP_MEMBER)
    remove(membership.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
    give(ines, role(ids.GROUP_MEMBER), team.resource, starts_at=NOW + 2 * MINUTE)
    request_activation(ines, eligible, now=NOW + 3 * MINUTE)
    lost.refresh_from_db()
    assert (lost.end_reason, lost.ended_at) == (EndReason.ELIGIBILITY_ENDED, NOW + 3 * MINUTE)
    assert EXCHANGE_ADMINISTRATOR in held(ines, NOW + 3 * MINUTE)


def test_a_group_that_is_active_gives_its_role_to_members_only(ines, zoe):
    team = group("Readers", ines)
    give(team, role(ids.GLOBAL_READER))
    assert ids.GLOBAL_READER in held(ines)
    assert held(zoe) == set()


def test_a_reduced_scope_is_active_there_only(ines):
    lyon = unit("Lyon")
    eligible = make_eligible(ines, role(ids.USER_ADMINISTRATOR))
    request_activation(ines, eligible, resource_id=lyon.pk)
    assert Assignment.objects.held_by(ines.pk, NOW).get().resource == lyon


def test_a_resource_outside_the_eligibility_is_refused(ines):
    _root, subscription, *_rest = tree("Root", "prod")
    eligible = make_eligible(ines, role(ids.OWNER), subscription)
    for other in (directory(), _root):
        with pytest.raises(Refused, match="outside"):
            request_activation(ines, eligible, resource_id=other.pk)
    with pytest.raises(Refused, match="outside"):
        request_activation(ines, eligible, resource_id=uuid.uuid4())


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"hours": 8.01}, "duration_too_long"),
        ({"hours": 1e5}, "duration_too_long"),
        ({"hours": 0}, "duration_too_short"),
        ({"hours": -1}, "duration_too_short"),
        ({"reason": ""}, "reason_missing"),
        ({"reason": " \n\t "}, "reason_missing"),
        ({"reason": "\u200b\u2060\ufeff"}, "reason_missing"),
        ({"reason": "\u3164\u2800"}, "reason_missing"),
        ({"reason": "x" * 2001}, "reason_too_long"),
        ({"ticket": "x" * 101}, "ticket_too_long"),
        ({"start": NOW - 6 * MINUTE}, "start_in_past"),
        ({"start": NOW + 91 * DAY}, "start_too_far"),
    ],
)
def test_what_the_settings_refuse(ines, eligibility, wanted, code):
    with pytest.raises(Refused) as refused:
        request_activation(ines, eligibility, **wanted)
    assert refused.value.codes == {code}
    assert not Request.objects.exists()


def test_all_broken_rules_are_told_at_once(ines, eligibility):
    configure(eligibility.role, ticket_required=True)
    with pytest.raises(Refused) as refused:
        ask(
            eligibility.pk,
            wanted=Wanted(duration=9 * HOUR),
            actor=Actor(user=ines),
            clock=at(NOW),
        )
    assert refused.value.codes == {"duration_too_long", "reason_missing", "ticket_missing", "second_factor"}


def test_a_refused_attempt_is_in_the_history(ines, eligibility):
    with pytest.raises(Refused):
        request_activation(ines, eligibility, hours=9, reason="a long night")
    event = Event.objects.get(kind=Kind.REQUEST_MADE)
    assert event.outcome == Outcome.REFUSED
    assert (event.actor_id, event.role_id) == (ines.pk, EXCHANGE_ADMINISTRATOR)
    assert event.details["refused"] == ["duration_too_long"]
    assert event.text.fields["reason"] == "a long night"


@pytest.mark.parametrize("who", ["zoe", "petra"])
def test_nobody_activates_what_another_is_eligible_for(who, eligibility, request):
    other = request.getfixturevalue(who)
    with pytest.raises(Refused, match="not_eligible"):
        request_activation(other, eligibility)
    assert EXCHANGE_ADMINISTRATOR not in held(other)


@pytest.mark.parametrize(
    ("starts", "ends"), [(NOW + MICROSECOND, None), (NOW - DAY, NOW)], ids=["not begun", "ended this instant"]
)
def test_an_eligibility_that_is_not_in_effect_gives_nothing(ines, starts, ends):
    eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), starts_at=starts, ends_at=ends)
    with pytest.raises(Refused, match="not_eligible"):
        request_activation(ines, eligible)


class TestStepUp:
    def test_one_step_up_serves_one_form_only(self, ines, eligibility):
        actor = acting(ines, Purpose.ACTIVATE, eligibility.pk)
        wanted = Wanted(duration=HOUR, reason="needed")
        made = ask(eligibility.pk, wanted=wanted, actor=actor, clock=at(NOW))
        deactivate(made.outcome_id, actor=actor, clock=at(NOW + MINUTE))
        other_form = Actor(user=ines, presented=_another_form(actor))
        with pytest.raises(Refused, match="second_factor"):
            ask(eligibility.pk, wanted=wanted, actor=other_form, clock=at(NOW + MINUTE))

    def test_a_refused_form_does_not_spend_it(self, ines, eligibility):
        actor = acting(ines, Purpose.ACTIVATE, eligibility.pk)
        with pytest.raises(Refused, match="duration_too_long"):
            ask(eligibility.pk, wanted=Wanted(9 * HOUR, "needed"), actor=actor, clock=at(NOW))
        assert StepUp.objects.get().used_at is None

    def test_it_is_fresh_for_five_minutes(self, ines, eligibility):
        actor = acting(ines, Purpose.ACTIVATE, eligibility.pk)
        late = NOW + 4 * MINUTE  # five minutes after it was given
        with pytest.raises(Refused, match="second_factor"):
            ask(eligibility.pk, wanted=Wanted(HOUR, "needed"), actor=actor, clock=at(late))
        ask(eligibility.pk, wanted=Wanted(HOUR, "needed"), actor=actor, clock=at(late - MICROSECOND))

    @pytest.mark.parametrize("purpose", [one for one in Purpose if one not in (Purpose.ACTIVATE, Purpose.SIGN_IN)])
    def test_one_for_another_kind_of_act_does_not_serve(self, ines, eligibility, purpose):
        actor = acting(ines, purpose, eligibility.pk)
        with pytest.raises(Refused, match="second_factor"):
            ask(eligibility.pk, wanted=Wanted(HOUR, "needed"), actor=actor, clock=at(NOW))

    def test_that_of_the_sign_in_counts_unless_the_settings_demand_a_code_each_time(self, ines, eligibility):
        configure(eligibility.role, second_factor=SecondFactor.EVERY_TIME)
        actor = acting(ines, Purpose.SIGN_IN, eligibility.pk)
        with pytest.raises(Refused, match="second_factor"):
            ask(eligibility.pk, wanted=Wanted(HOUR, "needed"), actor=actor, clock=at(NOW))
        configure(eligibility.role, second_factor=SecondFactor.FRESH)
        ask(eligibility.pk, wanted=Wanted(HOUR, "needed"), actor=actor, clock=at(NOW))

    def test_one_of_another_person_or_for_other_objects_does_not_serve(self, ines, zoe, eligibility):
        theirs = acting(zoe, Purpose.ACTIVATE, eligibility.pk)
        elsewhere = acting(ines, Purpose.ACTIVATE, uuid.uuid4())
        for actor in (Actor(user=ines, presented=theirs.presented), elsewhere):
            with pytest.raises(Refused, match="second_factor"):
                ask(eligibility.pk, wanted=Wanted(HOUR, "needed"), actor=actor, clock=at(NOW))

    def test_one_form_may_cover_several_roles(self, ines, eligibility):
        other = make_eligible(ines, role(ids.USER_ADMINISTRATOR))
        actor = acting(ines, Purpose.ACTIVATE, eligibility.pk, other.pk)
        for one in (eligibility, other):
            ask(one.pk, wanted=Wanted(HOUR, "needed"), actor=actor, clock=at(NOW))
        assert held(ines) == {EXCHANGE_ADMINISTRATOR, ids.USER_ADMINISTRATOR}


def _another_form(actor):
    from dataclasses import replace

    return replace(actor.presented, form=uuid.uuid4())


def test_deactivating_ends_it_now_and_only_the_holder_can(ines, zoe, eligibility):
    request = request_activation(ines, eligibility)
    with pytest.raises(Refused, match="not_allowed"):
        deactivate(request.outcome_id, actor=Actor(user=zoe), clock=at(NOW + MINUTE))
    deactivate(request.outcome_id, actor=Actor(user=ines), clock=at(NOW + MINUTE))
    assert held(ines, NOW + MINUTE) == set()
    with pytest.raises(Refused, match="over"):
        deactivate(request.outcome_id, actor=Actor(user=ines), clock=at(NOW + 2 * MINUTE))


def test_an_assigned_role_is_not_deactivated(petra):
    assignment = Assignment.objects.get(principal=petra)
    with pytest.raises(Refused, match="not_allowed"):
        deactivate(assignment.pk, actor=Actor(user=petra), clock=at(NOW))


def test_the_sweep_writes_an_end_once(ines, eligibility):
    request_activation(ines, eligibility)
    assert write_down_ends(clock=at(NOW + 2 * HOUR)) == 1
    assert write_down_ends(clock=at(NOW + 3 * HOUR)) == 0
    event = Event.objects.get(kind=Kind.ACTIVATION_EXPIRED)
    assert event.occurred_at == NOW + HOUR


def test_what_ended_stays_ended_when_the_clock_goes_back(ines, eligibility):
    request_activation(ines, eligibility)
    write_down_ends(clock=at(NOW + 2 * HOUR))
    assert held(ines, NOW + MINUTE) == set()


class TestWaiting:
    def test_with_approval_it_waits_and_gives_nothing(self, ines, with_approval):
        request = request_activation(ines, with_approval)
        assert request.status == Status.PENDING
        assert held(ines) == set()

    def test_a_second_request_for_the_same_is_refused(self, ines, with_approval):
        request_activation(ines, with_approval)
        with pytest.raises(Refused, match="already_asked"):
            request_activation(ines, with_approval, now=NOW + MINUTE)

    def test_it_lapses_by_the_clock_and_can_be_asked_again_at_once(self, ines, with_approval):
        first = request_activation(ines, with_approval)
        later = NOW + DAY
        assert not Request.objects.waiting(later).exists()
        assert Request.objects.waiting(later - MICROSECOND).exists()
        again = request_activation(ines, with_approval, now=later)
        first.refresh_from_db()
        assert (first.status, again.status) == (Status.LAPSED, Status.PENDING)

    def test_it_lapses_with_its_eligibility(self, ines, with_approval):
        request = request_activation(ines, with_approval)
        remove(with_approval.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
        assert not Request.objects.waiting(NOW + MINUTE).exists()
        assert lapse_overdue(clock=at(NOW + 2 * MINUTE)) == 1
        assert lapse_overdue(clock=at(NOW + 3 * MINUTE)) == 0
        request.refresh_from_db()
        assert request.status == Status.LAPSED

    def test_only_its_requestor_cancels_it(self, ines, adam, with_approval):
        request = request_activation(ines, with_approval)
        with pytest.raises(Refused, match="not_allowed"):
            cancel(request.pk, actor=Actor(user=adam), clock=at(NOW + MINUTE))
        cancel(request.pk, actor=Actor(user=ines), clock=at(NOW + MINUTE))
        with pytest.raises(Refused, match="over"):
            cancel(request.pk, actor=Actor(user=ines), clock=at(NOW + 2 * MINUTE))

    def test_nobody_but_oneself_to_approve_is_said_at_once(self, ines, eligibility):
        configure(eligibility.role, approvers=[ines])
        with pytest.raises(Refused, match="nobody_to_approve"):
            request_activation(ines, eligibility)

    def test_a_quorum_that_cannot_be_met_is_said_at_once(self, ines, adam, eligibility):
        configure(eligibility.role, approvers=[ines, adam], quorum=2)
        with pytest.raises(Refused, match="nobody_to_approve"):
            request_activation(ines, eligibility)

    def test_nobody_named_asks_the_privileged_role_administrators(self, ines, petra, eligibility):
        configure(eligibility.role, approval_required=True)
        request = request_activation(ines, eligibility)
        assert {row.principal_id for row in request.stages.get().approvers.all()} == {petra.pk}


def test_an_unknown_person_kind_cannot_ask(eligibility):
    with pytest.raises(Refused, match="nobody"):
        ask(eligibility.pk, wanted=Wanted(HOUR, "x"), actor=OPERATOR, clock=at(NOW))


def test_people_without_a_factor_can_hold_but_not_activate(db):
    nora = person("nora", factor=False)
    eligible = make_eligible(nora, role(EXCHANGE_ADMINISTRATOR))
    with pytest.raises(Refused, match="second_factor"):
        ask(eligible.pk, wanted=Wanted(HOUR, "x"), actor=Actor(user=nora), clock=at(NOW))
