"""What somebody may do now, derived from the roles that they hold now."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from django.db.models import QuerySet

from audit.kinds import Realm
from roles.catalogue import GRANTS, OF_PLACES, Grant, Permission
from roles.ids import DIRECTORY, GLOBAL_ADMINISTRATOR, OWNER
from roles.models import Assignment, Resource, ResourceKind, User
from roles.models.assignments import AssignmentQuerySet
from roles.models.prepared import Prepared

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Held:
    """A role held now: an active assignment in effect, directly or through a group."""

    assignment_id: uuid.UUID
    role_id: uuid.UUID
    role_name: str
    role_kind: str
    privileged: bool
    resource_id: uuid.UUID
    resource_name: str
    resource_kind: str
    path: str
    starts_at: datetime
    ends_at: datetime | None
    activated: bool
    holder_id: uuid.UUID
    holder_name: str
    holder_kind: str
    elevated: bool = False

    def grants(self, grant: Grant, resource: Resource | None) -> bool:
        """Return whether this assignment gives what `grant` names, at `resource` (None: the whole directory)."""
        if resource is None:
            return self.role_id in grant.directory and self.resource_id == DIRECTORY
        if resource.realm == Realm.GROUP and self.role_id in grant.group_directory:
            return self.resource_id == DIRECTORY
        roles = {Realm.DIRECTORY: grant.directory, Realm.RESOURCE: grant.resource, Realm.GROUP: grant.group}
        return self.role_id in roles[resource.realm] and resource.path.startswith(self.path)


def _columns(rows: AssignmentQuerySet) -> QuerySet[Any, Any]:
    return rows.values_list(
        "id",
        "role_id",
        "role__name",
        "role__kind",
        "role__privileged",
        "resource_id",
        "resource__name",
        "resource__kind",
        "resource__path",
        "starts_at",
        "ends_at",
        "activated_from",
        "principal_id",
        "principal__name",
        "principal__kind",
        "elevated_from",
    )


def _held(*columns: Any) -> Held:
    values = list(columns)
    values[11] = values[11] is not None  # activated from an eligibility
    values[15] = values[15] is not None  # elevated from a role
    return Held(*values)


_HELD = Prepared(lambda user_id, now: _columns(Assignment.objects.held_by(user_id, now)))
_ELIGIBLE = Prepared(lambda user_id, now: _columns(Assignment.objects.eligible_for(user_id, now)))


class Authority:
    """What `user` may do at `now`; one query, made when first asked.

    A page takes the one of its request; a service builds a fresh one inside its transaction.
    """

    def __init__(self, user: User, now: datetime) -> None:
        self.user = user
        self.now = now
        self._answers: dict[Callable[[Authority], Any], Any] = {}

    def once(self, question: Callable[[Authority], Answer]) -> Answer:
        """Return what `question` answers about this person at this moment; asked once, whoever asks.

        For pages. A service, which asks after its lock, builds an authority of its own.
        """
        if question not in self._answers:
            self._answers[question] = question(self)
        found: Answer = self._answers[question]
        return found

    @cached_property
    def held(self) -> tuple[Held, ...]:
        """The roles held now, those that end first first."""
        if not self.user.is_authenticated or not self.user.enabled:
            return ()
        return self._read(_HELD)

    @cached_property
    def eligible(self) -> tuple[Held, ...]:
        """What may be activated now. It allows nothing by itself."""
        if not self.user.is_authenticated or not self.user.enabled:
            return ()
        return self._read(_ELIGIBLE)

    def by_eligibility(self, permission: Permission, resource: Resource) -> Held | None:
        """Return the eligibility that this person could activate to do it there, or None. It allows nothing by itself.

        For what was ordered while it was allowed and is done later, when nobody is awake to activate a role.
        """
        return next((one for one in self.eligible if one.grants(GRANTS[permission], resource)), None)

    def _read(self, question: Prepared[Any]) -> tuple[Held, ...]:
        held = [_held(*row) for row in question.ask(self.user.pk, self.now)]
        return tuple(sorted(held, key=lambda one: (one.ends_at is None, one.ends_at or self.now, one.role_name)))

    def by(self, permission: Permission, resource: Resource | None = None) -> Held | None:
        """Return the assignment by whose authority this person may do it there, or None when they may not."""
        return next((one for one in self.held if one.grants(GRANTS[permission], resource)), None)

    def allows(self, permission: Permission, resource: Resource | None = None) -> bool:
        """Return whether this person may do it there; without a resource: in the whole directory."""
        return self.by(permission, resource) is not None

    @property
    def elevatable_by(self) -> Held | None:
        """Return the role of Global Administrator, held now, by which this person may elevate their access."""
        held = [one for one in self.held if one.role_id == GLOBAL_ADMINISTRATOR and one.resource_id == DIRECTORY]
        return held[-1] if held else None

    @property
    def elevated(self) -> tuple[Held, ...]:
        """Return what this person holds by having elevated their access."""
        return tuple(one for one in self.held if one.elevated)

    @property
    def roots_by(self) -> Held | None:
        """Return by what this person may make a resource root: as Owner of one, or by elevated access."""
        at_roots = [one for one in self.held if one.resource_kind == ResourceKind.ROOT]
        return next((one for one in at_roots if one.elevated or one.role_id == OWNER), None)

    def sees_resources(self) -> bool:
        """Return whether this person may look at any resource."""
        return any(self.paths(Permission.SEE, Realm.RESOURCE))

    def anywhere(self, permission: Permission) -> bool:
        """Return whether this person may do it at some place; what is of no place, in the whole directory."""
        grant = GRANTS[permission]
        somewhere = grant.resource | grant.group | (grant.directory if permission in OF_PLACES else frozenset())
        whole = grant.directory | grant.group_directory
        return any(
            one.role_id in somewhere or (one.role_id in whole and one.resource_id == DIRECTORY) for one in self.held
        )

    def paths(self, permission: Permission, realm: Realm) -> Iterator[str]:
        """Yield the tree paths at and below which this person may do it in this world."""
        return (path for path, _place in self.places(permission, realm))

    def places(self, permission: Permission, realm: Realm) -> Iterator[tuple[str, uuid.UUID]]:
        """Yield the same, each with the key of its place: a path may be another place's tomorrow, a key never is."""
        grant = GRANTS[permission]
        roles = {Realm.DIRECTORY: grant.directory, Realm.RESOURCE: grant.resource, Realm.GROUP: grant.group}[realm]
        for one in self.held:
            if one.role_id in roles:
                yield one.path, one.resource_id
