"""Role settings as services: each bound, who may change them, what locks people out, and what a reset gives back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audit.kinds import Kind, Outcome, Realm
from audit.models import Event
from roles import ids
from roles.models import (
    Assignment,
    AssignmentType,
    Audience,
    NotificationCell,
    NotifiedAct,
    Purpose,
    Resource,
    Role,
    RoleSettings,
    SecondFactor,
    User,
)
from roles.refusals import Refused
from roles.selectors.settings import RULES, Cell, SettingsBook, Stage, differ, settings_of
from roles.services.principals import disable_person
from roles.services.settings import change_settings, reset_settings, settings_to_copy
from roles.settings_words import LABELS, field_names
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    at,
    custom_role,
    directory,
    give,
    group,
    make_eligible,
    person,
    role,
    tree,
    unit,
)

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """The portal is set up: Petra administers it."""


@pytest.fixture
def exchange(db: None) -> Role:
    return role(EXCHANGE_ADMINISTRATOR)


@pytest.fixture
def nodes(db: None) -> list[Resource]:
    """A root, a subscription and a resource group."""
    return tree("Root", "prod", "rg")


@pytest.fixture
def olga(nodes: list[Resource]) -> User:
    """Owner of the subscription."""
    user = person("olga")
    give(user, role(ids.OWNER), nodes[1])
    return user


def change(what: Role, where: Resource | None, *, by: User | None = None, **given: Any) -> RoleSettings:
    """Change settings as this person, or as the operator."""
    known = {name: given.pop(name) for name in ("stages", "cells", "seen") if name in given}
    actor = acting(by, Purpose.SETTINGS, what.pk) if by else OPERATOR
    return change_settings(what, resource=where, values=given, actor=actor, clock=at(NOW), **known)


def reset(what: Role, where: Resource, *, by: User | None = None, seen: str = "") -> Any:
    actor = acting(by, Purpose.SETTINGS, what.pk) if by else OPERATOR
    return reset_settings(what, resource=where, seen=seen, actor=actor, clock=at(NOW))


def stage(number: int, *people: Any, quorum: int = 1) -> Stage:
    return Stage(number, quorum, frozenset(one.pk for one in people))


BOUNDS = {
    "max_activation": (5 * MINUTE, 24 * HOUR),
    "approval_window": (5 * MINUTE, 72 * HOUR),
    "break_glass_max": (5 * MINUTE, 4 * HOUR),
    "break_glass_review_within": (HOUR, 7 * DAY),
    "expire_eligible_after": (DAY, 365 * DAY),
    "expire_active_after": (DAY, 365 * DAY),
}


class TestBounds:
    @pytest.mark.parametrize("field", BOUNDS)
    def test_both_bounds_are_allowed(self, exchange, field):
        for value in BOUNDS[field]:
            change(exchange, directory(), **{field: value})
            assert getattr(settings_of(exchange, directory()), field) == value

    @pytest.mark.parametrize("field", BOUNDS)
    def test_a_microsecond_beyond_either_is_refused_at_the_field(self, exchange, field):
        least, most = BOUNDS[field]
        for value in (least - MICROSECOND, most + MICROSECOND, timedelta(), -HOUR):
            with pytest.raises(Refused, match=f"{field}_range") as refused:
                change(exchange, directory(), **{field: value})
            assert [one.field for one in refused.value.violations] == [field]
        assert settings_of(exchange, directory()).is_default

    @pytest.mark.parametrize(
        "field",
        [
            "reason_required",
            "ticket_required",
            "permanent_eligible_allowed",
            "permanent_active_allowed",
            "second_factor_on_assign",
            "reason_on_assign",
        ],
    )
    def test_a_switch_is_set_either_way(self, exchange, field):
        for value in (True, False):
            change(exchange, directory(), **{field: value})
            assert getattr(settings_of(exchange, directory()), field) is value

    @pytest.mark.parametrize("value", SecondFactor)
    def test_every_second_factor_is_set(self, exchange, value):
        change(exchange, directory(), second_factor=value)
        assert settings_of(exchange, directory()).second_factor == value

    def test_what_is_no_choice_is_refused_at_the_field(self, exchange):
        with pytest.raises(Refused, match="invalid") as refused:
            change(exchange, directory(), second_factor="sometimes")
        assert [one.field for one in refused.value.violations] == ["second_factor"]

    def test_every_field_has_words(self):
        assert set(field_names()) == set(RULES) == set(LABELS)


class TestStages:
    def test_five_are_allowed_and_six_are_not(self, exchange):
        stages = [stage(number, person(f"approver{number}")) for number in range(1, 7)]
        change(exchange, directory(), approval_required=True, stages=tuple(stages[:5]))
        assert len(settings_of(exchange, directory()).stages) == 5
        with pytest.raises(Refused, match="stages"):
            change(exchange, directory(), approval_required=True, stages=tuple(stages))

    @pytest.mark.parametrize("numbers", [(2,), (1, 3), (1, 1), (2, 1)])
    def test_they_are_numbered_from_one_on(self, exchange, adam, numbers):
        stages = tuple(stage(number, adam) for number in numbers)
        with pytest.raises(Refused, match="stages"):
            change(exchange, directory(), approval_required=True, stages=stages)

    @pytest.mark.parametrize("quorum", [0, -1, 101, 10**9])
    def test_no_quorum_is_less_than_one_or_beyond_reason(self, exchange, adam, quorum):
        for required in (True, False):
            with pytest.raises(Refused, match="quorum") as refused:
                change(exchange, directory(), approval_required=required, stages=(stage(1, adam, quorum=quorum),))
            assert {one.field for one in refused.value.violations} == {"quorum_1"}

    def test_they_wait_while_no_approval_is_asked_for(self, exchange, adam):
        change(exchange, directory(), approval_required=True, stages=(stage(1, adam),))
        change(exchange, directory(), approval_required=False)
        off = settings_of(exchange, directory())
        assert (off.stages, off.written_stages) == ((), (stage(1, adam),))
        change(exchange, directory(), approval_required=True)
        assert settings_of(exchange, directory()).stages == (stage(1, adam),)

    def test_an_approver_is_a_user_or_group_of_the_portal(self, exchange, adam):
        unknown = Stage(1, 1, frozenset({adam.pk, exchange.pk}))
        with pytest.raises(Refused, match="approvers_unknown"):
            change(exchange, directory(), approval_required=True, stages=(unknown,))


class TestWhatLocksPeopleOut:
    def test_approval_by_nobody_enabled(self, exchange, adam):
        disable_person(adam.pk, reason="left", actor=OPERATOR, clock=at(NOW))
        with pytest.raises(Refused, match="nobody_could_approve") as refused:
            change(exchange, directory(), approval_required=True, stages=(stage(1, adam),))
        assert [one.field for one in refused.value.violations] == ["approvers_1"]

    def test_approval_by_an_empty_group(self, exchange):
        with pytest.raises(Refused, match="nobody_could_approve"):
            change(exchange, directory(), approval_required=True, stages=(stage(1, group("Empty")),))

    def test_approval_by_a_disabled_persons_group(self, exchange, adam, berta):
        team = group("Team", adam, berta)
        disable_person(adam.pk, reason="left", actor=OPERATOR, clock=at(NOW))
        change(exchange, directory(), approval_required=True, stages=(stage(1, team),))
        with pytest.raises(Refused, match="quorum_too_large"):
            change(exchange, directory(), approval_required=True, stages=(stage(1, team, quorum=2),))

    def test_more_must_agree_than_there_are_in_a_later_stage(self, exchange, adam, berta, petra):
        stages = (stage(1, adam), stage(2, berta, petra, quorum=3))
        with pytest.raises(Refused, match="quorum_too_large") as refused:
            change(exchange, directory(), approval_required=True, stages=stages)
        assert [one.field for one in refused.value.violations] == ["quorum_2"]
        change(exchange, directory(), approval_required=True, stages=(stages[0], stage(2, berta, petra, quorum=2)))

    def test_somebody_named_twice_counts_once(self, exchange, adam):
        stages = (stage(1, adam, group("Team", adam), quorum=2),)
        with pytest.raises(Refused, match="quorum_too_large"):
            change(exchange, directory(), approval_required=True, stages=stages)

    def test_one_person_alone_in_two_stages_since_nobody_decides_twice(self, exchange, adam, berta):
        with pytest.raises(Refused, match="too_few_for_all_stages") as refused:
            change(exchange, directory(), approval_required=True, stages=(stage(1, adam), stage(2, adam)))
        assert [one.field for one in refused.value.violations] == ["approvers_2"]
        change(exchange, directory(), approval_required=True, stages=(stage(1, adam), stage(2, adam, berta)))

    def test_the_same_few_in_three_stages(self, exchange, adam, berta, petra):
        stages = (stage(1, adam, berta), stage(2, petra), stage(3, adam, berta, quorum=2))
        with pytest.raises(Refused, match="too_few_for_all_stages") as refused:
            change(exchange, directory(), approval_required=True, stages=stages)
        assert [one.field for one in refused.value.violations] == ["approvers_3"]

    def test_the_only_administrator_in_two_stages_that_name_nobody(self, exchange, petra):
        with pytest.raises(Refused, match="too_few_for_all_stages"):
            change(exchange, directory(), approval_required=True, stages=(stage(1), stage(2)))

    def test_with_nobody_named_administrators_decide_of_directory_roles(self, exchange, petra, paul):
        change(exchange, directory(), approval_required=True, stages=(stage(1, quorum=2),))
        with pytest.raises(Refused, match="quorum_too_large"):
            change(exchange, directory(), approval_required=True, stages=(stage(1, quorum=3),))

    @pytest.mark.parametrize("stages", [(), (Stage(1, 1, frozenset()),)])
    def test_a_resource_role_names_its_approvers(self, nodes, stages):
        with pytest.raises(Refused, match="approvers_missing") as refused:
            change(role(ids.READER), nodes[1], approval_required=True, stages=stages)
        assert [one.field for one in refused.value.violations] == ["approvers_1"]

    def test_a_later_stage_of_a_resource_role_names_them_too(self, nodes, adam):
        with pytest.raises(Refused, match="approvers_missing") as refused:
            change(role(ids.READER), nodes[1], approval_required=True, stages=(stage(1, adam), stage(2)))
        assert [one.field for one in refused.value.violations] == ["approvers_2"]

    def test_what_waits_while_no_approval_is_asked_for_locks_nobody_out(self, exchange):
        change(exchange, directory(), approval_required=False, stages=(stage(1, group("Empty"), quorum=2),))
        assert settings_of(exchange, directory()).stages == ()

    @pytest.mark.parametrize("stages", [(), (Stage(1, 1, frozenset()),)])
    def test_privileged_role_administrators_do_not_decide_who_becomes_one(self, stages):
        with pytest.raises(Refused, match="approves_itself"):
            change(role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), directory(), approval_required=True, stages=stages)

    def test_approval_takes_no_last_administrator_away(self, petra, adam):
        pra = role(ids.PRIVILEGED_ROLE_ADMINISTRATOR)
        make_eligible(petra, pra)
        active = Assignment.objects.get(principal=petra, type=AssignmentType.ACTIVE)
        Assignment.objects.filter(pk=active.pk).update(ended_at=NOW - DAY, end_reason="removed")
        with pytest.raises(Refused, match="last_administrator"):
            change(pra, directory(), approval_required=True, stages=(stage(1, adam),))
        assert not settings_of(pra, directory()).approval_required


class TestNotifications:
    def test_a_cell_is_kept_and_one_as_usual_needs_no_row(self, exchange):
        told = Cell(NotifiedAct.ACTIVATED, Audience.HOLDER, additional=("a@example.org",), critical_only=True)
        usual = Cell(NotifiedAct.ACTIVATED, Audience.ADMINISTRATORS)
        change(exchange, directory(), cells=(told, usual))
        assert settings_of(exchange, directory()).cells == (told,)
        assert NotificationCell.objects.count() == 1

    def test_cells_not_given_stay(self, exchange):
        told = Cell(NotifiedAct.ACTIVATED, Audience.HOLDER, default_recipients=False)
        change(exchange, directory(), cells=(told,))
        change(exchange, directory(), ticket_required=True)
        assert settings_of(exchange, directory()).cells == (told,)

    @pytest.mark.parametrize("address", ["nobody", "a@b", "a@example.org>", "a@example.org\nbcc: x@example.org"])
    def test_what_is_no_address_is_refused_at_its_cell(self, exchange, address):
        cell = Cell(NotifiedAct.ASSIGNED_ELIGIBLE, Audience.ADMINISTRATORS, additional=("ok@example.org", address))
        with pytest.raises(Refused, match="address") as refused:
            change(exchange, directory(), cells=(cell,))
        assert [one.field for one in refused.value.violations] == ["additional_assigned_eligible_administrators"]

    def test_fifty_addresses_are_allowed_and_fifty_one_are_not(self, exchange):
        addresses = tuple(f"a{number}@example.org" for number in range(51))
        cell = Cell(NotifiedAct.ACTIVATED, Audience.ADMINISTRATORS, additional=addresses[:50])
        change(exchange, directory(), cells=(cell,))
        with pytest.raises(Refused, match="too_many_addresses"):
            change(
                exchange,
                directory(),
                cells=(Cell(NotifiedAct.ACTIVATED, Audience.ADMINISTRATORS, additional=addresses),),
            )

    def test_requests_to_approve_go_to_nobody_else(self, exchange):
        cell = Cell(NotifiedAct.ACTIVATED, Audience.APPROVERS, additional=("a@example.org",))
        with pytest.raises(Refused, match="additional_not_here"):
            change(exchange, directory(), cells=(cell,))


class TestAuthority:
    def test_an_administrator_changes_directory_roles_at_the_directory_and_its_units(self, petra, exchange):
        for where in (directory(), unit("Berlin")):
            change(exchange, where, by=petra, ticket_required=True)
            assert settings_of(exchange, where).source_id == where.pk

    def test_an_owner_changes_resource_roles_there_and_below_only(self, olga, nodes):
        reader = role(ids.READER)
        for where in nodes[1:]:
            change(reader, where, by=olga, ticket_required=True)
        with pytest.raises(Refused, match="not_allowed"):
            change(reader, nodes[0], by=olga, ticket_required=True)

    def test_neither_reaches_across_the_wall(self, petra, olga, nodes, exchange):
        with pytest.raises(Refused, match="not_allowed"):
            change(role(ids.READER), nodes[1], by=petra, ticket_required=True)
        for where in (directory(), unit("Berlin")):
            with pytest.raises(Refused, match="not_allowed"):
                change(exchange, where, by=olga, ticket_required=True)

    @pytest.mark.parametrize("held", [ids.GLOBAL_READER, ids.SECURITY_ADMINISTRATOR, ids.GLOBAL_ADMINISTRATOR])
    def test_whoever_sees_settings_does_not_change_them(self, zoe, exchange, held):
        give(zoe, role(held))
        with pytest.raises(Refused, match="not_allowed"):
            change(exchange, directory(), by=zoe, ticket_required=True)

    def test_a_reader_of_a_resource_does_not_either(self, zoe, nodes):
        give(zoe, role(ids.READER), nodes[0])
        with pytest.raises(Refused, match="not_allowed"):
            change(role(ids.READER), nodes[1], by=zoe, ticket_required=True)

    def test_no_role_changes_the_default_of_a_resource_role(self, petra, olga):
        for user in (petra, olga):
            with pytest.raises(Refused, match="not_allowed"):
                change(role(ids.READER), None, by=user, ticket_required=True)

    def test_authority_ends_to_the_microsecond(self, zoe, exchange):
        give(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), ends_at=NOW)
        with pytest.raises(Refused, match="not_allowed"):
            change(exchange, directory(), by=zoe, ticket_required=True)

    def test_it_needs_a_fresh_second_factor_for_this_role(self, petra, exchange):
        for purpose, about in ((Purpose.ASSIGN, exchange.pk), (Purpose.SETTINGS, ids.READER)):
            actor = acting(petra, purpose, about)
            with pytest.raises(Refused, match="second_factor"):
                change_settings(exchange, resource=directory(), values={}, actor=actor, clock=at(NOW))

    def test_a_refused_attempt_stands_in_the_history_and_nothing_else_does(self, zoe, exchange):
        with pytest.raises(Refused):
            change(exchange, directory(), by=zoe, ticket_required=True)
        event = Event.objects.get(kind=Kind.ROLE_SETTINGS_CHANGED)
        assert (event.outcome, event.actor_id, event.role_id) == (Outcome.REFUSED, zoe.pk, exchange.pk)
        assert not RoleSettings.objects.exists()

    def test_a_groups_owner_changes_how_members_come_to_it(self, zoe, adam):
        team = group("Team")
        give(zoe, role(ids.GROUP_OWNER), team.resource)
        member = role(ids.GROUP_MEMBER)
        change(member, team.resource, by=zoe, approval_required=True, stages=(stage(1, adam),))
        assert settings_of(member, team.resource).approval_required
        assert Event.objects.filter(kind=Kind.ROLE_SETTINGS_CHANGED).latest("pk").realm == Realm.GROUP

    def test_but_not_where_the_group_holds_more_than_they_may_assign(self, zoe, exchange):
        team = group("Team")
        give(zoe, role(ids.GROUP_OWNER), team.resource)
        give(team, exchange)
        with pytest.raises(Refused, match="group_holds_more"):
            change(role(ids.GROUP_MEMBER), team.resource, by=zoe, ticket_required=True)


class TestWhereTheyStand:
    def test_a_role_has_settings_where_it_can_be_assigned(self, nodes, exchange):
        for what, where in ((exchange, nodes[0]), (role(ids.READER), directory()), (role(ids.GROUP_MEMBER), nodes[0])):
            with pytest.raises(Refused, match="wrong_place"):
                change(what, where, ticket_required=True)

    def test_the_nearest_place_above_rules(self, nodes):
        reader = role(ids.READER)
        change(reader, nodes[0], max_activation=HOUR)
        change(reader, nodes[1], max_activation=2 * HOUR)
        found = settings_of(reader, nodes[2])
        assert (found.source_id, found.max_activation) == (nodes[1].pk, 2 * HOUR)

    def test_a_places_first_settings_start_from_what_ruled_there(self, nodes, adam):
        reader = role(ids.READER)
        told = Cell(NotifiedAct.ACTIVATED, Audience.HOLDER, default_recipients=False)
        change(
            reader,
            nodes[0],
            approval_required=True,
            stages=(stage(1, adam),),
            cells=(told,),
            second_factor="every_time",
        )
        change(reader, nodes[1], max_activation=HOUR)
        below = settings_of(reader, nodes[1])
        assert (below.source_id, below.second_factor) == (nodes[1].pk, SecondFactor.EVERY_TIME)
        assert (below.stages, below.cells) == ((stage(1, adam),), (told,))

    def test_what_is_changed_above_later_does_not_reach_it(self, nodes):
        reader = role(ids.READER)
        change(reader, nodes[1], max_activation=HOUR)
        change(reader, nodes[0], max_activation=3 * HOUR)
        assert settings_of(reader, nodes[2]).max_activation == HOUR

    def test_a_roles_default_is_changed_as_itself_beside_those_of_the_directory(self, exchange):
        told = Cell(NotifiedAct.ACTIVATED, Audience.HOLDER, default_recipients=False)
        change(exchange, directory(), max_activation=HOUR, cells=(told,))
        change(exchange, None, ticket_required=True)
        default = SettingsBook([exchange.pk]).default_of(exchange)
        assert (default.max_activation, default.ticket_required, default.cells) == (8 * HOUR, True, ())
        assert settings_of(exchange, directory()).max_activation == HOUR
        details = Event.objects.filter(kind=Kind.ROLE_SETTINGS_CHANGED).latest("pk").details
        assert (details["old"], details["new"]) == ({"ticket_required": False}, {"ticket_required": True})


class TestSeen:
    def test_settings_changed_meanwhile_are_not_changed(self, petra, paul, exchange):
        looked_at = settings_of(exchange, directory()).seen
        change(exchange, directory(), by=paul, ticket_required=True)
        with pytest.raises(Refused, match="changed_meanwhile"):
            change(exchange, directory(), by=petra, seen=looked_at, max_activation=HOUR)
        found = settings_of(exchange, directory())
        assert (found.ticket_required, found.max_activation) == (True, 8 * HOUR)

    def test_nor_are_they_taken_from_above(self, exchange):
        change(exchange, directory(), ticket_required=True)
        looked_at = settings_of(exchange, directory()).seen
        change(exchange, directory(), ticket_required=False)
        with pytest.raises(Refused, match="changed_meanwhile"):
            reset(exchange, directory(), seen=looked_at)

    def test_a_change_above_is_one_of_what_was_looked_at(self, nodes):
        reader = role(ids.READER)
        looked_at = settings_of(reader, nodes[1]).seen
        change(reader, nodes[0], max_activation=HOUR)
        with pytest.raises(Refused, match="changed_meanwhile"):
            change(reader, nodes[1], seen=looked_at, ticket_required=True)

    @pytest.mark.parametrize(
        "given",
        [
            {"max_activation": HOUR},
            {"second_factor": "none"},
            {"reason_required": False},
            {"ticket_required": True},
            {"approval_required": True},
            {"approval_window": HOUR},
            {"break_glass_allowed": True},
            {"break_glass_max": 2 * HOUR},
            {"break_glass_review_within": HOUR},
            {"permanent_eligible_allowed": False},
            {"expire_eligible_after": DAY},
            {"permanent_active_allowed": False},
            {"expire_active_after": DAY},
            {"second_factor_on_assign": True},
            {"reason_on_assign": False},
            {"cells": (Cell(NotifiedAct.ACTIVATED, Audience.HOLDER, critical_only=True),)},
            {"stages": (Stage(1, 2, frozenset()),)},
        ],
        ids=lambda given: next(iter(given)),
    )
    def test_every_single_setting_is_part_of_what_was_looked_at(self, exchange, given):
        change(exchange, directory())
        before = settings_of(exchange, directory())
        change(exchange, directory(), **given)
        assert settings_of(exchange, directory()).seen != before.seen


class TestHistory:
    def test_it_keeps_old_and_new_and_the_authority(self, petra, exchange):
        change(exchange, directory(), by=petra, max_activation=HOUR)
        event = Event.objects.get(kind=Kind.ROLE_SETTINGS_CHANGED)
        assert event.details["old"] == {"max_activation": "8:00:00"}
        assert event.details["new"] == {"max_activation": "1:00:00"}
        assert event.authority_id == Assignment.objects.get(principal=petra).pk

    def test_addresses_stand_in_the_personal_text_only(self, exchange):
        cell = Cell(NotifiedAct.ACTIVATED, Audience.HOLDER, additional=("secret@example.org",))
        change(exchange, directory(), cells=(cell,))
        event = Event.objects.get(kind=Kind.ROLE_SETTINGS_CHANGED)
        assert "secret@" not in str(event.details)
        assert event.details["new"]["cells"]["activated/holder"]["additional"] == 1
        assert "secret@example.org" in event.text.fields["addresses_after"]

    def test_without_its_event_nothing_is_changed(self, exchange, monkeypatch):
        def broken(*args: Any, **kwargs: Any) -> None:
            raise RuntimeError("no history")

        monkeypatch.setattr("roles.services.settings.record", broken)
        with pytest.raises(RuntimeError):
            change(exchange, directory(), ticket_required=True)
        assert settings_of(exchange, directory()).is_default


class TestReset:
    def test_a_unit_takes_the_directorys_again(self, petra, exchange):
        berlin = unit("Berlin")
        change(exchange, directory(), max_activation=2 * HOUR)
        change(exchange, berlin, by=petra, max_activation=HOUR)
        after = reset(exchange, berlin, by=petra)
        assert after == settings_of(exchange, berlin)
        assert (after.source_id, after.max_activation) == (directory().pk, 2 * HOUR)
        event = Event.objects.get(kind=Kind.ROLE_SETTINGS_RESET)
        assert (event.actor_id, event.resource_id) == (petra.pk, berlin.pk)
        assert event.details["new"] == {"max_activation": "2:00:00"}

    def test_a_resource_takes_those_of_the_nearest_above(self, olga, nodes, adam):
        reader = role(ids.READER)
        change(reader, nodes[1], by=olga, max_activation=HOUR)
        change(reader, nodes[2], by=olga, approval_required=True, stages=(stage(1, adam),))
        reset(reader, nodes[2], by=olga)
        assert settings_of(reader, nodes[2]).source_id == nodes[1].pk
        reset(reader, nodes[1], by=olga)
        assert settings_of(reader, nodes[2]).is_default

    def test_the_directory_takes_the_portals_default_even_from_the_roles_own(self, exchange):
        change(exchange, None, max_activation=HOUR)
        assert reset(exchange, directory()).is_default
        assert not RoleSettings.objects.exists()

    def test_what_it_promises_is_what_rules_then(self, exchange, nodes):
        reader, berlin = role(ids.READER), unit("Berlin")
        change(exchange, None, max_activation=HOUR)
        change(exchange, directory(), max_activation=2 * HOUR)
        change(exchange, berlin, max_activation=3 * HOUR)
        change(reader, None, max_activation=4 * HOUR)
        change(reader, nodes[0], max_activation=5 * HOUR)
        for what, where in ((exchange, berlin), (exchange, directory()), (reader, nodes[0])):
            promised = SettingsBook([what.pk]).without_own(what, where)
            assert reset(what, where) == promised

    def test_where_there_are_none_there_is_nothing_to_reset(self, exchange, nodes):
        change(role(ids.READER), nodes[0], ticket_required=True)
        for what, where in ((exchange, directory()), (role(ids.READER), nodes[1])):
            with pytest.raises(Refused, match="nothing_to_reset"):
                reset(what, where)

    def test_it_is_refused_where_what_rules_then_locks_people_out(self, nodes, adam, berta):
        reader = role(ids.READER)
        change(reader, nodes[0], approval_required=True, stages=(stage(1, adam),))
        change(reader, nodes[1], approval_required=False)
        disable_person(adam.pk, reason="left", actor=OPERATOR, clock=at(NOW))
        with pytest.raises(Refused, match="nobody_could_approve"):
            reset(reader, nodes[1])
        assert settings_of(reader, nodes[1]).source_id == nodes[1].pk

    def test_a_stranger_resets_nothing(self, zoe, exchange):
        change(exchange, directory(), ticket_required=True)
        with pytest.raises(Refused, match="not_allowed"):
            reset(exchange, directory(), by=zoe)
        assert settings_of(exchange, directory()).ticket_required


class TestCopying:
    def test_another_role_gets_all_of_it(self, exchange, adam):
        told = Cell(NotifiedAct.ACTIVATED, Audience.HOLDER, additional=("a@example.org",))
        change(
            exchange,
            directory(),
            max_activation=HOUR,
            ticket_required=True,
            approval_required=True,
            expire_eligible_after=30 * DAY,
            permanent_eligible_allowed=False,
            stages=(stage(1, adam), stage(2)),
            cells=(told,),
        )
        source, other = settings_of(exchange, directory()), role(ids.USER_ADMINISTRATOR)
        change_settings(other, resource=directory(), **settings_to_copy(source), actor=OPERATOR, clock=at(NOW))
        copied = settings_of(other, directory())
        assert not differ(copied, source)
        assert (copied.role_id, copied.stages) == (other.pk, source.stages)

    def test_of_a_default_decided_by_administrators_names_nobody(self, exchange, nodes):
        change(exchange, directory(), approval_required=True)
        assert settings_to_copy(settings_of(exchange, directory()))["stages"] == ()

    def test_a_custom_role_has_settings_at_its_home_only(self, nodes):
        made = custom_role(nodes[1], "Deployer")
        copied = settings_to_copy(settings_of(role(ids.READER), nodes[0]))
        with pytest.raises(Refused, match="wrong_place"):
            change_settings(made, resource=nodes[0], **copied, actor=OPERATOR, clock=at(NOW))


def test_changing_settings_leaves_what_was_given_as_it_is(ines, exchange):
    """A change of the rules shortens nothing that was assigned before (pim-behaviour.md §2.2)."""
    row = make_eligible(ines, exchange)
    change(exchange, directory(), permanent_eligible_allowed=False, expire_eligible_after=DAY)
    row.refresh_from_db()
    assert row.ends_at is None
