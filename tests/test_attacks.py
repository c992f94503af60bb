"""Ways around the rules that somebody tried, and states that crashed; none of them works any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from approvals.models import Request, Status
from approvals.selectors.showing import shown_digest
from approvals.services.activations import Wanted, ask
from approvals.services.decisions import approve
from audit.kinds import Kind, Outcome, Realm
from audit.models import Event
from roles import ids
from roles.actors import Actor
from roles.models import Assignment, AssignmentType, EndReason, Group, Purpose, Resource, ResourceKind, User
from roles.refusals import Refused
from roles.selectors.settings import Stage, settings_of
from roles.services.assignments import assign, deactivate, remove
from roles.services.ends import write_down_ends
from roles.services.groups import add_group
from roles.services.principals import add_person, disable_person, enable_person
from roles.services.resources import add_resource
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
    directory,
    give,
    group,
    make_eligible,
    request_activation,
    role,
    tree,
)

BERLIN = ZoneInfo("Europe/Berlin")


def approve_as(user: User, request: Request, *, now: datetime) -> Request:
    return approve(
        request.pk,
        actor=acting(user, Purpose.DECIDE, request.pk, now=now),
        justification="fine",
        seen=shown_digest(request),
        clock=at(now),
    )


def changing(user: User, what, *, resource=None, values=None, stages=None, now=NOW):
    return change_settings(
        what,
        resource=resource,
        values=values or {},
        stages=stages,
        actor=acting(user, Purpose.SETTINGS, what.pk, now=now),
        clock=at(now),
    )


class TestWhoLeftAGroupAndCameBack:
    """What ended never becomes live again (rule 1), even where no sweep came by."""

    @pytest.fixture
    def exchange(self, db) -> Group:
        return group("Exchange")

    @pytest.fixture
    def through_it(self, exchange) -> Assignment:
        return make_eligible(exchange, role(EXCHANGE_ADMINISTRATOR))

    def join(self, user: User, exchange: Group, *, now: datetime, ends_at: datetime | None = None) -> Assignment:
        return give(user, role(ids.GROUP_MEMBER), exchange.resource, starts_at=now - 30 * DAY, ends_at=ends_at, now=now)

    def test_does_not_get_back_what_was_active(self, ines, exchange, through_it):
        first = self.join(ines, exchange, now=NOW)
        request_activation(ines, through_it, hours=8)
        remove(first.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
        give(ines, role(ids.GROUP_MEMBER), exchange.resource, starts_at=NOW + 2 * MINUTE)
        assert not Assignment.objects.held_by(ines.pk, NOW + 3 * MINUTE).filter(role=EXCHANGE_ADMINISTRATOR).exists()

    def test_may_activate_anew_without_the_worker(self, ines, exchange, through_it):
        first = self.join(ines, exchange, now=NOW)
        old = request_activation(ines, through_it, hours=8).outcome
        remove(first.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
        give(ines, role(ids.GROUP_MEMBER), exchange.resource, starts_at=NOW + 2 * MINUTE)
        new = request_activation(ines, through_it, now=NOW + 3 * MINUTE).outcome
        old.refresh_from_db()
        assert old.end_reason == EndReason.ELIGIBILITY_ENDED
        held = Assignment.objects.held_by(ines.pk, NOW + 3 * MINUTE).filter(role=EXCHANGE_ADMINISTRATOR)
        assert list(held) == [new]

    def test_does_not_get_back_what_waited(self, ines, adam, exchange, through_it):
        configure(role(EXCHANGE_ADMINISTRATOR), approvers=[adam])
        first = self.join(ines, exchange, now=NOW)
        request = request_activation(ines, through_it)
        remove(first.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
        give(ines, role(ids.GROUP_MEMBER), exchange.resource, starts_at=NOW + 2 * MINUTE)
        with pytest.raises(Refused, match="lapsed"):
            approve_as(adam, request, now=NOW + 3 * MINUTE)
        again = request_activation(ines, through_it, now=NOW + 4 * MINUTE)
        assert again.status == Status.PENDING

    def test_does_not_get_it_back_through_a_membership_activated_again(self, ines, exchange, through_it):
        just_in_time = make_eligible(ines, role(ids.GROUP_MEMBER), exchange.resource)
        request_activation(ines, just_in_time, hours=1)
        request_activation(ines, through_it, hours=1)
        later = NOW + HOUR + MINUTE
        request_activation(ines, just_in_time, now=later, hours=1)
        assert not Assignment.objects.held_by(ines.pk, later).filter(role=EXCHANGE_ADMINISTRATOR).exists()

    def test_an_activation_ends_with_the_membership_that_it_came_through(self, ines, exchange, through_it):
        self.join(ines, exchange, now=NOW, ends_at=NOW + HOUR)
        assert request_activation(ines, through_it, hours=1.05).outcome.ends_at == NOW + HOUR

    def test_is_told_when_it_is_asked_for_longer(self, ines, exchange, through_it):
        self.join(ines, exchange, now=NOW, ends_at=NOW + HOUR)
        with pytest.raises(Refused, match="past_eligibility"):
            request_activation(ines, through_it, hours=8)

    def test_cannot_plan_for_when_the_membership_is_over(self, ines, exchange, through_it):
        self.join(ines, exchange, now=NOW, ends_at=NOW + HOUR)
        with pytest.raises(Refused, match="starts_after_eligibility"):
            request_activation(ines, through_it, start=NOW + 2 * HOUR)

    def test_two_memberships_one_after_the_other_do_not_add_up(self, ines, exchange, through_it):
        """The assigned one stays when the activated one ends."""
        just_in_time = make_eligible(ines, role(ids.GROUP_MEMBER), exchange.resource)
        request_activation(ines, just_in_time, hours=1)
        self.join(ines, exchange, now=NOW, ends_at=NOW + 4 * HOUR)
        assert request_activation(ines, through_it, hours=3).outcome.ends_at == NOW + 3 * HOUR
        late = Assignment.objects.held_by(ines.pk, NOW + 2 * HOUR)
        assert late.filter(role=EXCHANGE_ADMINISTRATOR).exists()

    def test_leaving_by_oneself_ends_what_came_through_it(self, ines, exchange, through_it):
        just_in_time = make_eligible(ines, role(ids.GROUP_MEMBER), exchange.resource)
        membership = request_activation(ines, just_in_time, hours=8).outcome
        request_activation(ines, through_it, hours=8)
        deactivate(membership.pk, actor=Actor(user=ines), clock=at(NOW + MINUTE))
        assert not Assignment.objects.held_by(ines.pk, NOW + MINUTE).filter(role=EXCHANGE_ADMINISTRATOR).exists()
        assert write_down_ends(clock=at(NOW + MINUTE)) == 1


class TestAnotherTimeZone:
    """What a form gives is a moment in the viewer's zone."""

    def test_a_planned_request_can_be_approved(self, ines, adam, with_approval):
        asked = request_activation(ines, with_approval, start=(NOW + 3 * HOUR).astimezone(BERLIN))
        fresh = Request.objects.get(pk=asked.pk)
        assert approve_as(adam, fresh, now=NOW + HOUR).status == Status.GRANTED

    def test_a_night_of_25_hours_does_not_lengthen_an_activation(self, ines, eligibility):
        evening = datetime(2026, 10, 24, 18, 0, tzinfo=UTC)
        start = datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN)
        activation = request_activation(ines, eligibility, now=evening, hours=4, start=start).outcome
        activation.refresh_from_db()
        assert activation.ends_at == activation.starts_at + 4 * HOUR


