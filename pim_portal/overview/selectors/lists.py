"""The lists behind the figures of a world: a figure counts exactly what its list shows, by the same condition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.models import Request
from approvals.models.requests import RequestQuerySet
from audit.kinds import Realm
from reviews.models import Instance
from reviews.models.instances import InstanceQuerySet
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Assignment
from roles.models.assignments import AssignmentQuerySet
from roles.selectors.keys import any_number
from roles.selectors.smaller import proposals

DAYS = 7  # of activations
SOON = timedelta(hours=1)
ENDS_SOON = timedelta(days=14)
NEW_WITHIN = timedelta(days=30)
UNUSED_FOR = timedelta(days=90)

WORLDS: dict[Realm, str | Promise] = {Realm.DIRECTORY: _("Directory roles"), Realm.RESOURCE: _("Resources")}


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of assignments in effect: what it is called, and which of them it shows at a moment."""

    title: str | Promise
    shows: Callable[[datetime], Q]


ACTIVE = Q(type="active")
GIVEN = Q(activated_from=None)

# By the word in its address.
IN_EFFECT: dict[str, Listing] = {
    "all": Listing(_("Assignments in effect"), lambda now: Q()),
    "eligible": Listing(_("Eligible assignments"), lambda now: Q(type="eligible")),
    "active": Listing(_("Active now"), lambda now: ACTIVE),
    "activated": Listing(_("Activated now"), lambda now: Q(activated_from__isnull=False)),
    "time-bound": Listing(_("Assigned active with an end"), lambda now: ACTIVE & GIVEN & Q(ends_at__isnull=False)),
    "permanent": Listing(_("Permanent active assignments"), lambda now: ACTIVE & Q(ends_at=None)),
    "ending": Listing(_("Active, ending within the hour"), lambda now: ACTIVE & Q(ends_at__lte=now + SOON)),
    "ending-soon": Listing(_("Ending within 14 days"), lambda now: GIVEN & Q(ends_at__lte=now + ENDS_SOON)),
    "new": Listing(_("New in the last 30 days"), lambda now: GIVEN & Q(starts_at__gt=now - NEW_WITHIN)),
}
ACTIVATIONS, UNUSED, SMALLER = "activations", "unused", "smaller-role"
# Behind the insights: shown, and not counted on the Overview.
MORE: dict[str, Listing] = {
    "standing-privileged": Listing(
        _("Standing access to privileged roles"), lambda now: ACTIVE & Q(ends_at=None, role__privileged=True)
    ),
    "eligible-forever": Listing(_("Eligible without an end"), lambda now: Q(type="eligible", ends_at=None)),
    UNUSED: Listing(_("Eligible and not used for 90 days"), lambda now: _unused(now)),
    SMALLER: Listing(_("A smaller role in use would do"), lambda now: _smaller(now)),
}


def _unused(now: datetime) -> Q:
    """Return the condition that nobody activated what they have been eligible for since 90 days or longer."""
    since = now - UNUSED_FOR
    activations = Assignment.objects.filter(activated_from=OuterRef("pk"), starts_at__lte=now)
    used = activations.filter(Q(starts_at__gt=since) | Q(ended_at=None, ends_at__gt=now))
    return Q(~Exists(used), type="eligible", starts_at__lte=since)


def _smaller(now: datetime) -> Q:
    """Return the condition that all that was done under an assignment a smaller role in use there allows as well."""
    return Q(pk__in=any_number(proposals(Assignment.objects.in_effect(now), now)))


def within(authority: Authority, realm: Realm, permission: Permission = Permission.SEE) -> Q:
    """Return the condition that a row belongs to a resource of this world where its viewer may; empty: nowhere."""
    below = Q()
    for path in authority.paths(permission, realm):
        below |= Q(resource__path__startswith=path)
    return below


def in_effect(below: Q, now: datetime) -> AssignmentQuerySet:
    """Return all assignments in effect there."""
    return Assignment.objects.in_effect(now).filter(below)


def assignments_of(listed: str, below: Q, now: datetime) -> AssignmentQuerySet:
    """Return the assignments of a list by its word. Raises `KeyError` for any other."""
    if listed == ACTIVATIONS:
        return begun(below, now)
    return in_effect(below, now).filter((IN_EFFECT | MORE)[listed].shows(now))


def begun(below: Q, now: datetime) -> AssignmentQuerySet:
    """Return the activations that began in the last seven days of the viewer's calendar, over or not."""
    first = midnight(days(now)[0], timezone.get_current_timezone())
    rows = Assignment.objects.filter(below, activated_from__isnull=False, starts_at__gte=first, starts_at__lte=now)
    # What was called off before its start was never active.
    return rows.exclude(ended_at__lte=F("starts_at"))


def days(now: datetime) -> list[date]:
    """Return the last seven days of the viewer's calendar, today last."""
    today = now.astimezone(timezone.get_current_timezone()).date()
    return [today - timedelta(days=back) for back in reversed(range(DAYS))]


def midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def waiting(below: Q, now: datetime) -> RequestQuerySet:
    """Return the requests that can be decided there."""
    return Request.objects.waiting(now).filter(below)


def running_reviews(authority: Authority, realm: Realm) -> InstanceQuerySet:
    """Return the reviews that go on at places of this world that their viewer may see."""
    below = Q(pk__in=[])
    for path in authority.paths(Permission.SEE, realm):
        below |= Q(review__resource__path__startswith=path)
    return Instance.objects.open(authority.now).filter(below)
