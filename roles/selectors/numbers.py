"""How many assignments of each role reach a place, from each place that gives some: lately, where there are many."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count as Counted
from django.db.models import Q

from roles.models import Assignment, AssignmentType, Resource
from roles.selectors.assignment_lists import begin_later
from roles.tallies import Count, Lately

ENDS_SOON: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Number:
    """How many assignments of a role and type are in effect that were given at one place.

    `ending_soon` of them end within 14 days.
    """

    place_id: uuid.UUID
    role_id: uuid.UUID
    type: AssignmentType
    count: int
    ending_soon: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many assignments reach a place, and how many will from a later moment on."""

    given: list[Number]
    scheduled: int


def _given_at(now: datetime, place_id: str) -> dict[str, Any]:
    """Count what is in effect and was given at a place, for every role, and what begins later."""
    there = Assignment.objects.filter(resource=uuid.UUID(place_id)).order_by()
    given = there.in_effect(now)
    soon = Q(ends_at__lte=now + ENDS_SOON, activated_from=None)
    numbers = given.values_list("role", "type").annotate(Counted("pk"), soon=Counted("pk", filter=soon))
    return {"given": [[str(role), *said] for role, *said in numbers], "scheduled": begin_later(there, now).count()}


# A place at a time: what the directory gives reaches each of its units, and is counted once for all of them.
GIVEN_AT: Final = Count("given at a place", _given_at)


def numbers_at(place: Resource, now: datetime) -> Lately[Numbers]:
    """Count what is in effect at a place, and what begins later, what is inherited from above included."""
    open_ones = Assignment.objects.open()
    counts = {pk: GIVEN_AT.lately(str(pk), among=open_ones.filter(resource=pk), now=now) for pk in place.way_ids}
    numbers = [
        Number(pk, uuid.UUID(role), AssignmentType(type), count, soon)
        for pk, lately in counts.items()
        for role, type, count, soon in lately.found["given"]
    ]
    scheduled = sum(one.found["scheduled"] for one in counts.values())
    at = min((one.at for one in counts.values() if one.at is not None), default=None)
    return Lately(Numbers(numbers, scheduled), at)
