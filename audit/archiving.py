"""Moving old events out of the database, so that a kill between any two steps loses and doubles nothing.

Files first: see `archive_files`. Then, in one transaction of the caller's: the event that tells of it, the archive's
row, a tombstone for each event (`settle`). Only then, in small transactions that anybody may go on with later
(`remove`), the events: the triggers of the tables let go of nothing that has no tombstone or is younger than 90 days.
A leaf has one tombstone, so that of two who archive the same events one comes to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from audit import archive_files
from audit.archive_files import file_of
from audit.canonical import canonical_moment
from audit.kinds import Kind, Realm
from audit.models import Archive, Archived, Event, EventText, Leaf
from audit.proofs import canonical_json, check_archive, digest_of_leaves

AT_ONCE: Final = 50_000  # events of one archive
PART: Final = 500  # events of one transaction, when they leave
_LOCK: Final = 0x50494D41524348  # "PIMARCH": archives get their numbers one after the other
TOMBSTONES: Final = "tombstones_digest"
# fmt: off
_KEPT: Final = (
    "occurred_at", "kind", "realm", "resource_id", "actor_id", "target_id", "request_id", "assignment_id",
    "authority_id",
)
# fmt: on


class Written(NamedTuple):
    """An archive whose files are on the disk, its leaves, and the digest of the tombstones that they will have."""

    archive: Archive
    leaves: list[int]
    tombstones: str

    @property
    def told(self) -> dict[str, object]:
        """What the event that tells of it says."""
        return {**self.archive.told, TOMBSTONES: self.tombstones}


class MovedMeanwhile(Exception):  # noqa: N818 - a race that was lost
    """Something has come to need one of the events, or to change it; nothing was done."""


def oldest_first(events: QuerySet[Event], realm: Realm, *, limit: int = AT_ONCE) -> list[int]:
    """Return the leaves of the sealed events of one world among these, in their order, that are not archived yet."""
    rows = events.filter(realm=realm, leaf__isnull=False).order_by("leaf__number")
    archived = Archived.objects.filter(event=OuterRef("pk"))
    return list(rows.filter(~Exists(archived)).values_list("leaf__number", flat=True)[:limit])


def write(
    leaves: list[int],
    *,
    folder: Path,
    realm: Realm,
    keys: dict[str, Ed25519PublicKey],
    portal: str,
    now: datetime,
) -> Written:
    """Write the files of an archive of these leaves and check them as they are read again. Raises `Broken`, OSError."""
    public = [key.public_bytes_raw().hex() for key in keys.values()]
    about = {"portal": portal, "made": now.isoformat(), "world": realm, "events": len(leaves), "public_keys": public}
    name = archive_files.write(folder, _with_events(leaves), about)
    found = check_archive(file_of(folder, name), keys)
    if found.digest != digest_of_leaves(_hashes(leaves)):
        raise MovedMeanwhile
    kinds: set[str] = set()
    moments: list[datetime] = []
    for rows in _parts(leaves):
        events = Event.objects.filter(leaf__number__in=rows)
        kinds |= set(events.order_by().values_list("kind", flat=True).distinct())
        moments += events.values_list("occurred_at", flat=True)
    archive = Archive(
        name=name,
        sha256=archive_files.sha256_of(file_of(folder, name)),
        digest=found.digest,
        realm=realm,
        kinds=[kind for kind in Kind.values if kind in kinds],
        leaves=found.events,
        first=found.first,
        last=found.last,
        oldest=min(moments),
        newest=max(moments),
        made_at=now,
    )
    stones = (stone for part in _parts(leaves) for stone in _tombstones(part))
    return Written(archive, leaves, digest_of_tombstones(archive, stones))


def number(archive: Archive) -> None:
    """Give an archive its number, inside the transaction that settles it; nobody else gets one meanwhile."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    last = Archive.objects.order_by("-number").values_list("number", flat=True).first()
    archive.number = (last or 0) + 1


