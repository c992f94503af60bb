"""What the roles held now allow here, and which roles would."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from roles.authority import Authority, Held
from roles.catalogue import DJANGO_PERMISSIONS, GRANTS, Grant, Permission
from roles.ids import DIRECTORY
from roles.models import Role, RoleKind


@dataclass(frozen=True, slots=True)
class Reach:
    """Where one held role allows something."""

    held: Held
    where: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """A permission, where it is held now, and the built-in roles that grant it."""

    permission: Permission
    reaches: tuple[Reach, ...]
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class Carried:
    """Django's own names for a permission, and the built-in roles that carry them."""

    permission: Permission
    names: tuple[str, ...]
    roles: tuple[Role, ...]


def allowances(authority: Authority) -> list[Allowance]:
    """Return every permission of the portal, in the order of the table, with what allows it now."""
    book = _book()
    return [
        Allowance(permission, tuple(_reaches(GRANTS[permission], authority.held)), book[permission])
        for permission in Permission
    ]


def django_permissions() -> list[Carried]:
    """Return the permissions that also have names of Django's own, with the roles that carry them."""
    book = _book()
    named: dict[Permission, list[str]] = {}
    for name, permission in DJANGO_PERMISSIONS.items():
        named.setdefault(permission, []).append(name)
    return [Carried(permission, tuple(names), book[permission]) for permission, names in named.items()]


def _book() -> dict[Permission, tuple[Role, ...]]:
    wanted: set[uuid.UUID] = set().union(*(grant.roles for grant in GRANTS.values()))
    # Directory roles first, then resource roles, then those of groups.
    order = [RoleKind.DIRECTORY, RoleKind.RESOURCE, RoleKind.GROUP]
    roles = sorted(Role.objects.filter(pk__in=wanted), key=lambda role: (order.index(RoleKind(role.kind)), role.name))
    return {permission: tuple(role for role in roles if role.pk in grant.roles) for permission, grant in GRANTS.items()}


def _reaches(grant: Grant, held: Iterable[Held]) -> Iterable[Reach]:
    for one in held:
        where = []
        if one.role_id in grant.directory | grant.resource | grant.group:
            where.append(one.resource_name)
        if one.role_id in grant.group_directory and one.resource_id == DIRECTORY:
            where.append(_("every group"))
        if where:
            yield Reach(one, ", ".join(where))
