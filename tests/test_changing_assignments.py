"""Changing the times of assignments and renewing them: limits, authority, what follows, the boundaries in time."""

from __future__ import annotations

from typing import Any

import pytest

from audit.kinds import Kind, Outcome
from audit.models import Event
from roles import ids
from roles.models import Assignment, AssignmentType, EndReason, Purpose, User
from roles.refusals import Refused
from roles.selectors.administrators import lasting_administrators
from roles.services.assignments import remove
from roles.services.changes import change, renew
from roles.services.ends import write_down_ends
from roles.services.principals import disable_person
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
    request_activation,
    role,
    tree,
)

pytestmark = pytest.mark.django_db

ELIGIBLE, ACTIVE = AssignmentType.ELIGIBLE, AssignmentType.ACTIVE


def change_as(user: User, assignment: Assignment, *, now=NOW, **given: Any) -> Assignment:
    given.setdefault("ends_at", assignment.ends_at)
    actor = acting(user, Purpose.ASSIGN, assignment.pk, now=now)
    return change(assignment.pk, reason="as agreed", actor=actor, clock=at(now), **given)


def renew_as(user: User, assignment: Assignment, *, now=NOW, **given: Any) -> Assignment:
    given = {"type": ELIGIBLE, "starts_at": None, "ends_at": now + 30 * DAY, **given}
    actor = acting(user, Purpose.ASSIGN, assignment.pk, now=now)
    return renew(assignment.pk, reason="still needed", actor=actor, clock=at(now), **given)


@pytest.fixture
def ends_soon(ines) -> Assignment:
    """Ines is eligible for ten more days."""
    return make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), starts_at=NOW - 100 * DAY, ends_at=NOW + 10 * DAY)


def last_event(kind: Kind, outcome: Outcome = Outcome.DONE) -> Event:
    return Event.objects.filter(kind=kind, outcome=outcome).latest("pk")


