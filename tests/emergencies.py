"""Emergencies as the tests make them: a role that allows them, one that happened, and its review."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from approvals.models import EmergencyReview, Request
from approvals.services.activations import Wanted
from approvals.services.emergencies import break_glass
from approvals.services.emergency_reviews import close_review
from roles.models import Assignment, Purpose, User
from tests.people import NOW, acting, at, configure, make_eligible, role


def glass_allowed(user: User, what: Any, *approvers: User, now: datetime = NOW, **values: Any) -> Assignment:
    """Make somebody eligible for a role that these approve and that may be activated in an emergency."""
    eligibility = make_eligible(user, role(what), now=now)
    configure(eligibility.role, approvers=list(approvers), break_glass_allowed=True, **values)
    return eligibility


def break_it(
    user: User,
    eligibility: Assignment,
    *,
    now: datetime = NOW,
    hours: float = 1,
    reason: str = "on fire",
    **wanted: Any,
) -> Request:
    """Activate it in an emergency as its holder would."""
    return break_glass(
        eligibility.pk,
        wanted=Wanted(duration=timedelta(hours=hours), reason=reason, **wanted),
        actor=acting(user, Purpose.BREAK_GLASS, eligibility.pk, now=now),
        clock=at(now),
    )


def review(
    user: User,
    request: Request,
    *,
    now: datetime = NOW,
    justified: bool | None = True,
    finding: str = "looked into it",
    **kwargs: Any,
) -> EmergencyReview:
    """Close the review of it as this person would."""
    return close_review(
        request.pk,
        justified=justified,
        finding=finding,
        actor=acting(user, Purpose.DECIDE, request.pk, now=now),
        clock=at(now),
        **kwargs,
    )
