"""What a group carries for those who join it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from roles.authority import Authority
from roles.catalogue import GRANTS, Permission
from roles.ids import DIRECTORY
from roles.models import Assignment, Resource, StageApprover


@dataclass(frozen=True, slots=True)
class Carried:
    """Something that comes with a group: a role that it holds or may activate, or deciding about one.

    `permission` is what somebody must hold at the resource to let others into the group.
    """

    label: str
    resource: Resource
    permission: Permission = Permission.ASSIGN


# What apps above know to come with a group, each a function of its resource.
ALSO: list[Callable[[Resource], Iterable[Carried]]] = []


def carried_by(group_resource: Resource) -> Iterator[Carried]:
    """Yield all that a group gives its members, of every world; for rules, and for pages that narrow it."""
    held = Assignment.objects.open().filter(principal__group__resource=group_resource)
    for row in held.select_related("role", "resource").order_by("role__name_key", "pk"):
        yield Carried(row.role.name, row.resource)
    seats = StageApprover.objects.filter(principal__group__resource=group_resource)
    seats = seats.select_related("stage__settings__role", "stage__settings__resource")
    directory = Resource.objects.get(pk=DIRECTORY)
    for seat in seats.order_by("stage__settings__role__name_key", "pk"):
        settings = seat.stage.settings
        # The defaults of a role are changed by whoever may change settings for the whole directory.
        label = _("a say in requests for {role}").format(role=settings.role.name)
        yield Carried(label, settings.resource or directory, Permission.CHANGE_SETTINGS)
    for also in ALSO:
        yield from also(group_resource)


def roles_beyond(group_resource: Resource, authority: Authority) -> tuple[str, ...]:
    """Return the names of the roles that a group holds, may activate or decides about beyond this person's authority.

    A role of a world that they may not see stays without a name.
    """
    unseen = _("one that you may not see")
    return tuple(
        sorted(
            {
                one.label if authority.allows(Permission.SEE, one.resource) else unseen
                for one in carried_by(group_resource)
                if not authority.allows(one.permission, one.resource)
            }
        )
    )


def gives(group_resource: Resource, authority: Authority) -> list[str]:
    """Return what joining a group gives, as far as this person may see it."""
    return list(
        dict.fromkeys(
            _("{what} at {place}").format(what=one.label, place=one.resource.name)
            for one in carried_by(group_resource)
            if authority.allows(Permission.SEE, one.resource)
        )
    )


def privileged_through(user_id: uuid.UUID) -> bool:
    """Return whether somebody holds, may activate or is to get a privileged role, or one by which roles are given; or
    decides who gets one.

    Of either world, and without saying of which; directly or through a group, now or as soon as a membership or
    assignment that is planned begins.
    """
    groups = Assignment.objects.open().filter(principal=user_id, resource__group__isnull=False)
    selves = [user_id, *groups.values_list("resource__group", flat=True)]
    rows = Assignment.objects.open().filter(_strong(""))
    if rows.filter(principal__in=selves).exists():
        return True
    decided = _strong("stage__settings__") | Q(stage__settings__resource__group__in=rows.order_by().values("principal"))
    return StageApprover.objects.filter(decided, principal__in=selves).exists()


def _strong(at: str) -> Q:
    """The role found `at` is privileged, or gives roles."""
    return Q(**{f"{at}role__privileged": True}) | Q(**{f"{at}role__in": GRANTS[Permission.ASSIGN].resource})
