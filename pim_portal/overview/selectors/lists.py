"""The lists behind the figures of a world: a figure counts exactly what its list shows, by the same condition."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from django.db.models import OuterRef, Q, QuerySet
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
from roles.models import Assignment, Resource, Role
from roles.models.assignments import AssignmentQuerySet
from roles.models.held import ByRow
from roles.models.planning import planned_anew
from roles.selectors.keys import any_number
from roles.selectors.smaller import proposals
from roles.selectors.walking import first_in
from roles.tallies import Count, Lately, are_many

DAYS = 7  # of activations
SOON = timedelta(hours=1)
ENDS_SOON = timedelta(days=14)
NEW_WITHIN = timedelta(days=30)
UNUSED_FOR = timedelta(days=90)

WORLDS: dict[Realm, str | Promise] = {Realm.DIRECTORY: _("Directory roles"), Realm.RESOURCE: _("Resources")}

NEWEST: Final = ("-starts_at", "pk")
FIRST_TO_END: Final = ("ends_at", "pk")


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of assignments in effect: what it is called, and which of them it shows at a moment."""

    title: str | Promise
    shows: Callable[[datetime], Q]
    walking: tuple[str, str] = NEWEST  # the order in which it stands where there is much: one that an index has


ACTIVE = Q(type="active")
GIVEN = Q(activated_from=None)
PRIVILEGED = ByRow(Role.objects.filter(pk=OuterRef("role"), privileged=True))

# By the word in its address.
IN_EFFECT: dict[str, Listing] = {
    "all": Listing(_("Assignments in effect"), lambda now: Q()),
    "eligible": Listing(_("Eligible assignments"), lambda now: Q(type="eligible")),
    "active": Listing(_("Active now"), lambda now: ACTIVE),
    "activated": Listing(_("Activated now"), lambda now: Q(activated_from__isnull=False)),
    "time-bound": Listing(_("Assigned active with an end"), lambda now: ACTIVE & GIVEN & Q(ends_at__isnull=False)),
    "permanent": Listing(_("Permanent active assignments"), lambda now: ACTIVE & Q(ends_at=None)),
    "ending": Listing(
        _("Active, ending within the hour"), lambda now: ACTIVE & Q(ends_at__lte=now + SOON), FIRST_TO_END
    ),
    "ending-soon": Listing(
        _("Ending within 14 days"), lambda now: GIVEN & Q(ends_at__lte=now + ENDS_SOON), FIRST_TO_END
    ),
    "new": Listing(_("New in the last 30 days"), lambda now: GIVEN & Q(starts_at__gt=now - NEW_WITHIN)),
}
ACTIVATIONS, UNUSED, SMALLER = "activations", "unused", "smaller-role"
# Behind the insights: shown, and not counted on the Overview.
MORE: dict[str, Listing] = {
    "standing-privileged": Listing(
        _("Standing access to privileged roles"), lambda now: ACTIVE & Q(PRIVILEGED, ends_at=None)
    ),
    "eligible-forever": Listing(_("Eligible without an end"), lambda now: Q(type="eligible", ends_at=None)),
    UNUSED: Listing(_("Eligible and not used for 90 days"), lambda now: _unused(now)),
    SMALLER: Listing(_("A smaller role in use would do"), lambda now: Q()),  # of those alone that were found
}


def _unused(now: datetime) -> Q:
    """Return the condition that nobody activated what they have been eligible for since 90 days or longer."""
    since = now - UNUSED_FOR
    activations = Assignment.objects.begun(now).filter(activated_from=OuterRef("pk"))
    used = activations.filter(Q(starts_at__gt=since) | Q(ended_at=None, ends_at__gt=now))
    return Q(~ByRow(used), type="eligible", starts_at__lte=since)


# The tree paths of places, each with the key of its place.
Paths = Mapping[str, uuid.UUID]


def paths_in(authority: Authority, realm: Realm, permission: Permission = Permission.SEE) -> Paths:
    """Return the tree paths at and below which somebody may do it in this world; none lies below another."""
    found: dict[str, uuid.UUID] = {}
    last = None
    for path, place in sorted(authority.places(permission, realm)):
        if last is None or not path.startswith(last):
            found[path], last = place, path
    return found


def keys_of(paths: Paths) -> list[str]:
    """Return by what figures of these places are kept: where one has moved away, another may have its path."""
    return [str(pk) for pk in paths.values()]


def paths_now(keys: Iterable[str]) -> Paths:
    """Return the paths of places that are named by their keys."""
    return dict(Resource.objects.filter(pk__in=list(keys)).order_by("path").values_list("path", "pk"))


