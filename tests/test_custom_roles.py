"""Custom roles: who makes them, what they may be called, where they count, and that retiring gives nothing back."""

from __future__ import annotations

import pytest

from audit.kinds import Kind, Outcome
from audit.models import Event
from roles import ids
from roles.models import Assignment, EndReason, Purpose, Resource, Role, User
from roles.refusals import Refused
from roles.services.assignments import assign
from roles.services.custom_roles import add_role, change_role, definition_of, restore_role, retire_role
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    NOW,
    OPERATOR,
    acting,
    at,
    configure,
    custom_role,
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


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """The portal is set up: Petra administers it."""


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


def make_as(user: User, home: Resource, name: str = "Deployer", *, purpose: Purpose = Purpose.ASSIGN) -> Role:
    actor = acting(user, purpose, user.pk)
    return add_role(home, definition_of(name=name), actor=actor, clock=at(NOW))


def retire(what: Role, *, now=NOW) -> Role:
    return retire_role(what.pk, reason="no longer used", actor=OPERATOR, clock=at(now))


def restore(what: Role, *, now=NOW + HOUR) -> Role:
    return restore_role(what.pk, reason="used again", actor=OPERATOR, clock=at(now))


class TestMaking:
    def test_an_owner_makes_a_role_at_the_resource(self, olga, nodes):
        made = make_as(olga, nodes[1])
        assert (made.home, made.kind, made.built_in) == (nodes[1], "resource", False)
        event = Event.objects.get(kind=Kind.ROLE_ADDED)
        assert (event.role_id, event.resource_id, event.actor_id) == (made.pk, nodes[1].pk, olga.pk)
        assert event.authority_id == Assignment.objects.get(principal=olga).pk
        assert event.details["new"]["name"] == "Deployer"

    def test_an_administrator_makes_a_role_for_the_directory(self, petra):
        assert make_as(petra, directory()).kind == "directory"

    @pytest.mark.parametrize("held", [ids.USER_ACCESS_ADMINISTRATOR, ids.READER])
    def test_whoever_does_not_own_the_place_makes_none(self, zoe, nodes, held):
        give(zoe, role(held), nodes[0])
        with pytest.raises(Refused, match="not_allowed"):
            make_as(zoe, nodes[1])

    def test_nobody_makes_one_across_the_wall_or_above_their_own_place(self, petra, olga, nodes):
        for user, home in ((petra, nodes[0]), (olga, directory()), (olga, nodes[0])):
            with pytest.raises(Refused, match="not_allowed"):
                make_as(user, home)
        assert Event.objects.filter(kind=Kind.ROLE_ADDED, outcome=Outcome.REFUSED).count() == 3

    def test_it_needs_a_fresh_second_factor(self, olga, nodes):
        with pytest.raises(Refused, match="second_factor"):
            make_as(olga, nodes[1], purpose=Purpose.SETTINGS)

    def test_neither_a_unit_nor_a_group_is_a_home(self, petra):
        for home in (unit("Berlin"), group("Team").resource):
            with pytest.raises(Refused, match="wrong_place"):
                custom_role(home, "Deployer")

    def test_permissions_are_cleaned(self, nodes):
        made = custom_role(nodes[0], "Deployer", permissions=" a/read \r\n\r\n\u200b\na/read\nb/write")
        assert made.permissions == "a/read\nb/write"

    @pytest.mark.parametrize("name", ["", "  ", "\u200b", "\u2800"])
    def test_a_name_is_seen(self, nodes, name):
        with pytest.raises(Refused, match="name_missing"):
            custom_role(nodes[0], name)

    def test_a_name_is_one_line_and_not_endless(self, nodes):
        with pytest.raises(Refused, match="name_of_lines"):
            custom_role(nodes[0], "a\nb")
        with pytest.raises(Refused, match="name_too_long"):
            custom_role(nodes[0], "a" * 201)


class TestNames:
    @pytest.mark.parametrize("name", ["Owner", "OWNER", " owner ", "Ｏｗｎｅｒ"])
    def test_that_of_a_built_in_role_is_taken(self, nodes, name):
        with pytest.raises(Refused, match="name_taken"):
            custom_role(nodes[1], name)

    def test_that_of_a_role_of_the_other_world_is_free(self, nodes):
        assert custom_role(nodes[1], "Exchange Administrator").kind == "resource"

    @pytest.mark.parametrize(("first", "second"), [(0, 2), (2, 0), (1, 1)])
    def test_one_name_stands_once_on_a_branch(self, nodes, first, second):
        custom_role(nodes[first], "Straßenmeister")
        with pytest.raises(Refused, match="name_taken") as refused:
            custom_role(nodes[second], "STRASSENMEISTER")
        assert nodes[first].name not in refused.value.sentence

    @pytest.mark.parametrize("name", ["発行者", "Издатель", "ناشر", "Éditeur"])
    def test_two_branches_may_use_the_same_name_in_any_script(self, nodes, name):
        other = tree("Other")[0]
        assert custom_role(nodes[0], name).name == custom_role(other, name).name == name

    def test_a_retired_role_keeps_its_name(self, nodes):
        retire(custom_role(nodes[0], "Deployer"))
        with pytest.raises(Refused, match="name_taken"):
            custom_role(nodes[1], "deployer")


