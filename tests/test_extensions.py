"""Extending what runs and renewing what has ended: who may ask and decide, when, for how long, and only once."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from approvals.models import Action, Decision, Request, Status, Verdict
from approvals.selectors.approvers import approvers_of, asked_to_decide
from approvals.selectors.panels import panels_of
from approvals.selectors.requests import requests_awaiting, status_at
from approvals.selectors.showing import shown_digest
from approvals.services.closing import cancel_for, lapse_overdue
from approvals.services.extensions import Terms, ask_to_extend
from audit.kinds import Kind, Outcome
from audit.models import Event
from roles import ids
from roles.actors import Actor
from roles.authority import Authority
from roles.models import Assignment, AssignmentType, EndReason, Purpose, User
from roles.refusals import Refused
from roles.services.assignments import remove
from roles.services.changes import change, renew
from roles.services.ends import write_down_ends
from roles.services.principals import disable_person
from tests.people import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    SECURITY_READER,
    acting,
    ask_to_keep,
    at,
    configure,
    decide,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)

pytestmark = pytest.mark.django_db

END = NOW + 10 * DAY
LATER = END + 30 * DAY
TICK = timedelta(microseconds=1)
YES, NO = Verdict.APPROVE, Verdict.DENY


@pytest.fixture
def ending(ines: User, petra: User) -> Assignment:
    """Ines is eligible for Security Reader for ten more days; Petra administers."""
    return make_eligible(ines, role(SECURITY_READER), ends_at=END)


@pytest.fixture
def asked(ines: User, ending: Assignment) -> Request:
    return ask_to_keep(ines, ending, ends_at=LATER)


def ended(user: User) -> Assignment:
    """Something of this person that ended two days ago by its time."""
    return make_eligible(user, role(SECURITY_READER), starts_at=NOW - 60 * DAY, ends_at=NOW - 2 * DAY)


class TestAskingToExtend:
    def test_it_waits_and_changes_nothing(self, asked, ending):
        ending.refresh_from_db()
        assert (asked.status, asked.action, ending.ends_at) == (Status.PENDING, Action.EXTEND, END)
        assert asked.lapses_at == END

    @pytest.mark.parametrize(("early", "told"), [(timedelta(), None), (-TICK, "too_early")])
    def test_from_fourteen_days_before_the_end_on(self, ines, ending, early, told):
        moment = END - 14 * DAY + early
        if told is None:
            assert ask_to_keep(ines, ending, ends_at=LATER, now=moment).status == Status.PENDING
        else:
            with pytest.raises(Refused, match=told):
                ask_to_keep(ines, ending, ends_at=LATER, now=moment)

    def test_until_its_end_and_not_a_microsecond_longer(self, ines, ending):
        asking = {"ends_at": LATER, "reason": "r", "clock": at(END)}
        with pytest.raises(Refused, match="over"):
            ask_to_extend(ending.pk, actor=acting(ines, Purpose.ACTIVATE, ending.pk, now=END), **asking)
        assert ask_to_keep(ines, ending, ends_at=LATER, now=END - TICK).status == Status.PENDING

    def test_an_end_on_the_clock_of_another_zone_can_be_decided(self, ines, ending, petra):
        asked = ask_to_keep(ines, ending, ends_at=LATER.astimezone(ZoneInfo("Asia/Kolkata")))
        assert decide(YES, asked, petra).status == Status.GRANTED

    @pytest.mark.parametrize("end", [END, END - DAY])
    def test_only_to_a_later_end(self, ines, ending, end):
        with pytest.raises(Refused, match="not_longer"):
            ask_to_keep(ines, ending, ends_at=end)

    def test_within_the_settings(self, ines, ending):
        configure(ending.role, permanent_eligible_allowed=False, expire_eligible_after=30 * DAY)
        with pytest.raises(Refused, match="too_long"):
            ask_to_keep(ines, ending, ends_at=NOW + 30 * DAY + TICK)
        with pytest.raises(Refused, match="permanent_not_allowed"):
            ask_to_keep(ines, ending, ends_at=None)
        assert ask_to_keep(ines, ending, ends_at=NOW + 30 * DAY).wanted_end == NOW + 30 * DAY

    def test_without_an_end_where_the_settings_allow_it(self, ines, ending):
        assert ask_to_keep(ines, ending, ends_at=None).wanted_end is None

    @pytest.mark.parametrize("reason", ["", "  ", "\u200b"])
    def test_with_a_reason_that_can_be_seen(self, ines, ending, reason):
        with pytest.raises(Refused, match="reason_missing"):
            ask_to_keep(ines, ending, ends_at=LATER, reason=reason)

    def test_with_a_fresh_second_factor(self, ines, ending):
        with pytest.raises(Refused, match="second_factor"):
            ask_to_extend(ending.pk, ends_at=LATER, reason="r", actor=Actor(user=ines), clock=at(NOW))

    def test_once(self, ines, asked, ending):
        with pytest.raises(Refused, match="already_asked"):
            ask_to_keep(ines, ending, ends_at=LATER + DAY)

    def test_never_somebody_elses(self, zoe, ending):
        with pytest.raises(Refused, match="not_yours"):
            ask_to_keep(zoe, ending, ends_at=LATER)

    def test_never_what_one_has_through_a_group(self, ines, petra):
        team = group("Team", ines)
        given = make_eligible(team, role(SECURITY_READER), ends_at=END)
        with pytest.raises(Refused, match="through_group") as refused:
            ask_to_keep(ines, given, ends_at=LATER)
        assert "Team" in refused.value.sentence

    def test_never_an_activation(self, ines, ending):
        activation = request_activation(ines, ending).outcome
        with pytest.raises(Refused, match="activation"):
            ask_to_keep(ines, activation, ends_at=LATER)

    def test_never_what_has_no_end(self, ines, petra, eligibility):
        with pytest.raises(Refused, match="permanent"):
            ask_to_keep(ines, eligibility, ends_at=LATER)

    def test_not_where_nobody_else_administers(self, ines):
        alone = make_eligible(ines, role(SECURITY_READER), ends_at=END)
        with pytest.raises(Refused, match="nobody_to_approve"):
            ask_to_keep(ines, alone, ends_at=LATER)

    def test_not_where_only_oneself_administers(self, petra):
        own = make_eligible(petra, role(SECURITY_READER), ends_at=END)
        with pytest.raises(Refused, match="nobody_to_approve"):
            ask_to_keep(petra, own, ends_at=LATER)

    def test_a_refused_attempt_is_in_the_history(self, zoe, ending):
        with pytest.raises(Refused):
            ask_to_keep(zoe, ending, ends_at=LATER)
        event = Event.objects.get(kind=Kind.REQUEST_MADE, outcome=Outcome.REFUSED)
        assert (event.actor_id, event.assignment_id) == (zoe.pk, ending.pk)


class TestAskingToRenew:
    def test_it_waits_for_two_weeks_and_never_beyond_what_can_be_renewed(self, ines, petra):
        gone = ended(ines)
        assert ask_to_keep(ines, gone, ends_at=LATER).lapses_at == NOW + 14 * DAY
        other = make_eligible(ines, role(ids.GLOBAL_READER), starts_at=NOW - 60 * DAY, ends_at=NOW - 20 * DAY)
        assert ask_to_keep(ines, other, ends_at=LATER).lapses_at == NOW + 10 * DAY

    @pytest.mark.parametrize(("after", "told"), [(timedelta(), None), (30 * DAY, None), (30 * DAY + TICK, "too_late")])
    def test_from_its_end_until_thirty_days_after(self, ines, ending, after, told):
        moment = END + after
        if told is None and after < 30 * DAY:
            assert ask_to_keep(ines, ending, ends_at=moment + DAY, now=moment).status == Status.PENDING
        elif told is None:
            # Asked at the last moment it has lapsed already: nothing waits.
            assert status_at(ask_to_keep(ines, ending, ends_at=moment + DAY, now=moment), moment) == Status.LAPSED
        else:
            with pytest.raises(Refused, match=told):
                ask_to_keep(ines, ending, ends_at=moment + DAY, now=moment)

    def test_not_what_was_removed(self, ines, petra, ending):
        remove(ending.pk, actor=OPERATOR, reason="no", clock=at(NOW))
        ending.refresh_from_db()
        with pytest.raises(Refused, match="not_expired"):
            ask_to_keep(ines, ending, ends_at=LATER, now=NOW + MINUTE)

    def test_not_what_was_renewed(self, ines, petra):
        gone = ended(ines)
        terms = {"type": AssignmentType.ELIGIBLE, "ends_at": NOW + DAY, "reason": "r"}
        renew(gone.pk, **terms, actor=OPERATOR, clock=at(NOW))
        gone.refresh_from_db()
        with pytest.raises(Refused, match="already_renewed"):
            ask_to_keep(ines, gone, ends_at=LATER, now=NOW + MINUTE)


class TestDeciding:
    def test_an_approval_moves_the_end_of_the_same_assignment(self, asked, ending, petra):
        decide(YES, asked, petra)
        ending.refresh_from_db()
        asked.refresh_from_db()
        assert (ending.ends_at, asked.status, asked.outcome) == (LATER, Status.GRANTED, None)
        event = Event.objects.get(kind=Kind.ASSIGNMENT_EXTENDED)
        assert (event.request_id, event.actor_id) == (asked.pk, petra.pk)
        said = Event.objects.get(kind=Kind.REQUEST_APPROVED, outcome=Outcome.DONE)
        assert event.authority_id == said.authority_id == Authority(petra, NOW).held[0].assignment_id

    def test_an_approval_of_a_renewal_gives_it_anew(self, ines, petra):
        gone = ended(ines)
        request = ask_to_keep(ines, gone, ends_at=LATER)
        decide(YES, request, petra)
        made = Assignment.objects.get(renewed_from=gone)
        assert (made.type, made.starts_at, made.ends_at) == (AssignmentType.ELIGIBLE, NOW, LATER)
        assert Request.objects.get(pk=request.pk).outcome == made

    def test_a_denial_leaves_everything_as_it_is(self, asked, ending, petra):
        decide(NO, asked, petra, justification="no longer")
        ending.refresh_from_db()
        assert ending.ends_at == END
        assert Request.objects.get(pk=asked.pk).status == Status.DENIED

    def test_the_administrator_may_set_another_end(self, asked, ending, petra):
        decide(YES, asked, petra, terms=Terms(AssignmentType.ELIGIBLE, END + DAY))
        ending.refresh_from_db()
        said = Decision.objects.get(request=asked)
        assert (ending.ends_at, said.granted_end, said.granted_type) == (END + DAY, END + DAY, AssignmentType.ELIGIBLE)

    def test_and_start_and_type_of_a_renewal(self, ines, petra):
        gone = ended(ines)
        request = ask_to_keep(ines, gone, ends_at=LATER)
        terms = Terms(AssignmentType.ACTIVE, NOW + 3 * DAY, starts_at=NOW + DAY)
        decide(YES, request, petra, terms=terms)
        made = Assignment.objects.get(renewed_from=gone)
        assert (made.type, made.starts_at, made.ends_at) == (AssignmentType.ACTIVE, NOW + DAY, NOW + 3 * DAY)

    def test_another_type_takes_the_place_of_what_runs_without_a_gap(self, asked, ending, ines, petra):
        activation = request_activation(ines, ending).outcome
        decide(YES, asked, petra, now=NOW + MINUTE, terms=Terms(AssignmentType.ACTIVE, END + DAY))
        for row in (ending, activation, asked):
            row.refresh_from_db()
        assert (ending.end_reason, activation.end_reason) == (EndReason.TYPE_CHANGED, EndReason.ELIGIBILITY_ENDED)
        made = asked.outcome
        assert (made.type, made.starts_at, made.ends_at) == (AssignmentType.ACTIVE, NOW + MINUTE, END + DAY)
        held = Assignment.objects.held_by(ines.pk, NOW + MINUTE).filter(role=SECURITY_READER)
        assert [row.pk for row in held] == [made.pk]

    def test_within_the_settings_of_now(self, asked, ending, petra):
        configure(ending.role, permanent_eligible_allowed=False, expire_eligible_after=20 * DAY)
        with pytest.raises(Refused, match="too_long"):
            decide(YES, asked, petra)
        ending.refresh_from_db()
        assert ending.ends_at == END
        decide(YES, asked, petra, terms=Terms(AssignmentType.ELIGIBLE, NOW + 20 * DAY))

    def test_never_to_an_earlier_end(self, asked, petra):
        with pytest.raises(Refused, match="not_longer"):
            decide(YES, asked, petra, terms=Terms(AssignmentType.ELIGIBLE, END - DAY))

    def test_making_active_asks_for_what_it_asks_directly(self, asked, ending, petra):
        configure(ending.role, second_factor_on_assign=True)
        sign_in = acting(petra, Purpose.SIGN_IN, asked.pk)
        from approvals.services.decisions import approve

        words = {"justification": "j", "seen": shown_digest(asked), "clock": at(NOW)}
        with pytest.raises(Refused, match="second_factor"):
            approve(asked.pk, terms=Terms(AssignmentType.ACTIVE, LATER), actor=sign_in, **words)
        approve(asked.pk, actor=acting(petra, Purpose.SIGN_IN, asked.pk), **words)

    @pytest.mark.parametrize("verdict", list(Verdict))
    def test_nobody_decides_their_own(self, petra, paul, verdict):
        own = give(petra, role(SECURITY_READER), ends_at=END)
        request = ask_to_keep(petra, own, ends_at=LATER)
        with pytest.raises(Refused, match="own_request"):
            decide(verdict, request, petra)
        decide(YES, request, paul)

    @pytest.mark.parametrize("verdict", list(Verdict))
    def test_not_by_the_authority_of_a_group_either(self, ines, petra, asked, verdict):
        give(group("Administrators", ines), role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        assert ines.pk not in {user.pk for user in approvers_of(asked, NOW).people}
        with pytest.raises(Refused, match="own_request"):
            decide(verdict, asked, ines)

    def test_by_the_authority_of_now_not_of_when_it_was_asked(self, asked, petra, paul, zoe):
        held = Assignment.objects.get(principal=petra, role=ids.PRIVILEGED_ROLE_ADMINISTRATOR)
        give(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        remove(held.pk, actor=OPERATOR, reason="moved on", clock=at(NOW))
        with pytest.raises(Refused, match="not_an_approver"):
            decide(YES, asked, petra, now=NOW + MINUTE)
        decide(YES, asked, zoe, now=NOW + MINUTE)

    def test_whoever_may_become_administrator_is_told_and_decides_only_after_activating(self, asked, zoe):
        own = make_eligible(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        assert zoe.pk in {user.pk for user in asked_to_decide(asked, NOW)}
        with pytest.raises(Refused, match="not_an_approver"):
            decide(YES, asked, zoe)
        request_activation(zoe, own)
        decide(YES, asked, zoe)

    def test_of_resources_their_owners_decide_and_nobody_of_the_directory(self, ines, petra, adam):
        root, payments = tree("Root", "Payments")
        give(adam, role(ids.OWNER), root)
        given = make_eligible(ines, role(ids.READER), payments, starts_at=NOW - 30 * DAY, ends_at=END)
        request = ask_to_keep(ines, given, ends_at=LATER)
        assert [user.pk for user in approvers_of(request, NOW).people] == [adam.pk]
        assert requests_awaiting(Authority(petra, NOW)) == []
        with pytest.raises(Refused, match="not_an_approver"):
            decide(YES, request, petra)
        decide(YES, request, adam)

    def test_of_groups_their_owners_decide_but_not_beyond_their_own_authority(self, ines, petra, adam):
        team = group("Team")
        give(adam, role(ids.GROUP_OWNER), team.resource)
        membership = give(ines, role(ids.GROUP_MEMBER), team.resource, ends_at=END)
        request = ask_to_keep(ines, membership, ends_at=LATER)
        give(team, role(SECURITY_READER))
        with pytest.raises(Refused, match="group_holds_more"):
            decide(YES, request, adam)
        decide(YES, request, petra)

    def test_a_decision_is_bound_to_what_was_seen_and_asked(self, asked, petra):
        with pytest.raises(Refused, match="changed"):
            decide(YES, asked, petra, seen="0" * 64)
        for changed in ({"wanted_end": LATER + DAY}, {"wanted_type": "active"}, {"reason": "other"}):
            with transaction.atomic():
                Request.objects.filter(pk=asked.pk).update(**changed)
                with pytest.raises(Refused, match="changed"):
                    decide(YES, asked, petra)
                transaction.set_rollback(True)

    def test_the_list_says_the_same_as_the_rule(self, asked, petra, paul, zoe, ines):
        assert panels_of([asked], NOW)[asked.pk].panel == approvers_of(asked, NOW)
        waits = {user.pk: len(requests_awaiting(Authority(user, NOW))) for user in (petra, paul, zoe, ines)}
        assert waits == {petra.pk: 1, paul.pk: 1, zoe.pk: 0, ines.pk: 0}


class TestLapsing:
    def test_an_extension_lapses_with_the_assignment_by_the_clock(self, asked, petra):
        assert status_at(asked, END - TICK) == Status.PENDING
        assert status_at(asked, END) == Status.LAPSED
        with pytest.raises(Refused, match="lapsed"):
            decide(YES, asked, petra, now=END)
        assert lapse_overdue(clock=at(END)) == 1

    def test_a_renewal_lapses_after_two_weeks(self, ines, petra):
        request = ask_to_keep(ines, ended(ines), ends_at=LATER)
        assert status_at(request, NOW + 14 * DAY - TICK) == Status.PENDING
        with pytest.raises(Refused, match="lapsed"):
            decide(YES, request, petra, now=NOW + 14 * DAY)

    def test_what_was_removed_is_not_extended(self, asked, ending, petra):
        remove(ending.pk, actor=OPERATOR, reason="no", clock=at(NOW))
        with pytest.raises(Refused, match="lapsed"):
            decide(YES, asked, petra, now=NOW + MINUTE)

    def test_what_was_extended_directly_waits_no_longer(self, asked, ending, petra):
        change(ending.pk, ends_at=LATER, reason="r", actor=OPERATOR, clock=at(NOW))
        assert status_at(asked, NOW + MINUTE) == Status.LAPSED

    def test_what_was_renewed_directly_waits_no_longer(self, ines, petra):
        gone = ended(ines)
        request = ask_to_keep(ines, gone, ends_at=LATER)
        terms = {"type": AssignmentType.ELIGIBLE, "ends_at": NOW + DAY, "reason": "r"}
        renew(gone.pk, **terms, actor=OPERATOR, clock=at(NOW))
        with pytest.raises(Refused, match="lapsed"):
            decide(YES, request, petra, now=NOW + MINUTE)

    def test_disabling_its_holder_cancels_nothing_silently_and_grants_nothing(self, asked, ending, ines, petra):
        disable_person(ines.pk, reason="gone", actor=OPERATOR, clock=at(NOW))
        assert status_at(Request.objects.get(pk=asked.pk), NOW + MINUTE) in (Status.LAPSED, Status.CANCELLED)
        with pytest.raises(Refused):
            decide(YES, asked, petra, now=NOW + MINUTE)

    def test_the_sweep_changes_nothing_of_what_waits(self, asked, ending):
        write_down_ends(clock=at(NOW))
        assert lapse_overdue(clock=at(NOW)) == 0

    def test_asked_anew_after_it_lapsed(self, ines, petra):
        gone = ended(ines)
        ask_to_keep(ines, gone, ends_at=LATER)
        assert ask_to_keep(ines, gone, ends_at=LATER, now=NOW + 14 * DAY).status == Status.PENDING
        assert Request.objects.filter(status=Status.LAPSED).count() == 1


class TestCancellingForSomebody:
    def cancel(self, request: Request, user: User, reason: str = "not any more") -> Request:
        actor = acting(user, Purpose.DECIDE, request.pk)
        return cancel_for(request.pk, reason=reason, actor=actor, clock=at(NOW))

    def test_an_administrator_of_the_place_may_with_a_reason(self, asked, petra):
        with pytest.raises(Refused, match="reason_missing"):
            self.cancel(asked, petra, reason="")
        self.cancel(asked, petra)
        event = Event.objects.get(kind=Kind.REQUEST_CANCELLED, outcome=Outcome.DONE)
        assert (event.actor_id, event.target_id) == (petra.pk, asked.principal_id)
        assert event.authority_id is not None

    def test_who_only_looks_may_not(self, asked, nina, zoe):
        for user in (nina, zoe):
            with pytest.raises(Refused, match="not_allowed"):
                self.cancel(asked, user)

    def test_once(self, asked, petra):
        self.cancel(asked, petra)
        with pytest.raises(Refused, match="over"):
            self.cancel(asked, petra)

    def test_with_a_fresh_second_factor(self, asked, petra):
        with pytest.raises(Refused, match="second_factor"):
            cancel_for(asked.pk, reason="r", actor=Actor(user=petra), clock=at(NOW))


@pytest.mark.parametrize("action", [Action.ACTIVATE, Action.PROLONG, Action.EXTEND, Action.RENEW])
@pytest.mark.parametrize(
    "wrong",
    [
        {"assignment": None},
        {"wanted_duration": HOUR, "wanted_type": "eligible"},
        {"wanted_duration": None, "wanted_type": ""},
        {"action": "change_settings"},
    ],
)
def test_the_database_holds_what_belongs_to_which_action(asked, ines, ending, action, wrong):
    timed = {"wanted_duration": HOUR, "settings_max": HOUR, "wanted_type": "", "wanted_end": None}
    kept = {"wanted_duration": None, "settings_max": None, "wanted_type": "eligible", "wanted_end": None}
    fields = timed if action in (Action.ACTIVATE, Action.PROLONG) else kept
    Request.objects.filter(pk=asked.pk).update(action=action, **fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        Request.objects.filter(pk=asked.pk).update(**wrong)


@pytest.mark.parametrize("status", [one for one in Status if one != Status.PENDING])
@pytest.mark.parametrize("action", list(Verdict))
@pytest.mark.parametrize("kind", [Action.EXTEND, Action.RENEW])
def test_what_is_over_is_decided_no_more(ines, petra, paul, kind, action, status):
    row = make_eligible(ines, role(SECURITY_READER), ends_at=END) if kind == Action.EXTEND else ended(ines)
    request = ask_to_keep(ines, row, ends_at=LATER)
    moment = NOW + MINUTE
    if status == Status.GRANTED:
        decide(YES, request, petra)
    elif status == Status.DENIED:
        decide(NO, request, petra)
    elif status == Status.CANCELLED:
        actor = acting(petra, Purpose.DECIDE, request.pk)
        cancel_for(request.pk, reason="r", actor=actor, clock=at(NOW))
    elif status == Status.LAPSED:
        moment = request.lapses_at
    else:
        Request.objects.filter(pk=request.pk).update(status=Status.FAILED, decided_at=NOW)
    before = sorted(map(str, Assignment.objects.values_list()))
    with pytest.raises(Refused, match=status.value):
        decide(action, request, paul, now=moment)
    assert sorted(map(str, Assignment.objects.values_list())) == before


def test_a_person_of_their_own_is_needed_to_ask(ending):
    with pytest.raises(Refused, match="nobody"):
        ask_to_extend(ending.pk, ends_at=LATER, reason="r", actor=OPERATOR, clock=at(NOW))


def test_a_disabled_administrator_decides_nothing(asked, paul):
    other = person("olaf")
    give(other, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    User.objects.filter(pk=other.pk).update(enabled=False)
    with pytest.raises(Refused, match="not_an_approver"):
        decide(YES, asked, User.objects.get(pk=other.pk))
