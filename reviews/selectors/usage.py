"""How much a role is used: activations and sign-ins, for a chunk of candidates with a fixed number of queries."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Q

from audit.kinds import Kind, Outcome
from audit.models import Event
from reviews.models import Terms
from reviews.selectors.candidates import Candidate
from roles.models import Assignment, AssignmentType, PrincipalKind, User

# Whoever gives a second factor is there, in a session that began before.
PRESENCE: Final = (Kind.SIGNED_IN, Kind.SECOND_FACTOR_GIVEN)
LONGEST_LOOK: Final = timedelta(days=730)  # the longest that somebody can be asked to have been inactive
BATCH: Final = 1000  # ids in one question


@dataclass(frozen=True, slots=True)
class Usage:
    """What is known of the use of one assignment by whom it is reviewed for."""

    last_activated_at: datetime | None
    activations: int
    last_sign_in_at: datetime | None
    manager_id: uuid.UUID | None

    @property
    def last_used_at(self) -> datetime | None:
        return max((one for one in (self.last_activated_at, self.last_sign_in_at) if one), default=None)

    def inactive(self, days: int, now: datetime) -> bool:
        """Return whether there was neither a sign-in nor an activation for so many days."""
        return self.last_used_at is None or self.last_used_at <= now - timedelta(days=days)


def usage_of(candidates: Sequence[Candidate], now: datetime, *, look_back_days: int) -> list[Usage]:
    """Return the usage of each candidate, in their order. A group is used when one of its members does."""
    activated = _activations(candidates, now, now - timedelta(days=look_back_days))
    members = _members(candidates, now)
    people = {one.principal.pk for one in candidates} | {person for group in members.values() for person in group}
    seen = _last_sign_ins(people, now)
    managers = _managers(one.principal.pk for one in candidates)

    def usage(one: Candidate) -> Usage:
        group = one.principal.kind == PrincipalKind.GROUP
        last, count = activated.get((one.assignment.pk, None if group else one.principal.pk), (None, 0))
        whose = members.get(one.principal.pk, ()) if group else (one.principal.pk,)
        signed_in = max((seen[person] for person in whose if person in seen), default=None)
        return Usage(last, count, signed_in, managers.get(one.principal.pk))

    return [usage(one) for one in candidates]


_Key = tuple[uuid.UUID, uuid.UUID | None]


def _activations(
    candidates: Iterable[Candidate], now: datetime, since: datetime
) -> dict[_Key, tuple[datetime | None, int]]:
    eligible = {one.assignment.pk for one in candidates if one.assignment.type == AssignmentType.ELIGIBLE}
    rows = (
        Assignment.objects.begun(now)
        .filter(activated_from__in=eligible)
        .order_by()
        .values_list("activated_from", "principal")
        .annotate(last=Max("starts_at"), lately=Count("pk", filter=Q(starts_at__gte=since)))
    )
    found: dict[_Key, tuple[datetime | None, int]] = {}
    for assignment, person, last, lately in rows:
        found[assignment, person] = (last, lately)
        before, count = found.get((assignment, None), (None, 0))
        found[assignment, None] = (max(before, last) if before else last, count + lately)
    return found


def _members(candidates: Iterable[Candidate], now: datetime) -> dict[uuid.UUID, list[uuid.UUID]]:
    groups = {one.principal.pk for one in candidates if one.principal.kind == PrincipalKind.GROUP}
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    if groups:
        rows = Assignment.objects.memberships(now).filter(resource__group__in=groups).order_by()
        for group, person in rows.values_list("resource__group", "principal"):
            found.setdefault(group, []).append(person)
    return found


def _last_sign_ins(people: Iterable[uuid.UUID], now: datetime) -> dict[uuid.UUID, datetime]:
    events = Event.objects.filter(
        kind__in=PRESENCE, outcome=Outcome.DONE, occurred_at__gt=now - LONGEST_LOOK, occurred_at__lte=now
    )
    found: dict[uuid.UUID, datetime] = {}
    ids = list(people)
    for first in range(0, len(ids), BATCH):
        rows = events.filter(actor_id__in=ids[first : first + BATCH]).order_by().values_list("actor_id")
        found |= dict(rows.annotate(last=Max("occurred_at")))
    return found


def _managers(people: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """Return the enabled managers; nobody is their own."""
    rows = User.objects.filter(pk__in=set(people), manager__enabled=True).values_list("pk", "manager")
    return {person: manager for person, manager in rows if manager is not None and person != manager}


def included(terms: Terms, usage: Usage, now: datetime) -> bool:
    """Return whether a candidate is reviewed where only the inactive are."""
    return terms.inactive_days is None or usage.inactive(terms.inactive_days, now)
