"""Where a resource is, in words."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from roles.authority import Authority
from roles.models import Resource, ResourceKind
from roles.selectors.sight import within_sight


def places_of(resources: Iterable[Resource]) -> dict[uuid.UUID, str]:
    """Say for each resource what it is and in what: "Subscription in Contoso / Payments"; one query for all."""
    nodes = list(resources)
    above = {path for node in nodes for path in _ancestor_paths(node)}
    names = dict(Resource.objects.filter(path__in=above).values_list("path", "name")) if above else {}
    return {node.pk: _place(node, [names[path] for path in _ancestor_paths(node) if path in names]) for node in nodes}


def _ancestor_paths(node: Resource) -> list[str]:
    return [node.path[:length] for length in range(Resource.steplen, len(node.path), Resource.steplen)]


def _place(node: Resource, above: list[str]) -> str:
    if node.kind == ResourceKind.DIRECTORY:
        return _("all of it")
    kind = str(node.get_kind_display())
    if node.kind == ResourceKind.ADMINISTRATIVE_UNIT or not above:
        return kind
    return _("{kind} in {above}").format(kind=kind, above=" / ".join(above))


def resources_within_sight(authority: Authority) -> QuerySet[Resource]:
    """Return the nodes of the resource world where this person may look, parents before their children."""
    others = (ResourceKind.DIRECTORY, ResourceKind.ADMINISTRATIVE_UNIT, ResourceKind.GROUP)
    rows: QuerySet[Resource] = Resource.objects.filter(within_sight(authority, at="")).exclude(kind__in=others)
    return rows.order_by("path", "pk")


def below(place: Resource) -> QuerySet[Resource]:
    """Return what lies below a place, parents before their children."""
    rows: QuerySet[Resource] = Resource.objects.filter(path__startswith=place.path).exclude(pk=place.pk)
    return rows.order_by("path", "pk")
