"""The assignments at a place: its own and those inherited from above, by whether they run, are planned or are over."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, Final

from django.db.models import Case, CharField, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from roles.models import Assignment, AssignmentType, PrincipalKind, Resource
from roles.models.assignments import AssignmentQuerySet
from roles.models.planning import planned_anew
from roles.models.prepared import Prepared
from roles.selectors.keys import merged
from roles.selectors.walking import first_in, in_effect_in_order, newest_of

DIRECT, GROUP, INHERITED = "direct", "group", "inherited"
LATELY = timedelta(days=30)  # for which a list shows what is over
MEMBERSHIPS = [(DIRECT, _("Direct")), (GROUP, _("Group")), (INHERITED, _("Inherited"))]


def at_or_above(place: Resource) -> AssignmentQuerySet:
    """Return what was given at a place or above it, each with its `membership` as seen from there."""
    # By their keys: of a place the database knows how much is given there, of a path it knows nothing.
    return _seen_from(place.pk).filter(resource__in=place.way_ids)


def _seen_from(place_id: uuid.UUID) -> AssignmentQuerySet:
    through_group = Q(principal__kind=PrincipalKind.GROUP) | Q(activated_from__principal__kind=PrincipalKind.GROUP)
    membership = Case(
        When(~Q(resource=place_id), then=Value(INHERITED)),
        When(through_group, then=Value(GROUP)),
        default=Value(DIRECT),
        output_field=CharField(),
    )
    return Assignment.objects.annotate(membership=membership)


def _by_name(rows: AssignmentQuerySet) -> AssignmentQuerySet:
    related = ("principal__user", "role", "resource__group", "activated_from__principal")
    return rows.select_related(*related).order_by("role__name_key", "principal__name_key", "resource__path", "pk")


def eligible(place: Resource, now: datetime) -> AssignmentQuerySet:
    """Return who may activate what here."""
    return _by_name(_eligible(at_or_above(place), now))


def active(place: Resource, now: datetime) -> AssignmentQuerySet:
    """Return who holds what here."""
    return _by_name(_active(at_or_above(place), now))


def scheduled(place: Resource, now: datetime) -> AssignmentQuerySet:
    """Return what begins later, what begins first first."""
    return _by_name(begin_later(at_or_above(place), now)).order_by("starts_at", "pk")


def ended(place: Resource, now: datetime) -> AssignmentQuerySet:
    """Return what was over within the last thirty days, by a written end or by the clock; the last first."""
    return _by_name(_ended(at_or_above(place), now)).order_by(*WALKING["expired"])


def _eligible(rows: AssignmentQuerySet, now: datetime) -> AssignmentQuerySet:
    return rows.in_effect(now).eligible()


def _active(rows: AssignmentQuerySet, now: datetime) -> AssignmentQuerySet:
    return rows.in_effect(now).active()


def begin_later(rows: AssignmentQuerySet, now: datetime) -> AssignmentQuerySet:
    """Return which of these are planned, and not called off."""
    return rows.open().filter(starts_at__gt=now, type__in=AssignmentType.values)


def _ended(rows: AssignmentQuerySet, now: datetime) -> AssignmentQuerySet:
    return rows.annotate(over=Coalesce("ended_at", "ends_at")).filter(over__gte=now - LATELY, over__lte=now)


def fetched_at(place: Resource) -> AssignmentQuerySet:
    """Return all assignments with what a list shows of them, to fetch those by their keys that it found."""
    return _fetched_at(place.pk)


def _fetched_at(place_id: uuid.UUID) -> AssignmentQuerySet:
    return _by_name(_seen_from(place_id).annotate(over=Coalesce("ended_at", "ends_at")))


_FETCHED = Prepared(lambda place_id, pks: _fetched_at(place_id).filter(pk__in=pks).order_by())


def fetch_at(place: Resource) -> Callable[[Sequence[uuid.UUID]], list[Assignment]]:
    """Return what fetches assignments by their keys as `fetched_at` does, composed once."""
    return partial(_FETCHED.ask, place.pk)


# The orders in which an index has them. A long list stands in it until somebody sorts it: by names of other tables the
# database would have to sort all that is there before it shows a page.
NEWEST: Final = ("-starts_at", "pk")
WALKING: dict[str, Sequence[str]] = {
    "eligible": NEWEST,
    "active": NEWEST,
    "scheduled": ("starts_at", "pk"),
    "expired": ("-over", "pk"),
}

# By name while they are short; of which type they are.
BY_NAME = {"eligible": AssignmentType.ELIGIBLE, "active": AssignmentType.ACTIVE}

_PARTS: dict[str, Callable[[AssignmentQuerySet, datetime], AssignmentQuerySet]] = {
    "eligible": _eligible,
    "active": _active,
    "scheduled": begin_later,
    "expired": _ended,
}


def _walk(name: str) -> Prepared[tuple[datetime, uuid.UUID]]:
    def compose(place_id: uuid.UUID, now: datetime, most: int) -> QuerySet[Assignment, Any]:
        rows = _PARTS[name](Assignment.objects.filter(resource=place_id), now)
        return rows.order_by(*WALKING[name]).values_list(WALKING[name][0].lstrip("-"), "pk")[:most]

    return Prepared(compose)


_WALKS = {name: _walk(name) for name in _PARTS}


def first_at(name: str, place: Resource, now: datetime, most: int) -> list[uuid.UUID]:
    """Return the keys of the first so many of a list in the order of `WALKING`."""
    return first_of([name], place, now, most)


def first_of(names: Sequence[str], place: Resource, now: datetime, most: int) -> list[uuid.UUID]:
    """Return the same of several lists with one order.

    A place at a time: of several at once no index has them in any order, so that all would be looked at for a page.
    """
    parts = (_walked(name, place_id, now, most) for name in names for place_id in place.way_ids)
    return [pk for (pk,) in merged(parts, newest_first=WALKING[names[0]][0].startswith("-"), most=most)]


def _walked(name: str, place_id: uuid.UUID, now: datetime, most: int) -> list[tuple[datetime, uuid.UUID]]:
    # Of what begins later there is next to nothing, which no plan for all moments can know.
    with planned_anew() if name == "scheduled" else nullcontext():
        return _WALKS[name].ask(place_id, now, most)


def walked_at(name: str, place: Resource, now: datetime) -> AssignmentQuerySet:
    """Return what the columns say is in a list of `BY_NAME`, to be walked newest first."""
    there = _seen_from(place.pk).open().filter(resource__in=place.way_ids)
    return there.filter(type=BY_NAME[name], starts_at__lte=now)


def first_walked(rows: QuerySet[Any], place: Resource, now: datetime, most: int) -> list[uuid.UUID]:
    """Return the keys of the first so many of what was `walked_at` a place, narrowed or not, newest first."""
    if len(place.way_ids) == 1:
        return first_in(rows, NEWEST, now, most)
    walks = [in_effect_in_order(rows.filter(resource=pk), NEWEST, now) for pk in place.way_ids]
    return list(islice(newest_of(walks), most))


LISTS: dict[str, Callable[[Resource, datetime], AssignmentQuerySet]] = {
    "eligible": eligible,
    "active": active,
    "scheduled": scheduled,
    "expired": ended,
}