class TestChanging:
    def test_the_end_moves_and_the_event_tells_the_old_and_the_new(self, petra, ines):
        row = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + 90 * DAY)
        change_as(petra, row, ends_at=NOW + 60 * DAY)
        row.refresh_from_db()
        assert row.ends_at == NOW + 60 * DAY
        event = last_event(Kind.ASSIGNMENT_CHANGED)
        assert event.details["old_ends_at"] == (NOW + 90 * DAY).isoformat()
        assert event.details["ends_at"] == (NOW + 60 * DAY).isoformat()
        assert event.assignment_id == row.pk
        assert event.authority_id == Assignment.objects.get(principal=petra).pk

    @pytest.mark.parametrize(
        ("left", "new", "kind"),
        [
            (14 * DAY, NOW + 50 * DAY, Kind.ASSIGNMENT_EXTENDED),
            (14 * DAY, None, Kind.ASSIGNMENT_EXTENDED),
            (14 * DAY, NOW + DAY, Kind.ASSIGNMENT_CHANGED),
            (14 * DAY + MINUTE, NOW + 50 * DAY, Kind.ASSIGNMENT_CHANGED),
        ],
    )
    def test_a_later_end_within_the_last_two_weeks_is_an_extension(self, petra, ines, left, new, kind):
        row = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + left)
        change_as(petra, row, ends_at=new)
        assert Event.objects.filter(assignment_id=row.pk, actor_id=petra.pk).get().kind == kind

    def test_the_start_moves_while_it_lies_ahead(self, petra, ines):
        row = give(ines, role(EXCHANGE_ADMINISTRATOR), type=ELIGIBLE, starts_at=NOW + DAY, ends_at=NOW + 9 * DAY)
        Assignment.objects.filter(pk=row.pk).update(starts_at=NOW + DAY)
        change_as(petra, row, starts_at=NOW + 2 * DAY)
        row.refresh_from_db()
        assert row.starts_at == NOW + 2 * DAY

    def test_a_start_of_a_moment_ago_is_now(self, petra, ines):
        row = give(ines, role(EXCHANGE_ADMINISTRATOR), type=ELIGIBLE, starts_at=NOW + DAY, ends_at=NOW + 9 * DAY)
        Assignment.objects.filter(pk=row.pk).update(starts_at=NOW + DAY)
        assert change_as(petra, row, starts_at=NOW - MINUTE).starts_at == NOW

    def test_the_start_does_not_move_once_it_is_reached(self, petra, ends_soon):
        with pytest.raises(Refused, match="already_started"):
            change_as(petra, ends_soon, starts_at=NOW + DAY, ends_at=NOW + 20 * DAY)

    def test_the_settings_of_today_limit_what_lies_ahead(self, petra, ends_soon):
        configure(ends_soon.role, permanent_eligible_allowed=False, expire_eligible_after=30 * DAY)
        with pytest.raises(Refused, match="permanent_not_allowed"):
            change_as(petra, ends_soon, ends_at=None)
        with pytest.raises(Refused, match="too_long"):
            change_as(petra, ends_soon, ends_at=NOW + 30 * DAY + MINUTE)
        change_as(petra, ends_soon, ends_at=NOW + 30 * DAY)

    @pytest.mark.parametrize("end", [NOW, NOW - MINUTE])
    def test_the_end_lies_after_now(self, petra, ends_soon, end):
        with pytest.raises(Refused, match="end_too_early"):
            change_as(petra, ends_soon, ends_at=end)

    def test_an_activation_is_not_changed(self, petra, ines, eligibility):
        activation = request_activation(ines, eligibility).outcome
        with pytest.raises(Refused, match="activation"):
            change_as(petra, activation, ends_at=NOW + 7 * HOUR)

    def test_what_is_over_is_not_changed_even_before_the_sweep(self, petra, ends_soon):
        end = ends_soon.ends_at
        with pytest.raises(Refused, match="over"):
            change_as(petra, ends_soon, ends_at=end + DAY, now=end)

    def test_what_is_suspended_with_its_holder_gets_less_time_and_not_more(self, petra, ines, ends_soon):
        disable_person(ines.pk, reason="away", actor=OPERATOR, clock=at(NOW))
        with pytest.raises(Refused, match="disabled"):
            change_as(petra, ends_soon, ends_at=NOW + 11 * DAY)
        with pytest.raises(Refused, match="disabled"):
            change_as(petra, ends_soon, ends_at=None)
        assert change_as(petra, ends_soon, ends_at=NOW + 9 * DAY).ends_at == NOW + 9 * DAY

    def test_what_would_change_nothing_is_refused(self, petra, ends_soon):
        with pytest.raises(Refused, match="no_change"):
            change_as(petra, ends_soon)

    def test_it_needs_a_fresh_second_factor(self, petra, ends_soon):
        actor = acting(petra, Purpose.SETTINGS, ends_soon.pk)
        with pytest.raises(Refused, match="second_factor"):
            change(ends_soon.pk, ends_at=NOW + 20 * DAY, reason="x", actor=actor, clock=at(NOW))

    def test_an_active_one_needs_the_reason_that_the_settings_ask_for(self, petra, ines):
        row = give(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + DAY)
        actor = acting(petra, Purpose.ASSIGN, row.pk)
        with pytest.raises(Refused, match="reason_missing"):
            change(row.pk, ends_at=NOW + 2 * DAY, reason=" ", actor=actor, clock=at(NOW))

    @pytest.mark.parametrize("who", ["zoe", "nina", "ines"])
    def test_others_do_not_and_the_attempt_is_in_the_history(self, who, ends_soon, request):
        with pytest.raises(Refused, match="not_allowed"):
            change_as(request.getfixturevalue(who), ends_soon, ends_at=NOW + 20 * DAY)
        assert last_event(Kind.ASSIGNMENT_CHANGED, Outcome.REFUSED).assignment_id == ends_soon.pk

    def test_nobody_reaches_into_the_other_world(self, petra, zoe, ines, ends_soon):
        root, prod, other = tree("Root", "prod", "rg")
        row = give(ines, role(ids.READER), root, type=ELIGIBLE, starts_at=NOW, ends_at=NOW + 9 * DAY)
        with pytest.raises(Refused, match="not_allowed"):
            change_as(petra, row, ends_at=NOW + 20 * DAY)
        give(zoe, role(ids.OWNER), prod)
        for hidden in (row, ends_soon):
            with pytest.raises(Refused, match="not_allowed"):
                change_as(zoe, hidden, ends_at=NOW + 20 * DAY)
        below = give(ines, role(ids.READER), other, type=ELIGIBLE, starts_at=NOW, ends_at=NOW + 9 * DAY)
        change_as(zoe, below, ends_at=NOW + 20 * DAY)

    def test_a_membership_is_not_prolonged_past_what_one_may_assign(self, zoe, ines):
        team = group("Team")
        give(zoe, role(ids.GROUPS_ADMINISTRATOR))
        make_eligible(team, role(EXCHANGE_ADMINISTRATOR))
        member = give(ines, role(ids.GROUP_MEMBER), team.resource, ends_at=NOW + DAY)
        with pytest.raises(Refused, match="group_holds_more"):
            change_as(zoe, member, ends_at=NOW + 20 * DAY)


