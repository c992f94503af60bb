"""What somebody may see: rows of the places where a role of theirs lets them look."""

from __future__ import annotations

from django.db.models import Q

from audit.kinds import Realm
from roles.authority import Authority
from roles.catalogue import GRANTS, Permission
from roles.ids import DIRECTORY
from roles.models import ResourceKind


def within_sight(authority: Authority, permission: Permission = Permission.SEE, *, at: str = "resource__") -> Q:
    """Return the condition that a row belongs to a resource where this person holds `permission`.

    `at` leads from the row to its resource, with a trailing `__`; empty for resources themselves.
    """
    sight = Q(pk__in=[])
    for realm in Realm:
        for path in set(authority.paths(permission, realm)):
            sight |= Q(**{f"{at}path__startswith": path})
    everywhere = GRANTS[permission].group_directory
    if any(one.role_id in everywhere and one.resource_id == DIRECTORY for one in authority.held):
        sight |= Q(**{f"{at}kind": ResourceKind.GROUP})
    return sight