class TestMomentsBeyondReason:
    @pytest.mark.parametrize("ends_at", [None, NOW + 5 * HOUR])
    @pytest.mark.parametrize(
        ("start", "duration"),
        [
            (None, timedelta.max),
            (None, timedelta.min),
            (datetime.max.replace(tzinfo=UTC), HOUR),
            (datetime.max.replace(tzinfo=ZoneInfo("Pacific/Honolulu")), HOUR),
            (datetime.min.replace(tzinfo=ZoneInfo("Pacific/Kiritimati")), HOUR),
            (datetime.max.replace(tzinfo=UTC), timedelta.max),
        ],
    )
    def test_are_refused_when_asking(self, ines, start, duration, ends_at):
        eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=ends_at)
        with pytest.raises(Refused):
            ask(
                eligible.pk,
                wanted=Wanted(duration=duration, start=start, reason="needed"),
                actor=acting(ines, Purpose.ACTIVATE, eligible.pk),
                clock=at(NOW),
            )

    @pytest.mark.parametrize("ends_at", [datetime.max.replace(tzinfo=UTC), datetime(9999, 12, 31, 12, tzinfo=UTC)])
    def test_are_refused_when_assigning(self, zoe, petra, ends_at):
        with pytest.raises(Refused, match="end_too_far"):
            assign(
                zoe.pk,
                role=role(EXCHANGE_ADMINISTRATOR),
                resource=directory(),
                type=AssignmentType.ELIGIBLE,
                ends_at=ends_at,
                actor=acting(petra, Purpose.ASSIGN, zoe.pk),
                clock=at(NOW),
            )