class TestWhatFollowsAnEarlierEnd:
    def test_a_running_activation_ends_with_it(self, petra, ines, ends_soon):
        activation = request_activation(ines, ends_soon, hours=4).outcome
        change_as(petra, ends_soon, ends_at=NOW + HOUR)
        activation.refresh_from_db()
        assert activation.ends_at == NOW + HOUR
        event = Event.objects.get(assignment_id=activation.pk, kind=Kind.ASSIGNMENT_CHANGED)
        assert event.details["old_ends_at"] == (NOW + 4 * HOUR).isoformat()

    def test_one_planned_for_later_is_called_off(self, petra, ines, ends_soon):
        activation = request_activation(ines, ends_soon, start=NOW + 5 * HOUR).outcome
        change_as(petra, ends_soon, ends_at=NOW + 5 * HOUR)
        activation.refresh_from_db()
        assert activation.end_reason == EndReason.ELIGIBILITY_ENDED

    def test_a_shorter_one_stays_and_so_does_that_of_another_eligibility(self, petra, ines, ends_soon):
        other = make_eligible(ines, role(ids.SECURITY_READER))
        kept = [request_activation(ines, ends_soon).outcome, request_activation(ines, other, hours=8).outcome]
        change_as(petra, ends_soon, ends_at=NOW + 2 * HOUR)
        assert [Assignment.objects.get(pk=one.pk).ends_at for one in kept] == [NOW + HOUR, NOW + 8 * HOUR]

    def test_a_member_of_the_group_is_taken_along(self, petra, ines):
        row = make_eligible(group("Team", ines), role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + 10 * DAY)
        activation = request_activation(ines, row, hours=4).outcome
        change_as(petra, row, ends_at=NOW + HOUR)
        activation.refresh_from_db()
        assert activation.ends_at == NOW + HOUR


