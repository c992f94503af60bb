"""How many assignments of each role reach a place, from each place that gives some: lately, where there are many."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count as Counted
from django.db.models import Q

from roles.models import Assignment, AssignmentType, Resource
from roles.selectors.assignment_lists import begin_later
from roles.tallies import Count, Lately, are_many

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
    return _given_at_each(now, [uuid.UUID(place_id)])[uuid.UUID(place_id)]


def _given_at_each(now: datetime, places: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, Any]]:
    """Count the same of several places, with as many queries."""
    found: dict[uuid.UUID, dict[str, Any]] = {pk: {"given": [], "scheduled": 0} for pk in places}
    there = Assignment.objects.filter(resource__in=places).order_by()
    soon = Q(ends_at__lte=now + ENDS_SOON, activated_from=None)
    given = there.in_effect(now).values_list("resource", "role", "type")
    for pk, role, *said in given.annotate(Counted("pk"), soon=Counted("pk", filter=soon)):
        found[pk]["given"].append([str(role), *said])
    for pk, count in begin_later(there, now).values_list("resource").annotate(Counted("pk")):
        found[pk]["scheduled"] = count
    return found


# A place at a time: what the directory gives reaches each of its units, and is counted once for all of them.
GIVEN_AT: Final = Count("given at a place", _given_at)


def numbers_at(place: Resource, now: datetime) -> Lately[Numbers]:
    """Count what is in effect at a place, and what begins later, what is inherited from above included."""
    counts = _counts_of(place.way_ids, now)
    numbers = [
        Number(pk, uuid.UUID(role), AssignmentType(type), count, soon)
        for pk, lately in counts.items()
        for role, type, count, soon in lately.found["given"]
    ]
    scheduled = sum(one.found["scheduled"] for one in counts.values())
    at = min((one.at for one in counts.values() if one.at is not None), default=None)
    return Lately(Numbers(numbers, scheduled), at)


def _counts_of(places: Sequence[uuid.UUID], now: datetime) -> dict[uuid.UUID, Lately[Any]]:
    kept = dict(zip(places, GIVEN_AT.kept([(str(pk),) for pk in places], now), strict=True))
    counts = {pk: lately for pk, lately in kept.items() if lately is not None}
    open_ones, others = Assignment.objects.open(), [pk for pk in places if pk not in counts]
    if others and not are_many(open_ones.filter(resource__in=others)):
        return counts | {pk: Lately(found) for pk, found in _given_at_each(now, others).items()}
    here = {pk: GIVEN_AT.lately(str(pk), among=open_ones.filter(resource=pk), now=now) for pk in others}
    return counts | here
