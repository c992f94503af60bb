"""What the built-in roles allow in the portal, and the settings that a role starts with.

This is the table of DESIGN.md §6. Permissions are strings in code; a role grants them while it is held, at its
resource and below. `has_perm` and every guard read this one table.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from roles import ids
from roles.models import Role, RoleKind, RoleSettings

Ids = frozenset[uuid.UUID]
NOBODY: Ids = frozenset()


class Permission(TextChoices):
    """What somebody may do in the portal."""

    ASSIGN = "roles.assign", _("Assign roles, change and remove assignments")
    CHANGE_SETTINGS = "roles.change_settings", _("Change role settings")
    DECIDE_RENEWALS = "roles.decide_renewals", _("Decide extensions and renewals")
    SEE = "roles.see", _("See assignments, requests and settings of others")
    SEE_AUDIT = "audit.see", _("Read the resource audit")
    SEE_PEOPLE = "roles.see_people", _("See people and groups")
    MANAGE_PEOPLE = "roles.manage_people", _("Invite, edit and disable people")
    RESET_PEOPLE = "roles.reset_people", _("Help with a lost password or second factor")
    MANAGE_GROUPS = "roles.manage_groups", _("Manage groups and their members")
    DEFINE = "roles.define", _("Make custom roles, change the tree, import")
    SEPARATE = "roles.separate", _("Say which roles one person may not have together")
    OPERATE = "pim_portal.operate", _("Failed mails, health and portal-wide settings")
    USE_ADMIN = "pim_portal.use_admin", _("Look things up in Django admin")


@dataclass(frozen=True, slots=True)
class Grant:
    """The roles that grant a permission, for each world.

    `group_directory` are directory roles which, held at the directory, reach every group.
    """

    directory: Ids = NOBODY
    resource: Ids = NOBODY
    group: Ids = NOBODY
    group_directory: Ids = NOBODY

    @property
    def roles(self) -> Ids:
        return self.directory | self.resource | self.group | self.group_directory


# What may be done at one place or another. Everything else concerns the whole portal: a directory role that is held for
# an administrative unit only does not give it.
OF_PLACES = frozenset(
    {
        Permission.ASSIGN,
        Permission.CHANGE_SETTINGS,
        Permission.DECIDE_RENEWALS,
        Permission.SEE,
        Permission.SEE_AUDIT,
        Permission.DEFINE,
        Permission.SEPARATE,
    }
)

_PRA = frozenset({ids.PRIVILEGED_ROLE_ADMINISTRATOR})
_SEERS = _PRA | {ids.GLOBAL_ADMINISTRATOR, ids.SECURITY_ADMINISTRATOR, ids.SECURITY_READER, ids.GLOBAL_READER}
_OWNERS = frozenset({ids.OWNER, ids.USER_ACCESS_ADMINISTRATOR})
_GROUP_ADMINS = frozenset({ids.GROUPS_ADMINISTRATOR})
_GROUP_OWNERS = frozenset({ids.GROUP_OWNER})
_PEOPLE = frozenset({ids.USER_ADMINISTRATOR}) | _PRA
_RESETTERS = frozenset({ids.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR})

GRANTS: dict[Permission, Grant] = {
    Permission.ASSIGN: Grant(_PRA, _OWNERS, _GROUP_OWNERS, _GROUP_ADMINS | _PRA),
    Permission.CHANGE_SETTINGS: Grant(_PRA, _OWNERS, _GROUP_OWNERS, _GROUP_ADMINS | _PRA),
    Permission.DECIDE_RENEWALS: Grant(_PRA, _OWNERS, _GROUP_OWNERS, _GROUP_ADMINS | _PRA),
    Permission.SEE: Grant(_SEERS, _OWNERS | {ids.READER}, _GROUP_OWNERS, _SEERS | _GROUP_ADMINS),
    Permission.SEE_AUDIT: Grant(_SEERS, _OWNERS | {ids.READER}, _GROUP_OWNERS, _SEERS | _GROUP_ADMINS),
    Permission.SEE_PEOPLE: Grant(_SEERS | _PEOPLE | _RESETTERS | _GROUP_ADMINS),
    Permission.MANAGE_PEOPLE: Grant(_PEOPLE),
    Permission.RESET_PEOPLE: Grant(_RESETTERS),
    Permission.MANAGE_GROUPS: Grant(_GROUP_ADMINS, NOBODY, _GROUP_OWNERS, _GROUP_ADMINS),
    Permission.DEFINE: Grant(_PRA, frozenset({ids.OWNER})),
    Permission.SEPARATE: Grant(_PRA, _OWNERS),
    Permission.OPERATE: Grant(frozenset({ids.SECURITY_ADMINISTRATOR})),
    Permission.USE_ADMIN: Grant(_SEERS),
}

# Django's own names for looking at a model, as its admin asks for them. Nothing grants add, change or delete: what is
# changed goes through the services.
DJANGO_PERMISSIONS: dict[str, Permission] = {
    "roles.view_role": Permission.SEE,
    "roles.view_rolesettings": Permission.SEE,
    "roles.view_dutyrule": Permission.SEE,
    "roles.view_assignment": Permission.SEE,
    "roles.view_resource": Permission.SEE,
    "roles.view_user": Permission.SEE_PEOPLE,
    "roles.view_group": Permission.SEE_PEOPLE,
    "approvals.view_request": Permission.SEE,
    "approvals.view_decision": Permission.SEE,
    "audit.view_event": Permission.SEE_AUDIT,
    "pim_portal.view_notification": Permission.OPERATE,
}


def permission_named(name: str) -> Permission | None:
    """Return the permission behind a name, ours or Django's; None when no role grants it."""
    if name in DJANGO_PERMISSIONS:
        return DJANGO_PERMISSIONS[name]
    return Permission(name) if name in Permission.values else None


def default_settings(role: Role) -> RoleSettings:
    """Return the settings of a role that nobody has set, unsaved (pim-behaviour.md §2.1).

    Resource roles and group roles refuse permanent eligibility until somebody allows it. Permanent members stay
    allowed for groups, unlike hosted PIM: here every ordinary member is an active assignment.
    """
    return RoleSettings(role=role, permanent_eligible_allowed=role.kind == RoleKind.DIRECTORY)
