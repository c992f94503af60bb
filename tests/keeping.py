"""Saved profiles as the tests make them."""

from __future__ import annotations

from datetime import datetime, timedelta

from approvals.models import Profile
from approvals.services.profiles import save_profile
from roles.actors import Actor
from roles.models import Assignment, User
from tests.people import HOUR, NOW, at


def kept_by(
    user: User,
    *eligibilities: Assignment,
    name: str = "Morning",
    duration: timedelta = 2 * HOUR,
    reason: str = "daily checks",
    now: datetime = NOW,
) -> Profile:
    """Save these roles as this person would."""
    return save_profile(
        name,
        scopes={one.pk: None for one in eligibilities},
        duration=duration,
        reason=reason,
        actor=Actor(user),
        clock=at(now),
    )
