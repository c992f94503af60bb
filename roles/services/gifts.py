"""Locking whom it concerns that something is given, so that roles which are kept apart cannot meet unseen.

What somebody gets through a group is given by whoever gives the group a role, and by whoever lets them into the group.
So a role that a rule of separation of duties names locks each member of the group, and joining a group locks the group.
The trees are held, also those into which a group's roles reach: no rule is made or changed in them meanwhile.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import transaction

from roles.ids import GROUP_MEMBER
from roles.models import Assignment, DutyRule, Group, Principal, Resource
from roles.models.prepared import Prepared
from roles.services.locks import hold_roots, lock_principals, root_of

_GIVEN = Prepared(
    lambda pk: Assignment.objects.filter(pk=pk).order_by().values_list("principal_id", "role_id", "resource_id")
)
_KEPT_APART = Prepared(
    lambda roles: (
        DutyRule.roles.through.objects.filter(role__in=roles, dutyrule__retired_at=None)
        .order_by()
        .values_list("role", flat=True)
    )
)
_PLACES = Prepared(lambda pks: Resource.objects.filter(pk__in=pks).order_by())


@dataclass(frozen=True, slots=True)
class Given:
    """What is given, extended or activated: by the ids of the principal, the role and the resource."""

    principal_id: uuid.UUID
    role_id: uuid.UUID
    resource_id: uuid.UUID

    @classmethod
    def by(cls, assignment_id: uuid.UUID) -> Given:
        """Return what an assignment gives. Raises `Assignment.DoesNotExist`."""
        given = _GIVEN.first(assignment_id)
        if given is None:
            raise Assignment.DoesNotExist(f"No assignment {assignment_id}.")
        return cls(*given)


class _MoreMeanwhile(Exception):  # noqa: N818 - never leaves this module
    """Somebody else came to be concerned between the look and the lock."""


def lock_given(*given: Given, also: Iterable[uuid.UUID] = ()) -> dict[uuid.UUID, Principal]:
    """Lock whom this concerns and `also` these, hold the trees that it reaches into; return the principals.

    Raises `Principal.DoesNotExist` and `Resource.DoesNotExist`.
    """
    return lock_all_given(lambda: given, also=also)


def lock_all_given(
    asked: Callable[[], Iterable[Given]], *, also: Iterable[uuid.UUID] = ()
) -> dict[uuid.UUID, Principal]:
    """Lock as `lock_given` does; what is given is asked again under the locks.

    Everything is let go and locked anew where somebody joined a group meanwhile: principals always come first.
    """
    given = list(asked())
    wanted, roots = concerned(given) | set(also), _roots(given)
    while True:
        try:
            with transaction.atomic():
                locked = lock_principals(wanted)
                hold_roots(roots)
                given = list(asked())
                more, more_roots = concerned(given), _roots(given)
                if more <= wanted and more_roots <= roots:
                    return locked
                raise _MoreMeanwhile
        except _MoreMeanwhile:
            wanted |= more
            roots = more_roots


def concerned(given: Iterable[Given]) -> set[uuid.UUID]:
    """Return whom it concerns that this is given: the principals, and who is behind them where roles are kept apart."""
    given = list(given)
    found = {one.principal_id for one in given}
    if joined := {one.resource_id for one in given if one.role_id == GROUP_MEMBER}:
        found |= set(Group.objects.filter(resource__in=joined).values_list("pk", flat=True))
    roles = {one.role_id for one in given}
    named = set(_KEPT_APART.ask(roles))
    if receiving := {one.principal_id for one in given if one.role_id in named}:
        members = Assignment.objects.open().filter(role=GROUP_MEMBER, resource__group__in=receiving)
        found |= set(members.values_list("principal_id", flat=True))
    return found


def _roots(given: Iterable[Given]) -> set[str]:
    """Return the tree paths of the roots that this reaches into: of its places, and of what joined groups have."""
    given = list(given)
    places = {one.resource_id for one in given}
    joined = {one.resource_id for one in given if one.role_id == GROUP_MEMBER}
    if joined:
        carried = Assignment.objects.open().filter(principal__group__resource__in=joined)
        places |= set(carried.values_list("resource_id", flat=True))
    found = {node.pk: node for node in _PLACES.ask(places)}
    if missing := places - found.keys():
        raise Resource.DoesNotExist(f"No resource {min(missing)}.")
    return {root_of(node) for node in found.values()}
