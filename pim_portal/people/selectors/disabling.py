"""What disabling somebody, or enabling them again, would do, said beforehand (DESIGN.md §5 rule 10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from approvals.models import Request
from pim_portal.people.selectors.people import not_over, visible_to
from roles.authority import Authority
from roles.ids import GROUP_MEMBER
from roles.models import Assignment, AssignmentType, User
from roles.selectors.administrators import lasting_administrators
from roles.selectors.sight import within_sight


@dataclass(frozen=True, slots=True)
class Effect:
    """What ends for good, what is suspended until somebody is enabled again, and what is cancelled; within sight."""

    ends: list[Assignment]
    suspended: list[Assignment]
    cancelled: list[Request]
    last_administrator: bool


def held_again(user: User, *, viewer: Authority, now: datetime) -> list[Assignment]:
    """Return the roles that this person holds as soon as they are enabled, within sight of the viewer.

    Nothing of their own is active then; but they belong to their groups again, and what a group holds its members hold.
    """
    if user.enabled:
        return []
    mine = Assignment.objects.now_or_later(now, as_enabled=[user.pk]).active()
    joined = mine.filter(principal=user, role=GROUP_MEMBER, starts_at__lte=now).values_list("resource", flat=True)
    rows = (
        Assignment.objects.in_effect(now)
        .active()
        .filter(visible_to(viewer), principal__group__resource__in=list(joined))
    )
    shown = rows.select_related("role", "resource", "principal")
    return list(shown.order_by("role__name_key", "resource__path", "pk"))


def what_disabling_does(user: User, *, viewer: Authority, now: datetime) -> Effect:
    """Return what disabling this person ends, suspends and cancels, as far as the viewer may see it."""
    rows = not_over(user, now).filter(visible_to(viewer)).select_related("role", "resource")
    ends: list[Assignment] = []
    suspended: list[Assignment] = []
    for row in rows.order_by("role__name_key", "resource__path", "pk"):
        active = row.type == AssignmentType.ACTIVE
        kept = row.role_id == GROUP_MEMBER and row.activated_from_id is None
        (ends if active and not kept else suspended).append(row)
    waiting = Request.objects.waiting(now).filter(within_sight(viewer), principal=user)
    administrators = lasting_administrators(now)
    return Effect(
        ends=ends,
        suspended=suspended,
        cancelled=list(waiting.select_related("role", "resource").order_by("made_at", "pk")),
        last_administrator=administrators == {user.pk},
    )
