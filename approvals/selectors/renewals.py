"""What of somebody's own could be extended or renewed now, and who would decide it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals.models import RENEWALS, Action, Request
from approvals.models.requests import which_wait
from roles.catalogue import Permission
from roles.models import Assignment, User
from roles.models.assignments import AssignmentQuerySet
from roles.models.prepared import Prepared
from roles.rules.changes import EXTENDED_WITHIN, can_be_changed, can_be_renewed
from roles.selectors.holding import people_holding


@dataclass(frozen=True, slots=True)
class Keeping:
    """Whether an assignment can be extended, renewed or prolonged by who looks at it, and what they asked already."""

    can_extend: bool = False
    can_renew: bool = False
    can_prolong: bool = False
    asked: Request | None = None


def own_assignments(user: User, now: datetime) -> AssignmentQuerySet:
    """Return what is or was given to this person, directly or through a group that they are a member of."""
    return Assignment.objects.of(user.pk, now).select_related("principal", "role__home", "resource")


_PENDING_ABOUT = Prepared(
    lambda pks: (
        Request.objects.pending()
        .filter(assignment__in=pks, action__in=(*RENEWALS, Action.PROLONG))
        .order_by()
        .values_list("pk", flat=True)
    )
)
_RENEWED = Prepared(
    lambda pks: Assignment.objects.filter(renewed_from__in=pks).order_by().values_list("renewed_from", flat=True)
)


def standings_of_renewal(user: User, rows: Iterable[Assignment], now: datetime) -> dict[uuid.UUID, Keeping]:
    """Say of each of these assignments what can be asked; as many queries for fifty as for one."""
    rows = list(rows)
    asked: dict[uuid.UUID | None, Request] = {}
    keys = [row.pk for row in rows]
    pending = _PENDING_ABOUT.ask(keys) if keys else []
    for request in Request.objects.filter(pk__in=which_wait(pending, now)) if pending else ():
        asked[request.assignment_id] = request
    renewed = set(_RENEWED.ask(keys)) if keys else set()
    return {row.pk: _keeping(user, row, asked.get(row.pk), now, renewed=row.pk in renewed) for row in rows}


def standing_of(user: User, row: Assignment, now: datetime) -> Keeping:
    """Say it of one."""
    return standings_of_renewal(user, [row], now)[row.pk]


def _keeping(user: User, row: Assignment, asked: Request | None, now: datetime, *, renewed: bool) -> Keeping:
    if asked is not None:
        return Keeping(asked=asked if asked.principal_id == user.pk else None)
    if row.principal_id != user.pk:
        return Keeping()
    end = row.over_at
    runs = row.starts_at <= now and (end is None or end > now)
    if row.activated_from_id is not None:
        return Keeping(can_prolong=runs)
    near = end is not None and end - now <= EXTENDED_WITHIN
    return Keeping(
        can_extend=runs and near and can_be_changed(row, now), can_renew=can_be_renewed(row, now) and not renewed
    )


def who_decides(row: Assignment, user: User, now: datetime) -> Sequence[User]:
    """Return who could decide about this assignment, now or after activating, but for the person who asks."""
    held = people_holding(Permission.DECIDE_RENEWALS, [row.resource], now, may_become=True)
    return [one for one in held[row.resource_id] if one.pk != user.pk]