class TestSettings:
    def test_changing_them_needs_a_fresh_second_factor(self, petra):
        with pytest.raises(Refused, match="second_factor"):
            change_settings(
                role(EXCHANGE_ADMINISTRATOR),
                resource=None,
                values={"reason_required": False},
                actor=Actor(user=petra),
                clock=at(NOW),
            )

    def test_an_administrator_changes_them_with_one(self, petra):
        changing(petra, role(EXCHANGE_ADMINISTRATOR), values={"reason_required": False})
        assert not settings_of(role(EXCHANGE_ADMINISTRATOR), directory()).reason_required

    @pytest.mark.parametrize("stages", [None, ()])
    def test_a_resource_role_never_falls_to_the_privileged_role_administrators(self, petra, stages):
        """Without an approver named they would decide, over a world that they may not even see."""
        root = tree("Root")[0]
        for place in (root, None):
            with pytest.raises(Refused, match="approvers_missing"):
                change_settings(
                    role(ids.OWNER),
                    resource=place,
                    values={"approval_required": True},
                    stages=stages,
                    actor=OPERATOR,
                    clock=at(NOW),
                )

    def test_a_privileged_role_administrator_sets_no_rules_of_resource_roles(self, petra):
        with pytest.raises(Refused, match="not_allowed"):
            changing(petra, role(ids.OWNER), values={"reason_required": False})
        assert Event.objects.get(kind=Kind.ROLE_SETTINGS_CHANGED).realm == Realm.RESOURCE

    def test_they_are_made_only_where_the_role_can_stand(self, zoe):
        root = tree("Root")[0]
        give(zoe, role(ids.OWNER), root)
        with pytest.raises(Refused, match="wrong_place"):
            changing(zoe, role(ids.GLOBAL_ADMINISTRATOR), resource=root, values={"reason_required": False})

    def test_they_leave_somebody_who_can_administer(self, db, ines, adam):
        administrator = role(ids.PRIVILEGED_ROLE_ADMINISTRATOR)
        make_eligible(ines, administrator)
        with pytest.raises(Refused, match="last_administrator"):
            change_settings(
                administrator,
                resource=None,
                values={"approval_required": True},
                stages=(Stage(1, 1, frozenset({adam.pk})),),
                actor=OPERATOR,
                clock=at(NOW),
            )

    def test_the_history_tells_who_was_named(self, petra, adam):
        stages = (Stage(1, 1, frozenset({adam.pk})),)
        changing(petra, role(EXCHANGE_ADMINISTRATOR), values={"approval_required": True}, stages=stages)
        event = Event.objects.filter(kind=Kind.ROLE_SETTINGS_CHANGED).latest("pk")
        assert event.details["new"]["stages"] == [[1, 1, [str(adam.pk)]]]

    @pytest.mark.parametrize(
        ("values", "numbers"),
        [
            ({"max_activation": 30 * DAY}, ()),
            ({"approval_window": timedelta(0)}, ()),
            ({"approval_required": True}, (1, 1)),
            ({"approval_required": True}, (2,)),
        ],
    )
    def test_what_cannot_be_is_refused(self, petra, adam, values, numbers):
        stages = tuple(Stage(number, 1, frozenset({adam.pk})) for number in numbers) or None
        with pytest.raises(Refused):
            changing(petra, role(EXCHANGE_ADMINISTRATOR), values=values, stages=stages)

    def test_the_owner_of_a_group_does_not_loosen_the_way_into_its_roles(self, petra, zoe):
        """Whoever may become a member of that group may have its roles."""
        admins = group("Administrators")
        give(admins, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        give(zoe, role(ids.GROUP_OWNER), admins.resource)
        with pytest.raises(Refused, match="group_holds_more"):
            changing(zoe, role(ids.GROUP_MEMBER), resource=admins.resource, values={"second_factor": "none"})


def test_a_factor_that_is_demanded_since_it_was_asked_cannot_be_skipped(ines, adam, with_approval):
    """Asked without one, so it is asked anew (rule 4)."""
    configure(with_approval.role, second_factor="none")
    request = ask(with_approval.pk, wanted=Wanted(HOUR, reason="needed"), actor=Actor(user=ines), clock=at(NOW))
    configure(with_approval.role, second_factor="fresh")
    with pytest.raises(Refused, match="settings_stricter"):
        approve_as(adam, request, now=NOW + MINUTE)


def test_the_owner_of_a_group_does_not_empty_it_of_those_who_hold_its_roles(petra, zoe, ines):
    admins = group("Administrators", ines)
    give(admins, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    give(zoe, role(ids.GROUP_OWNER), admins.resource)
    membership = Assignment.objects.get(principal=ines, role=ids.GROUP_MEMBER)
    with pytest.raises(Refused, match="group_holds_more"):
        remove(membership.pk, actor=acting(zoe, Purpose.ASSIGN, membership.pk), clock=at(NOW))
    assert Assignment.objects.memberships(NOW).filter(pk=membership.pk).exists()


def test_a_refusal_names_no_role_that_one_may_not_see(petra, zoe):
    """A group holds a resource role; a directory role shows nothing of that (rule 12)."""
    root = tree("Root")[0]
    operators = group("Operators")
    give(operators, role(ids.USER_ACCESS_ADMINISTRATOR), root)
    with pytest.raises(Refused, match="group_holds_more") as refused:
        assign(
            zoe.pk,
            role=role(ids.GROUP_MEMBER),
            resource=operators.resource,
            type=AssignmentType.ACTIVE,
            reason="wanted",
            actor=acting(petra, Purpose.ASSIGN, zoe.pk),
            clock=at(NOW),
        )
    assert "User Access Administrator" not in refused.value.sentence


def test_who_owned_a_group_does_not_own_it_again_when_enabled(petra, zoe):
    """Owner is an assigned active role, not a membership (rule 10)."""
    team = group("Team", zoe)
    give(zoe, role(ids.GROUP_OWNER), team.resource)
    disable_person(zoe.pk, reason="away", actor=OPERATOR, clock=at(NOW))
    enable_person(zoe.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
    held = Assignment.objects.held_by(zoe.pk, NOW + MINUTE)
    assert {one.role_id for one in held} == {ids.GROUP_MEMBER}


def test_an_approval_gives_nothing_at_a_resource_that_was_retired_meanwhile(ines, adam):
    root, subscription = tree("Root", "One")
    owner = role(ids.OWNER)
    eligible = make_eligible(ines, owner, root)
    configure(owner, root, approvers=[adam])
    request = request_activation(ines, eligible, resource_id=subscription.pk)
    Resource.objects.filter(pk=subscription.pk).update(retired_at=NOW)
    assert approve_as(adam, request, now=NOW + MINUTE).status == Status.FAILED
    assert not Assignment.objects.filter(activated_from=eligible).exists()


def test_a_refused_attempt_on_a_resource_role_stays_in_its_world(ines, zoe):
    root = tree("Root")[0]
    eligible = make_eligible(ines, role(ids.OWNER), root)
    with pytest.raises(Refused, match="not_eligible"):
        request_activation(zoe, eligible)
    event = Event.objects.get(kind=Kind.REQUEST_MADE, outcome=Outcome.REFUSED)
    assert (event.realm, event.resource_id, event.target_id) == (Realm.RESOURCE, root.pk, zoe.pk)


class TestLongNames:
    """PostgreSQL refuses what SQLite takes; one letter may become eighteen where names are compared."""

    LETTER = "\ufdfa"

    def test_a_name_that_grows_is_kept_whole(self, db):
        user = add_person(username="long", name=self.LETTER * 200, actor=OPERATOR, clock=at(NOW))
        assert User.objects.get(pk=user.pk).name == self.LETTER * 200

    def test_a_user_name_that_grows_too_much_is_refused(self, db):
        with pytest.raises(Refused):
            add_person(username=self.LETTER * 100, name="Long", actor=OPERATOR, clock=at(NOW))

    def test_groups_and_resources_have_names_that_fit(self, db):
        root = tree("Root")[0]
        with pytest.raises(Refused, match="name_too_long"):
            add_group("x" * 201, actor=OPERATOR, clock=at(NOW))
        with pytest.raises(Refused, match="name_too_long"):
            add_resource(ResourceKind.SUBSCRIPTION, name="x" * 201, parent=root, actor=OPERATOR, clock=at(NOW))


def test_a_new_row_of_settings_loosens_nothing_unasked(petra, adam):
    """It starts from what ruled there, approvers included, and rules as a whole from then on."""
    root, subscription = tree("Root", "One")
    owner = role(ids.OWNER)
    configure(owner, root, approvers=[adam], ticket_required=True)
    configure(owner, subscription, max_activation=HOUR)
    settings = settings_of(owner, subscription)
    assert (settings.source_id, settings.ticket_required) == (subscription.pk, True)
    assert [stage.approvers for stage in settings.stages] == [{adam.pk}]
    configure(role(ids.READER), max_activation=HOUR)
    assert not settings_of(role(ids.READER), root).permanent_eligible_allowed
