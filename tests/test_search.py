"""The search in the top bar: what the viewer may see, and nothing else."""

from __future__ import annotations

import re
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from roles import ids
from roles.models import Resource, Role, RoleKind, User
from tests.people import EXCHANGE_ADMINISTRATOR, custom_role, give, group, make_eligible, person, role, tree, unit
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """The portal is set up: Petra administers it."""


@pytest.fixture
def olga(db: None) -> User:
    """Owner of the resource root."""
    root, *_below = tree("Northwind", "prod-north", "rg-Ünion")
    owner = person("olga")
    give(owner, role(ids.OWNER), root, now=timezone.now())
    return owner


@pytest.fixture
def northern(olga: User) -> None:
    """Something of each kind that is called north."""
    person("norma", name="Norma North")
    group("North team")
    unit("Northern office")


def found(client: Client, query: str) -> list[str]:
    """The names of what a search shows, in their order."""
    page = client.get("/search/", {"q": query})
    assert page.status_code == 200
    return [hit.name for one in page.context["found"] for hit in one.hits]


def test_a_directory_administrator_finds_people_groups_and_units_and_no_resource(northern: None, petra: User):
    assert found(visiting(petra), "north") == ["Northern office", "Norma North", "North team"]


def test_an_owner_finds_resources_and_nothing_of_the_directory(northern: None, olga: User):
    page = visiting(olga).get("/search/", {"q": "north"})
    assert {str(one.label) for one in page.context["found"]} == {"My roles", "Resources"}
    assert "Norma" not in page.content.decode()
    assert "Northern" not in page.content.decode()


def test_a_stranger_finds_nothing(northern: None, zoe: User):
    assert found(visiting(zoe), "north") == []
    assert found(visiting(zoe), "administrator") == []


def test_somebody_without_sight_finds_only_their_own_roles_and_places(northern: None, ines: User):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    make_eligible(ines, role(ids.READER), _node("prod-north"))
    client = visiting(ines)

    assert found(client, "administrator") == ["Exchange Administrator"]
    page = client.get("/search/", {"q": "north"})
    (own,) = page.context["found"]
    assert [hit.sub for hit in own.hits] == ["prod-north"]
    assert client.get(own.hits[0].url).status_code == 200


def test_a_role_held_twice_at_a_place_is_one_line(ines: User):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    give(ines, role(EXCHANGE_ADMINISTRATOR), now=timezone.now())

    assert found(visiting(ines), "exchange") == ["Exchange Administrator"]


def test_a_custom_role_is_found_by_whoever_looks_at_its_home_or_below(olga: User, ines: User):
    for name, at in (("Keeper of the North", "Northwind"), ("Keeper of the Union", "rg-Ünion")):
        Role.objects.create(kind=RoleKind.RESOURCE, name=name, home=_node(at))
    give(ines, role(ids.READER), _node("prod-north"), now=timezone.now())
    rita = person("rita")
    give(rita, role(ids.READER), tree("Elsewhere")[0], now=timezone.now())

    assert found(visiting(olga), "keeper") == ["Keeper of the North", "Keeper of the Union"]
    assert found(visiting(ines), "keeper") == ["Keeper of the North", "Keeper of the Union"]
    assert found(visiting(rita), "keeper") == []


def test_a_custom_role_leads_to_where_its_reader_may_see_it_also_of_the_second_tree(olga: User):
    west, below = tree("Westwind", "prod-west")
    custom_role(west, "Sailmaker")
    custom_role(Resource.objects.get(name="Northwind"), "Ropemaker")
    give(olga, role(ids.OWNER), below, now=timezone.now())
    client = visiting(olga)
    for name in ("Sailmaker", "Ropemaker"):
        (hit,) = [hit for one in client.get("/search/", {"q": name}).context["found"] for hit in one.hits]
        assert client.get(hit.url).status_code == 200


def test_a_retired_role_is_not_found(petra: User):
    Role.objects.filter(name="Exchange Administrator").update(retired_at=timezone.now())

    assert "Exchange Administrator" not in found(visiting(petra), "exchange")


def test_every_word_must_match_in_any_order_and_any_case(petra: User):
    person("norma", name="Norma Łukasz-Süd", email="n@example.org")
    client = visiting(petra)

    assert found(client, "SÜD norma") == ["Norma Łukasz-Süd"]
    assert found(client, "norma east") == []


def test_an_exact_user_name_comes_first(petra: User):
    person("ann", name="Zed Last")
    person("anna", name="Ann Abel")

    assert found(visiting(petra), "ann") == ["Zed Last", "Ann Abel"]


def test_an_exact_id_finds_what_it_names_and_only_for_whoever_may_see_it(olga: User, petra: User):
    node = _node("prod-north")

    assert found(visiting(olga), str(node.pk))[0] == "prod-north"  # then what lies below: its id is in their scopes
    assert found(visiting(olga), node.scope_path)[0] == "prod-north"
    assert found(visiting(petra), str(node.pk)) == []
    assert found(visiting(petra), str(olga.pk)) == ["Olga"]
    assert found(visiting(petra), str(uuid.uuid4())) == []


@pytest.mark.parametrize("query", ["", "   ", "x", "%00", "\x00ab", "a " * 20, "x" * 200, "%_", "'\";--"])
def test_a_query_that_finds_nothing_is_no_error(query: str, petra: User):
    assert found(visiting(petra), query) == []


def test_a_query_too_short_says_what_to_do(petra: User):
    page = visiting(petra).get("/search/?q=x").content.decode()

    assert "Type at least two characters." in page


def test_there_is_a_count_and_a_link_to_the_rest(petra: User):
    for number in range(9):
        person(f"norm{number}", factor=False)
    client = visiting(petra)
    (people,) = client.get("/search/?q=norm").context["found"]

    assert (len(people.hits), people.count) == (6, "9")
    assert client.get(people.more).content.decode().count("norm") >= 9


def test_every_link_of_a_result_opens(northern: None, petra: User, olga: User, nina: User):
    for viewer in (petra, olga, nina):
        client = visiting(viewer)
        for query in ("north", "administrator", "owner"):
            for one in client.get("/search/", {"q": query}).context["found"]:
                for url in [hit.url for hit in one.hits] + [one.more] * bool(one.more):
                    assert client.get(url).status_code == 200, (viewer, url)


def test_much_is_found_with_as_many_queries_as_little(
    petra: User, django_assert_max_num_queries: object, northern: None
):
    client = visiting(petra)
    for number in range(30):
        person(f"admin{number}", factor=False)
        group(f"Admin group {number}")
    with django_assert_max_num_queries(40):  # type: ignore[operator]
        client.get("/search/?q=admin")


def test_the_top_bar_has_a_labelled_search_on_every_page(zoe: User):
    page = visiting(zoe).get("/").content.decode()

    assert re.search(r'<form class="find" method="get" action="/search/" role="search"', page)
    assert 'aria-label="Search roles, resources, people"' in page


def _node(name: str) -> Resource:
    found: Resource = Resource.objects.get(name=name)
    return found
