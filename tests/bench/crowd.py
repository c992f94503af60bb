"""Many people, groups and places, written by COPY beside those of `tests.bench.organisation`.

For each hundred assignments ten people, five places and a fifth of a group, as in organisations that use such a portal;
but never so few that a page of fifty, or a tree of as many places as fit, would have less to show at a small size.
Deterministic: the same size is the same crowd.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field

from django.db import connection

from roles.models import Resource, ResourceKind
from roles.models.principals import search_key, search_text_of
from roles.selectors.trees import MOST_SHOWN
from roles.services.resources import scope_path_of
from tests.bench.copying import copy, without_triggers
from tests.bench.organisation import FIRST, LAST, SOUGHT
from tests.people import DAY, NOW

MADE = NOW - 399 * DAY
FEWEST_PEOPLE, FEWEST_GROUPS, FEWEST_PLANS = 600, 60, MOST_SHOWN
PRINCIPALS = "id, kind, name, name_key, search_text, enabled, created_at"
USERS = (
    "principal_ptr_id, password, username, username_key, email, email_key, job_title, department, time_zone, theme,"
    " manager_id"
)
RESOURCES = "id, path, depth, numchild, kind, type, name, name_key, scope_path"


@dataclass(slots=True)
class Crowd:
    """The ids of all that is there, of those whose name is searched for, and of where a group's members stand."""

    people: list[uuid.UUID] = field(default_factory=list)
    sought: list[uuid.UUID] = field(default_factory=list)
    groups: list[tuple[uuid.UUID, uuid.UUID]] = field(default_factory=list)
    places: list[uuid.UUID] = field(default_factory=list)


def gather(assignments: int) -> Crowd:
    """Write a crowd for so many assignments."""
    dice = random.Random(assignments)
    crowd = Crowd()
    tables = ("roles_principal", "roles_user", "roles_group", "roles_resource")
    with without_triggers(*tables):
        _people(crowd, max(FEWEST_PEOPLE, assignments // 10), dice)
        _places(crowd, assignments // 20, dice)
        _groups(crowd, max(FEWEST_GROUPS, assignments // 500), dice)
    return crowd


def _people(crowd: Crowd, count: int, dice: random.Random) -> None:
    crowd.people = [_id(dice) for _each in range(count)]
    names = [f"{dice.choice(FIRST)} {dice.choice(LAST)} {number}" for number in range(count)]
    crowd.sought = [pk for pk, name in zip(crowd.people, names, strict=True) if SOUGHT in search_key(name)]
    copy("roles_principal", PRINCIPALS, (_person(pk, number, names[number]) for number, pk in enumerate(crowd.people)))
    copy("roles_user", USERS, (_user(crowd, number) for number in range(count)))


def _person(pk: uuid.UUID, number: int, name: str) -> tuple[object, ...]:
    username, address = _reached_by(number)
    key = search_key(name)
    return pk, "user", name, key, search_text_of(key, username, address=address), True, MADE


def _reached_by(number: int) -> tuple[str, str]:
    return f"u{number}", f"u{number}@example.org"


def _user(crowd: Crowd, number: int) -> tuple[object, ...]:
    name, mail = _reached_by(number)
    manager = crowd.people[number // 20] if number >= 20 else None
    department = f"Department {number % 90}"
    return (crowd.people[number], "!", name, name, mail, mail, "Engineer", department, "", "system", manager)


def _places(crowd: Crowd, count: int, dice: random.Random) -> None:
    """Subscriptions with up to twenty resource groups each, and nine resources in each group."""
    root = Resource.objects.get(kind=ResourceKind.ROOT)
    nodes: list[Resource] = []
    plans = max(FEWEST_PLANS, count // 200)
    groups = min(20, max(1, count // (10 * plans)))
    for number in range(plans):
        plan = _node(ResourceKind.SUBSCRIPTION, f"Plan {number}", root, root.numchild + number + 1, groups, dice)
        nodes.append(plan)
        for one in range(groups):
            group = _node(ResourceKind.RESOURCE_GROUP, f"rg-{number}-{one}", plan, one + 1, 9, dice)
            nodes.append(group)
            names = [f"vault-{number}-{one}-{two}" for two in range(9)]
            nodes += [_node(ResourceKind.RESOURCE, name, group, n, 0, dice) for n, name in enumerate(names, 1)]
    crowd.places = [node.pk for node in nodes]
    copy("roles_resource", RESOURCES, map(_line, nodes))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE roles_resource SET numchild = numchild + %s WHERE id = %s", [plans, root.pk])


def _groups(crowd: Crowd, count: int, dice: random.Random) -> None:
    roots = Resource.objects.filter(depth=1).count()
    nodes = [_node(ResourceKind.GROUP, f"Group {n}", None, roots + n + 1, 0, dice) for n in range(count)]
    groups = [_id(dice) for _each in nodes]
    copy("roles_resource", RESOURCES, map(_line, nodes))
    named = zip(groups, nodes, strict=True)
    rows = ((pk, "group", n.name, n.name_key, search_text_of(n.name_key), True, MADE) for pk, n in named)
    copy("roles_principal", PRINCIPALS, rows)
    crowd.groups = [(pk, node.pk) for pk, node in zip(groups, nodes, strict=True)]
    copy("roles_group", "principal_ptr_id, description, resource_id", ((pk, "", node) for pk, node in crowd.groups))


def _node(
    kind: ResourceKind, name: str, parent: Resource | None, step: int, children: int, dice: random.Random
) -> Resource:
    pk = _id(dice)
    type = "Microsoft.KeyVault/vaults" if kind == ResourceKind.RESOURCE else ""
    depth = parent.depth + 1 if parent else 1
    return Resource(
        id=pk,
        path=Resource._get_path(parent.path if parent else "", depth, step),
        depth=depth,
        numchild=children,
        kind=kind,
        type=type,
        name=name,
        name_key=search_key(name),
        scope_path=scope_path_of(kind, name=name, type=type, pk=pk, parent=parent),
    )


def _line(node: Resource) -> tuple[object, ...]:
    return (
        node.pk, node.path, node.depth, node.numchild, node.kind, node.type, node.name, node.name_key, node.scope_path
    )  # fmt: skip


def _id(dice: random.Random) -> uuid.UUID:
    return uuid.UUID(int=dice.getrandbits(128))
