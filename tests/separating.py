"""Rules of separation of duties, for tests: made through the service, by the operator."""

from __future__ import annotations

from datetime import datetime

from roles.models import DutyReach, DutyRule, Resource, Role
from roles.rules.duty_rules import DutyTerms
from roles.services.duties import add_duty_rule
from tests.people import DAY, NOW, OPERATOR, at, directory


def kept_apart(
    *roles: Role,
    place: Resource | None = None,
    reach: DutyReach = DutyReach.HOLD,
    name: str = "Four eyes",
    now: datetime = NOW - 200 * DAY,
) -> DutyRule:
    """Make a rule that keeps these roles apart, at the directory unless a place is given."""
    terms = DutyTerms(name, "", reach, roles)
    return add_duty_rule(place or directory(), terms, seen=None, reason="for the test", actor=OPERATOR, clock=at(now))
