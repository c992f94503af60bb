"""What the pages of people and groups ask; nothing here shows a world that the viewer may not see."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import Count, OuterRef, QuerySet, Subquery

from roles.authority import Authority
from roles.models import Assignment, Group, Principal, RoleKind, TotpDevice, User
from roles.models.assignments import AssignmentQuerySet
from roles.selectors.sight import within_sight


def people() -> QuerySet[User]:
    """Return everybody, by name."""
    return User.objects.select_related("manager").order_by("name_key", "pk")


def groups(now: datetime) -> QuerySet[Group]:
    """Return every group by name, with the number of its members now."""
    members = (
        Assignment.objects.memberships(now)
        .filter(resource=OuterRef("resource"))
        .order_by()
        .values("resource")
        .annotate(number=Count("principal", distinct=True))
        .values("number")
    )
    return Group.objects.annotate(members=Subquery(members)).order_by("name_key", "pk")


def held_by(user: User, *, viewer: Authority, now: datetime) -> AssignmentQuerySet:
    """Return the roles that this person holds now and the viewer may know of; everybody may know their own."""
    return _shown(Assignment.objects.held_by(user.pk, now), of=user, viewer=viewer)


def eligible_for(user: User, *, viewer: Authority, now: datetime) -> AssignmentQuerySet:
    """Return what this person may activate now, as far as the viewer may know."""
    return _shown(Assignment.objects.eligible_for(user.pk, now), of=user, viewer=viewer)


def given_to(group: Group, *, viewer: Authority, now: datetime) -> AssignmentQuerySet:
    """Return what every member of a group holds or may activate now, as far as the viewer may know."""
    return _shown(Assignment.objects.in_effect(now).filter(principal=group), of=group, viewer=viewer)


def _shown(rows: AssignmentQuerySet, *, of: Principal, viewer: Authority) -> AssignmentQuerySet:
    if of.pk != viewer.user.pk:
        rows = rows.filter(within_sight(viewer))
    rows = rows.exclude(role__kind=RoleKind.GROUP)
    return rows.select_related("role", "resource", "principal").order_by("role__name_key", "resource__path", "pk")


def groups_of(user: User, now: datetime) -> list[Assignment]:
    """Return the memberships and ownerships of groups that this person holds now."""
    rows = Assignment.objects.held_by(user.pk, now).filter(role__kind=RoleKind.GROUP)
    return list(rows.select_related("role", "resource__group").order_by("resource__name_key", "role__name_key", "pk"))


def people_of(group: Group, now: datetime) -> list[Assignment]:
    """Return who is member or owner of a group now, or may become so by activating."""
    rows = Assignment.objects.in_effect(now).filter(resource=group.resource, role__kind=RoleKind.GROUP)
    return list(rows.select_related("role", "principal__user").order_by("principal__name_key", "role__name_key", "pk"))


def has_app(user_id: uuid.UUID) -> bool:
    """Return whether this person has an authenticator app."""
    found: bool = TotpDevice.objects.filter(user=user_id, confirmed=True).exists()
    return found
