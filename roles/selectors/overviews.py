"""What the overview of a place says in figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from roles.models import AssignmentType, Resource
from roles.selectors.numbers import numbers_at
from roles.selectors.resources import below
from roles.tallies import Lately


@dataclass(frozen=True, slots=True)
class Figures:
    """How many assignments reach a place, those inherited from above included; `ending_soon` ends within 14 days."""

    eligible: int
    active: int
    scheduled: int
    ending_soon: int
    below: int


def figures_lately_of(place: Resource, now: datetime) -> Lately[Figures]:
    """Count what stands in the lists of a place; lately, where there is much."""
    numbers = numbers_at(place, now)
    given = numbers.found.given
    figures = Figures(
        eligible=sum(one.count for one in given if one.type == AssignmentType.ELIGIBLE),
        active=sum(one.count for one in given if one.type == AssignmentType.ACTIVE),
        scheduled=numbers.found.scheduled,
        ending_soon=sum(one.ending_soon for one in given),
        below=below(place).count(),
    )
    return Lately(figures, numbers.at)
