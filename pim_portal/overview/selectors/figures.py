"""What the Overview says: what waits for its reader, and the figures of the worlds that they may see."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import Count, Min, Model, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.functional import Promise

from approvals.selectors.emergencies import emergencies_awaiting
from approvals.selectors.requests import requests_awaiting, requests_of
from audit.kinds import Realm
from pim_portal.overview.selectors import lists
from reviews.selectors.results import counts_of_instances
from roles.authority import Authority, Held
from roles.catalogue import Permission
from roles.models import Assignment, RoleKind
from roles.models.assignments import AssignmentQuerySet
from roles.selectors.lately import counted_lately

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
    # Being a member of a group is no role that somebody holds with care.
    held = tuple(one for one in authority.held if one.role_kind != RoleKind.GROUP)
    emergencies = emergencies_awaiting(authority)
    until = sorted([*(one.lapses_at for one in requests_awaiting(authority)), *(one.due_at for one in emergencies)])
    asked = requests_of(user).waiting_among(now).aggregate(count=Count("pk"), first=Min("lapses_at"))
    return Mine(
        held=held,
        to_decide=Waiting(len(until), until[0] if until else None),
        asked=Waiting(asked["count"], asked["first"]),
        eligible=sum(one.role_kind != RoleKind.GROUP for one in authority.eligible),
    )


def worlds(authority: Authority) -> list[Figures]:
    """Return the figures of each world of which this person may see the assignments of others."""
    seen = ((realm, lists.within(authority, realm)) for realm in lists.WORLDS)
    return [_figures_lately(authority, realm, below) for realm, below in seen if below]


def _figures_lately(authority: Authority, realm: Realm, below: Q) -> Figures:
    key = ("figures", realm, *sorted(authority.paths(Permission.SEE, realm)), timezone.get_current_timezone_name())
    found = counted_lately(
        lambda: _figures(authority, realm, below),
        of=Assignment.objects.open().filter(below),
        key=key,
        now=authority.now,
    )
    return replace(found.counted, title=lists.WORLDS[realm], counted_at=found.at)


def _figures(authority: Authority, realm: Realm, below: Q) -> Figures:
    now = authority.now
    here = lists.in_effect(below, now)
    # One query for all of them: two of these names are those of methods of a queryset.
    asked = {f"n{at}": Count("pk", filter=one.shows(now)) for at, one in enumerate(lists.IN_EFFECT.values())}
    counts = here.aggregate(**asked)
    waiting = lists.waiting(below, now).aggregate(waiting=Count("pk"), oldest=Min("made_at"))
    return Figures(
        realm=realm,
        title="",
        counts={name: counts[f"n{at}"] for at, name in enumerate(lists.IN_EFFECT)},
        days=_activations(below, now),
        activated=_by_role(lists.begun(below, now)),
        held=_by_role(here.filter(lists.ACTIVE)),
        reviews=_reviews(authority, realm),
        **waiting,
    )


def _by_role(rows: AssignmentQuerySet) -> tuple[RoleCount, ...]:
    counted = rows.order_by().values_list("role", "role__name").annotate(count=Count("pk"))
    return tuple(RoleCount(*row) for row in counted.order_by("-count", "role__name", "role")[:MOST_ROLES])


def _reviews(authority: Authority, realm: Realm) -> Progress:
    running = list(lists.running_reviews(authority, realm))
    counts = counts_of_instances(running).values()
    return Progress(len(running), sum(one.answered for one in counts), sum(one.total for one in counts))


def _activations(below: Q, now: datetime) -> tuple[Day, ...]:
    zone = timezone.get_current_timezone()
    rows: QuerySet[Model] = lists.begun(below, now)
    by_day = rows.annotate(day=TruncDate("starts_at", tzinfo=zone)).values_list("day").annotate(Count("pk"))
    counted = Counter(dict(by_day.order_by("day")))
    return tuple(Day(day, counted[day]) for day in lists.days(now))
