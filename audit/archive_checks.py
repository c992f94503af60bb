"""Verifying archives: each against the sealed event that tells of it, its tombstones, and its files where these are.

A file that is not there is no finding: archives are kept elsewhere, on purpose. One that is there and differs is.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils.translation import gettext as _

from audit.archive_files import file_of, sha256_of
from audit.archiving import TOMBSTONES, digest_of_tombstones
from audit.findings import Erasures, Wrong
from audit.kinds import Kind, Outcome
from audit.models import Archive, Archived, Event
from audit.proofs import Broken, check_archive, digest_of_leaves


def tombstones(first: int, last: int) -> dict[int, str]:
    """Return the hashes on the tombstones from one leaf to another."""
    return dict(Archived.objects.filter(leaf__gte=first, leaf__lte=last).values_list("leaf", "hash"))


def archive_after(number: int) -> Archive | None:
    """Return the next archive; none after the last."""
    return Archive.objects.filter(number__gt=number).order_by("number").first()


def check_all_told() -> None:
    """Check that every archive of which an event tells is known. Raises `Wrong`."""
    rows = Event.objects.filter(kind=Kind.HISTORY_ARCHIVED, outcome=Outcome.DONE).order_by("id")
    told = list(rows.values_list("uuid", "details"))  # first: both are written at the same moment
    known = set(Archive.objects.values_list("event", flat=True))
    for event, details in told:
        if event not in known:
            sentence = _("Archive {number} was removed: event {event} tells of it.")
            raise Wrong("archive_removed", sentence.format(number=details.get("archive"), event=event))


def check_archived(archive: Archive, folder: Path, keys: dict[str, Ed25519PublicKey], erasures: Erasures) -> bool:
    """Check one archive; return whether its file is there. Raises `Wrong`."""
    told = _check_told(archive)
    stones = archive.tombstones.order_by("leaf")
    leaves = stones.values_list("leaf", "hash").iterator(chunk_size=2000)
    # Archives of old tell of the leaves only.
    digest = told.details.get(TOMBSTONES)
    kept = digest is None or digest == digest_of_tombstones(archive, stones.iterator(chunk_size=2000))
    if digest_of_leaves(leaves) != archive.digest or not kept:
        sentence = _("A tombstone of archive {number} ({file}), or its row, was added, removed or changed.")
        raise _wrong("tombstone_changed", sentence, archive)
    file = file_of(folder, archive.name)
    if not file.exists():
        return False
    try:
        found = check_archive(file, keys)
    except Broken as broken:
        sentence = _("The archive {file} was changed: {why}")
        raise _wrong("archive_changed", sentence, archive, why=broken.sentence) from broken
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        sentence = _("The archive {file} was changed, and cannot be read: {why}")
        raise _wrong("archive_changed", sentence, archive, why=repr(error)) from error
    if found.digest != archive.digest or sha256_of(file) != archive.sha256:
        raise _wrong("archive_changed", _("The archive {file} is not the one that was sealed."), archive)
    for event in found.bare:
        if event not in erasures:
            sentence = _("The text of event {event} was erased from the archive {file}, and no event tells of it.")
            raise _wrong("text_erased_silently", sentence, archive, event=event)
    return True


def _check_told(archive: Archive) -> Event:
    told = Event.objects.filter(uuid=archive.event, kind=Kind.HISTORY_ARCHIVED, outcome=Outcome.DONE).first()
    if told is None:
        raise _wrong("archive_untold", _("No event tells of archive {number} ({file})."), archive)
    if any(told.details.get(name) != value for name, value in archive.told.items()):
        sentence = _("What is known of archive {number} ({file}) is not what its event tells.")
        raise _wrong("archive_row_changed", sentence, archive)
    return told


def _wrong(code: str, sentence: str, archive: Archive, *, event: str | None = None, **words: str) -> Wrong:
    words |= {"number": str(archive.number), "file": f"{archive.name}.jsonl", "event": event or ""}
    return Wrong(code, sentence.format(**words), event=event)