def settle(written: Written, event: Event, *, still: QuerySet[Event]) -> None:
    """Write down an archive and its tombstones. `event` tells of it; `still` are the events that may go, as of now.

    Raises `MovedMeanwhile` where one of them may not any more, IntegrityError where one is archived already.
    """
    archive = written.archive
    there = still.filter(leaf__number__gte=archive.first, leaf__number__lte=archive.last)
    if not set(written.leaves) <= set(there.values_list("leaf__number", flat=True)):
        raise MovedMeanwhile
    archive.event = event.uuid
    archive.save(force_insert=True)
    for part in _parts(written.leaves):
        Archived.objects.bulk_create(_tombstones(part, archive=archive))


def _tombstones(leaves: list[int], **more: Any) -> Iterator[Archived]:
    rows = Leaf.objects.filter(number__in=leaves).select_related("event").order_by("number")
    for leaf in rows:
        event = leaf.event
        kept: dict[str, Any] = {name: getattr(event, name) for name in _KEPT}
        yield Archived(leaf=leaf.number, event=event.pk, uuid=event.uuid, hash=leaf.hash, **kept, **more)


def digest_of_tombstones(archive: Archive, tombstones: Iterable[Archived]) -> str:
    """Return the one hash (SHA-256, hex) over what is kept here of an archive and of each event in it, in their order.

    What `Archive.told` says stands in the event as it is.
    """
    hashed = sha256()
    moments = [canonical_moment(one) for one in (archive.oldest, archive.newest, archive.made_at)]
    hashed.update(canonical_json([archive.kinds, *moments]))
    for one in tombstones:
        kept = [canonical_moment(one.occurred_at), *(str(getattr(one, name)) for name in _KEPT[1:])]
        hashed.update(canonical_json([one.leaf, one.event, str(one.uuid), one.hash, *kept]))
    return hashed.hexdigest()


def remove(*, folder: Path, after: int = 0) -> tuple[int, int]:
    """Remove the next events that are archived; return how many and the last leaf looked at. (0, …) when none is left.

    What was erased since the files were written is erased there as well before it goes.
    """
    with transaction.atomic():
        rows = Archived.objects.filter(leaf__gt=after, event__in=Event.objects.values("pk")).order_by("leaf")
        tombstones = list(rows.select_related("archive")[:PART])
        if not tombstones:
            return 0, after
        ids = [one.event for one in tombstones]
        erased = set(EventText.objects.filter(pk__in=ids, erased_at__isnull=False).values_list("pk", flat=True))
        _erase_in_files(folder, [one for one in tombstones if one.event in erased])
        gone = _delete(EventText._meta.db_table, "event_id", erased, " AND erased_at IS NOT NULL")
        gone += _delete(EventText._meta.db_table, "event_id", set(ids) - erased, " AND erased_at IS NULL")
        if gone != len(ids):
            raise MovedMeanwhile
        _delete(Event._meta.db_table, "id", ids)
    return len(tombstones), tombstones[-1].leaf


def _erase_in_files(folder: Path, tombstones: list[Archived]) -> None:
    by_name: dict[str, set[int]] = {}
    for one in tombstones:
        by_name.setdefault(one.archive.name, set()).add(one.leaf)
    for name, leaves in by_name.items():
        archive_files.erase_texts(folder, name, leaves & archive_files.leaves_with_text(folder, name))


def _delete(table: str, column: str, ids: Iterable[int], besides: str = "") -> int:
    # The ORM would ask every table that might point here first; the database refuses where one does.
    values = list(ids)
    if not values:
        return 0
    marks = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE {column} IN ({marks}){besides}", values)  # noqa: S608
        return int(cursor.rowcount)


def _with_events(leaves: list[int]) -> Iterator[Leaf]:
    for part in _parts(leaves):
        rows = Leaf.objects.filter(number__in=part).select_related("batch", "event__text").order_by("number")
        yield from rows


def _hashes(leaves: list[int]) -> Iterator[tuple[int, str]]:
    for part in _parts(leaves):
        yield from Leaf.objects.filter(number__in=part).order_by("number").values_list("number", "hash")


def _parts(leaves: list[int]) -> Iterator[list[int]]:
    for first in range(0, len(leaves), PART):
        yield leaves[first : first + PART]


def left() -> bool:
    """Return whether events that are archived still stand in the database."""
    return Event.objects.filter(pk__in=Archived.objects.values("event")).exists()
