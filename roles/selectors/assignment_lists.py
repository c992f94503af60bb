"""The assignments at a place: its own and those inherited from above, by whether they run, are planned or are over."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import Case, CharField, F, Q, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from roles.models import Assignment, AssignmentType, PrincipalKind, Resource
from roles.models.assignments import AssignmentQuerySet
from roles.models.prepared import Prepared

DIRECT, GROUP, INHERITED = "direct", "group", "inherited"
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
    return _by_name(at_or_above(place).in_effect(now).eligible())


def active(place: Resource, now: datetime) -> AssignmentQuerySet:
    """Return who holds what here."""
    return _by_name(at_or_above(place).in_effect(now).active())


def scheduled(place: Resource, now: datetime) -> AssignmentQuerySet:
    """Return what begins later, what begins first first."""
    rows = at_or_above(place).open().filter(starts_at__gt=now, type__in=AssignmentType.values)
    return _by_name(rows).order_by("starts_at", "pk")


def ended(place: Resource, now: datetime, *, within: timedelta = timedelta(days=30)) -> AssignmentQuerySet:
    """Return what was over lately, by a written end or by the clock; the last first."""
    rows = at_or_above(place).annotate(over=Coalesce("ended_at", "ends_at"))
    return _by_name(rows.filter(over__gte=now - within, over__lte=now)).order_by(F("over").desc(), "pk")


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
NEWEST = ("-starts_at", "pk")
WALKING: dict[str, Sequence[Any]] = {
    "eligible": NEWEST,
    "active": NEWEST,
    "scheduled": ("starts_at", "pk"),
    "expired": (F("over").desc(), "pk"),
}

BY_NAME = {"eligible", "active"}  # while they are short

LISTS: dict[str, Callable[[Resource, datetime], AssignmentQuerySet]] = {
    "eligible": eligible,
    "active": active,
    "scheduled": scheduled,
    "expired": ended,
}