class TestChanging:
    def test_old_and_new_stand_in_the_history(self, olga, nodes):
        made = make_as(olga, nodes[1])
        actor = acting(olga, Purpose.ASSIGN, made.pk)
        change_role(made.pk, definition_of(name="Releaser"), actor=actor, clock=at(NOW))
        made.refresh_from_db()
        assert (made.name, made.name_key) == ("Releaser", "releaser")
        details = Event.objects.get(kind=Kind.ROLE_CHANGED).details
        assert (details["old"]["name"], details["new"]["name"]) == ("Deployer", "Releaser")

    def test_only_the_owner_of_its_home_changes_or_retires_it(self, olga, nodes):
        above = custom_role(nodes[0], "Deployer")
        actor = acting(olga, Purpose.ASSIGN, above.pk)
        with pytest.raises(Refused, match="not_allowed"):
            change_role(above.pk, definition_of(name="Mine"), actor=actor, clock=at(NOW))
        with pytest.raises(Refused, match="not_allowed"):
            retire_role(above.pk, actor=actor, clock=at(NOW))
        with pytest.raises(Refused, match="not_allowed"):
            restore_role(above.pk, actor=actor, clock=at(NOW))

    def test_a_built_in_role_is_neither_changed_nor_retired(self, petra):
        for actor in (OPERATOR, acting(petra, Purpose.ASSIGN, EXCHANGE_ADMINISTRATOR)):
            with pytest.raises(Refused, match="built_in"):
                change_role(EXCHANGE_ADMINISTRATOR, definition_of(name="Mine"), actor=actor, clock=at(NOW))
            with pytest.raises(Refused, match="built_in"):
                retire_role(EXCHANGE_ADMINISTRATOR, actor=actor, clock=at(NOW))


class TestWhereItCounts:
    def test_it_is_assigned_at_its_home_and_below_only(self, ines, nodes):
        other, made = tree("Other")[0], custom_role(nodes[1], "Deployer")
        give(ines, made, nodes[1])
        give(ines, made, nodes[2])
        for elsewhere in (nodes[0], other):
            with pytest.raises(Refused, match="wrong_home") as refused:
                give(ines, made, elsewhere)
            assert "Deployer" not in refused.value.sentence

    def test_it_has_settings_at_its_home_and_below_only(self, nodes):
        other, made = tree("Other")[0], custom_role(nodes[1], "Deployer")
        configure(made, nodes[2], ticket_required=True)
        for elsewhere in (nodes[0], other):
            with pytest.raises(Refused, match="wrong_place") as refused:
                configure(made, elsewhere, ticket_required=True)
            assert "Deployer" not in refused.value.sentence


class TestRetiring:
    def test_everybody_loses_it_at_once_and_for_good(self, ines, adam, berta, nodes):
        made = custom_role(nodes[0], "Deployer")
        eligibility = make_eligible(ines, made, nodes[1])
        activation = request_activation(ines, eligibility).outcome
        rows = [eligibility, activation, give(adam, made, nodes[0])]
        rows.append(give(berta, made, nodes[1], starts_at=NOW + DAY, ends_at=NOW + 2 * DAY))
        retire(made)
        for row in rows:
            row.refresh_from_db()
        assert {row.end_reason for row in rows} == {EndReason.RETIRED}
        assert Event.objects.get(kind=Kind.ROLE_RETIRED).details["ended"] == 4
        restore(made)
        assert not Assignment.objects.filter(role=made).in_effect(NOW + 2 * HOUR).exists()
        assert not Assignment.objects.filter(role=made).open().exists()

    def test_what_was_over_before_stays_expired(self, ines, nodes):
        made = custom_role(nodes[0], "Deployer")
        row = give(ines, made, nodes[0], ends_at=NOW - HOUR)
        retire(made)
        row.refresh_from_db()
        assert (row.end_reason, row.ended_at) == (EndReason.EXPIRED, NOW - HOUR)

    def test_what_slipped_in_meanwhile_does_not_come_to_life(self, ines, nodes):
        made = custom_role(nodes[0], "Deployer")
        row = give(ines, made, nodes[0])
        # As if it had been given by a transaction that the one of retiring did not see.
        Role.objects.filter(pk=made.pk).update(retired_at=NOW)
        restore(made)
        row.refresh_from_db()
        assert row.end_reason == EndReason.RETIRED

    def test_a_retired_role_is_not_assigned_until_it_is_restored(self, ines, nodes):
        made = retire(custom_role(nodes[0], "Deployer"))
        given = {"resource": nodes[0], "type": "active", "reason": "x", "actor": OPERATOR}
        with pytest.raises(Refused, match="retired"):
            assign(ines.pk, role=made, clock=at(NOW + HOUR), **given)
        restore(made)
        assign(ines.pk, role=made, clock=at(NOW + 2 * HOUR), **given)

    def test_it_is_retired_once_and_restored_once(self, nodes):
        made = custom_role(nodes[0], "Deployer")
        with pytest.raises(Refused, match="not_retired"):
            restore(made)
        retire(made)
        with pytest.raises(Refused, match="already_retired"):
            retire(made)
