"""Deputies as the tests name them."""

from __future__ import annotations

from datetime import datetime

from approvals.models import Deputy
from approvals.services.deputies import name_deputy
from roles.models import Purpose, User
from tests.people import DAY, NOW, acting, at


def named(
    approver: User,
    deputy: User,
    *,
    now: datetime = NOW,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    reason: str = "away",
) -> Deputy:
    """Name a deputy as an approver would, for a week from now unless told otherwise."""
    return name_deputy(
        deputy.username,
        starts_at=starts_at,
        ends_at=ends_at or now + 7 * DAY,
        reason=reason,
        actor=acting(approver, Purpose.DECIDE, approver.pk, now=now),
        clock=at(now),
    )
