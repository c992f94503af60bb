"""Who stands in for whom: only an approver's own deputy, never a deputy's."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from approvals.models import Deputy
from approvals.models.deputies import DeputyQuerySet
from roles.models import User
from roles.models.prepared import Prepared

Deputies = dict[uuid.UUID, list[User]]


_STANDING_IN = Prepared(
    lambda approvers, now: (
        Deputy.objects.in_effect(now).filter(approver__in=approvers).order_by().values_list("approver", "deputy")
    )
)


_BEHIND = Prepared(
    lambda user_id, now: (
        Deputy.objects.in_effect(now).filter(deputy=user_id).order_by().values_list("approver", flat=True)
    )
)


def deputies_of(approvers: Iterable[uuid.UUID], now: datetime) -> Deputies:
    """Return for each of these approvers the people who stand in for them at `now`, by name."""
    pairs = set(_STANDING_IN.ask(list(approvers), now))
    if not pairs:
        return {}
    people = User.objects.filter(pk__in={deputy for _approver, deputy in pairs}, enabled=True)
    answer: Deputies = {}
    for user in people.order_by("name_key", "pk"):
        for approver_id in sorted(approver for approver, deputy in pairs if deputy == user.pk):
            answer.setdefault(approver_id, []).append(user)
    return answer


def approvers_behind(user_id: uuid.UUID, now: datetime) -> set[uuid.UUID]:
    """Return the approvers in whose place this person may decide at `now`."""
    return set(_BEHIND.ask(user_id, now))


def deputies_ever(user: User) -> DeputyQuerySet:
    """Return what this person named, and where they stand in themselves, over or not."""
    mine = Deputy.objects.filter(approver=user.pk) | Deputy.objects.filter(deputy=user.pk)
    return mine.select_related("approver", "deputy").order_by("starts_at", "pk")


def deputies_concerning(user: User, now: datetime) -> DeputyQuerySet:
    """Return of these what is not over."""
    return deputies_ever(user).not_over(now)
