"""What the overview of a place says in figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from roles.models import Assignment, AssignmentType, Resource
from roles.selectors.assignment_lists import at_or_above, scheduled
from roles.selectors.lately import Lately, counted_lately
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


def figures_lately_of(place: Resource, now: datetime) -> Lately[Figures]:
    """Count what stands in the lists of a place; lately, where there is much."""
    return counted_lately(
        lambda: figures_of(place, now),
        of=Assignment.objects.open().filter(resource__in=place.way_ids),
        key=("of a place", place.pk, place.path),
        now=now,
    )


def figures_of(place: Resource, now: datetime) -> Figures:
    """Count what stands in the lists of a place; `ending_soon` ends within 14 days."""
    counts = (
        at_or_above(place)
        .in_effect(now)
        .aggregate(
            eligible=Count("pk", filter=Q(type=AssignmentType.ELIGIBLE)),
            active=Count("pk", filter=Q(type=AssignmentType.ACTIVE)),
            ending_soon=Count("pk", filter=Q(ends_at__lte=now + SOON, activated_from=None)),
        )
    )
    return Figures(
        **counts,
        scheduled=scheduled(place, now).count(),
        below=below(place).filter(retired_at=None).count(),
    )
