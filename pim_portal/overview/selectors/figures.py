"""What the Overview says: what waits for its reader, and the figures of the worlds that they may see."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Count, Min, Model, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.functional import Promise

from approvals.selectors.emergencies import emergencies_awaiting
from approvals.selectors.requests import requests_awaiting, requests_of
from audit.kinds import Realm
from pim_portal.overview.selectors import lists
from reviews.selectors.results import counts_of_instances
from roles import tallies
from roles.authority import Authority, Held
from roles.models import Assignment, RoleKind
from roles.models.assignments import AssignmentQuerySet

MOST_ROLES = 5


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait, and when the first of them lapses."""

    count: int
    lapses_at: datetime | None


@dataclass(frozen=True, slots=True)
class Mine:
    """What concerns the reader of the page."""

    held: tuple[Held, ...]
    to_decide: Waiting
    asked: Waiting
    eligible: int


@dataclass(frozen=True, slots=True)
class Day:
    """The activations that began on one day of the viewer's calendar."""

    day: date
    count: int


@dataclass(frozen=True, slots=True)
class RoleCount:
    """How often a role stands in a list."""

    role_id: uuid.UUID
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How many reviews go on, and how many of their rows somebody has answered."""

    reviews: int
    answered: int
    total: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One world as it is now, at the resources that the reader may see; `counts` by the word of each list."""

    realm: Realm
    title: str | Promise
    counts: dict[str, int]
    days: tuple[Day, ...]
    activated: tuple[RoleCount, ...]
    held: tuple[RoleCount, ...]
    waiting: int
    oldest: datetime | None
    reviews: Progress
    counted_at: datetime | None = None  # None: now

    @property
    def active(self) -> int:
        return self.counts["active"]

    @property
    def ending(self) -> int:
        return self.counts["ending"]

    @property
    def permanent(self) -> int:
        return self.counts["permanent"]

    @property
    def assignments(self) -> int:
        return self.counts["all"]

    @property
    def timed(self) -> int:
        return self.counts["time-bound"]

    @property
    def ending_soon(self) -> int:
        return self.counts["ending-soon"]

    @property
    def activations(self) -> int:
        return sum(one.count for one in self.days)

    @property
    def permanent_share(self) -> float:
        """The permanent active assignments in percent of all assignments."""
        return 100 * self.permanent / self.assignments if self.assignments else 0.0


def mine(authority: Authority) -> Mine:
    """Return what this person holds, may activate, waits for, and is waited for."""
    user, now = authority.user, authority.now
    # As in My roles, where the figures lead: plain membership of a group is no role that somebody holds with care.
    held = tuple(one for one in authority.held if one.role_kind != RoleKind.GROUP or one.activated or one.ends_at)
    emergencies = emergencies_awaiting(authority)
    until = sorted([*(one.lapses_at for one in requests_awaiting(authority)), *(one.due_at for one in emergencies)])
    asked = requests_of(user).waiting_among(now).aggregate(count=Count("pk"), first=Min("lapses_at"))
    return Mine(
        held=held,
        to_decide=Waiting(len(until), until[0] if until else None),
        asked=Waiting(asked["count"], asked["first"]),
        eligible=len(authority.eligible),
    )


def worlds(authority: Authority) -> list[Figures]:
    """Return the figures of each world of which this person may see the assignments of others."""
    there = ((realm, lists.paths_in(authority, realm)) for realm in lists.WORLDS)
    return [_figures(realm, paths, authority.now) for realm, paths in there if paths]


def _figures(realm: Realm, paths: lists.Paths, now: datetime) -> Figures:
    """Return the figures of what lies at or below these paths; counted lately, where there is much."""
    open_ones = Assignment.objects.open().filter(lists.below(paths))
    counted = WORLD.lately(lists.keys_of(paths), timezone.get_current_timezone_name(), among=open_ones, now=now)
    found = counted.found
    return Figures(
        realm=realm,
        title=lists.WORLDS[realm],
        counts=found["counts"],
        days=tuple(Day(day, count) for day, count in zip(lists.days(counted.at or now), found["days"], strict=True)),
        activated=_role_counts(found["activated"]),
        held=_role_counts(found["held"]),
        waiting=found["waiting"],
        oldest=datetime.fromisoformat(found["oldest"]) if found["oldest"] else None,
        reviews=Progress(*found["reviews"]),
        counted_at=counted.at,
    )


def _role_counts(found: list[Any]) -> tuple[RoleCount, ...]:
    return tuple(RoleCount(uuid.UUID(role), name, count) for role, name, count in found)


def _count(now: datetime, places: list[str], zone: str) -> dict[str, Any]:
    """Count what lies at or below these places, by the calendar of a time zone."""
    paths = lists.paths_now(places)
    below = lists.below(paths)
    here = lists.in_effect(below, now)
    # One query for all of them: two of these names are those of methods of a queryset.
    asked = {f"n{at}": Count("pk", filter=one.shows(now)) for at, one in enumerate(lists.IN_EFFECT.values())}
    counts = here.aggregate(**asked)
    waiting = lists.waiting(below, now).aggregate(count=Count("pk"), oldest=Min("made_at"))
    with timezone.override(zone):
        begun = lists.begun(below, now)
        days, activated = _activations(begun, now), _by_role(begun)
    return {
        "counts": {name: counts[f"n{at}"] for at, name in enumerate(lists.IN_EFFECT)},
        "days": days,
        "activated": activated,
        "held": _by_role(here.filter(lists.ACTIVE)),
        "reviews": _reviews(paths, now),
        "waiting": waiting["count"],
        "oldest": waiting["oldest"] and waiting["oldest"].isoformat(),
    }


WORLD: Final = tallies.Count("world", _count)


def _by_role(rows: AssignmentQuerySet) -> list[Any]:
    counted = rows.order_by().values_list("role", "role__name").annotate(count=Count("pk"))
    return [[str(role), *said] for role, *said in counted.order_by("-count", "role__name", "role")[:MOST_ROLES]]


def _reviews(paths: lists.Paths, now: datetime) -> list[int]:
    running = list(lists.running_reviews(paths, now))
    counts = counts_of_instances(running).values()
    return [len(running), sum(one.answered for one in counts), sum(one.total for one in counts)]


def _activations(rows: QuerySet[Model], now: datetime) -> list[int]:
    zone = timezone.get_current_timezone()
    by_day = rows.annotate(day=TruncDate("starts_at", tzinfo=zone)).values_list("day").annotate(Count("pk"))
    counted = Counter(dict(by_day.order_by("day")))
    return [counted[day] for day in lists.days(now)]
