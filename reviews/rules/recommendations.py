"""What is recommended, and why: from use alone. The sentence of each reason stands in `reviews.wording`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reviews.models import Because, Recommendation
from roles.models import AssignmentType


@dataclass(frozen=True, slots=True)
class UseFacts:
    """What is known of the use of an assignment. `since`: when it began."""

    type: AssignmentType
    since: datetime
    now: datetime
    look_back_days: int
    activations: int
    last_sign_in_at: datetime | None
    for_emergencies: bool = False


def recommend(facts: UseFacts) -> tuple[Recommendation, Because]:
    """Return what use speaks for: an eligibility is used by activating it, an active role by being there at all."""
    began = facts.now - timedelta(days=facts.look_back_days)
    if facts.type == AssignmentType.ELIGIBLE and facts.activations:
        return Recommendation.APPROVE, Because.ACTIVATED
    signed_in = facts.last_sign_in_at is not None and facts.last_sign_in_at >= began
    if facts.type == AssignmentType.ACTIVE and signed_in:
        return Recommendation.APPROVE, Because.SIGNED_IN
    if facts.for_emergencies:
        return Recommendation.NONE, Because.EMERGENCY
    if facts.since > began:
        return Recommendation.NONE, Because.NEW
    if facts.type == AssignmentType.ELIGIBLE:
        return Recommendation.DENY, Because.NOT_ACTIVATED
    if facts.last_sign_in_at is None:
        return Recommendation.DENY, Because.NEVER_SEEN
    return Recommendation.DENY, Because.NOT_SIGNED_IN
