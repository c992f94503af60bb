"""Finding a role that one lacks, and whom to ask for it.

The names of built-in directory roles are public. Of the resource world, and of custom roles, somebody learns only what
stands where they hold or may activate something themselves.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from audit.kinds import Realm
from roles.catalogue import GRANTS, Permission
from roles.ids import DIRECTORY
from roles.models import Assignment, AssignmentType, Resource, Role, RoleKind, User
from roles.selectors.reach import NOW, reaching

MOST_ADMINISTRATORS = 50


@dataclass(frozen=True, slots=True)
class Administrator:
    """Somebody to ask; `now` says whether they can do it now, or after activating."""

    person: User
    now: bool


@dataclass(frozen=True, slots=True)
class Own:
    """The roles that somebody has at a place."""

    active: frozenset[uuid.UUID]
    eligible: frozenset[uuid.UUID]


def places_to_ask_about(user: User, now: datetime) -> list[Resource]:
    """Return the directory, and the places where this person holds or may activate something."""
    own = Assignment.objects.in_effect(now).of(user.pk, now).exclude(role__kind=RoleKind.GROUP)
    nodes = {row.resource_id: row.resource for row in own.select_related("resource")}
    nodes[DIRECTORY] = Resource.objects.get(pk=DIRECTORY)
    return sorted(nodes.values(), key=lambda node: (node.realm != Realm.DIRECTORY, node.path))


def roles_at(place: Resource, user: User, now: datetime) -> QuerySet[Role]:
    """Return the roles that can be assigned at a place; custom ones only where this person has something."""
    known = Q(home=None)
    if Assignment.objects.in_effect(now).of(user.pk, now).filter(resource=place).exists():
        known |= Q(home__path__in=place.way)
    return Role.objects.filter(known, kind=place.realm.value, retired_at=None).order_by("name_key", "pk")


def own_at(place: Resource, user: User, now: datetime) -> Own:
    """Return which roles reach this person at a place, now and after activation."""
    rows = Assignment.objects.in_effect(now).of(user.pk, now).filter(resource__path__in=place.way)
    have = set(rows.values_list("role", "type"))
    return Own(
        frozenset(role for role, type in have if type == AssignmentType.ACTIVE),
        frozenset(role for role, type in have if type == AssignmentType.ELIGIBLE),
    )


def administrators_of(place: Resource, now: datetime) -> list[Administrator]:
    """Return who assigns roles at a place, there or from above; those who can do it now first."""
    grant = GRANTS[Permission.ASSIGN]
    roles = grant.directory if place.realm == Realm.DIRECTORY else grant.resource
    rows: Any = reaching(place, now).filter(role__in=roles)  # its annotations are unknown to the type checker
    when: dict[uuid.UUID, bool] = {}
    for person_id, one in rows.values_list("person_id", "when"):
        when[person_id] = when.get(person_id, False) or one == NOW
    people = User.objects.filter(pk__in=when, enabled=True).order_by("name_key", "pk")
    found = [Administrator(person, when[person.pk]) for person in people]
    return sorted(found, key=lambda one: not one.now)[:MOST_ADMINISTRATORS]
