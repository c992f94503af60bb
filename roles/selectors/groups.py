"""What a group carries for those who join it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Assignment, Resource


def roles_beyond(group_resource: Resource, authority: Authority) -> tuple[str, ...]:
    """Return the names of the roles that a group holds or may activate, and that this person may not assign.

    A role of a world that they may not see stays without a name.
    """
    held = Assignment.objects.open().filter(principal__group__resource=group_resource)
    unseen = _("one that you may not see")
    return tuple(
        sorted(
            {
                row.role.name if authority.allows(Permission.SEE, row.resource) else unseen
                for row in held.select_related("role", "resource")
                if not authority.allows(Permission.ASSIGN, row.resource)
            }
        )
    )
