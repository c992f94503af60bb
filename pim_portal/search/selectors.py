"""What a search finds: roles, resources, people and groups that the viewer may see, and nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TypeVar

from django.db.models import Case, IntegerField, Model, Q, QuerySet, Value, When

from audit.kinds import Realm
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Assignment, Group, Resource, ResourceKind, Role, RoleKind, User
from roles.models.assignments import AssignmentQuerySet
from roles.models.resources import way_of
from roles.selectors.sight import within_sight

M = TypeVar("M", bound=Model)

UNITS = (ResourceKind.DIRECTORY, ResourceKind.ADMINISTRATIVE_UNIT)


def directory_roles(words: Sequence[str], authority: Authority) -> QuerySet[Role]:
    """Return the directory roles that are called so, to whoever may look somewhere in the directory."""
    return _roles(words, authority, RoleKind.DIRECTORY, Realm.DIRECTORY)


def resource_roles(words: Sequence[str], authority: Authority) -> QuerySet[Role]:
    """Return the resource roles that are called so, to whoever may look at some resource."""
    return _roles(words, authority, RoleKind.RESOURCE, Realm.RESOURCE)


def _roles(words: Sequence[str], authority: Authority, kind: RoleKind, realm: Realm) -> QuerySet[Role]:
    paths = set(authority.paths(Permission.SEE, realm))
    if not paths:
        return Role.objects.none()
    # A custom role is known where it was made and below: to whoever looks there, or at something below it.
    known = Q(home=None)
    for path in paths:
        known |= Q(home__path__startswith=path) | Q(home__path__in=way_of(path)[:-1])
    rows = Role.objects.filter(known, kind=kind, retired_at=None).select_related("home")
    return _found(rows, words, ("name_key__contains",), exact=("name_key",))


def resources(words: Sequence[str], authority: Authority) -> QuerySet[Resource]:
    """Return the nodes of the resource world that are called so, by their name or their scope."""
    rows = Resource.objects.filter(within_sight(authority, at="")).exclude(kind__in=[*UNITS, ResourceKind.GROUP])
    return _found(rows, words, ("name_key__contains", "scope_path__icontains"), exact=("name_key",), scoped=True)


def units(words: Sequence[str], authority: Authority) -> QuerySet[Resource]:
    """Return the directory and its administrative units that are called so."""
    rows = Resource.objects.filter(within_sight(authority, at=""), kind__in=UNITS)
    return _found(rows, words, ("name_key__contains",), exact=("name_key",), scoped=True)


def people(words: Sequence[str], authority: Authority) -> QuerySet[User]:
    """Return the people of this name, user name or e-mail address."""
    if not authority.anywhere(Permission.SEE_PEOPLE):
        return User.objects.none()
    exact = ("username_key", "email_key", "name_key")
    return _found(User.objects.all(), words, ("search_text__contains",), exact=exact)


def groups(words: Sequence[str], authority: Authority) -> QuerySet[Group]:
    """Return the groups of this name: all to whoever sees people, else those that they own."""
    rows = Group.objects.all()
    if not authority.anywhere(Permission.SEE_PEOPLE):
        rows = rows.filter(within_sight(authority))
    return _found(rows, words, ("name_key__contains",), exact=("name_key",))


def own_roles(words: Sequence[str], authority: Authority) -> AssignmentQuerySet:
    """Return what the viewer holds or may activate themselves, by the name of the role or of the place."""
    rows = Assignment.objects.in_effect(authority.now).of(authority.user.pk, authority.now)
    rows = rows.exclude(role__kind=RoleKind.GROUP).select_related("role", "resource")
    wanted = _every(words, ("role__name_key__contains", "resource__name_key__contains"))
    if (key := _id_in(words)) is not None:
        wanted |= Q(role=key) | Q(resource=key)
    return rows.filter(wanted).order_by("role__name_key", "resource__name_key", "type", "pk")


def _found(
    rows: QuerySet[M], words: Sequence[str], columns: Sequence[str], *, exact: Sequence[str], scoped: bool = False
) -> QuerySet[M]:
    """Return the rows in which every word stands in one of the columns; what is called exactly so comes first.

    What is called exactly so is among them anyway: only an id is asked for besides, since OR with other columns would
    keep the words from their index.
    """
    wanted = _every(words, columns)
    named = Q()
    for column in exact:
        named |= Q((column, " ".join(words)))
    if scoped:
        named |= Q(scope_path__iexact=" ".join(words))
    if (key := _id_in(words)) is not None:
        named |= Q(pk=key)
        wanted |= Q(pk=key)
    rank = Case(When(named, then=Value(0)), default=Value(1), output_field=IntegerField())
    return rows.filter(wanted).order_by(rank, "name_key", "pk")


def _every(words: Sequence[str], columns: Sequence[str]) -> Q:
    """Return the condition that each word stands in one of the columns."""
    every = Q()
    for word in words:
        some = Q()
        for column in columns:
            some |= Q((column, word))
        every &= some
    return every


def _id_in(words: Sequence[str]) -> uuid.UUID | None:
    """Return the id that the query consists of, if it is one."""
    try:
        return uuid.UUID(words[0]) if len(words) == 1 and len(words[0]) >= 32 else None
    except ValueError:
        return None
