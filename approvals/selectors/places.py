"""Where a resource is, in words."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.utils.translation import gettext as _

from roles.models import Resource, ResourceKind


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