class TestTheLastAdministrator:
    def test_does_not_get_an_end(self, petra, adam):
        mine = Assignment.objects.get(principal=petra)
        with pytest.raises(Refused, match="last_administrator"):
            change_as(petra, mine, ends_at=NOW + 100 * DAY)
        mine.refresh_from_db()
        assert mine.ends_at is None

    def test_gets_one_when_there_is_another(self, petra, paul):
        change_as(petra, Assignment.objects.get(principal=petra), ends_at=NOW + 100 * DAY)
        assert lasting_administrators(NOW) == {paul.pk}

    def test_keeps_the_membership_that_makes_them_one(self, petra):
        team = group("Administrators", petra)
        give(team, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        remove(
            Assignment.objects.get(principal=petra, role=ids.PRIVILEGED_ROLE_ADMINISTRATOR).pk,
            actor=acting(petra, Purpose.ASSIGN, Assignment.objects.get(principal=petra, resource=directory()).pk),
            clock=at(NOW),
        )
        member = Assignment.objects.get(principal=petra, role=ids.GROUP_MEMBER)
        with pytest.raises(Refused, match="last_administrator"):
            change_as(petra, member, ends_at=NOW + 100 * DAY)


class TestRenewing:
    @pytest.fixture
    def ended(self, ines) -> Assignment:
        """Ines's eligibility ended a day ago, which nobody has written down."""
        return make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), starts_at=NOW - 100 * DAY, ends_at=NOW - DAY)

    @pytest.mark.parametrize("swept", [False, True])
    def test_what_has_ended_is_given_anew(self, petra, ended, swept):
        if swept:
            write_down_ends(clock=at(NOW))
        made = renew_as(petra, ended)
        assert (made.renewed_from_id, made.starts_at, made.ends_at) == (ended.pk, NOW, NOW + 30 * DAY)
        ended.refresh_from_db()
        assert (ended.end_reason, ended.ended_at) == (EndReason.EXPIRED, NOW - DAY)
        assert last_event(Kind.ASSIGNMENT_RENEWED).assignment_id == made.pk

    def test_a_start_of_a_moment_ago_is_now(self, petra, ended):
        assert renew_as(petra, ended, starts_at=NOW - MINUTE).starts_at == NOW

    def test_it_may_take_the_other_type(self, petra, ended):
        assert renew_as(petra, ended, type=ACTIVE).type == ACTIVE

    @pytest.mark.parametrize(("days", "allowed"), [(30, True), (31, False)])
    def test_it_is_offered_for_thirty_days(self, petra, ended, days, allowed):
        now = ended.ends_at + days * DAY
        if allowed:
            assert renew_as(petra, ended, now=now)
        else:
            with pytest.raises(Refused, match="too_late"):
                renew_as(petra, ended, now=now)

    def test_what_still_runs_is_not_renewed(self, petra, ends_soon):
        with pytest.raises(Refused, match="not_over"):
            renew_as(petra, ends_soon)

    def test_what_was_removed_is_not_renewed(self, petra, ends_soon):
        remove(ends_soon.pk, actor=acting(petra, Purpose.ASSIGN, ends_soon.pk), clock=at(NOW))
        with pytest.raises(Refused, match="not_expired"):
            renew_as(petra, ends_soon)

    def test_an_activation_is_not_renewed(self, petra, ines, eligibility):
        activation = request_activation(ines, eligibility).outcome
        with pytest.raises(Refused, match="activation"):
            renew_as(petra, activation, now=NOW + DAY)

    def test_it_is_renewed_once(self, petra, ended):
        renew_as(petra, ended)
        with pytest.raises(Refused, match="already_renewed"):
            renew_as(petra, ended)

    def test_what_was_given_anew_meanwhile_is_not_doubled(self, petra, ines, ended):
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), starts_at=NOW, ends_at=NOW + DAY)
        with pytest.raises(Refused, match="already_assigned"):
            renew_as(petra, ended)

    def test_the_settings_of_today_rule(self, petra, ended):
        configure(ended.role, permanent_eligible_allowed=False, expire_eligible_after=30 * DAY)
        with pytest.raises(Refused, match="too_long"):
            renew_as(petra, ended, ends_at=NOW + 31 * DAY)

    @pytest.mark.parametrize("who", ["zoe", "nina", "ines"])
    def test_others_do_not(self, who, ended, request):
        with pytest.raises(Refused, match="not_allowed"):
            renew_as(request.getfixturevalue(who), ended)
