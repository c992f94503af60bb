"""The pages of roles at a place: what they list and count, and that no branch shows another's roles."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from roles import ids
from roles.models import Assignment, Resource, Role, StepUp, User
from roles.places import address
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    MINUTE,
    configure,
    custom_role,
    directory,
    give,
    make_eligible,
    person,
    role,
    tree,
    unit,
)
from tests.stepping import give_step_up
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """The portal is set up: Petra administers it."""


@pytest.fixture
def nodes(db: None) -> list[Resource]:
    return tree("Hidden root", "prod", "rg")


@pytest.fixture
def olga(nodes: list[Resource]) -> User:
    """Owner of the subscription; what is above it she does not see."""
    user = person("olga")
    give(user, role(ids.OWNER), nodes[1])
    return user


def rows_of(user: User, place: Resource, **query: str) -> list[Role]:
    answer = visiting(user).get(address(place, "roles"), query)
    assert answer.status_code == 200
    return [row.record for row in answer.context["table"].page.object_list]


def names(rows: list[Role]) -> list[str]:
    return [row.name for row in rows]


def page(user: User, place: Resource, what: Role) -> str:
    answer = visiting(user).get(address(place, "role", pk=what.pk))
    assert answer.status_code == 200
    return str(answer.content.decode())


class TestTheList:
    def test_it_counts_who_holds_a_role_here_and_from_above(self, olga, ines, adam, nodes):
        give(ines, role(ids.READER), nodes[0])
        give(adam, role(ids.READER), nodes[1])
        make_eligible(adam, role(ids.READER), nodes[0])
        give(adam, role(ids.READER), nodes[2])
        row: Any = rows_of(olga, nodes[1], in_use="yes", q="reader")[0]
        assert (row.active_count, row.eligible_count) == (2, 1)
        assert (row.holders.active_inherited, row.holders.eligible_inherited) == (1, 1)

    def test_it_sorts_by_how_many_hold_a_role(self, petra, paul):
        assert names(rows_of(petra, directory(), sort="-active"))[0] == "Privileged Role Administrator"

    def test_it_says_where_settings_were_changed_but_no_hidden_name(self, olga, nodes):
        configure(role(ids.READER), nodes[0], ticket_required=True)
        assert names(rows_of(olga, nodes[1], settings="yes")) == ["Reader"]
        body = visiting(olga).get(address(nodes[1], "roles"), {"settings": "yes"}).content.decode()
        assert "from above" in body
        assert address(nodes[0], "roles") not in body

    def test_settings_set_to_the_default_are_not_changed(self, petra):
        configure(role(EXCHANGE_ADMINISTRATOR), ticket_required=True)
        assert names(rows_of(petra, directory(), settings="yes")) == ["Exchange Administrator"]
        configure(role(EXCHANGE_ADMINISTRATOR), ticket_required=False)
        assert rows_of(petra, directory(), settings="yes") == []

    def test_filters(self, olga, nodes):
        made = custom_role(nodes[1], "Deployer", category="Delivery", privileged=True)
        assert names(rows_of(olga, nodes[1], made="custom")) == ["Deployer"]
        assert names(rows_of(olga, nodes[1], category="Delivery")) == ["Deployer"]
        assert "Deployer" in names(rows_of(olga, nodes[1], privileged="yes"))
        assert rows_of(olga, nodes[1], made="retired") == []
        Role.objects.filter(pk=made.pk).update(retired_at=timezone.now())
        assert names(rows_of(olga, nodes[1], made="retired")) == ["Deployer"]

    def test_it_asks_the_database_as_often_for_500_roles_as_for_few(self, olga, nodes):
        client, url = visiting(olga), address(nodes[1], "roles") + "?per_page=100"
        client.get(url)
        with CaptureQueriesContext(
            connection,
        ) as few:
            client.get(url)
        Role.objects.bulk_create(
            Role(kind="resource", name=f"A{n}", name_key=f"a{n}", home=nodes[1]) for n in range(500)
        )
        now = timezone.now()
        Assignment.objects.bulk_create(
            Assignment(principal=olga, role=one, resource=nodes[1], type="active", starts_at=now, created_at=now)
            for one in Role.objects.filter(home=nodes[1])
        )
        with CaptureQueriesContext(connection) as many:
            client.get(url)
        assert len(many) <= len(few) < 25


class TestIsolation:
    def test_a_role_is_shown_at_its_home_and_below_only(self, olga, nodes):
        other = tree("Other")[0]
        made = custom_role(nodes[1], "Deployer")
        give(olga, role(ids.OWNER), other)
        assert names(rows_of(olga, nodes[1], made="custom")) == names(rows_of(olga, nodes[2], made="custom"))
        assert rows_of(olga, other, made="custom") == []
        assert visiting(olga).get(address(other, "role", pk=made.pk)).status_code == 404

    def test_neither_world_shows_roles_of_the_other(self, petra, olga, nodes):
        custom_role(nodes[1], "Deployer", category="Delivery")
        assert rows_of(petra, directory(), q="deployer") == []
        assert "Delivery" not in visiting(petra).get(address(directory(), "roles")).content.decode()
        assert rows_of(olga, nodes[1], q="exchange") == []
        assert visiting(petra).get(address(directory(), "role", pk=ids.OWNER)).status_code == 404

    def test_the_home_above_is_not_named_to_who_does_not_see_it(self, olga, nodes):
        body = page(olga, nodes[1], custom_role(nodes[0], "Deployer"))
        assert "made above this place" in body
        assert address(nodes[0], "roles") not in body

    def test_the_history_of_a_role_elsewhere_is_not_told(self, petra, ines):
        berlin = unit("Berlin")
        give(ines, role(EXCHANGE_ADMINISTRATOR))
        assert "Nothing happened to this role here yet" in page(petra, berlin, role(EXCHANGE_ADMINISTRATOR))
        assert "Ines" in page(petra, directory(), role(EXCHANGE_ADMINISTRATOR))


def verified(user: User) -> Client:
    """A client of somebody who gave their second factor at sign-in a minute ago, by the clock of the views."""
    client, now = visiting(user), timezone.now()
    row = give_step_up(client, user)
    StepUp.objects.filter(pk=row.pk).update(verified_at=now - MINUTE, until=now + 4 * MINUTE)
    return client


class TestTheForms:
    def test_a_role_is_made_changed_retired_and_restored(self, olga, nodes):
        answer = verified(olga).post(
            address(nodes[1], "role_add"), {"name": "発行者", "permissions": "a/read\n\nb/write"}
        )
        made = Role.objects.get(name="発行者")
        assert answer["Location"] == address(nodes[1], "role", pk=made.pk)
        for page_name, given in (
            ("role_change", {"name": "Издатель"}),
            ("role_retire", {"reason": "unused"}),
            ("role_restore", {"reason": "used"}),
        ):
            # Each act spends its step-up; a new sign-in brings a new one.
            answer = verified(olga).post(address(nodes[1], page_name, pk=made.pk), given)
            assert answer.status_code == 302, page_name
        made.refresh_from_db()
        assert (made.name, made.retired_at) == ("Издатель", None)

    def test_what_is_over_by_the_clock_does_not_end_with_the_role(self, olga, nodes, ines):
        made, now = custom_role(nodes[1], "Deployer"), timezone.now()
        give(ines, made, nodes[1], starts_at=now - 3 * DAY, ends_at=now - DAY, now=now - 2 * DAY)
        assert "Nobody holds it." in visiting(olga).get(address(nodes[1], "role_retire", pk=made.pk)).content.decode()

    def test_a_refusal_keeps_what_was_typed(self, olga, nodes):
        answer = verified(olga).post(address(nodes[1], "role_add"), {"name": "Owner"})
        assert answer.status_code == 422
        assert "Another role that can be assigned here has this name." in answer.content.decode()

    def test_a_role_from_above_or_built_in_has_no_forms_here(self, olga, nodes):
        client = visiting(olga)
        for what in (custom_role(nodes[0], "Deployer"), role(ids.READER)):
            for page_name in ("role_change", "role_retire", "role_restore"):
                assert client.get(address(nodes[1], page_name, pk=what.pk)).status_code == 404
