"""What moving or retiring a place would change, before anybody confirms it."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from roles.models import ApprovalStage, Assignment, NotificationCell, Resource, Role, RoleKind, RoleSettings
from roles.models.assignments import AssignmentQuerySet
from roles.selectors.settings import EffectiveSettings, SettingsBook, rules_of


@dataclass(frozen=True, slots=True)
class RuledOtherwise:
    """A role whose settings at the place would come from elsewhere and say something else.

    `differences` names the rules that differ; a source of None is the role's default.
    """

    role: Role
    before: Resource | None
    after: Resource | None
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MovePreview:
    """Who loses and who gains what by a move, what ends for good, which settings would rule otherwise."""

    loses: tuple[Assignment, ...]
    gains: tuple[Assignment, ...]
    ends: tuple[Assignment, ...]
    settings: tuple[RuledOtherwise, ...]
    places: int  # that move along, the top counted
    digest: str


@dataclass(frozen=True, slots=True)
class RetirePreview:
    """What ends when a place is retired, and how many places are retired with it, itself counted."""

    ends: tuple[Assignment, ...]
    places: int
    digest: str


def preview_of_move(place: Resource, target: Resource, now: datetime) -> MovePreview:
    """Say what changes when `place` is moved below `target`."""
    old, new = set(place.way) - {place.path}, set(target.way)
    loses = _reaching(old - new, now)
    gains = _reaching(new - old, now)
    ends = tuple(_not_over(activations_from_above(place), now).exclude(activated_from__resource__path__in=new))
    settings = tuple(_ruled_otherwise(place, target, changed=(old | new) - (old & new)))
    branch = _branch(place)
    said = [
        [place.path, target.path, branch],
        *([str(row.pk) for row in rows] for rows in (loses, gains, ends)),
        [[str(one.role.pk), _id(one.before), _id(one.after), list(one.differences)] for one in settings],
    ]
    return MovePreview(loses, gains, ends, settings, len(branch), _digest(said))


def preview_of_retirement(place: Resource, now: datetime) -> RetirePreview:
    """Say what ends when `place` is retired."""
    ends = tuple(_not_over(open_below(place), now))
    branch = _branch(place)
    return RetirePreview(ends, len(branch), _digest([place.path, branch, [str(row.pk) for row in ends]]))


def open_below(place: Resource) -> AssignmentQuerySet:
    """Return what nobody has written an end to, at a place and below."""
    return Assignment.objects.open().filter(resource__path__startswith=place.path)


def activations_from_above(place: Resource) -> AssignmentQuerySet:
    """Return the open activations at a place and below that were made from an eligibility above it."""
    rows = open_below(place).filter(activated_from__isnull=False)
    return rows.exclude(activated_from__resource__path__startswith=place.path)


def custom_roles_left_behind(place: Resource, target: Resource, now: datetime) -> tuple[str, ...]:
    """Return the custom roles assigned at a place or below whose home would no longer be above them."""
    homes = set(place.way) - {place.path} - set(target.way)
    rows = Assignment.objects.lasting(now).filter(role__home__path__in=homes)
    rows = rows.filter(resource__path__startswith=place.path)
    return tuple(rows.order_by("role__name_key").values_list("role__name", flat=True).distinct())


def custom_roles_doubled(place: Resource, target: Resource) -> tuple[str, ...]:
    """Return the custom roles made at a place or below that are called like one made at the target or above."""
    names = Role.objects.filter(home__path__in=target.way).values("name_key")
    rows = Role.objects.filter(home__path__startswith=place.path, name_key__in=names)
    return tuple(rows.order_by("name_key").values_list("name", flat=True))


def _reaching(paths: Iterable[str], now: datetime) -> tuple[Assignment, ...]:
    """Return what was given at these places and reaches what stands below, now or later."""
    there = Assignment.objects.filter(resource__path__in=list(paths))
    in_effect = list(there.in_effect(now).values_list("pk", flat=True))
    later = list(there.open().filter(starts_at__gt=now).values_list("pk", flat=True))
    return tuple(_named(Assignment.objects.filter(pk__in=[*in_effect, *later])))


def _not_over(rows: AssignmentQuerySet, now: datetime) -> AssignmentQuerySet:
    return _named(rows.filter(Q(ends_at=None) | Q(ends_at__gt=now)))


def _named(rows: AssignmentQuerySet) -> AssignmentQuerySet:
    related = ("principal__user", "role", "resource", "activated_from__principal")
    return rows.select_related(*related).order_by("principal__name_key", "role__name_key", "resource__path", "pk")


def _branch(place: Resource) -> list[str]:
    rows = Resource.objects.filter(path__startswith=place.path).order_by("path")
    return [str(pk) for pk in rows.values_list("pk", flat=True)]


def _ruled_otherwise(place: Resource, target: Resource, *, changed: set[str]) -> Iterable[RuledOtherwise]:
    set_there = RoleSettings.objects.filter(resource__path__in=changed, role__kind=RoleKind.RESOURCE)
    own = RoleSettings.objects.filter(resource=place).values("role")
    roles = Role.objects.filter(pk__in=set_there.values("role")).exclude(pk__in=own).select_related("home")
    book = SettingsBook(role.pk for role in roles)
    sources = Resource.objects.filter(path__in={*place.way, *target.way}).in_bulk()
    for role in roles.order_by("name_key", "pk"):
        if role.home is not None and not role.home.contains(target):
            continue  # it cannot be assigned there at all
        before, after = book.of(role, place), book.of(role, target)
        if differences := tuple(_differences(before, after)):
            yield RuledOtherwise(role, _source(before, sources), _source(after, sources), differences)


def _differences(before: EffectiveSettings, after: EffectiveSettings) -> Iterable[str]:
    labels = {field.name: str(field.verbose_name) for field in RoleSettings._meta.concrete_fields}
    new = rules_of(after)
    for name, value in rules_of(before).items():
        if value != new[name]:
            yield labels[name]
    if before.stages != after.stages and before.approval_required and after.approval_required:
        yield str(ApprovalStage._meta.verbose_name_plural)
    if before.cells != after.cells:
        yield str(NotificationCell._meta.verbose_name_plural)


def _source(settings: EffectiveSettings, sources: dict[uuid.UUID, Resource]) -> Resource | None:
    return sources[settings.source_id] if settings.source_id else None


def _id(place: Resource | None) -> str | None:
    return str(place.pk) if place else None


def _digest(said: object) -> str:
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
