"""The forest as a tree to browse, and where a place could be moved to."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Resource, ResourceKind
from roles.models.resources import CHILDREN
from roles.selectors.resources import ancestor_paths
from roles.selectors.sight import within_sight

MOST_SHOWN = 150  # nodes on one page; what stands deeper is shown on the pages of its place
MOST_LEFT_OUT = 200  # nodes not shown that are counted: all below a large root would be looked at for a number
OPEN_LEVELS = 2  # that are unfolded to begin with


@dataclass(slots=True)
class Branch:
    """A place with what stands below it and is shown; `hidden` counts the places right below that are not."""

    place: Resource
    open: bool = False
    children: list[Branch] = field(default_factory=list)
    where: str = ""

    @property
    def hidden(self) -> int:
        return int(self.place.numchild) - len(self.children)


@dataclass(frozen=True, slots=True)
class Tree:
    """The branches that stand on a page; `more`: how many places of them are not shown, up to one more than counted."""

    branches: list[Branch]
    more: int

    @property
    def more_than(self) -> int:
        """How many were counted, where there are more; else none."""
        return MOST_LEFT_OUT if self.more > MOST_LEFT_OUT else 0


def tree_of(rows: QuerySet[Resource], *, below: Resource | None = None) -> Tree:
    """Return these places as a tree, the upper levels first where they are too many; three queries at most.

    `rows` holds with a place all that stands below it. Where the tops stand is said, unless they stand `below` a place.
    """
    shown = list(rows.order_by("depth", "path")[: MOST_SHOWN + 1])
    beyond = rows.order_by("depth", "path").values_list("pk", flat=True)[MOST_SHOWN:][: MOST_LEFT_OUT + 1]
    more = len(beyond) if len(shown) > MOST_SHOWN else 0
    shown = shown[:MOST_SHOWN]
    by_path = {place.path: Branch(place) for place in shown}
    tops: list[Branch] = []
    for branch in by_path.values():
        parent = by_path.get(branch.place.path[: -Resource.steplen])
        (parent.children if parent else tops).append(branch)
    ways = ways_to(branch.place for branch in tops) if below is None else {}
    for branch in tops:
        branch.where = ways.get(branch.place.pk, "")
    _arrange(tops, level=1)
    return Tree(tops, more)


def _arrange(branches: list[Branch], *, level: int) -> None:
    branches.sort(key=lambda branch: (branch.place.name_key, branch.place.path))
    for branch in branches:
        branch.open = level <= OPEN_LEVELS
        _arrange(branch.children, level=level + 1)


def ways_to(places: Iterable[Resource]) -> dict[uuid.UUID, str]:
    """Say for each place what it stands below, by names from the root on: "Contoso / Payments"; one query for all."""
    nodes = list(places)
    above = {path for node in nodes for path in ancestor_paths(node)}
    names = dict(Resource.objects.filter(path__in=above).values_list("path", "name")) if above else {}
    return {node.pk: " / ".join(names[path] for path in ancestor_paths(node)) for node in nodes}


def targets_of(place: Resource, authority: Authority, *, words: Iterable[str] = ()) -> QuerySet[Resource]:
    """Return the places that `place` could be moved to by this person, by name; each word is in name or scope."""
    kinds = [kind for kind, below in CHILDREN.items() if ResourceKind(place.kind) in below]
    rows: QuerySet[Resource] = Resource.objects.filter(
        within_sight(authority, Permission.DEFINE, at=""), kind__in=kinds
    ).exclude(path__startswith=place.path)
    if len(place.way) > 1:
        rows = rows.exclude(path=place.way[-2])
    for path in Resource.objects.filter(kind__in=kinds, retired_at__isnull=False).values_list("path", flat=True):
        rows = rows.exclude(path__startswith=path)
    for word in words:
        rows = rows.filter(Q(name_key__contains=word) | Q(scope_path__icontains=word))
    return rows.order_by("name_key", "path")
