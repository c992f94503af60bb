"""A list that is walked shows what a plain query would: the same rows, once each, in the same order, on all pages."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from itertools import islice, product
from typing import Any

import pytest
import time_machine
from django.urls import get_resolver

from pim_portal.overview.selectors import lists
from roles import ids
from roles.models import Assignment, AssignmentType, Principal, Resource, Role, User
from roles.places import address
from roles.selectors.assignment_lists import LISTS
from tests.people import (
    DAY,
    HOUR,
    NOW,
    custom_role,
    directory,
    give,
    group,
    person,
    role,
    tree,
    unit,
)
from tests.stepping import verified

pytestmark = pytest.mark.slow

SEEDS = (1, pytest.param(2, marks=pytest.mark.long))
PAGE, FEW = 4, 5  # rows of a page, and of a list that is not long


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(params=[(0, 1), (200, 4)], ids=["named by a query", "named by keys"])
def small(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a list of a few rows be long, and next to nothing looked at at once."""
    names, at_once = request.param
    _ = get_resolver().url_patterns  # all is imported by now: a module would else take these numbers for good
    for where in ("roles.list_rows", "roles.views.reach", "roles.views.assignments"):
        monkeypatch.setattr(f"{where}.MOST_COUNTED", FEW)
    monkeypatch.setattr("roles.list_rows.SIZES", (PAGE,))
    monkeypatch.setattr("roles.lists.ListPaginator.SIZES", (PAGE, 50))
    monkeypatch.setattr("roles.lists.DOWNLOAD_PART", 5)
    monkeypatch.setattr("roles.tallies.MUCH", 1)
    for name in ("walking.AT_FIRST", "walking.AT_ONCE", "reach_walks.AT_FIRST"):
        monkeypatch.setattr(f"roles.selectors.{name}", at_once)
    for module in ("keys", "reach"):
        monkeypatch.setattr(f"roles.selectors.{module}.FEW_NAMES", names)
    monkeypatch.setattr("roles.selectors.reach_walks.FEW_PEOPLE", at_once)


NAMES = ["Anna", "anna", "ANNA Exchange", "Ärne", "Bert 100%", "b_rt", "Reader Ruth", "Zoë", "x", "Cleo", "cleo"]


