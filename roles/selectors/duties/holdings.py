"""Who has which roles, now and later, whichever way they come to them: in a few queries for any number of people."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from roles.ids import GROUP_MEMBER
from roles.models import Assignment, AssignmentType, Group
from roles.models.assignments import AssignmentQuerySet

Ids = Collection[uuid.UUID]


@dataclass(frozen=True, slots=True)
class Holding:
    """A person has a role at a place for a time: directly, or through a group.

    `assignment_id` None: it is about to be given. `active` False: it has to be activated first.
    """

    person_id: uuid.UUID
    role_id: uuid.UUID
    resource_id: uuid.UUID
    path: str
    active: bool
    starts_at: datetime
    ends_at: datetime | None
    assignment_id: uuid.UUID | None = None
    group_id: uuid.UUID | None = None

    def overlaps(self, other: Holding) -> bool:
        """Return whether there is a moment at which both are there; an end belongs to what comes after it."""
        begins_before = other.ends_at is None or self.starts_at < other.ends_at
        return begins_before and (self.ends_at is None or other.starts_at < self.ends_at)


@dataclass(frozen=True, slots=True)
class Membership:
    """A person is a member of a group for a time, or may become one by activating it."""

    person_id: uuid.UUID
    group_id: uuid.UUID
    active: bool
    starts_at: datetime
    ends_at: datetime | None


def through(membership: Membership, carried: Holding) -> Holding | None:
    """Return what a member has of what their group has; None where the two never meet in time."""
    starts_at = max(membership.starts_at, carried.starts_at)
    ends_at = earlier(membership.ends_at, carried.ends_at)
    if ends_at is not None and ends_at <= starts_at:
        return None
    return replace(
        carried,
        person_id=membership.person_id,
        active=carried.active and membership.active,
        starts_at=starts_at,
        ends_at=ends_at,
        group_id=membership.group_id,
    )


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the earlier of two ends; none is the latest of all."""
    return min((end for end in (one, other) if end is not None), default=None)


def end_after(start: datetime, duration: timedelta) -> datetime | None:
    """Return when this time is over; none where that lies beyond the calendar."""
    try:
        # In UTC: on the clock of a form, hours are those of the wall, of which a change of clocks skips one.
        return start.astimezone(UTC) + duration
    except OverflowError:
        return None


def given(rows: AssignmentQuerySet) -> Iterator[Holding]:
    """Yield assignments as what their principals, people and groups alike, have."""
    names = ("principal_id", "role_id", "resource_id", "resource__path", "type", "starts_at", "ends_at", "pk")
    for person_id, role_id, resource_id, path, type, starts_at, ends_at, pk in rows.order_by("pk").values_list(*names):
        active = type == AssignmentType.ACTIVE
        yield Holding(person_id, role_id, resource_id, path, active, starts_at, ends_at, assignment_id=pk)


def memberships(rows: AssignmentQuerySet) -> Iterator[Membership]:
    """Yield the memberships of groups among these assignments."""
    rows = rows.filter(role=GROUP_MEMBER, resource__group__isnull=False).order_by("pk")
    for person_id, group_id, type, starts_at, ends_at in rows.values_list(
        "principal_id", "resource__group", "type", "starts_at", "ends_at"
    ):
        yield Membership(person_id, group_id, type == AssignmentType.ACTIVE, starts_at, ends_at)


def holdings_of(people: Ids, roles: Ids, now: datetime, *, as_enabled: Ids = ()) -> dict[uuid.UUID, list[Holding]]:
    """Return what these people have of these roles, now or later; three queries."""
    there = Assignment.objects.now_or_later(now, as_enabled=as_enabled)
    joined = list(memberships(there.filter(principal__in=people)))
    named = there.filter(role__in=roles)
    groups = {one.group_id for one in joined}
    return _by_person(given(named.filter(principal__in={*people, *groups})), joined, groups)


def holdings_everywhere(roles: Ids, now: datetime) -> dict[uuid.UUID, list[Holding]]:
    """Return what everybody has of these roles, now or later; three queries."""
    there = Assignment.objects.now_or_later(now)
    rows = list(given(there.filter(role__in=roles)))
    groups = set(Group.objects.filter(assignments__role__in=roles).values_list("pk", flat=True))
    joined = list(memberships(there.filter(resource__group__in=groups)))
    return _by_person(rows, joined, groups)


def _by_person(
    rows: Iterable[Holding], joined: Iterable[Membership], groups: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[Holding]]:
    own: dict[uuid.UUID, list[Holding]] = defaultdict(list)
    for row in rows:
        own[row.person_id].append(row)
    found = {pk: list(rows) for pk, rows in own.items() if pk not in groups}
    for membership in joined:
        for carried in own.get(membership.group_id, ()):
            if (held := through(membership, carried)) is not None:
                found.setdefault(membership.person_id, []).append(held)
    return found


def carried_by(groups: Ids, now: datetime, *, as_enabled: Ids = ()) -> Mapping[uuid.UUID, list[Holding]]:
    """Return what these groups have, whichever role it is; one query."""
    found: dict[uuid.UUID, list[Holding]] = defaultdict(list)
    for row in given(Assignment.objects.now_or_later(now, as_enabled=as_enabled).filter(principal__in=groups)):
        found[row.person_id].append(row)
    return found


def members_of(groups: Ids, now: datetime, *, as_enabled: Ids = ()) -> Mapping[uuid.UUID, list[Membership]]:
    """Return who is a member of these groups, or may become one; one query."""
    found: dict[uuid.UUID, list[Membership]] = defaultdict(list)
    rows = Assignment.objects.now_or_later(now, as_enabled=as_enabled).filter(resource__group__in=groups)
    for one in memberships(rows):
        found[one.group_id].append(one)
    return found
