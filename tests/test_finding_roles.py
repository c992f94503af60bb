"""Find a role: what there is, whether I have it, and whom to ask; nothing else of anybody."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from roles import ids
from roles.models import Resource, Role, RoleKind, User
from roles.services.principals import disable_person
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    OPERATOR,
    at,
    give,
    group,
    make_eligible,
    person,
    role,
    tree,
)
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """The portal is set up: Petra administers it."""


@pytest.fixture
def nodes(db: None) -> list[Resource]:
    return tree("Root", "prod-weu", "rg")


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"/tasks/roles/find/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def named(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"/tasks/roles/find/{query}")
    return [f"{one.person.name}{'' if one.now else ' after activating'}" for one in answer.context["administrators"]]


def test_a_stranger_finds_every_built_in_directory_role_and_who_administers_it(zoe: User):
    body = page(visiting(zoe), "?q=exchange")

    assert "Exchange Administrator" in body
    assert named(visiting(zoe)) == ["Petra"]
    assert "petra@example.org" in body


def test_whoever_may_become_administrator_is_named_after_those_who_are(zoe: User, adam: User, ines: User):
    make_eligible(adam, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    give(group("Administrators", ines), role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))

    assert named(visiting(zoe)) == ["Ines", "Petra", "Adam after activating"]


def test_people_disabled_are_not_named(zoe: User, paul: User):
    assert named(visiting(zoe)) == ["Paul", "Petra"]
    disable_person(paul.pk, reason="left", actor=OPERATOR, clock=at(timezone.now()))

    assert named(visiting(zoe)) == ["Petra"]


def test_nobody_learns_of_a_resource_where_they_have_nothing(zoe: User, nodes: list[Resource]):
    give(person("olga"), role(ids.OWNER), nodes[0])
    client = visiting(zoe)

    for query in ("", f"?at={nodes[0].pk}"):
        body = page(client, query)
        assert "prod-weu" not in body
        assert "Olga" not in body
        assert named(client, query) == ["Petra"]


def test_where_somebody_has_something_they_find_the_roles_and_owners_there_or_above(
    ines: User, adam: User, nodes: list[Resource]
):
    make_eligible(ines, role(ids.READER), nodes[1])
    give(person("olga"), role(ids.OWNER), nodes[0])
    give(adam, role(ids.USER_ACCESS_ADMINISTRATOR), nodes[1])
    give(person("below"), role(ids.OWNER), nodes[2])
    client = visiting(ines)

    assert named(client, f"?at={nodes[1].pk}") == ["Adam", "Olga"]
    assert "Eligible: activate it" in page(client, f"?at={nodes[1].pk}&q=reader&per_page=100")
    assert "Eligible: activate it" not in page(client, f"?at={nodes[1].pk}&q=owner")


def test_it_says_whether_i_have_a_role(ines: User):
    give(ines, role(EXCHANGE_ADMINISTRATOR), now=timezone.now())
    rows = visiting(ines).get("/tasks/roles/find/?q=exchange").context["table"].paginated_rows

    assert {row.record.name for row in rows if row.record.active} == {"Exchange Administrator"}
    assert not any(row.record.eligible for row in rows)


def test_a_custom_role_is_known_only_where_one_has_something(zoe: User, ines: User, nodes: list[Resource]):
    directory = Resource.objects.get(pk=ids.DIRECTORY)
    for kind, home in ((RoleKind.DIRECTORY, directory), (RoleKind.RESOURCE, nodes[0]), (RoleKind.RESOURCE, nodes[2])):
        Role.objects.create(kind=kind, name=f"Keeper of {home.name}", home=home)
    make_eligible(ines, role(ids.READER), nodes[1])

    assert "Keeper" not in page(visiting(zoe), "?q=keeper").split("<tbody")[-1].replace("keeper", "")
    body = page(visiting(ines), f"?q=keeper&at={nodes[1].pk}")
    assert "Keeper of Root" in body
    assert "Keeper of rg" not in body


def test_my_roles_leads_there(zoe: User):
    body = visiting(zoe).get("/tasks/roles/").content.decode()

    assert body.count('href="/tasks/roles/find/"') == 2


def test_it_asks_a_bounded_number_of_questions(
    ines: User, nodes: list[Resource], django_assert_max_num_queries: object
):
    for node in nodes:
        make_eligible(ines, role(ids.READER), node)
    for number in range(15):
        give(person(f"owner{number}", factor=False), role(ids.OWNER), nodes[0])
    client = visiting(ines)
    with django_assert_max_num_queries(30):  # type: ignore[operator]
        page(client, f"?at={nodes[2].pk}")
