"""The one lock order: principals first, in the order of their ids, then everything is read again.

After them the trees, by their roots; the row of the role Privileged Role Administrator last.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable

from django.db import connection, transaction

from roles.ids import PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import Principal, Resource, ResourceKind, Role
from roles.models.prepared import Prepared

_LOCKED = Prepared(
    lambda pks: Principal.objects.filter(pk__in=pks).order_by("pk").select_for_update(no_key=True, of=("self",))
)


def lock_principals(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Principal]:
    """Lock these principals until the transaction ends, and return them as they are now.

    On SQLite `BEGIN IMMEDIATE` has already made this transaction the only writer. `no_key` lets rows that refer to a
    principal be inserted meanwhile. Raises `Principal.DoesNotExist` for an unknown id.
    """
    wanted = set(ids)
    locked = {row.pk: row for row in _LOCKED.ask(wanted)}
    if missing := wanted - locked.keys():
        raise Principal.DoesNotExist(f"No principal {min(missing)}.")
    return locked


def lock_principal(pk: uuid.UUID) -> Principal:
    """Lock one principal; see `lock_principals`."""
    return lock_principals([pk])[pk]


def lock_the_administrators() -> None:
    """Serialise the changes that could take the last administrator away; always after the principals."""
    Role.objects.select_for_update(no_key=True).get(pk=PRIVILEGED_ROLE_ADMINISTRATOR)


def hold_tree(resource_id: uuid.UUID) -> Resource:
    """Keep the tree of a resource as it is until the transaction ends, and return the resource as it is now.

    After the principals, by whoever gives something at a place: nothing is moved, retired or restored in that tree
    meanwhile, while others may hold it too. Raises `Resource.DoesNotExist`.
    """
    node: Resource = Resource.objects.get(pk=resource_id)
    while True:
        _hold([root_of(node)])
        held: Resource = Resource.objects.get(pk=resource_id)
        if root_of(held) == root_of(node):
            return held
        node = held  # it was moved to another tree while this waited


def hold_trees(within: Resource | None = None) -> None:
    """Keep every tree as it is until the transaction ends, or the one of `within`; see `hold_tree`.

    For whoever gives many things at once, before the places are read.
    """
    if within is not None:
        hold_tree(within.pk)
    else:
        # A group's node stands alone: it is neither moved nor retired.
        roots = Resource.objects.filter(depth=1).exclude(kind=ResourceKind.GROUP).order_by("path")
        _hold(roots.values_list("path", flat=True))


def hold_roots(roots: Iterable[str]) -> None:
    """Keep the trees of these roots, given by their tree paths, as they are; see `hold_tree`."""
    _hold(sorted(roots))


def _hold(roots: Iterable[str]) -> None:
    if connection.features.has_select_for_update:
        with connection.cursor() as cursor:
            for path in roots:
                # Django knows no shared lock. This one is what a foreign key to the root takes as well.
                cursor.execute("SELECT 1 FROM roles_resource WHERE path = %s FOR KEY SHARE", [path])


def root_of(node: Resource) -> str:
    """Return the tree path of the root above a node."""
    return str(node.path[: Resource.steplen])


class _ConcernedMeanwhile(Exception):  # noqa: N818 - never leaves this module
    """Somebody else came to be concerned between the look and the lock."""


def lock_trees(concerned: Callable[[], tuple[set[uuid.UUID], set[str]]]) -> None:
    """Lock whom a change of the tree concerns and the roots of the trees themselves, against all who hold them.

    `concerned` answers with the ids of the principals and the tree paths of the roots; it is asked again under the
    locks, and everything is let go and locked anew when it names somebody more: principals always come first.
    """
    principals, roots = concerned()
    while True:
        try:
            with transaction.atomic():
                lock_principals(principals)
                list(Resource.objects.filter(path__in=roots).order_by("path").select_for_update(of=("self",)))
                more_principals, more_roots = concerned()
                if more_principals <= principals and more_roots <= roots:
                    return
                raise _ConcernedMeanwhile
        except _ConcernedMeanwhile:
            principals, roots = more_principals, more_roots
