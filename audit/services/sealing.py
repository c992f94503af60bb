"""Sealing: events that are recorded, whenever they committed, become leaves of a signed batch.

Recording takes no lock that sealing holds: it writes a row that says "not sealed yet", and a sealer takes whatever
such rows it sees. An event that commits late is simply in a later batch. Any number of sealers may run.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection, transaction

from audit.keys import SigningKey
from audit.models import Batch, Leaf, Pending
from audit.proofs import GENESIS, leaf_hash, link, merkle_root, statement
from audit.reading import sealed_bytes, waiting
from audit.recording import Clock

BATCH: Final = 1000  # leaves; on SQLite the one write lock is held for as long as these take
_LOCK: Final = 0x50494D5345414C  # "PIMSEAL": the advisory lock of sealers among themselves


class SealingRace(Exception):  # noqa: N818 - a race that was lost
    """Another sealer took the same events; nothing was written."""


def stated(batch: Batch) -> dict[str, Any]:
    """Return a batch as `audit.proofs` knows it."""
    return {
        "number": batch.number,
        "first": batch.first,
        "size": batch.size,
        "root": batch.root,
        "previous": batch.previous,
        "sealed_at": batch.sealed_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "key": batch.key,
        "signature": batch.signature,
    }


def seal(key: SigningKey, *, clock: Clock, limit: int = BATCH) -> Batch | None:
    """Seal up to `limit` events that wait in one batch; none when nothing waits or another sealer is at it.

    One transaction: a kill at any moment leaves the events waiting or sealed, once.
    """
    with transaction.atomic():
        if not _alone():
            return None
        events = waiting(limit)
        if not events:
            return None
        return _sealed(events, key, now=clock())


def _sealed(events: list[dict[str, Any]], key: SigningKey, *, now: datetime) -> Batch:
    last = Batch.objects.order_by("-number").first()
    hashes = [leaf_hash(sealed_bytes(event)) for event in events]
    batch = Batch(
        number=last.number + 1 if last else 1,
        first=last.first + last.size if last else 1,
        size=len(events),
        root=merkle_root(hashes).hex(),
        previous=link(stated(last)) if last else GENESIS,
        sealed_at=now,
        key=key.id,
    )
    batch.signature = key.sign(statement(stated(batch)))
    batch.save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {Leaf._meta.db_table} (number, event_id, hash, batch_id) VALUES (%s, %s, %s, %s)",  # noqa: S608
            [
                (batch.first + index, event["id"], hashed.hex(), batch.number)
                for index, (event, hashed) in enumerate(zip(events, hashes, strict=True))
            ],
        )
    removed, _rows = Pending.objects.filter(pk__in=[event["id"] for event in events]).delete()
    if removed != len(events):
        raise SealingRace
    return batch


def _alone() -> bool:
    """Return whether no other sealer is at work. On SQLite the transaction is the only writer already."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])
