"""The roles of a place: which may be assigned there, how many hold each, and whether their settings were changed."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When

from roles.catalogue import default_settings
from roles.models import (
    ApprovalStage,
    Assignment,
    NotificationCell,
    Resource,
    ResourceKind,
    Role,
    RoleSettings,
)
from roles.models.held import ByRow
from roles.selectors.numbers import numbers_at
from roles.tallies import Lately

_ABOUT_THE_ROW = frozenset({"id", "role", "resource", "changed_at", "changed_by"})
_RULES = tuple(field.name for field in RoleSettings._meta.concrete_fields if field.name not in _ABOUT_THE_ROW)


def roles_known_at(place: Resource) -> QuerySet[Role]:
    """Return the roles that may be assigned at a place, retired ones among them: built-in, and made there or above."""
    here_or_above = Q(home=None) | Q(home__path__in=place.way)
    return Role.objects.filter(here_or_above, kind=ResourceKind(place.kind).realm.value).select_related("home")


@dataclass(frozen=True, slots=True)
class Holders:
    """How many assignments of a role reach a place: those given there, and those inherited from above."""

    eligible: int = 0
    active: int = 0
    eligible_inherited: int = 0
    active_inherited: int = 0


def holders_lately_at(place: Resource, now: datetime) -> Lately[dict[uuid.UUID, Holders]]:
    """Count what is in effect at a place, for every role at once; lately, where there is much."""
    numbers = numbers_at(place, now)
    counted: dict[uuid.UUID, Counter[str]] = defaultdict(Counter)
    for one in numbers.found.given:
        counted[one.role_id][one.type] += one.count
        counted[one.role_id][f"{one.type}_inherited"] += one.count if one.place_id != place.pk else 0
    return Lately({role: Holders(**found) for role, found in counted.items()}, numbers.at)


def holders_of(role: Role, place: Resource, now: datetime) -> Holders:
    """Count what of one role is in effect at a place."""
    given = Assignment.objects.filter(resource__in=place.way_ids, role=role).in_effect(now).order_by()
    counted = given.values_list("type").annotate(all=Count("pk"), here=Count("pk", filter=Q(resource=place.pk)))
    numbers: dict[str, int] = {}
    for type, count, here in counted:
        numbers |= {type: count, f"{type}_inherited": count - here}
    return Holders(**numbers)


def open_of(role: Role, now: datetime) -> int:
    """Count what ends with a role: running, planned or suspended, and not over by the clock."""
    return Assignment.objects.lasting(now).filter(role=role).count()


def in_use_at(place: Resource, now: datetime) -> Q:
    """Return the condition that somebody has a role at a place, asked of each role."""
    given = Assignment.objects.filter(role=OuterRef("pk"), resource__in=place.way_ids)
    return Q(ByRow(given.in_effect(now).order_by()))


@dataclass(frozen=True, slots=True)
class Changed:
    """Where the settings of a role were set that differ from the portal's default; None: for the role everywhere."""

    role_id: uuid.UUID
    source: Resource | None


def settings_changed_at(place: Resource) -> dict[uuid.UUID, Changed]:
    """Return the roles whose settings at a place differ from the portal's default, and from where they come."""
    stages = ApprovalStage.objects.filter(settings=OuterRef("pk"))
    cells = NotificationCell.objects.filter(settings=OuterRef("pk"))
    rows = (
        RoleSettings.objects.filter(Q(resource=None) | Q(resource__path__in=place.way))
        .filter(role__kind=ResourceKind(place.kind).realm.value)
        .select_related("role", "resource")
        .annotate(staged=Exists(stages), told_otherwise=Exists(cells))
    )
    nearest: dict[uuid.UUID, RoleSettings] = {}
    for row in rows:
        known = nearest.get(row.role_id)
        if known is None or _depth(row) > _depth(known):
            nearest[row.role_id] = row
    return {pk: Changed(pk, row.resource) for pk, row in nearest.items() if _differs(row)}


def _depth(row: RoleSettings) -> int:
    return len(row.resource.path) if row.resource else 0


def _differs(row: RoleSettings) -> bool:
    usual = default_settings(row.role)
    staged = row.approval_required and row.staged  # type: ignore[attr-defined]
    other = any(getattr(row, name) != getattr(usual, name) for name in _RULES)
    return bool(other or staged or row.told_otherwise)  # type: ignore[attr-defined]


def roles_at(place: Resource, changed: Mapping[uuid.UUID, Changed]) -> QuerySet[Role]:
    """Return the roles of a place by name, each with whether its settings differ."""
    differs = Case(When(pk__in=list(changed), then=Value(True)), default=Value(False), output_field=BooleanField())
    return roles_known_at(place).annotate(settings_changed=differs).order_by("name_key", "pk")


def with_counts(rows: QuerySet[Role], holders: Mapping[uuid.UUID, Holders]) -> QuerySet[Role]:
    """Add how many hold each role, for whoever sorts or filters by it: one number for each role is a long question."""
    return rows.annotate(
        eligible_count=_numbers({pk: one.eligible for pk, one in holders.items()}),
        active_count=_numbers({pk: one.active for pk, one in holders.items()}),
    )


def _numbers(counts: Mapping[uuid.UUID, int]) -> Case:
    """Turn what was counted into a column, so that the database sorts and filters by it."""
    with_count: dict[int, list[uuid.UUID]] = defaultdict(list)
    for pk, count in counts.items():
        with_count[count].append(pk)
    whens = [When(pk__in=pks, then=Value(count)) for count, pks in with_count.items() if count]
    return Case(*whens, default=Value(0), output_field=IntegerField())
