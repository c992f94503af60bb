"""Who holds a permission at several places: `Authority`, asked the other way round."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from roles.authority import Held
from roles.catalogue import GRANTS, Permission
from roles.ids import DIRECTORY
from roles.models import Assignment, Resource, User


def people_holding(
    permission: Permission, resources: Iterable[Resource], now: datetime, *, may_become: bool = False
) -> dict[uuid.UUID, list[User]]:
    """Return the enabled people who hold `permission` at each of these resources, by name.

    With `may_become` also those who could after activating. As many queries for fifty resources as for one.
    """
    nodes = {node.pk: node for node in resources}
    rows = _rows(permission, nodes.values(), now, may_become=may_become)
    members = _members({row.principal_id for row in rows}, now)
    reached = {pk: _reached(permission, node, rows, members) for pk, node in nodes.items()}
    ids = {one for found in reached.values() for one in found}
    people = list(User.objects.filter(pk__in=ids, enabled=True).order_by("name_key", "pk"))
    return {pk: [user for user in people if user.pk in found] for pk, found in reached.items()}


def _rows(
    permission: Permission, nodes: Iterable[Resource], now: datetime, *, may_become: bool
) -> Sequence[Assignment]:
    above = {path for node in nodes for path in node.way}
    there = Resource.objects.filter(path__in=above) | Resource.objects.filter(pk=DIRECTORY)
    rows = Assignment.objects.in_effect(now).filter(
        role__in=GRANTS[permission].roles, resource__in=list(there.values_list("pk", flat=True))
    )
    if not may_become:
        rows = rows.active()
    return list(rows.select_related("role", "resource", "principal").order_by("pk"))


def _members(holders: set[uuid.UUID], now: datetime) -> dict[uuid.UUID, set[uuid.UUID]]:
    found: dict[uuid.UUID, set[uuid.UUID]] = {}
    memberships = Assignment.objects.memberships(now).filter(resource__group__in=holders)
    for group_id, person_id in memberships.values_list("resource__group", "principal"):
        found.setdefault(group_id, set()).add(person_id)
    return found


def _reached(
    permission: Permission, node: Resource, rows: Sequence[Assignment], members: dict[uuid.UUID, set[uuid.UUID]]
) -> set[uuid.UUID]:
    found: set[uuid.UUID] = set()
    for row in rows:
        if as_held(row).grants(GRANTS[permission], node):
            found |= {row.principal_id, *members.get(row.principal_id, set())}
    return found


def as_held(row: Assignment) -> Held:
    """Return an assignment in the shape in which authority is asked."""
    return Held(
        assignment_id=row.pk,
        role_id=row.role_id,
        role_name=row.role.name,
        role_kind=row.role.kind,
        privileged=row.role.privileged,
        resource_id=row.resource_id,
        resource_name=row.resource.name,
        resource_kind=row.resource.kind,
        path=row.resource.path,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        activated=row.activated_from_id is not None,
        holder_id=row.principal_id,
        holder_name=row.principal.name,
        holder_kind=row.principal.kind,
    )
