"""What the tests of the seals share: a key, a history that is sealed, and a hand that changes it behind the portal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from audit import keys, verifying
from audit.anchors import tip
from audit.kinds import Kind, Realm
from audit.models import Batch, Event
from audit.recording import Ids, write
from audit.services.sealing import seal
from audit.triggers import lifted
from tests.people import NOW, at

NOWHERE = Path("/nowhere")  # no archives are kept there


def key_in(folder: Path) -> keys.SigningKey:
    file = folder / "key.pem"
    return keys.read(file) if file.exists() else keys.make(file)


def happen(count: int = 1, *, now: datetime = NOW, **fields: Any) -> list[Event]:
    """Record some events as they come."""
    with transaction.atomic():
        return [
            write(
                Kind.SIGNED_IN,
                at=now,
                realm=Realm.DIRECTORY,
                actor_id=None,
                ids=Ids(),
                details={"number": number, "nested": {"ü": [1, 2.5, None, True]}},
                text={"actor": "Ines Okafor", "reason": f"Zoë’s ticket {number}"} | fields,
            )
            for number in range(count)
        ]


def seal_all(key: keys.SigningKey, *, now: datetime = NOW, limit: int = 4) -> list[Batch]:
    """Seal what waits, in small batches."""
    batches = []
    while batch := seal(key, clock=at(now), limit=limit):
        batches.append(batch)
    return batches


def verified(
    key: keys.SigningKey,
    *,
    now: datetime = NOW,
    tips: list[Any] | None = None,
    others: bool = False,
    archives: Path = NOWHERE,
) -> verifying.Progress:
    """Verify the whole history by this key."""
    trusted = {} if others else {key.id: key.private.public_key()}
    progress = verifying.begin(tips or [])
    while not progress.done:
        # In chunks of one batch, through JSON, as a task goes on.
        progress = verifying.Progress.from_json(progress.as_json())
        verifying.advance(progress, trusted, now=now, archives=archives, seconds=0)
    return progress


def found(key: keys.SigningKey, **how: Any) -> str:
    """Return the code of the first wrong thing; empty when all is well."""
    finding = verified(key, **how).finding
    return finding.code if finding else ""


def here() -> tuple[int, int, str]:
    """Return the tip as somebody would keep it outside."""
    last = tip()
    assert last is not None
    return last.batch, last.leaves, last.hash


@contextmanager
def behind_the_portal() -> Iterator[Any]:
    """A cursor of somebody who owns the database: no trigger stops them."""
    if connection.vendor == "postgresql":
        connection.check_constraints()  # what is deferred keeps a trigger from being dropped
    with lifted(connection), connection.cursor() as cursor:
        yield cursor


def tamper(statement: str, *values: Any) -> None:
    """Change rows behind the portal."""
    with behind_the_portal() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount != 0, "nothing was tampered with"
