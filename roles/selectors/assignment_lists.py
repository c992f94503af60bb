"""The assignments at a place: its own and those inherited from above, by whether they run, are planned or are over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Case, CharField, F, Q, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from roles.models import Assignment, PrincipalKind, Resource
from roles.models.assignments import AssignmentQuerySet

DIRECT, GROUP, INHERITED = "direct", "group", "inherited"
MEMBERSHIPS = [(DIRECT, _("Direct")), (GROUP, _("Group")), (INHERITED, _("Inherited"))]


def at_or_above(place: Resource) -> AssignmentQuerySet:
    """Return what was given at a place or above it, each with its `membership` as seen from there."""
    paths = [place.path[:length] for length in range(Resource.steplen, len(place.path) + 1, Resource.steplen)]
    through_group = Q(principal__kind=PrincipalKind.GROUP) | Q(activated_from__principal__kind=PrincipalKind.GROUP)
    membership = Case(
        When(~Q(resource=place.pk), then=Value(INHERITED)),
        When(through_group, then=Value(GROUP)),
        default=Value(DIRECT),
        output_field=CharField(),
    )
    return Assignment.objects.filter(resource__path__in=paths).annotate(membership=membership)


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
    return _by_name(at_or_above(place).open().filter(starts_at__gt=now)).order_by("starts_at", "pk")


def ended(place: Resource, now: datetime, *, within: timedelta = timedelta(days=30)) -> AssignmentQuerySet:
    """Return what was over lately, by a written end or by the clock; the last first."""
    over = Q(ended_at__gte=now - within) | Q(ended_at=None, ends_at__lte=now, ends_at__gte=now - within)
    rows = at_or_above(place).filter(over).annotate(over=Coalesce("ended_at", "ends_at"))
    return _by_name(rows).order_by(F("over").desc(), "pk")


LISTS: dict[str, Callable[[Resource, datetime], AssignmentQuerySet]] = {
    "eligible": eligible,
    "active": active,
    "scheduled": scheduled,
    "expired": ended,
}
