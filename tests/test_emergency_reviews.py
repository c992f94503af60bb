"""The review of an emergency: by somebody else, once, in time or loudly late."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from approvals.models import Deputy, EmergencyReview, Request
from approvals.selectors.emergencies import emergencies_awaiting, reviewers_of
from approvals.services.deputies import end_deputy
from approvals.services.emergency_reviews import close_review, close_review_as_operator
from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.models import DueItem, Notification
from pim_portal.notifications.reminders import remind
from roles import ids
from roles.actors import Actor
from roles.authority import Authority
from roles.models import Assignment, AssignmentType, EndReason, Purpose, User
from roles.refusals import Refused
from roles.services.assignments import deactivate
from roles.services.principals import disable_person
from tests.deputising import named
from tests.emergencies import break_it, glass_allowed, review
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
)

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)
DUE = NOW + DAY


@pytest.fixture
def emergency(ines: User, adam: User, petra: User) -> Request:
    """Ines did not wait for Adam; Petra administers the directory."""
    return break_it(ines, glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam))


def codes(user: User, emergency: Request, **kwargs: object) -> set[str]:
    with pytest.raises(Refused) as refused:
        review(user, emergency, **kwargs)
    return refused.value.codes


def names(people: list[User]) -> list[str]:
    return [one.name for one in people]


class TestClosing:
    @pytest.mark.parametrize("who", ["adam", "petra"])
    @pytest.mark.parametrize("justified", [True, False])
    def test_who_would_have_approved_or_administers_closes_it(self, who, justified, emergency, request):
        user = request.getfixturevalue(who)
        review(user, emergency, justified=justified, finding=" It was so. ")
        row = EmergencyReview.objects.get()
        assert (row.closed_by_id, row.closed_at, row.justified, row.finding) == (user.pk, NOW, justified, "It was so.")
        event = Event.objects.get(kind=Kind.EMERGENCY_REVIEWED)
        assert (event.actor_id, event.request_id, event.details["justified"]) == (user.pk, emergency.pk, justified)
        held = (
            Assignment.objects.get(principal=user, role=ids.PRIVILEGED_ROLE_ADMINISTRATOR) if who == "petra" else None
        )
        assert event.authority_id == (held.pk if held else None)

    def test_it_ends_nothing_by_itself(self, adam, emergency):
        review(adam, emergency)
        assert Assignment.objects.in_effect(NOW).filter(pk=emergency.outcome_id).exists()

    def test_the_activation_ends_with_it_where_that_is_chosen(self, adam, emergency):
        review(adam, emergency, now=NOW + MINUTE, justified=False, end_now=True)
        row = Assignment.objects.get(pk=emergency.outcome_id)
        assert (row.ended_at, row.end_reason) == (NOW + MINUTE, EndReason.EMERGENCY_OVER)
        assert not Assignment.objects.in_effect(NOW + MINUTE).filter(pk=row.pk).exists()
        assert Event.objects.filter(kind=Kind.ACTIVATION_ENDED, assignment_id=row.pk, actor_id=adam.pk).exists()
        assert Event.objects.get(kind=Kind.EMERGENCY_REVIEWED).details["ended_now"] is True

    def test_what_is_over_is_not_ended_again(self, ines, adam, emergency):
        deactivate(emergency.outcome_id, actor=Actor(user=ines), clock=at(NOW + MINUTE))
        review(adam, emergency, now=NOW + 2 * MINUTE, end_now=True)
        row = Assignment.objects.get(pk=emergency.outcome_id)
        assert (row.ended_at, row.end_reason) == (NOW + MINUTE, EndReason.DEACTIVATED)
        assert Event.objects.get(kind=Kind.EMERGENCY_REVIEWED).details["ended_now"] is False

    def test_at_the_very_end_there_is_nothing_to_end(self, adam, emergency):
        review(adam, emergency, now=NOW + HOUR, end_now=True)
        assert Assignment.objects.get(pk=emergency.outcome_id).ended_at is None

    def test_it_is_closed_once(self, adam, petra, emergency):
        review(adam, emergency, finding="first")
        assert codes(petra, emergency, justified=False, finding="second") == {"closed"}
        assert EmergencyReview.objects.get().finding == "first"

    def test_what_is_missing_is_said_at_once(self, adam, emergency):
        actor = acting(adam, Purpose.DECIDE, adam.pk)
        with pytest.raises(Refused) as refused:
            close_review(emergency.pk, justified=None, finding="\u200b", actor=actor, clock=at(NOW))
        assert refused.value.codes == {"justified_missing", "finding_missing", "second_factor"}
        assert {one.field for one in refused.value.violations} == {"justified", "finding", "code"}

    @pytest.mark.parametrize(("length", "refused"), [(2000, False), (2001, True)])
    def test_a_finding_is_2000_characters_at_most(self, adam, emergency, length, refused):
        if refused:
            assert codes(adam, emergency, finding="x" * length) == {"finding_too_long"}
        else:
            review(adam, emergency, finding="x" * length)

    def test_an_ordinary_request_has_none(self, ines, adam, petra):
        eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
        request = request_activation(ines, eligible)
        with pytest.raises(EmergencyReview.DoesNotExist):
            review(adam, request)

    def test_the_database_keeps_who_and_what_together(self, adam, emergency):
        row = EmergencyReview.objects.get()
        for fields in ({"closed_at": NOW}, {"justified": True}, {"finding": "x"}, {"operator": "root"}):
            with pytest.raises(IntegrityError), transaction.atomic():
                EmergencyReview.objects.filter(pk=row.pk).update(**fields)


class TestWho:
    def test_never_who_activated_it(self, ines, adam, petra):
        """Not as an approver, not through a group, not as an administrator."""
        team = group("Approvers", ines, adam)
        eligible = glass_allowed(ines, EXCHANGE_ADMINISTRATOR, ines)
        configure(eligible.role, approvers=[ines, team])
        give(ines, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        emergency = break_it(ines, eligible)
        assert codes(ines, emergency) == {"own_request"}
        assert names(reviewers_of(emergency, NOW)) == ["Adam", "Petra"]

    def test_not_a_stranger_nor_who_only_looks(self, zoe, nina, emergency):
        assert codes(zoe, emergency) == codes(nina, emergency) == {"not_a_reviewer"}

    def test_not_a_deputy_of_who_activated_it(self, ines, adam, petra, emergency):
        named(ines, adam, now=NOW - HOUR)
        assert codes(adam, emergency) == {"deputy_of_holder"}
        assert names(reviewers_of(emergency, NOW)) == ["Petra"]

    def test_not_even_an_administrator_who_was_their_deputy_since(self, ines, adam, petra, emergency):
        row = named(ines, petra, now=NOW + MINUTE)
        end_deputy(row.pk, actor=Actor(user=petra), clock=at(NOW + 2 * MINUTE))
        assert codes(petra, emergency, now=NOW + 3 * MINUTE) == {"deputy_of_holder"}

    def test_who_was_their_deputy_before_may(self, ines, adam, petra):
        row = named(ines, adam, now=NOW - 2 * HOUR)
        end_deputy(row.pk, actor=Actor(user=adam), clock=at(NOW - HOUR))
        emergency = break_it(ines, glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam))
        review(adam, emergency)

    def test_who_was_called_off_before_they_stood_in_may(self, ines, adam, emergency):
        row = named(ines, adam, starts_at=NOW + 2 * HOUR)
        end_deputy(row.pk, actor=Actor(user=ines), clock=at(NOW + HOUR))
        assert review(adam, emergency, now=NOW + 3 * HOUR).justified

    def test_who_will_be_their_deputy_still_may(self, ines, adam, emergency):
        named(ines, adam, starts_at=NOW + TICK)
        assert "Adam" in names(reviewers_of(emergency, NOW))
        assert "Adam" not in names(reviewers_of(emergency, NOW + TICK))

    def test_a_deputy_to_the_microsecond(self, ines, adam, petra):
        Deputy.objects.create(approver=ines, deputy=adam, starts_at=NOW - HOUR, ends_at=NOW, reason="x")
        emergency = break_it(ines, glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam))
        assert "Adam" in names(reviewers_of(emergency, NOW))
        Deputy.objects.update(ends_at=NOW + TICK)
        assert "Adam" not in names(reviewers_of(emergency, NOW))

    def test_who_became_an_approver_afterwards_may_not(self, ines, adam, berta, petra, emergency):
        configure(emergency.role, approvers=[adam, berta])
        assert codes(berta, emergency) == {"not_a_reviewer"}

    def test_who_is_no_approver_any_more_may_not(self, adam, berta, emergency):
        configure(emergency.role, approvers=[berta])
        assert codes(adam, emergency) == {"not_a_reviewer"}

    def test_where_nobody_has_to_approve_any_more_those_who_would_have_still_may(self, adam, emergency):
        configure(emergency.role, approval_required=False)
        review(adam, emergency)

    def test_each_stage_counts(self, ines, adam, berta, petra):
        eligible = glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam)
        configure(eligible.role, approvers=[[adam], [berta]])
        assert names(reviewers_of(break_it(ines, eligible), NOW)) == ["Adam", "Berta", "Petra"]

    def test_who_is_disabled_may_not(self, adam, emergency):
        disable_person(adam.pk, reason="left", actor=OPERATOR, clock=at(NOW))
        assert names(reviewers_of(emergency, NOW)) == ["Petra"]

    def test_what_waits_for_whom(self, ines, adam, petra, zoe, nina, emergency):
        def waiting(user: User) -> int:
            return len(emergencies_awaiting(Authority(user, NOW)))

        assert [waiting(one) for one in (adam, petra)] == [1, 1]
        assert [waiting(one) for one in (ines, zoe, nina)] == [0, 0, 0]
        named(ines, adam, now=NOW)
        assert waiting(adam) == 0
        review(petra, emergency)
        assert waiting(petra) == 0

    def test_each_who_is_told_that_it_waits_can_close_it(self, ines, adam, berta, petra, paul):
        """The list and the rule say the same."""
        eligible = glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam, berta)
        emergency = break_it(ines, eligible)
        configure(eligible.role, approvers=[adam])
        everybody = [ines, adam, berta, petra, paul]
        listed = {one.pk for one in everybody if emergencies_awaiting(Authority(one, NOW))}
        assert listed == {one.pk for one in reviewers_of(emergency, NOW)}


class TestOverdue:
    def test_by_the_clock_to_the_microsecond(self, emergency):
        row = EmergencyReview.objects.get()
        assert not row.is_overdue(DUE - TICK)
        assert row.is_overdue(DUE)
        assert not EmergencyReview.objects.overdue(DUE - TICK).exists()
        assert EmergencyReview.objects.overdue(DUE).exists()

    def told(self) -> list[str]:
        return list(
            Notification.objects.filter(mail="emergency_overdue")
            .order_by("recipient__name")
            .values_list("recipient__name", flat=True)
        )

    def test_one_reminder_at_its_time_however_often_the_sweep_runs(self, adam, petra, emergency):
        remind(clock=at(DUE - TICK))
        assert self.told() == []
        for moment in (DUE, DUE + HOUR, DUE + 30 * DAY):
            remind(clock=at(moment))
        assert self.told() == ["Adam", "Petra"]
        assert DueItem.objects.filter(subject_id=emergency.pk).count() == 1

    def test_none_for_what_is_closed(self, adam, emergency):
        review(adam, emergency)
        remind(clock=at(DUE))
        assert self.told() == []

    def test_it_can_still_be_closed_and_the_history_says_late(self, adam, emergency):
        review(adam, emergency, now=DUE)
        assert Event.objects.get(kind=Kind.EMERGENCY_REVIEWED).details["late"] is True

    def test_the_result_is_told_to_the_holder_and_to_who_was_told_of_it(self, ines, adam, petra, emergency):
        review(adam, emergency)
        rows = Notification.objects.filter(mail__in=["emergency_result", "emergency_closed"])
        assert {(row.mail, row.recipient.name) for row in rows} == {
            ("emergency_result", "Ines"),
            ("emergency_closed", "Petra"),
        }


class TestOperator:
    @pytest.fixture
    def alone(self, ines: User) -> Request:
        """Ines is the only administrator, and the only approver who is left."""
        give(ines, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        adam = person("adam")
        emergency = break_it(ines, glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam))
        disable_person(adam.pk, reason="left", actor=OPERATOR, clock=at(NOW))
        return emergency

    def test_the_operator_closes_what_nobody_else_can(self, alone):
        close_review_as_operator(alone.pk, justified=False, finding="called them", actor=OPERATOR, clock=at(NOW))
        row = EmergencyReview.objects.get()
        assert (row.closed_by, row.operator, row.justified) == (None, OPERATOR.label, False)
        event = Event.objects.get(kind=Kind.EMERGENCY_REVIEWED)
        assert (event.actor_id, event.text.fields["actor"]) == (None, OPERATOR.label)
        assert event.text.fields["justification"] == "called them"

    def test_not_while_somebody_could(self, emergency):
        with pytest.raises(Refused, match="somebody_else_can") as refused:
            close_review_as_operator(emergency.pk, justified=True, finding="x", actor=OPERATOR, clock=at(NOW))
        assert "Adam, Petra" in refused.value.sentence

    def test_not_while_somebody_could_after_activating(self, alone, zoe):
        give(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), type=AssignmentType.ELIGIBLE)
        with pytest.raises(Refused, match="somebody_else_can"):
            close_review_as_operator(alone.pk, justified=True, finding="x", actor=OPERATOR, clock=at(NOW))

    def test_not_without_a_finding_nor_twice(self, alone):
        with pytest.raises(Refused, match="finding_missing"):
            close_review_as_operator(alone.pk, justified=True, finding=" ", actor=OPERATOR, clock=at(NOW))
        close_review_as_operator(alone.pk, justified=True, finding="x", actor=OPERATOR, clock=at(NOW))
        with pytest.raises(Refused, match="closed"):
            close_review_as_operator(alone.pk, justified=True, finding="x", actor=OPERATOR, clock=at(NOW))

    def test_the_operator_is_no_person_who_reviews(self, emergency):
        with pytest.raises(Refused, match="nobody"):
            close_review(emergency.pk, justified=True, finding="x", actor=OPERATOR, clock=at(NOW))

    def test_by_command(self, alone, capsys):
        call_command("close_emergency_review", str(alone.pk), "--finding", "checked", "--not-justified")
        assert "The review is closed" in capsys.readouterr().out
        assert EmergencyReview.objects.get().justified is False
        with pytest.raises(CommandError, match="already reviewed"):
            call_command("close_emergency_review", str(alone.pk), "--finding", "checked", "--justified")
        with pytest.raises(CommandError, match="no emergency"):
            call_command("close_emergency_review", str(alone.principal_id), "--finding", "checked", "--justified")

    def test_a_refused_attempt_is_in_the_history(self, emergency):
        with pytest.raises(CommandError, match="Adam"):
            call_command("close_emergency_review", str(emergency.pk), "--finding", "checked", "--justified")
        assert Event.objects.filter(kind=Kind.EMERGENCY_REVIEWED, outcome=Outcome.REFUSED).exists()
