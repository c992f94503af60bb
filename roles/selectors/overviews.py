"""What the overview of a place says in figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from roles.models import Resource
from roles.selectors.assignment_lists import active, eligible, scheduled
from roles.selectors.resources import below

SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Figures:
    """How many assignments reach a place, those inherited from above included."""

    eligible: int
    active: int
    scheduled: int
    ending_soon: int
    below: int


def figures_of(place: Resource, now: datetime) -> Figures:
    """Count what stands in the lists of a place; `ending_soon` ends within 14 days."""
    may_activate, hold = eligible(place, now), active(place, now)
    soon = {"ends_at__lte": now + SOON, "activated_from": None}
    return Figures(
        eligible=may_activate.count(),
        active=hold.count(),
        scheduled=scheduled(place, now).count(),
        ending_soon=may_activate.filter(**soon).count() + hold.filter(**soon).count(),
        below=below(place).filter(retired_at=None).count(),
    )
