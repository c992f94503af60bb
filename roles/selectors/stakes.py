"""Who would profit from looser settings, and who could look at them as a second administrator."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from roles.catalogue import Permission
from roles.ids import GROUP_MEMBER
from roles.models import Assignment, Resource, ResourceKind, Role, StageApprover, TotpDevice, User
from roles.models.assignments import AssignmentQuerySet
from roles.rules.changes import RENEWED_WITHIN
from roles.selectors.holding import people_holding
from roles.selectors.settings_use import governed


def has_a_stake(user_id: uuid.UUID, role: Role, place: Resource | None, now: datetime) -> bool:
    """Return whether somebody is eligible, active or may have a pending request under settings at a place (None: the
    role's default), themselves or through a group.

    What ended lately counts, too: a request to renew it may wait, and whoever lets go of a role for a moment shall not
    loosen it meanwhile. So do the settings of a group that decides about a role of theirs: they say who decides.
    """
    rows = _of(user_id, now)
    if rows.filter(governed(role, place)).exists():
        return True
    return place is not None and place.kind == ResourceKind.GROUP and _decided_by(place, rows)


def _of(user_id: uuid.UUID, now: datetime) -> AssignmentQuerySet:
    """Return what somebody has, will have or had lately; as a member of a group whether or not that is active."""
    since = now - RENEWED_WITHIN
    lately = Q(Q(ended_at=None) | Q(ended_at__gt=since), Q(ends_at=None) | Q(ends_at__gt=since))
    own = Assignment.objects.filter(lately, principal=user_id)
    groups = list(own.filter(role=GROUP_MEMBER).values_list("resource__group", flat=True).distinct())
    return Assignment.objects.filter(lately, principal__in=[user_id, *groups])


def _decided_by(node: Resource, rows: AssignmentQuerySet) -> bool:
    """Return whether a group decides about any of these assignments, as approver or as escalation."""
    seats = StageApprover.objects.filter(principal__group__resource=node)
    for seat in seats.select_related("stage__settings__role", "stage__settings__resource"):
        settings = seat.stage.settings
        if rows.filter(governed(settings.role, settings.resource)).exists():
            return True
    return False


def others_who_may(
    permission: Permission,
    places: Iterable[Resource],
    now: datetime,
    *,
    but: uuid.UUID | None = None,
    may_become: bool = True,
) -> list[User]:
    """Return who else may do this at all of these places, with a second factor; also who could after activating."""
    held = people_holding(permission, (places := list(places)), now, may_become=may_become)
    common = set.intersection(*({user.pk for user in held[place.pk]} for place in places)) - {but}
    factor = TotpDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
    return list(User.objects.filter(Exists(factor), pk__in=common).order_by("name_key", "pk"))
