"""Where a resource is, in words."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Length, Substr
from django.utils.translation import gettext as _

from roles.authority import Authority
from roles.models import Resource, ResourceKind
from roles.models.prepared import Prepared
from roles.models.principals import search_key
from roles.selectors.sight import within_sight

_NAMES = Prepared(lambda paths: Resource.objects.filter(path__in=paths).order_by().values_list("path", "name"))


def places_of(resources: Iterable[Resource]) -> dict[uuid.UUID, str]:
    """Say for each resource what it is and in what: "Subscription in Contoso / Payments"; one query for all."""
    nodes = list(resources)
    above = {path for node in nodes for path in ancestor_paths(node)}
    names = dict(_NAMES.ask(above)) if above else {}
    return {node.pk: _place(node, [names[path] for path in ancestor_paths(node) if path in names]) for node in nodes}


def ancestor_paths(node: Resource) -> list[str]:
    """Return the tree paths of what stands above a node, from the root on."""
    return node.way[:-1]


def _place(node: Resource, above: list[str]) -> str:
    if node.kind == ResourceKind.DIRECTORY:
        return _("all of it")
    kind = str(ResourceKind(node.kind).label)
    if node.kind == ResourceKind.ADMINISTRATIVE_UNIT or not above:
        return kind
    return _("{kind} in {above}").format(kind=kind, above=" / ".join(above))


def is_retired_place(place: Resource) -> bool:
    """Return whether a place, or one above it, is retired."""
    return bool(Resource.objects.filter(path__in=place.way, retired_at__isnull=False).exists())


def under_retirement(column: str) -> Exists:
    """Return the condition that the place whose tree path is in this column, or one above it, is retired."""
    above = Substr(OuterRef(column), 1, Length("path"))
    return Exists(Resource.objects.filter(path=above, retired_at__isnull=False).order_by())


def parent_of(place: Resource) -> Resource | None:
    """Return what a place stands below; None for a root."""
    return Resource.objects.filter(path=place.way[-2]).first() if len(place.way) > 1 else None


def name_is_taken(
    name: str, *, kind: ResourceKind, type: str, parent: Resource | None, but: uuid.UUID | None = None
) -> bool:
    """Return whether something of this kind (and type) has this name below a parent, whatever the case of its letters.

    Resource roots may share a name: nobody but an operator need see more than one of them.
    """
    if parent is None:
        return False
    siblings = Resource.objects.filter(path__startswith=parent.path, depth=parent.depth + 1, kind=kind)
    rows = siblings.filter(name_key=search_key(name)[:400]).exclude(pk=but)
    return any(other.lower() == type.lower() for other in rows.values_list("type", flat=True))


def resources_within_sight(authority: Authority) -> QuerySet[Resource]:
    """Return the nodes of the resource world where this person may look, parents before their children."""
    others = (ResourceKind.DIRECTORY, ResourceKind.ADMINISTRATIVE_UNIT, ResourceKind.GROUP)
    rows: QuerySet[Resource] = Resource.objects.filter(within_sight(authority, at="")).exclude(kind__in=others)
    return rows.order_by("path", "pk")


def units_within_sight(authority: Authority) -> QuerySet[Resource]:
    """Return the administrative units where this person may look, by name."""
    kind = ResourceKind.ADMINISTRATIVE_UNIT
    rows: QuerySet[Resource] = Resource.objects.filter(within_sight(authority, at=""), kind=kind)
    return rows.order_by("name_key", "pk")


def below(place: Resource) -> QuerySet[Resource]:
    """Return what lies below a place, parents before their children."""
    rows: QuerySet[Resource] = Resource.objects.filter(path__startswith=place.path).exclude(pk=place.pk)
    return rows.order_by("path", "pk")
