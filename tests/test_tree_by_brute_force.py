"""Random trees, changed at random: the tree stays one, and nobody holds what a plain reading of the rows does not give.

The reading here knows parents and children from its own book, never from tree paths.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roles import ids
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Assignment, AssignmentType, Resource, ResourceKind, User
from roles.models.resources import CHILDREN
from roles.refusals import Refused
from roles.services.moves import move_resource
from roles.services.resources import add_resource, rename_resource
from roles.services.retirements import restore_resource, retire_resource
from tests.people import MINUTE, NOW, OPERATOR, at, give, make_eligible, person, request_activation, role

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
KIND = ResourceKind
PEOPLE = ("ines", "adam", "olga")


@dataclass
class Book:
    """What stands below what, and what is retired, written down by hand."""

    parent: dict[uuid.UUID, uuid.UUID | None] = field(default_factory=dict)
    name: dict[uuid.UUID, str] = field(default_factory=dict)
    kind: dict[uuid.UUID, ResourceKind] = field(default_factory=dict)
    retired: set[uuid.UUID] = field(default_factory=set)
    ever_over: set[uuid.UUID] = field(default_factory=set)

    def way(self, pk: uuid.UUID | None) -> list[uuid.UUID]:
        """The nodes from this one up to the root."""
        way = []
        while pk is not None:
            way.append(pk)
            pk = self.parent[pk]
        return way

    def gone(self, pk: uuid.UUID) -> bool:
        return bool(self.retired & set(self.way(pk)))

    def in_effect(self, row: Assignment, rows: dict[uuid.UUID, Assignment], now) -> bool:
        if row.ended_at or row.starts_at > now or (row.ends_at and row.ends_at <= now) or self.gone(row.resource_id):
            return False
        if row.activated_from_id is None:
            return True
        source = rows[row.activated_from_id]
        return source.resource_id in self.way(row.resource_id) and self.in_effect(source, rows, now)

    def scope(self, pk: uuid.UUID) -> str:
        if self.kind[pk] == KIND.SUBSCRIPTION:
            return f"/subscriptions/{pk}"
        if self.kind[pk] == KIND.RESOURCE_GROUP:
            return f"{self.scope(self.parent[pk])}/resourceGroups/{self.name[pk]}"
        if self.kind[pk] == KIND.RESOURCE:
            return f"{self.scope(self.parent[pk])}/providers/A.B/c/{self.name[pk]}"
        return f"/providers/Microsoft.Management/managementGroups/{pk}"


ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["add", "add", "add", "move", "move", "move", "rename", "retire", "restore", "give", "eligible", "activate"]
        ),
        st.integers(0, 30),
        st.integers(0, 30),
        st.integers(0, 30),
    ),
    min_size=12,
    max_size=40,
)


class World:
    """The portal, and the book beside it."""

    def __init__(self, people: dict[str, User]) -> None:
        self.people, self.book, self.now = list(people.values()), Book(), NOW
        self.note(add_resource(KIND.ROOT, name="root", parent=None, actor=OPERATOR, clock=at(NOW)), None)
        self.note(add_resource(KIND.ROOT, name="second", parent=None, actor=OPERATOR, clock=at(NOW)), None)

    def note(self, node: Resource, parent: uuid.UUID | None) -> None:
        self.book.parent[node.pk], self.book.name[node.pk] = parent, node.name
        self.book.kind[node.pk] = ResourceKind(node.kind)

    def pick(self, number: int) -> uuid.UUID:
        nodes = list(self.book.parent)
        return nodes[number % len(nodes)]

    def do(self, act: str, a: int, b: int, c: int) -> None:
        self.now += MINUTE
        try:
            with transaction.atomic():
                getattr(self, act)(a, b, c)
        except Refused:
            pass

    def add(self, a: int, b: int, c: int) -> None:
        parent = self.pick(a)
        kinds = sorted(CHILDREN[self.book.kind[parent]])
        if not kinds:
            return
        kind = ResourceKind(kinds[b % len(kinds)])
        type = "A.B/c" if kind == KIND.RESOURCE else ""
        above = Resource.objects.get(pk=parent)
        name = "nN"[c % 2] + str(c % 5)
        self.note(add_resource(kind, name=name, parent=above, type=type, actor=OPERATOR, clock=at(self.now)), parent)

    def move(self, a: int, b: int, c: int) -> None:
        node, target = self.pick(a), self.pick(b)
        move_resource(node, target, seen=None, actor=OPERATOR, clock=at(self.now))
        self.book.parent[node] = target

    def rename(self, a: int, b: int, c: int) -> None:
        node = self.pick(a)
        self.book.name[node] = rename_resource(node, name=f"r{b % 4}", actor=OPERATOR, clock=at(self.now)).name

    def retire(self, a: int, b: int, c: int) -> None:
        retire_resource(self.pick(a), seen=None, actor=OPERATOR, clock=at(self.now))
        self.book.retired.add(self.pick(a))

    def restore(self, a: int, b: int, c: int) -> None:
        restore_resource(self.pick(a), actor=OPERATOR, clock=at(self.now))
        self.book.retired.discard(self.pick(a))

    def _given(self, a: int, b: int, c: int) -> tuple[User, object, Resource]:
        what = role([ids.OWNER, ids.READER, ids.USER_ACCESS_ADMINISTRATOR][b % 3])
        return self.people[c % len(self.people)], what, Resource.objects.get(pk=self.pick(a))

    def give(self, a: int, b: int, c: int) -> None:
        give(*self._given(a, b, c), starts_at=self.now)

    def eligible(self, a: int, b: int, c: int) -> None:
        make_eligible(*self._given(a, b, c), starts_at=self.now)

    def activate(self, a: int, b: int, c: int) -> None:
        rows = list(Assignment.objects.filter(type=AssignmentType.ELIGIBLE, ended_at=None).order_by("created_at", "pk"))
        if rows:
            row = rows[a % len(rows)]
            user = User.objects.get(pk=row.principal_id)
            request_activation(user, row, now=self.now, hours=4, resource_id=self.pick(b))

    def check(self) -> None:
        self.check_the_tree()
        self.check_what_is_held()

    def check_the_tree(self) -> None:
        book = self.book
        assert Resource.objects.find_problems() == ([], [], [], [], [])
        nodes = {node.pk: node for node in Resource.objects.filter(pk__in=book.parent)}
        by_path = {node.path: node.pk for node in nodes.values()}
        scopes = [node.scope_path.lower() for node in nodes.values()]
        assert len(set(scopes)) == len(scopes)
        for pk, node in nodes.items():
            assert by_path.get(node.path[: -Resource.steplen]) == book.parent[pk]
            assert node.numchild == sum(parent == pk for parent in book.parent.values())
            assert node.depth == len(book.way(pk))
            assert node.scope_path == book.scope(pk)
            assert (node.retired_at is not None) == (pk in book.retired)

    def check_what_is_held(self) -> None:
        book, rows = self.book, {row.pk: row for row in Assignment.objects.filter(resource__in=self.book.parent)}
        expected = {pk for pk, row in rows.items() if book.in_effect(row, rows, self.now)}
        found = set(Assignment.objects.in_effect(self.now).filter(pk__in=rows).values_list("pk", flat=True))
        assert found == expected
        # What was over once never comes back.
        assert not found & book.ever_over
        book.ever_over |= {pk for pk, row in rows.items() if pk not in expected and row.starts_at <= self.now}
        nodes = {node.pk: node for node in Resource.objects.filter(pk__in=book.parent)}
        owners = (ids.OWNER, ids.USER_ACCESS_ADMINISTRATOR)
        for user in self.people:
            authority = Authority(user, self.now)
            held = {
                rows[pk].resource_id
                for pk in expected
                if rows[pk].principal_id == user.pk and rows[pk].role_id in owners and rows[pk].type == "active"
            }
            for pk, node in nodes.items():
                assert authority.allows(Permission.ASSIGN, node) == bool(held & set(book.way(pk)))


@pytest.fixture
def people(db: None) -> dict[str, User]:
    give(person("petra"), role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    return {name: person(name) for name in PEOPLE}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(acts=ACTS)
def test_a_plain_reading_of_the_rows_gives_the_same(people, acts):
    with transaction.atomic():
        world = World(people)
        for act in acts:
            world.do(*act)
            world.check()
        transaction.set_rollback(True)


def test_the_reading_finds_what_is_wrong(people):
    """The brute force is no mirror: a path written behind the services' back is seen."""
    world = World(people)
    for act in [("add", 0, 1, 0), ("add", 2, 0, 1), ("give", 2, 0, 0)]:
        world.do(*act)
    world.check()
    first, second = Resource.objects.filter(pk__in=world.book.parent, depth=1).order_by("path")
    moved = Resource.objects.get(depth=2, pk__in=world.book.parent)
    Resource.objects.filter(pk=moved.pk).update(path=second.path + moved.path[len(first.path) :])
    with pytest.raises(AssertionError):
        world.check()