class World:
    """Some people and groups, and what they were given at random at nested places."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.sales = unit("Sales")
        self.root, self.subscription, self.vaults, *_ = tree("Contoso", "Reader 100%", "Vaults", "Safe")
        self.elsewhere = tree("Elsewhere")[0]
        self.people = [person(f"p{number}", name=name, factor=False) for number, name in enumerate(NAMES)]
        self.groups = [group(name) for name in ("Team Anna", "team_exchange", "Nobody's")]
        self.given: list[Assignment] = []
        for team in self.groups[:2]:
            self.give(team.resource, 14, [ids.GROUP_MEMBER], self.people)
        self.give(directory(), 14, [ids.USER_ADMINISTRATOR, ids.SECURITY_READER, ids.GLOBAL_READER])
        self.give(self.sales, 10, [ids.USER_ADMINISTRATOR])
        own = custom_role(self.root, "Anna's 100% reader").pk
        retired = custom_role(self.root, "Gone").pk
        for place, count in ((self.root, 12), (self.subscription, 10), (self.vaults, 10), (self.elsewhere, 6)):
            roles = [ids.OWNER, ids.READER]
            self.give(place, count, roles if place is self.elsewhere else [*roles, own, retired])
        self.activate()
        Principal.objects.filter(pk__in=[self.people[3].pk]).update(enabled=False)
        Role.objects.filter(pk=retired).update(retired_at=NOW - HOUR)

    def span(self) -> dict[str, Any]:
        """Begun on one of few days, so that many begin together; for ever, until later, until just now, or later."""
        dice = self.dice
        starts_at = NOW - dice.choice([2, 2, 3, 5]) * DAY
        if dice.random() < 0.1:
            starts_at = NOW + dice.choice([1, 2]) * DAY
        ends_at = starts_at + dice.choice([10, 20]) * DAY if dice.random() < 0.5 else None
        if starts_at < NOW and dice.random() < 0.2:
            ends_at = NOW - dice.choice([0, 1, 1]) * DAY
        return {"starts_at": starts_at, "ends_at": ends_at}

    def give(self, place: Resource, count: int, roles: list[Any], among: Any = ()) -> None:
        """Rows as they stand in the database: what a rule refuses today may have been given before it."""
        taken = set()
        for _ in range(count):
            what, type = self.dice.choice(roles), self.dice.choice(AssignmentType.values)
            who = self.dice.choice(among or [*self.people, *self.groups, *self.groups])
            if (who.pk, what, type) in taken:
                continue
            taken.add((who.pk, what, type))
            row = Assignment(principal_id=who.pk, role_id=what, resource=place, type=type, created_at=NOW - 9 * DAY)
            span = self.span()
            row.starts_at, row.ends_at = span["starts_at"], span["ends_at"]
            if row.starts_at < NOW and self.dice.random() < 0.1:
                row.ended_at, row.end_reason = NOW - DAY, "removed"
            row.save()
            self.given.append(row)

    def activate(self) -> None:
        """Activations of what somebody is eligible for, there or below, directly or through a group."""
        below = {self.root.pk: [self.root, self.subscription, self.vaults], self.subscription.pk: [self.vaults]}
        members = Assignment.objects.memberships(NOW).values_list("resource__group", "principal")
        for row in list(self.given):
            if row.type != AssignmentType.ELIGIBLE or self.dice.random() < 0.3:
                continue
            people = [member for held, member in members if held == row.principal_id] or [row.principal_id]
            who = self.dice.choice(people)
            if not User.objects.filter(pk=who).exists():
                continue
            where = self.dice.choice(below.get(row.resource_id, [row.resource]))
            Assignment.objects.create(
                principal_id=who,
                role_id=row.role_id,
                resource=where,
                type="active",
                activated_from=row,
                starts_at=NOW - self.dice.choice([1, 1, 2]) * HOUR,
                ends_at=NOW + HOUR,
                created_at=NOW - HOUR,
            )


def rows_shown(client: Any, where: str, query: str) -> tuple[list[Any], Any]:
    """The keys of the rows of all pages, and what the last one was made of."""
    found: list[Any] = []
    for number in range(1, 50):
        page = f"&page={number}" if number > 1 else ""  # as it is opened from elsewhere
        answer = client.get(f"{where}?per_page={PAGE}{page}&{query}")
        assert answer.status_code == 200, query
        shown = answer.context["table"].page
        keys = [key_of(row.record) for row in shown.object_list]
        assert len(keys) == PAGE or not shown.has_next(), f"{where}?{query}"
        found += keys
        if not shown.has_next():
            return found, answer.context
    raise AssertionError("The list never ends.")


def key_of(row: Any) -> tuple[Any, ...]:
    return row.pk, getattr(row, "membership_id", None)


def plain(context: Any, query: str) -> list[tuple[Any, ...]]:
    """The keys as one plain query of the view has them."""
    view, rows = context["view"], context["table"].data.data
    keys = list(rows.values_list(*view.identity))
    if len(keys) > FEW and "sort=" not in query and view.walking:
        keys = list(rows.order_by(*view.walking).values_list(*view.identity))
    return [(pk, rest[0] if rest else None) for pk, *rest in keys]


def check(client: Any, where: str, query: str) -> int:
    """Compare a list with the plain one, and the number of lines of its file; return how many rows there are."""
    shown, context = rows_shown(client, where, query)
    wanted = plain(context, query)
    assert sorted(shown, key=str) == sorted(wanted, key=str), f"{where}?{query}"
    assert shown == wanted, f"{where}?{query}"
    file = client.get(f"{where}?download=csv&{query}")
    lines = list(csv.reader(b"".join(file.streaming_content).decode().splitlines()))
    assert len(lines) == 1 + len(wanted), f"{where}?{query}"
    return len(wanted)


SEARCHES = ["q=anna", "q=a", "q=an+re", "q=%25", "q=_", "q=100%25", "q=ÄR", "q=reader", "q=nothing-like-it"]
DURATIONS = ["duration=permanent", "duration=time_bound"]
HOLDERS = ["holder=user", "holder=group"]
NARROWED = ["state=activated", "type=active", f"role={ids.READER}", f"role={ids.USER_ADMINISTRATOR}"]
MANY = 12


def sorted_by(*columns: str) -> list[str]:
    return [f"sort={sign}{one}" for one in columns for sign in ("", "-")]


def some(dice: random.Random, *choices: list[str]) -> Iterator[str]:
    """Yield query strings of one or none of each of these choices: first nothing, then ever more of them."""
    for number in range(MANY):
        asked = [dice.choice(one) for one in choices if dice.random() < number / MANY]
        yield "&".join(one for one in asked if one)


@pytest.fixture
def world(petra: User, seed: int) -> World:
    found = World(seed)
    give(petra, role(ids.OWNER), found.root)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_who_can_do_what(petra: User, small, world: World, seed: int):
    client, rows = verified(petra), 0
    how = ["how=direct", "how=group", "how=inherited"]
    sorts = sorted_by("person", "role", "when", "until")
    for where in (directory(), world.sales, world.root, world.vaults):
        for query in some(world.dice, SEARCHES, ["when=now", "when=after"], how, sorts):
            rows += check(client, address(where, "reach"), query)
    assert rows > 100


@pytest.mark.parametrize("seed", SEEDS)
def test_assignments_at_a_place(petra: User, small, world: World, seed: int):
    client, rows = verified(petra), 0
    memberships = ["membership=direct", "membership=group", "membership=inherited"]
    sorts = sorted_by("name", "role", "membership", "start", "end")
    for where, tab in product((directory(), world.sales, world.root, world.vaults), LISTS):
        for query in some(world.dice, SEARCHES, memberships, HOLDERS, DURATIONS, NARROWED, sorts):
            rows += check(client, address(where, "assignments"), f"tab={tab}&{query}")
    assert rows > 100


@pytest.mark.parametrize("seed", SEEDS)
def test_lists_of_a_world(petra: User, small, world: World, seed: int):
    client, rows = verified(petra), 0
    sorts = sorted_by("name", "role", "where", "start", "end")
    words = [*lists.IN_EFFECT, *lists.MORE, lists.ACTIVATIONS]
    for realm, word in product(("directory", "resource"), words):
        for query in islice(some(world.dice, SEARCHES, HOLDERS, DURATIONS, NARROWED, sorts), 0, None, 3):
            rows += check(client, f"/overview/{realm}/{word}/", query)
    assert rows > 100
