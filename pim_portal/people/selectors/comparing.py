"""Two people side by side: what both have, and what only one of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from pim_portal.people.selectors.people import eligible_for, held_by
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Assignment, AssignmentType, Resource, Role, RoleKind, User
from roles.selectors.named import with_members
from roles.selectors.sight import within_sight

BOTH, ONLY_FIRST, ONLY_SECOND = "both", "first", "second"

# The strongest that somebody has of a role at a place.
ASSIGNED, ACTIVATED, ELIGIBLE = "assigned", "activated", "eligible"
_ORDER = (ASSIGNED, ELIGIBLE, ACTIVATED)


@dataclass(frozen=True, slots=True)
class Has:
    """How somebody has a role at a place, and through which group where it is not direct."""

    state: str
    through: str = ""

    @property
    def type(self) -> AssignmentType:
        """What an administrator would give somebody else for the same; what is activated comes from an eligibility."""
        return AssignmentType.ACTIVE if self.state == ASSIGNED else AssignmentType.ELIGIBLE


@dataclass(frozen=True, slots=True)
class Line:
    """One role at one place, of two people. `may_give`: whether the viewer may give it to the one who lacks it."""

    role: Role
    resource: Resource
    first: Has | None
    second: Has | None
    may_give: bool

    @property
    def whose(self) -> str:
        if self.first and self.second:
            return BOTH
        return ONLY_FIRST if self.first else ONLY_SECOND


Key = tuple[uuid.UUID, uuid.UUID]


def compared(
    first: User, second: User, *, viewer: Authority, now: datetime, within: Resource | None = None
) -> list[Line]:
    """Return every role that one of them holds or may activate now, by name, as far as the viewer may know.

    `within`: only what is at that place or below it.
    """
    places: dict[Key, tuple[Role, Resource]] = {}
    below = Q(resource__path__startswith=within.path) & within_sight(viewer) if within else Q()
    has = [_of(one, places, below, viewer=viewer, now=now) for one in (first, second)]
    lines = [
        Line(
            role,
            resource,
            has[0].get(key),
            has[1].get(key),
            may_give=viewer.allows(Permission.ASSIGN, resource),
        )
        for key, (role, resource) in places.items()
    ]
    return sorted(lines, key=lambda one: (one.role.kind == RoleKind.GROUP, one.role.name_key, one.resource.path))


def people_within(place: Resource, now: datetime) -> QuerySet[User]:
    """Return who holds or may activate something now at a place or below it, themselves or through a group."""
    rows = Assignment.objects.in_effect(now).filter(resource__path__startswith=place.path)
    found = with_members(rows.values_list("principal"), now)
    return User.objects.filter(found).order_by("name_key", "pk")


def _of(
    user: User, places: dict[Key, tuple[Role, Resource]], below: Q, *, viewer: Authority, now: datetime
) -> dict[Key, Has]:
    found: dict[Key, Has] = {}
    rows = [one(user, viewer=viewer, now=now).filter(below) for one in (held_by, eligible_for)]
    for row in (row for reach in rows for row in reach):
        key = (row.role_id, row.resource_id)
        places.setdefault(key, (row.role, row.resource))
        one = _has(row, user)
        if key not in found or _ORDER.index(one.state) < _ORDER.index(found[key].state):
            found[key] = one
    return found


def _has(row: Assignment, user: User) -> Has:
    through = row.principal.name if row.principal_id != user.pk else ""
    if row.activated_from_id is not None:
        return Has(ACTIVATED, through)
    return Has(ELIGIBLE if row.type == AssignmentType.ELIGIBLE else ASSIGNED, through)
