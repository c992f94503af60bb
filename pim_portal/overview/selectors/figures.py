"""What the Overview says: what waits for its reader, and the figures of the worlds that they may see."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from django.db.models import Count, F, Min, Model, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.models import Request
from approvals.selectors.emergencies import emergencies_awaiting
from approvals.selectors.requests import requests_awaiting, requests_of
from audit.kinds import Realm
from roles.authority import Authority, Held
from roles.catalogue import Permission
from roles.models import Assignment, RoleKind

DAYS = 7
SOON = timedelta(hours=1)

WORLDS: dict[Realm, str | Promise] = {Realm.DIRECTORY: _("Directory roles"), Realm.RESOURCE: _("Resources")}


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
class Figures:
    """One world as it is now, at the resources that the reader may see."""

    title: str | Promise
    active: int
    ending: int
    permanent: int
    assignments: int
    days: tuple[Day, ...]
    waiting: int
    oldest: datetime | None

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
    asked = requests_of(user, now).waiting(now).aggregate(count=Count("pk"), first=Min("lapses_at"))
    return Mine(
        held=held,
        to_decide=Waiting(len(until), until[0] if until else None),
        asked=Waiting(asked["count"], asked["first"]),
        eligible=Assignment.objects.eligible_for(user.pk, now).exclude(role__kind=RoleKind.GROUP).count(),
    )


def worlds(authority: Authority) -> list[Figures]:
    """Return the figures of each world of which this person may see the assignments of others."""
    found = []
    for realm, title in WORLDS.items():
        below = Q()
        for path in authority.paths(Permission.SEE, realm):
            below |= Q(resource__path__startswith=path)
        if below:
            found.append(_figures(title, below, authority.now))
    return found


def _figures(title: str | Promise, below: Q, now: datetime) -> Figures:
    active = Q(type="active")
    here = Assignment.objects.in_effect(now).filter(below)
    counts = here.aggregate(
        assignments=Count("pk"),
        active=Count("pk", filter=active),
        ending=Count("pk", filter=active & Q(ends_at__lte=now + SOON)),
        permanent=Count("pk", filter=active & Q(ends_at=None)),
    )
    waiting = Request.objects.waiting(now).filter(below).aggregate(waiting=Count("pk"), oldest=Min("made_at"))
    return Figures(title=title, days=_activations(below, now), **counts, **waiting)


def _activations(below: Q, now: datetime) -> tuple[Day, ...]:
    zone = timezone.get_current_timezone()
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    # What was called off before its start was never active.
    begun: QuerySet[Model] = (
        Assignment.objects.filter(below, activated_from__isnull=False)
        .filter(starts_at__gte=_midnight(days[0], zone), starts_at__lte=now)
        .exclude(ended_at__lte=F("starts_at"))
    )
    rows = begun.annotate(day=TruncDate("starts_at", tzinfo=zone)).values_list("day").annotate(Count("pk"))
    counted = Counter(dict(rows.order_by("day")))
    return tuple(Day(day, counted[day]) for day in days)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
