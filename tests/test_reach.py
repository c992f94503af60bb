"""Who can do what at a place: every way that leads there, and only what the viewer may see."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from roles import ids
from roles.models import Assignment, Group, Resource, User
from roles.selectors.reach import reaches, reaching
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    NOW,
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
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """The portal is set up: Petra administers it."""


@pytest.fixture
def nodes(db: None) -> list[Resource]:
    """A root, a subscription and a resource group."""
    return tree("Root", "prod", "rg")


@pytest.fixture
def team(ines: User, adam: User) -> Group:
    return group("Team", ines, adam)


def told(place: Resource) -> list[str]:
    """The list of a place in short: who, what, when, through what."""
    rows = list(reaching(place, NOW))
    return [
        " ".join(
            filter(
                None,
                (
                    one.person.name,
                    row.role.name,
                    "now" if one.now else "after approval" if one.approval else "after",
                    f"through {one.group.name}" if one.group else "",
                    f"from {one.above.name}" if one.above else "",
                ),
            )
        )
        for row, one in zip(rows, reaches(rows, place), strict=True)
    ]


def test_somebody_active_has_it_now_and_somebody_eligible_after_activation(ines: User, adam: User):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    give(adam, role(EXCHANGE_ADMINISTRATOR))

    assert told(directory()) == [
        "Adam Exchange Administrator now",
        "Ines Exchange Administrator after",
        "Petra Privileged Role Administrator now",
    ]


def test_a_role_that_needs_approval_says_so(with_approval: Assignment):
    assert "Ines Exchange Administrator after approval" in told(directory())


def test_what_a_group_holds_stands_once_for_each_member(team: Group, nodes: list[Resource]):
    give(team, role(ids.READER), nodes[1])

    assert told(nodes[1]) == ["Adam Reader now through Team", "Ines Reader now through Team"]


def test_what_a_group_is_eligible_for_is_its_members_after_activation(team: Group, nodes: list[Resource]):
    make_eligible(team, role(ids.READER), nodes[1])

    assert told(nodes[1]) == ["Adam Reader after through Team", "Ines Reader after through Team"]


def test_whoever_may_join_a_group_has_its_roles_after_activation(zoe: User, nodes: list[Resource]):
    team = group("Team")
    give(team, role(ids.READER), nodes[1])
    make_eligible(zoe, role(ids.GROUP_MEMBER), team.resource)

    assert told(nodes[1]) == ["Zoe Reader after through Team"]


def test_an_owner_of_a_group_does_not_hold_its_roles(zoe: User, nodes: list[Resource]):
    team = group("Team")
    give(team, role(ids.READER), nodes[1])
    give(zoe, role(ids.GROUP_OWNER), team.resource)

    assert told(nodes[1]) == []


def test_what_is_held_above_is_inherited_and_what_is_held_below_is_not_told(
    ines: User, adam: User, nodes: list[Resource]
):
    give(ines, role(ids.OWNER), nodes[0])
    give(adam, role(ids.OWNER), nodes[2])

    assert told(nodes[1]) == ["Ines Owner now from Root"]
    assert told(nodes[2]) == ["Adam Owner now", "Ines Owner now from Root"]


def test_the_directory_reaches_into_a_unit_and_a_unit_not_into_another(ines: User, adam: User):
    berlin, lagos = unit("Berlin"), unit("Lagos")
    give(ines, role(EXCHANGE_ADMINISTRATOR), berlin)
    give(adam, role(EXCHANGE_ADMINISTRATOR), lagos)

    assert told(berlin) == [
        "Ines Exchange Administrator now",
        "Petra Privileged Role Administrator now from Directory",
    ]


def test_an_activation_from_a_group_says_the_group(team: Group, ines: User):
    eligibility = make_eligible(team, role(EXCHANGE_ADMINISTRATOR))
    request_activation(ines, eligibility, now=NOW - HOUR / 2)

    assert "Ines Exchange Administrator now through Team" in told(directory())
    assert "Ines Exchange Administrator after through Team" in told(directory())


@pytest.mark.parametrize("how", ["over", "not begun", "disabled", "retired"])
def test_what_is_not_in_effect_is_not_told(how: str, ines: User, nodes: list[Resource]):
    times = {"over": {"ends_at": NOW - DAY}, "not begun": {"starts_at": NOW + DAY}}.get(how, {})
    give(ines, role(ids.READER), nodes[1], **times)
    if how == "disabled":
        User.objects.filter(pk=ines.pk).update(enabled=False)
    if how == "retired":
        Resource.objects.filter(pk=nodes[0].pk).update(retired_at=NOW - DAY)

    assert told(nodes[1]) == []


def test_the_end_is_the_first_of_the_membership_and_the_assignment(zoe: User, nodes: list[Resource]):
    team = group("Team")
    give(team, role(ids.READER), nodes[1], ends_at=NOW + 9 * DAY)
    give(zoe, role(ids.GROUP_MEMBER), team.resource, starts_at=NOW - DAY, ends_at=NOW + 2 * DAY)
    rows = list(reaching(nodes[1], NOW))

    (one,) = reaches(rows, nodes[1])
    assert (one.since, one.until) == (NOW - DAY, NOW + 2 * DAY)


# The page


@pytest.fixture
def olga(nodes: list[Resource]) -> User:
    owner = person("olga")
    give(owner, role(ids.OWNER), nodes[1], now=timezone.now())
    return owner


def page(client: Client, place: Resource, query: str = "") -> str:
    answer = client.get(f"/manage/resources/{place.pk}/reach/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_owner_sees_what_is_inherited_and_not_the_name_of_a_place_out_of_their_sight(
    olga: User, ines: User, nodes: list[Resource]
):
    give(ines, role(ids.READER), nodes[0], now=timezone.now())
    body = page(visiting(olga), nodes[1])

    assert "Ines" in body
    assert "Inherited from above" in body
    assert "Root" not in body
    assert str(nodes[0].pk) not in body
    assert str(ines.pk) not in body


def test_the_list_is_narrowed_by_person_role_when_and_how(olga: User, team: Group, nodes: list[Resource]):
    berta = person("berta")
    now = timezone.now()
    give(team, role(ids.READER), nodes[1], now=now)
    make_eligible(berta, role(ids.OWNER), nodes[0], now=now)
    client = visiting(olga)

    def shown(query: str) -> set[str]:
        body = page(client, nodes[1], query).split("<tbody", 1)[-1]
        return {name for name in ("Ines", "Adam", "Berta", "Olga") if f"<b>{name}</b>" in body}

    assert shown("") == {"Ines", "Adam", "Berta", "Olga"}
    assert shown("?q=ines") == {"Ines"}
    assert shown("?q=owner") == {"Berta", "Olga"}
    assert shown("?q=owner+olga") == {"Olga"}
    assert shown("?when=after") == {"Berta"}
    assert shown("?when=now") == {"Ines", "Adam", "Olga"}
    assert shown("?how=group") == {"Ines", "Adam"}
    assert shown("?how=inherited") == {"Berta"}
    assert shown("?how=direct") == {"Olga"}
    for sort in ("person", "-person", "role", "when", "until", "-until"):
        assert shown(f"?sort={sort}") == {"Ines", "Adam", "Berta", "Olga"}


def test_much_is_told_with_as_many_queries_as_little(
    olga: User, nodes: list[Resource], django_assert_max_num_queries: object
):
    for number in range(20):
        give(person(f"p{number}", factor=False), role(ids.READER), nodes[1], now=timezone.now())
        give(group(f"g{number}", User.objects.get(username=f"p{number}")), role(ids.READER), nodes[0])
    client = visiting(olga)
    with django_assert_max_num_queries(30):  # type: ignore[operator]
        page(client, nodes[1])


def test_it_tells_everybody_whom_a_role_reaches_and_nobody_else(team: Group, ines: User, nodes: list[Resource]):
    """The list says the same as asking for each person."""
    give(team, role(ids.READER), nodes[0])
    make_eligible(ines, role(ids.OWNER), nodes[1])
    rows = list(reaching(nodes[1], NOW))
    asked = {
        (user.pk, one.pk)
        for user in User.objects.all()
        for one in Assignment.objects.in_effect(NOW).of(user.pk, NOW).filter(resource__in=nodes[:2])
    }

    assert {(one.person.pk, row.pk) for row, one in zip(rows, reaches(rows, nodes[1]), strict=True)} == asked
    assert len(asked) == 3


@pytest.mark.parametrize(("sort", "apart"), [("", 2), ("&sort=person", 2), ("&sort=-person", 2), ("&sort=-role", 1)])
def test_a_download_in_parts_has_every_row_once_in_the_order_of_the_list(
    olga: User, ines: User, team: Group, nodes: list[Resource], monkeypatch: pytest.MonkeyPatch, sort: str, apart: int
):
    """The two rows of the team stand apart in most of them: Ines has a role of her own."""
    monkeypatch.setattr("roles.lists.DOWNLOAD_PART", 1)
    give(team, role(ids.READER), nodes[1], now=timezone.now())
    give(ines, role(ids.OWNER), nodes[1], now=timezone.now())
    path = f"/manage/resources/{nodes[1].pk}/reach/?{sort}"
    shown: Any = visiting(olga).get(path)
    answer: Any = visiting(olga).get(f"{path}&download=csv")
    lines = b"".join(answer.streaming_content).decode().splitlines()[1:]

    assert len(lines) == 4
    rows = [row.record for row in shown.context["table"].paginated_rows]
    named = [(line.split(";")[0], line.split(",")[1].split(";")[0]) for line in lines]
    assert named == [(row.reach.person.name, row.role.name) for row in rows]
    assert abs(named.index(("Adam", "Reader")) - named.index(("Ines", "Reader"))) == apart
