"""The one lock order: principals first, in the order of their ids, then everything is read again."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from roles.ids import PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import Principal, Role


def lock_principals(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Principal]:
    """Lock these principals until the transaction ends, and return them as they are now.

    On SQLite `BEGIN IMMEDIATE` has already made this transaction the only writer. `no_key` lets rows that refer to a
    principal be inserted meanwhile. Raises `Principal.DoesNotExist` for an unknown id.
    """
    wanted = set(ids)
    rows = Principal.objects.filter(pk__in=wanted).order_by("pk").select_for_update(no_key=True, of=("self",))
    locked = {row.pk: row for row in rows}
    if missing := wanted - locked.keys():
        raise Principal.DoesNotExist(f"No principal {min(missing)}.")
    return locked


def lock_principal(pk: uuid.UUID) -> Principal:
    """Lock one principal; see `lock_principals`."""
    return lock_principals([pk])[pk]


def lock_the_administrators() -> None:
    """Serialise the changes that could take the last administrator away; always after the principals."""
    Role.objects.select_for_update(no_key=True).get(pk=PRIVILEGED_ROLE_ADMINISTRATOR)
