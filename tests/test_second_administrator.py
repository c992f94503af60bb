"""Looser settings wait for a second administrator, where their author holds the role or may activate it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from approvals.models import Action, Decision, Request, Status, Verdict
from approvals.proposals import Act, as_data, proposal_of
from approvals.selectors.approvers import approvers_of, asked_to_decide
from approvals.selectors.panels import panels_of
from approvals.selectors.requests import requests_awaiting, requests_visible_to
from approvals.selectors.settings_changes import ALONE_AFTER, WINDOW
from approvals.selectors.showing import shown_digest
from approvals.services.closing import cancel, lapse_overdue
from approvals.services.settings_changes import change_or_ask, make_alone, move_or_ask, reset_or_ask
from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.models import Notification
from pim_portal.notifications.letters.requests import settings_wait
from roles import ids
from roles.authority import Authority
from roles.models import Assignment, Purpose, Resource, Role, RoleSettings, SecondFactor, TotpDevice, User
from roles.refusals import Refused
from roles.selectors.moves import preview_of_move
from roles.selectors.settings import Cell, Stage, settings_of
from roles.services.assignments import remove
from roles.services.principals import disable_person
from roles.services.resources import add_resource
from roles.services.settings import change_settings, reset_settings
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    ask_to_keep,
    at,
    configure,
    decide,
    directory,
    give,
    group,
    make_eligible,
    person,
    role,
    shown_of,
    tree,
)

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)
LONGER = {"max_activation": 9 * HOUR}


@pytest.fixture
def exchange(db: None) -> Role:
    return role(EXCHANGE_ADMINISTRATOR)


@pytest.fixture
def eligible(petra: User, exchange: Role) -> Assignment:
    """Petra administers roles, and is eligible for Exchange Administrator herself."""
    return make_eligible(petra, exchange)


def change(
    author: User, what: Role, where: Resource | None = None, *, now: datetime = NOW, seen: str = "", **given: Any
) -> Any:
    known = {name: given.pop(name) for name in ("stages", "cells") if name in given}
    actor = acting(author, Purpose.SETTINGS, what.pk, now=now)
    resource = where if where is not None else directory()
    return change_or_ask(what, resource=resource, values=given, seen=seen, actor=actor, clock=at(now), **known)


def alone(
    author: User, request: Request, *, now: datetime, reason: str = "it cannot wait", seen: str | None = None
) -> Any:
    return make_alone(
        request.pk,
        reason=reason,
        seen=shown_of(Request.objects.get(pk=request.pk), now) if seen is None else seen,
        actor=acting(author, Purpose.SETTINGS, request.pk, now=now),
        clock=at(now),
    )


def longest(what: Role, where: Resource | None = None) -> timedelta:
    return settings_of(what, where or directory()).max_activation


@pytest.fixture
def waiting(eligible: Assignment, petra: User, paul: User, exchange: Role) -> Request:
    """Petra proposes a longer activation of the role that she may activate; Paul is the other administrator."""
    request = change(petra, exchange, **LONGER)
    assert isinstance(request, Request)
    return request


class TestWhatWaits:
    def test_a_looser_change_of_ones_own_role_waits_and_changes_nothing(self, waiting, exchange):
        assert (waiting.action, waiting.status) == (Action.CHANGE_SETTINGS, Status.PENDING)
        assert longest(exchange) == 8 * HOUR
        assert not Event.objects.filter(kind=Kind.ROLE_SETTINGS_CHANGED, outcome=Outcome.DONE, actor_id__isnull=False)

    def test_the_ordinary_service_refuses_it_whoever_calls_it(self, eligible, petra, paul, exchange):
        actor = acting(petra, Purpose.SETTINGS, exchange.pk)
        with pytest.raises(Refused) as refused:
            change_settings(exchange, resource=directory(), values=LONGER, actor=actor, clock=at(NOW))
        assert refused.value.codes == {"second_administrator"}

    def test_a_stricter_change_is_made_at_once(self, eligible, petra, paul, exchange):
        assert isinstance(change(petra, exchange, max_activation=HOUR), RoleSettings)
        assert longest(exchange) == HOUR

    def test_a_looser_change_of_somebody_elses_role_is_made_at_once(self, petra, paul, exchange, ines):
        make_eligible(ines, exchange)
        assert isinstance(change(petra, exchange, **LONGER), RoleSettings)

    def test_it_waits_for_who_is_active(self, petra, paul, exchange):
        give(petra, exchange)
        assert isinstance(change(petra, exchange, **LONGER), Request)

    def test_it_waits_for_who_is_eligible_through_a_group(self, petra, paul, exchange):
        make_eligible(group("Mail", petra), exchange)
        assert isinstance(change(petra, exchange, **LONGER), Request)

    def test_it_waits_for_who_may_become_a_member_of_such_a_group(self, petra, paul, exchange):
        mail = group("Mail")
        make_eligible(mail, exchange)
        make_eligible(petra, role(ids.GROUP_MEMBER), mail.resource)
        assert isinstance(change(petra, exchange, **LONGER), Request)

    def test_it_waits_for_whose_assignment_begins_later(self, petra, paul, exchange):
        make_eligible(petra, exchange, starts_at=NOW + DAY)
        assert isinstance(change(petra, exchange, **LONGER), Request)

    def test_it_waits_for_whose_request_to_renew_is_pending(self, petra, paul, exchange):
        ended = make_eligible(petra, exchange, ends_at=NOW - DAY)
        ask_to_keep(petra, ended, ends_at=NOW + 30 * DAY)
        assert isinstance(change(petra, exchange, **LONGER), Request)

    def test_who_lets_go_of_the_role_for_a_moment_waits_all_the_same(self, eligible, petra, paul, exchange):
        actor = acting(petra, Purpose.ASSIGN, eligible.pk)
        remove(eligible.pk, reason="for a moment", actor=actor, clock=at(NOW))
        assert isinstance(change(petra, exchange, **LONGER), Request)

    def test_what_ended_long_ago_concerns_nobody(self, petra, paul, exchange):
        make_eligible(petra, exchange, ends_at=NOW - 31 * DAY)
        assert isinstance(change(petra, exchange, **LONGER), RoleSettings)

    def test_the_operator_waits_for_nobody(self, eligible, petra, paul, exchange):
        configure(exchange, directory(), **LONGER)
        assert longest(exchange) == 9 * HOUR

    @pytest.mark.parametrize(
        "given",
        [
            {"second_factor": SecondFactor.NONE},
            {"reason_required": False},
            {"permanent_active_allowed": True, "expire_active_after": 365 * DAY},
        ],
        ids=["second factor", "reason", "longer assignments"],
    )
    def test_every_kind_of_loosening_waits(self, eligible, petra, paul, exchange, given):
        assert isinstance(change(petra, exchange, **given), Request)

    def test_approvers_of_ones_own_role_do_too(self, eligible, petra, paul, exchange, adam, zoe):
        configure(exchange, directory(), approvers=[adam])
        asked = change(petra, exchange, stages=(Stage(1, 1, frozenset({adam.pk, zoe.pk})),))
        assert isinstance(asked, Request)

    def test_to_tell_fewer_people_does_too(self, eligible, petra, paul, exchange):
        from roles.models import Audience, NotifiedAct

        silent = Cell(NotifiedAct.ACTIVATED, Audience.ADMINISTRATORS, default_recipients=False)
        assert isinstance(change(petra, exchange, cells=(silent,)), Request)


class TestAsSoonAsThereAreTwo:
    def test_the_only_administrator_changes_alone(self, eligible, petra, exchange):
        assert isinstance(change(petra, exchange, **LONGER), RoleSettings)

    def test_somebody_who_may_become_one_counts(self, eligible, petra, exchange, zoe):
        make_eligible(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        assert isinstance(change(petra, exchange, **LONGER), Request)

    def test_somebody_disabled_does_not(self, eligible, petra, paul, exchange):
        disable_person(paul.pk, reason="left", actor=OPERATOR, clock=at(NOW))
        assert isinstance(change(petra, exchange, **LONGER), RoleSettings)

    def test_somebody_without_a_second_factor_could_not_decide_and_does_not(self, eligible, petra, paul, exchange):
        TotpDevice.objects.filter(user=paul).update(confirmed=False)
        assert isinstance(change(petra, exchange, **LONGER), RoleSettings)

    def test_an_administrator_of_another_world_does_not(self, petra, paul):
        """Resource roles are administered by their owners, whoever administers the directory."""
        root, sub = tree("Root", "prod")
        olga, reader = person("olga"), role(ids.READER)
        give(olga, role(ids.OWNER), sub)
        make_eligible(olga, reader, sub)
        assert isinstance(change(olga, reader, sub, **LONGER), RoleSettings)
        give(person("oscar"), role(ids.USER_ACCESS_ADMINISTRATOR), root)
        assert isinstance(change(olga, reader, sub, max_activation=10 * HOUR), Request)


class TestWaysAround:
    def test_a_place_below_counts(self, paul):
        root, sub, rg = tree("Root", "prod", "rg")
        olga, reader = person("olga"), role(ids.READER)
        for one in (olga, person("oscar")):
            give(one, role(ids.OWNER), root)
        configure(reader, root, permanent_eligible_allowed=True)
        give_eligible(olga, reader, rg)
        assert isinstance(change(olga, reader, sub, **LONGER), Request)

    def test_a_place_below_with_settings_of_its_own_obeys_those(self):
        root, sub, rg = tree("Root", "prod", "rg")
        olga, reader = person("olga"), role(ids.READER)
        for one in (olga, person("oscar")):
            give(one, role(ids.OWNER), root)
        make_eligible(olga, reader, rg)
        assert isinstance(change(olga, reader, sub, **LONGER), RoleSettings)
        # But to let them come from above again then loosens what she obeys.
        actor = acting(olga, Purpose.SETTINGS, reader.pk)
        assert isinstance(reset_or_ask(reader, resource=rg, actor=actor, clock=at(NOW)), Request)
        with pytest.raises(Refused, match="second_administrator"):
            reset_settings(reader, resource=rg, actor=acting(olga, Purpose.SETTINGS, reader.pk), clock=at(NOW))
        assert RoleSettings.objects.filter(role=reader, resource=rg).exists()

    def test_the_default_of_the_role_counts(self, eligible, petra, paul, exchange):
        actor = acting(petra, Purpose.SETTINGS, exchange.pk)
        asked = change_or_ask(exchange, resource=None, values=LONGER, actor=actor, clock=at(NOW))
        assert isinstance(asked, Request)
        assert proposal_of(asked).everywhere
        decide(Verdict.APPROVE, asked, paul, now=NOW + MINUTE)
        assert RoleSettings.objects.get(role=exchange, resource=None).max_activation == 9 * HOUR
        assert not RoleSettings.objects.filter(role=exchange, resource=directory()).exists()

    def test_a_reset_at_the_directory_waits_and_is_made_when_agreed(self, eligible, petra, paul, exchange):
        configure(exchange, directory(), max_activation=HOUR)
        actor = acting(petra, Purpose.SETTINGS, exchange.pk)
        asked = reset_or_ask(exchange, resource=directory(), actor=actor, clock=at(NOW))
        assert longest(exchange) == HOUR
        decide(Verdict.APPROVE, asked, paul, now=NOW + MINUTE)
        assert settings_of(exchange, directory()).is_default

    def test_the_settings_of_a_group_that_approves_ones_role_count(self, eligible, petra, paul, exchange, adam):
        deciders = group("Deciders", adam)
        configure(exchange, directory(), approvers=[deciders])
        member = role(ids.GROUP_MEMBER)
        before = settings_of(member, deciders.resource).max_activation
        asked = change(petra, member, deciders.resource, **LONGER)
        assert isinstance(asked, Request)
        assert settings_of(member, deciders.resource).max_activation == before
        other = group("Others", adam)
        assert isinstance(change(petra, member, other.resource, **LONGER), RoleSettings)


def give_eligible(user: User, what: Role, where: Resource) -> Assignment:
    from roles.models import AssignmentType

    return give(user, what, where, type=AssignmentType.ELIGIBLE)


def two_subscriptions() -> dict[str, Any]:
    """Two subscriptions, one strict; Olga and Oscar own all, Olga may activate Reader in the strict one."""
    from roles.models import ResourceKind

    root, strict = tree("Root", "strict")
    loose = add_resource(
        ResourceKind.SUBSCRIPTION, name="loose", parent=root, actor=OPERATOR, clock=at(NOW - 400 * DAY)
    )
    rg = add_resource(ResourceKind.RESOURCE_GROUP, name="rg", parent=strict, actor=OPERATOR, clock=at(NOW - 400 * DAY))
    people = {name: person(name) for name in ("olga", "oscar")}
    for one in people.values():
        give(one, role(ids.OWNER), root)
    reader = role(ids.READER)
    configure(reader, strict, max_activation=HOUR, permanent_eligible_allowed=True)
    give_eligible(people["olga"], reader, rg)
    return {"loose": loose, "strict": strict, "rg": rg, "reader": reader, **people}


class TestMoving:
    @pytest.fixture
    def forest(self, db: None) -> dict[str, Any]:
        return two_subscriptions()

    def move(self, forest: dict[str, Any], by: str, to: str, *, what: str = "rg") -> Any:
        place, target = (Resource.objects.get(pk=forest[one].pk) for one in (what, to))
        seen = preview_of_move(place, target, NOW).digest
        actor = acting(forest[by], Purpose.ASSIGN, place.pk)
        return move_or_ask(place.pk, target.pk, seen=seen, reason="reorganised", actor=actor, clock=at(NOW))

    def test_a_place_that_would_take_looser_settings_waits(self, forest):
        asked = self.move(forest, "olga", "loose")
        assert isinstance(asked, Request)
        assert proposal_of(asked).act == Act.MOVE
        assert Resource.objects.get(pk=forest["rg"].pk).path.startswith(forest["strict"].path)

    def test_whoever_has_no_stake_moves_it_at_once(self, forest):
        assert isinstance(self.move(forest, "oscar", "loose"), Resource)

    def test_it_is_moved_when_the_other_owner_agrees(self, forest):
        asked = self.move(forest, "olga", "loose")
        decide(Verdict.APPROVE, asked, forest["oscar"], now=NOW + MINUTE)
        asked.refresh_from_db()
        assert asked.status == Status.GRANTED
        assert Resource.objects.get(pk=forest["rg"].pk).path.startswith(forest["loose"].path)
        event = Event.objects.get(kind=Kind.RESOURCE_MOVED, outcome=Outcome.DONE)
        assert (event.actor_id, event.request_id) == (forest["oscar"].pk, asked.pk)
        assert event.details["asked_by"] == str(forest["olga"].pk)

    def test_who_came_to_gain_by_it_since_its_page_was_read_is_not_what_was_agreed_to(self, forest):
        asked = self.move(forest, "olga", "loose")
        seen = shown_of(asked, NOW)
        zoe = person("zoe")
        give(zoe, role(ids.OWNER), forest["loose"])
        with pytest.raises(Refused, match="changed"):
            decide(Verdict.APPROVE, asked, forest["oscar"], seen=seen, now=NOW + MINUTE)
        with pytest.raises(Refused, match="changed"):
            alone(forest["olga"], asked, seen=seen, now=NOW + DAY)
        assert Resource.objects.get(pk=forest["rg"].pk).path.startswith(forest["strict"].path)
        assert decide(Verdict.APPROVE, asked, forest["oscar"], now=NOW + MINUTE).status == Status.GRANTED

    def test_a_move_to_stricter_settings_is_made_at_once(self, forest):
        configure(forest["reader"], forest["loose"], max_activation=30 * MINUTE, permanent_eligible_allowed=False)
        assert isinstance(self.move(forest, "olga", "loose"), Resource)

    def test_settings_of_its_own_go_along_and_nothing_waits(self, forest):
        configure(forest["reader"], forest["rg"], reason_required=True)
        assert isinstance(self.move(forest, "olga", "loose"), Resource)

    def test_a_target_that_its_author_loosens_alone_meanwhile_is_not_what_was_agreed_to(self, forest):
        asked = self.move(forest, "olga", "loose")
        change(forest["olga"], forest["reader"], forest["loose"], second_factor=SecondFactor.NONE)
        with pytest.raises(Refused, match="settings_changed"):
            decide(Verdict.APPROVE, asked, forest["oscar"], now=NOW + MINUTE)
        assert Resource.objects.get(pk=forest["rg"].pk).path.startswith(forest["strict"].path)
        assert decide(Verdict.DENY, asked, forest["oscar"], now=NOW + MINUTE).status == Status.DENIED

    def test_another_role_that_would_be_loosened_meanwhile_is_not_what_was_agreed_to(self, forest):
        owner = role(ids.OWNER)
        configure(owner, forest["strict"], reason_required=True, permanent_eligible_allowed=True)
        give_eligible(forest["olga"], owner, forest["rg"])
        asked = self.move(forest, "olga", "loose")
        change(forest["oscar"], owner, forest["loose"], reason_required=False)
        with pytest.raises(Refused, match="settings_changed"):
            decide(Verdict.APPROVE, asked, forest["oscar"], now=NOW + MINUTE)
        assert Resource.objects.get(pk=forest["rg"].pk).path.startswith(forest["strict"].path)


class TestResetting:
    """What comes from above follows what is set above, where the author of a reset may have no stake."""

    @pytest.fixture
    def reset(self, db: None) -> tuple[Request, dict[str, Any]]:
        forest = two_subscriptions()
        configure(forest["reader"], Resource.objects.get(name="Root"), max_activation=2 * HOUR)
        asked = reset_or_ask(
            forest["reader"],
            resource=forest["strict"],
            actor=acting(forest["olga"], Purpose.SETTINGS, forest["reader"].pk),
            clock=at(NOW),
        )
        assert isinstance(asked, Request)
        return asked, forest

    def test_what_was_shown_is_made(self, reset):
        asked, forest = reset
        decide(Verdict.APPROVE, asked, forest["oscar"], now=NOW + MINUTE)
        assert longest(forest["reader"], forest["strict"]) == 2 * HOUR

    def test_what_its_author_loosens_above_meanwhile_is_not_what_was_agreed_to(self, reset):
        asked, forest = reset
        above = Resource.objects.get(name="Root")
        loosened = change(forest["olga"], forest["reader"], above, max_activation=DAY, reason_required=False)
        assert isinstance(loosened, RoleSettings), "She has no stake there: what she may activate obeys other settings."
        with pytest.raises(Refused) as refused:
            decide(Verdict.APPROVE, asked, forest["oscar"], now=NOW + MINUTE)
        assert refused.value.codes == {"settings_changed"}
        assert "1 d" in refused.value.sentence or "24 h" in refused.value.sentence
        assert longest(forest["reader"], forest["strict"]) == HOUR

    def test_nor_is_it_made_alone(self, reset):
        asked, forest = reset
        change(forest["olga"], forest["reader"], Resource.objects.get(name="Root"), max_activation=DAY)
        with pytest.raises(Refused, match="settings_changed"):
            alone(forest["olga"], asked, now=NOW + DAY)


class TestDeciding:
    def test_the_other_administrator_agrees_and_it_is_made(self, waiting, paul, petra, exchange):
        decided = decide(Verdict.APPROVE, waiting, paul, now=NOW + MINUTE)
        assert decided.status == Status.GRANTED
        assert longest(exchange) == 9 * HOUR
        event = Event.objects.get(kind=Kind.ROLE_SETTINGS_CHANGED, outcome=Outcome.DONE, request_id=waiting.pk)
        assert event.actor_id == paul.pk
        assert event.details["asked_by"] == str(petra.pk)
        assert event.authority_id is not None

    def test_the_reason_is_told_and_kept(self, eligible, paul, petra, exchange):
        actor = acting(petra, Purpose.SETTINGS, exchange.pk)
        given = {"resource": directory(), "values": LONGER, "reason": "night shifts", "actor": actor, "clock": at(NOW)}
        asked = change_or_ask(exchange, **given)
        assert isinstance(asked, Request)
        assert settings_wait(asked, with_reason=True).quote == ("Reason, as Petra wrote it", "night shifts")
        assert settings_wait(asked, with_reason=False).quote is None
        decide(Verdict.APPROVE, asked, paul)
        event = Event.objects.filter(kind=Kind.ROLE_SETTINGS_CHANGED, actor_id=paul.pk).get()
        assert event.text.fields["reason"] == "night shifts"

    def test_a_denial_ends_it(self, waiting, paul, exchange):
        assert decide(Verdict.DENY, waiting, paul, now=NOW + MINUTE).status == Status.DENIED
        assert longest(exchange) == 8 * HOUR

    def test_nobody_decides_their_own(self, waiting, petra):
        with pytest.raises(Refused, match="own_request"):
            decide(Verdict.APPROVE, waiting, petra, now=NOW + MINUTE)
        assert waiting not in requests_awaiting(Authority(petra, NOW))

    def test_who_administers_no_roles_decides_nothing_and_finds_nothing(self, waiting, zoe, nina):
        for one in (zoe, nina):
            with pytest.raises(Refused, match="not_an_approver"):
                decide(Verdict.APPROVE, waiting, one, now=NOW + MINUTE)
        assert waiting not in requests_visible_to(Authority(zoe, NOW))
        assert waiting in requests_visible_to(Authority(nina, NOW))

    def test_panel_list_and_mail_are_one(self, waiting, paul):
        assert approvers_of(waiting, NOW).people == (paul,)
        assert panels_of([Request.objects.shown().get(pk=waiting.pk)], NOW)[waiting.pk].panel.people == (paul,)
        assert requests_awaiting(Authority(paul, NOW)) == [waiting]
        assert asked_to_decide(waiting, NOW) == [paul]
        told = Notification.objects.filter(mail="request_waits", event__request_id=waiting.pk)
        assert [one.recipient_id for one in told] == [paul.pk]

    def test_who_lost_the_right_in_between_decides_nothing(self, waiting, paul):
        disable_person(paul.pk, reason="left", actor=OPERATOR, clock=at(NOW))
        with pytest.raises(Refused, match="not_an_approver"):
            decide(Verdict.APPROVE, waiting, paul, now=NOW + MINUTE)

    def test_settings_that_changed_since_refuse_it_and_say_what(self, waiting, paul, exchange):
        configure(exchange, directory(), ticket_required=True)
        with pytest.raises(Refused) as refused:
            decide(Verdict.APPROVE, waiting, paul, now=NOW + MINUTE)
        assert refused.value.codes == {"settings_changed"}
        assert "Ticket: Required (was Not required)" in refused.value.sentence
        assert longest(exchange) == 8 * HOUR
        assert decide(Verdict.DENY, waiting, paul, now=NOW + MINUTE).status == Status.DENIED

    def test_a_page_that_showed_other_settings_decides_nothing(self, waiting, paul, exchange):
        seen = shown_digest(waiting)
        configure(exchange, directory(), ticket_required=True)
        with pytest.raises(Refused) as refused:
            decide(Verdict.DENY, waiting, paul, now=NOW + MINUTE, seen=seen)
        assert refused.value.codes == {"changed"}

    def test_a_proposal_that_was_tampered_with_is_not_what_was_asked(self, waiting, paul, exchange):
        data = dict(waiting.proposal)
        data["rulings"][0]["after"]["rules"]["max_activation"] = "P0DT24H00M00S"
        Request.objects.filter(pk=waiting.pk).update(proposal=data)
        with pytest.raises(Refused, match="changed"):
            decide(Verdict.APPROVE, waiting, paul, now=NOW + MINUTE)
        assert longest(exchange) == 8 * HOUR

    def test_an_author_who_may_no_more_gets_nothing(self, waiting, petra, paul, exchange):
        give(person("pia"), role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        row = Assignment.objects.get(principal=petra, role=ids.PRIVILEGED_ROLE_ADMINISTRATOR)
        remove(row.pk, reason="moved on", actor=OPERATOR, clock=at(NOW))
        with pytest.raises(Refused, match="author_may_not"):
            decide(Verdict.APPROVE, waiting, paul, now=NOW + MINUTE)

    def test_what_has_become_impossible_is_refused_by_the_ordinary_rules(
        self, eligible, petra, paul, exchange, adam, zoe
    ):
        configure(exchange, directory(), approvers=[adam])
        asked = change(petra, exchange, stages=(Stage(1, 1, frozenset({zoe.pk})),))
        disable_person(zoe.pk, reason="left", actor=OPERATOR, clock=at(NOW))
        with pytest.raises(Refused, match="nobody_could_approve"):
            decide(Verdict.APPROVE, asked, paul, now=NOW + MINUTE)
        asked.refresh_from_db()
        assert asked.status == Status.PENDING
        assert not Decision.objects.filter(request=asked).exists()

    def test_a_second_proposal_waits_for_the_first(self, waiting, petra, exchange):
        with pytest.raises(Refused, match="already_asked"):
            change(petra, exchange, reason_required=False)
        cancel(waiting.pk, actor=Actor_of(petra), clock=at(NOW))
        assert isinstance(change(petra, exchange, reason_required=False), Request)

    def test_a_second_factor_is_needed_to_ask(self, eligible, petra, paul, exchange):
        with pytest.raises(Refused, match="second_factor"):
            change_or_ask(exchange, resource=directory(), values=LONGER, actor=Actor_of(petra), clock=at(NOW))
        assert not Request.objects.exists()

    def test_it_is_in_the_history_with_what_it_would_loosen(self, waiting):
        event = Event.objects.get(kind=Kind.REQUEST_MADE, request_id=waiting.pk)
        assert event.details["loosens"] == ["max_activation"]
        assert event.details["old"] == {"max_activation": "8:00:00"}
        assert event.details["new"] == {"max_activation": "9:00:00"}


def Actor_of(user: User) -> Any:  # noqa: N802 - reads like the class
    from roles.actors import Actor

    return Actor(user=user)


class TestLapsing:
    def test_it_waits_for_three_days_to_the_microsecond(self, waiting):
        assert Request.objects.waiting(NOW + WINDOW - MICROSECOND).filter(pk=waiting.pk).exists()
        assert not Request.objects.waiting(NOW + WINDOW).filter(pk=waiting.pk).exists()

    def test_what_has_lapsed_is_decided_by_nobody(self, waiting, paul, petra, exchange):
        with pytest.raises(Refused, match="lapsed"):
            decide(Verdict.APPROVE, waiting, paul, now=NOW + WINDOW)
        with pytest.raises(Refused, match="over"):
            alone(petra, waiting, now=NOW + WINDOW)
        assert lapse_overdue(clock=at(NOW + WINDOW)) == 1
        assert longest(exchange) == 8 * HOUR

    def test_one_that_this_version_cannot_read_keeps_no_other_from_lapsing(self, waiting, petra, exchange):
        make_eligible(petra, role(ids.GLOBAL_READER))
        other = change(petra, role(ids.GLOBAL_READER), now=NOW + MINUTE, **LONGER)
        Request.objects.filter(pk=waiting.pk).update(proposal={"version": 99})
        with pytest.raises(LookupError, match="this version"):
            lapse_overdue(clock=at(NOW + MINUTE + WINDOW))
        other.refresh_from_db()
        assert other.status == Status.LAPSED

    def test_it_can_be_proposed_anew_then(self, waiting, petra, exchange):
        assert isinstance(change(petra, exchange, now=NOW + WINDOW, **LONGER), Request)
        waiting.refresh_from_db()
        assert waiting.status == Status.LAPSED


class TestAlone:
    def test_not_before_a_day_is_over_to_the_microsecond(self, waiting, petra, exchange):
        with pytest.raises(Refused, match="too_early"):
            alone(petra, waiting, now=NOW + ALONE_AFTER - MICROSECOND)
        alone(petra, waiting, now=NOW + ALONE_AFTER)
        assert longest(exchange) == 9 * HOUR

    def test_it_is_loud(self, waiting, petra, paul):
        sven = person("sven")
        give(sven, role(ids.SECURITY_ADMINISTRATOR))
        alone(petra, waiting, now=NOW + DAY)
        event = Event.objects.get(kind=Kind.ROLE_SETTINGS_CHANGED_ALONE)
        assert (event.actor_id, event.request_id) == (petra.pk, waiting.pk)
        told = Notification.objects.filter(mail="settings_changed_alone")
        assert {one.recipient.name for one in told} == {"Paul", "Sven"}
        assert not Notification.objects.filter(event__occurred_at=NOW + DAY).exclude(mail="settings_changed_alone")

    def test_nobody_else_makes_it_alone(self, waiting, paul):
        with pytest.raises(Refused, match="not_allowed"):
            alone(paul, waiting, now=NOW + DAY)

    def test_not_what_was_denied(self, waiting, petra, paul, exchange):
        decide(Verdict.DENY, waiting, paul, now=NOW + HOUR)
        with pytest.raises(Refused, match="over"):
            alone(petra, waiting, now=NOW + DAY)
        assert longest(exchange) == 8 * HOUR

    def test_not_without_a_reason(self, waiting, petra):
        with pytest.raises(Refused, match="reason_missing"):
            alone(petra, waiting, now=NOW + DAY, reason=" \u200b ")

    def test_not_without_a_fresh_second_factor(self, waiting, petra):
        with pytest.raises(Refused, match="second_factor"):
            make_alone(
                waiting.pk,
                reason="now",
                seen=shown_digest(waiting),
                actor=Actor_of(petra),
                clock=at(NOW + DAY),
            )

    def test_not_who_may_no_longer_change_settings(self, waiting, petra, paul, exchange):
        row = Assignment.objects.get(principal=petra, role=ids.PRIVILEGED_ROLE_ADMINISTRATOR)
        remove(row.pk, reason="moved on", actor=OPERATOR, clock=at(NOW))
        with pytest.raises(Refused, match="not_allowed"):
            alone(petra, waiting, now=NOW + DAY)
        assert longest(exchange) == 8 * HOUR

    def test_not_over_settings_that_changed_since(self, waiting, petra, exchange):
        configure(exchange, directory(), ticket_required=True)
        with pytest.raises(Refused, match="settings_changed"):
            alone(petra, waiting, now=NOW + DAY)

    def test_a_request_for_something_else_is_not_found(self, eligible, petra):
        from tests.people import request_activation

        configure(eligible.role, approvers=[person("adam")])
        request = request_activation(petra, eligible)
        with pytest.raises(Request.DoesNotExist):
            alone(petra, request, now=NOW + HOUR)


def test_a_proposal_comes_back_from_its_data_as_it_was(waiting):
    proposal = proposal_of(Request.objects.get(pk=waiting.pk))
    assert as_data(proposal) == json.loads(json.dumps(waiting.proposal))
    assert proposal.ruling.before.digest == waiting.settings_digest
    assert proposal.ruling.after.max_activation == 9 * HOUR


def test_another_version_is_not_read(waiting):
    waiting.proposal = {**waiting.proposal, "version": 2}
    with pytest.raises(LookupError):
        proposal_of(waiting)
