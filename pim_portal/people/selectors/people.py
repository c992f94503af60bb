"""Who somebody is, what they hold and may activate, and why, as far as the viewer may know."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from audit.models import EventQuerySet
from audit.selectors import history_of, own_history_of
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Assignment, Principal, PrincipalKind, RoleKind, TotpDevice, User
from roles.models.assignments import AssignmentQuerySet
from roles.models.prepared import Prepared
from roles.selectors.history import events_within_sight
from roles.selectors.keys import rows_of
from roles.selectors.origins import origins_of
from roles.selectors.sight import within_sight

ACTIVE, ELIGIBLE, SCHEDULED, SUSPENDED = "active", "eligible", "scheduled", "suspended"


def people() -> QuerySet[User]:
    """Return everybody, by name."""
    return User.objects.select_related("manager").order_by("name_key", "pk")


def held_by(user: User, *, viewer: Authority, now: datetime) -> AssignmentQuerySet:
    """Return the roles that this person holds now and the viewer may know of; everybody may know their own."""
    return _shown(rows_of(Authority(user, now).held), of=user, viewer=viewer)


def eligible_for(user: User, *, viewer: Authority, now: datetime) -> AssignmentQuerySet:
    """Return what this person may activate now, as far as the viewer may know."""
    return _shown(rows_of(Authority(user, now).eligible), of=user, viewer=viewer)


def scheduled_for(principal: Principal, *, viewer: Authority, now: datetime) -> AssignmentQuerySet:
    """Return what begins later for this user or group itself."""
    rows = Assignment.objects.open().filter(principal=principal, starts_at__gt=now)
    return _shown(rows, of=principal, viewer=viewer)


def suspended_of(principal: Principal, *, viewer: Authority, now: datetime) -> AssignmentQuerySet:
    """Return what this user or group has back when it is enabled again; nothing while it is enabled."""
    if principal.enabled:
        return Assignment.objects.none()
    return _shown(not_over(principal, now).filter(starts_at__lte=now, activated_from=None), of=principal, viewer=viewer)


def not_over(principal: Principal, now: datetime) -> AssignmentQuerySet:
    """Return what was given to this user or group itself and is not over: running, planned or suspended."""
    rows = Assignment.objects.lasting(now).filter(principal=principal)
    return rows.exclude(pk__in=Assignment.objects.orphaned(now).filter(principal=principal).values("pk"))


def visible_to(viewer: Authority) -> Q:
    """Return the condition that the viewer may know of an assignment; who belongs to which group shows with people."""
    return within_sight(viewer) | Q(role__kind=RoleKind.GROUP)


def _shown(rows: AssignmentQuerySet, *, of: Principal, viewer: Authority) -> AssignmentQuerySet:
    if of.pk != viewer.user.pk:
        rows = rows.filter(visible_to(viewer))
    rows = rows.select_related("role", "resource__group", "principal", "activated_from__resource")
    return rows.order_by("role__name_key", "resource__path", "pk")


_JOINED = Prepared(
    lambda person_id, groups, now: (
        Assignment.objects.memberships(now)
        .filter(principal=person_id, resource__group__in=groups)
        .select_related("resource__group")
        .order_by("-starts_at")
    )
)


def tell(rows: Sequence[Assignment], *, of: Principal, viewer: Authority, now: datetime) -> Sequence[Assignment]:
    """Hang on each row why it is there: its `origin`, and the `membership` where a group brings it.

    Reasons belong to the history, and are told to whoever may read that of the place.
    """
    groups = {row.principal_id for row in rows if row.principal_id != of.pk}
    joined = _JOINED.ask(of.pk, groups, now) if groups else []
    memberships = {row.resource.group.pk: row for row in joined}
    origins = origins_of([*rows, *memberships.values()])
    for row in rows:
        _explain(row, memberships.get(row.principal_id), origins, of=of, viewer=viewer)
    return rows


def _explain(row: Any, membership: Any, origins: Any, *, of: Principal, viewer: Authority) -> None:
    def told(one: Assignment) -> bool:
        return of.pk == viewer.user.pk or viewer.allows(Permission.SEE_AUDIT, one.resource)

    row.origin = origins.get(row.pk) if told(row) else None
    row.membership = membership
    row.membership_origin = origins.get(membership.pk) if membership and told(membership) else None
    row.through_group = row.principal_id != of.pk and row.principal.kind == PrincipalKind.GROUP
    above = row.activated_from.resource if row.activated_from else None
    row.from_above = above if above and above.pk != row.resource_id else None
    row.above_shown = row.from_above is not None and viewer.allows(Permission.SEE, row.from_above)


def recent_activity(user: User, *, viewer: Authority) -> EventQuerySet:
    """Return what this person did and what was done to them, of the places whose audit the viewer may read.

    Everybody may read their own, without what was only found about them.
    """
    if user.pk == viewer.user.pk:
        return own_history_of(user.pk)
    return history_of(user.pk).filter(events_within_sight(viewer))


_APP_OF = Prepared(
    lambda user_id: TotpDevice.objects.filter(user=user_id, confirmed=True).order_by().values_list("pk", flat=True)[:1]
)


def has_app(user_id: uuid.UUID) -> bool:
    """Return whether this person has an authenticator app."""
    return bool(_APP_OF.ask(user_id))
