"""Whose history somebody may read: the events of the places where they may see the audit, and of the directory.

An event belongs to its resource, wherever that stands in the tree now; one without a resource belongs to its world as
a whole.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet

from audit.kinds import Realm
from audit.models import Event, EventQuerySet
from roles.authority import Authority
from roles.catalogue import GRANTS, Permission
from roles.ids import DIRECTORY
from roles.models import Resource, ResourceKind
from roles.selectors.keys import keys_or_query
from roles.selectors.sight import within_sight


def in_sight(authority: Authority, *, at: str = "") -> Q:
    """Return the condition that this person may read an event; `at` leads from the row to it, with a trailing `__`."""
    seen = Q(**{f"{at}resource_id__in": authority.once(_places)})
    whole = Q(**{f"{at}realm__in": authority.once(whole_worlds)})
    return seen | (Q(**{f"{at}resource_id": None}) & whole)


def _places(authority: Authority) -> Sequence[uuid.UUID] | QuerySet[Any]:
    return keys_or_query(Resource.objects.filter(within_sight(authority, Permission.SEE_AUDIT, at="")))


def sees_of(authority: Authority, realm: Realm) -> bool:
    """Return whether this person may read anything of a world at all; of groups it is not told.

    Their nodes stand in the directory's tree.
    """
    if realm == Realm.GROUP:
        return True
    return realm in authority.once(whole_worlds) or any(authority.paths(Permission.SEE_AUDIT, realm))


def whole_worlds(authority: Authority) -> list[Realm]:
    """Return the worlds whose whole history this person may read."""
    worlds = [Realm.DIRECTORY] if authority.allows(Permission.SEE_AUDIT) else []
    reach_groups = GRANTS[Permission.SEE_AUDIT].group_directory
    if any(one.role_id in reach_groups and one.resource_id == DIRECTORY for one in authority.held):
        worlds.append(Realm.GROUP)
    if _sees_every_root(authority):
        worlds.append(Realm.RESOURCE)
    return worlds


def _sees_every_root(authority: Authority) -> bool:
    if not any(authority.paths(Permission.SEE_AUDIT, Realm.RESOURCE)):
        return False
    roots = Resource.objects.filter(kind=ResourceKind.ROOT)
    return all(authority.allows(Permission.SEE_AUDIT, root) for root in roots)


def readable(authority: Authority) -> EventQuerySet:
    """Return the events that this person may read, the newest first, with their texts."""
    return Event.objects.filter(in_sight(authority)).select_related("text").newest_first()