def below(paths: Iterable[str], column: str = "resource__path") -> Q:
    """Return the condition that a row belongs to a resource at or below one of these paths."""
    there = Q(pk__in=[])
    for path in paths:
        there |= Q(**{f"{column}__startswith": path})
    return there


def is_much(paths: Paths) -> bool:
    """Return whether so much is open at or below these paths that no list of it is looked through as a whole."""
    return are_many(Assignment.objects.open().filter(below(paths)))


def reached(paths: Iterable[str]) -> Q:
    """Return what `below` does, asked of each row by itself: for a list that is walked in the order of an index.

    Joined, the places would be found first, and all that stands at them put in order for one page.
    """
    return Q(ByRow(Resource.objects.filter(below(paths, "path"), pk=OuterRef("resource")).order_by()))


def in_effect(below: Q, now: datetime) -> AssignmentQuerySet:
    """Return all assignments in effect there."""
    return Assignment.objects.in_effect(now).filter(below)


def assignments_of(listed: str, paths: Paths, now: datetime) -> AssignmentQuerySet:
    """Return the assignments of a list by its word, at or below these paths. Raises `KeyError` for any other word."""
    if listed == ACTIVATIONS:
        return begun(below(paths), now)
    rows = shown(listed, below(paths), now)
    return rows.filter(pk__in=any_number(smaller_lately(paths, now).found)) if listed == SMALLER else rows


def shown(listed: str, below: Q, now: datetime) -> AssignmentQuerySet:
    """Return what a list of what is in effect shows there. Raises `KeyError` for any other word."""
    return in_effect(below, now).filter((IN_EFFECT | MORE)[listed].shows(now))


def walking_of(listed: str) -> tuple[str, ...]:
    """Return the order of an index in which a list of much stands; none where it is of keys that were found before."""
    if listed == SMALLER:
        return ()
    return NEWEST if listed == ACTIVATIONS else (IN_EFFECT | MORE)[listed].walking


def walked(listed: str, paths: Iterable[str], now: datetime) -> AssignmentQuerySet:
    """Return what the columns say is in a list, to be walked in the order of an index."""
    if listed == ACTIVATIONS:
        return begun(reached(paths), now)
    open_ones = Assignment.objects.open().filter(reached(paths), starts_at__lte=now)
    return open_ones.filter((IN_EFFECT | MORE)[listed].shows(now))


def first_listed(listed: str, rows: QuerySet[Any], now: datetime, most: int) -> list[uuid.UUID]:
    """Return the keys of the first so many of what was `walked`, narrowed or not, in the order of `walking_of`."""
    order = walking_of(listed)
    if listed == ACTIVATIONS:
        with planned_anew():
            return list(rows.order_by(*order).values_list("pk", flat=True)[:most])
    return first_in(rows, order, now, most)


def _smaller(now: datetime, places: list[str]) -> list[str]:
    """Return the keys of assignments under which all that was done a smaller role in use there allows as well."""
    return [str(pk) for pk in proposals(in_effect(below(paths_now(places)), now), now)]


SMALLER_ROLES: Final = Count("smaller roles", _smaller)


def smaller_lately(paths: Paths, now: datetime) -> Lately[list[uuid.UUID]]:
    """Return those keys; found lately, where there is much."""
    found = SMALLER_ROLES.lately(keys_of(paths), among=Assignment.objects.open().filter(below(paths)), now=now)
    return Lately([uuid.UUID(pk) for pk in found.found], found.at)


def begun(below: Q, now: datetime) -> AssignmentQuerySet:
    """Return the activations that began in the last seven days of the viewer's calendar, over or not."""
    first = midnight(days(now)[0], timezone.get_current_timezone())
    return Assignment.objects.begun(now).filter(below, activated_from__isnull=False, starts_at__gte=first)


def days(now: datetime) -> list[date]:
    """Return the last seven days of the viewer's calendar, today last."""
    today = now.astimezone(timezone.get_current_timezone()).date()
    return [today - timedelta(days=back) for back in reversed(range(DAYS))]


def midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def waiting(below: Q, now: datetime) -> RequestQuerySet:
    """Return the requests that can be decided there."""
    return Request.objects.waiting(now).filter(below)


def running_reviews(paths: Iterable[str], now: datetime) -> InstanceQuerySet:
    """Return the reviews that go on at or below these paths."""
    return Instance.objects.open(now).filter(below(paths, "review__resource__path"))
