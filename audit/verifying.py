"""Verifying the whole history: batch after batch, and the first wrong thing by its name.

It goes on in chunks, so that a task can do it: `Progress` is all that it must remember in between, and is plain JSON.
While it runs new events are recorded and sealed; it verifies up to the batch that was the last when it began.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import DatabaseError
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.archive_checks import archive_after, check_all_told, check_archived
from audit.findings import Erasures, Finding, Wrong
from audit.leaves import Checked, check_leaves, keeps_promises
from audit.models import Batch, Event, EventText, Leaf, Pending
from audit.proofs import GENESIS, Broken, check_signature, link
from audit.services.sealing import stated

NAMED: Final = 5  # archives that a sentence names
GRACE: Final = timedelta(hours=1)  # how long an event may wait to be sealed before it counts as wrong
Keys = dict[str, Ed25519PublicKey]
Tip = tuple[int, int, str]  # a batch, the leaves up to it, its link


LeafCheck = Callable[[int, int, int, Erasures], Checked]


@dataclass(slots=True)
class Progress:
    """How far a verification got. `upto` is the last batch of its beginning, `link` the one that the next must name.

    `archived` events are no longer here; `archive` is the last archive that was checked, `absent` those not at hand.
    """

    upto: int
    total: int
    batch: int = 0
    leaves: int = 0
    link: str = GENESIS
    erased: int = 0
    archived: int = 0
    archive: int = 0
    absent: list[str] = field(default_factory=list)
    waiting: int = 0
    done: bool = False
    finding: Finding | None = None
    tips: list[Tip] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Progress:
        made = cls(**value)
        made.finding = Finding(**value["finding"]) if value["finding"] else None
        made.tips = [(number, leaves, hashed) for number, leaves, hashed in value["tips"]]
        return made


def begin(tips: Iterable[Tip] = ()) -> Progress:
    """Begin a verification, against these tips that were kept outside."""
    last = Batch.objects.order_by("-number").first()
    known = sorted({(number, leaves, hashed.lower()) for number, leaves, hashed in tips})
    if last is None:
        return Progress(upto=0, total=0, tips=known)
    return Progress(upto=last.number, total=last.first + last.size - 1, tips=known)


def advance(
    progress: Progress,
    keys: Keys,
    *,
    now: datetime,
    archives: Path,
    seconds: float = float("inf"),
    leaves: LeafCheck | None = None,
) -> Progress:
    """Verify on for at most about `seconds`; the progress says whether it is done, and what was found.

    `archives` is the folder where archives are looked for. `leaves` checks the leaves of a batch in place of
    `check_leaves`, where that is done elsewhere.
    """
    deadline = time.monotonic() + seconds
    try:
        erasures = Erasures()
        while progress.batch < progress.upto:
            _check_batch(progress, keys, erasures, leaves or check_leaves)
            if time.monotonic() >= deadline:
                return progress
        while (archive := archive_after(progress.archive)) is not None:
            if not check_archived(archive, archives, keys, erasures):
                progress.absent.append(archive.name)
            progress.archive = archive.number
            if time.monotonic() >= deadline:
                return progress
        check_all_told()
        _check_end(progress, now)
    except Wrong as wrong:
        progress.finding = wrong.finding
    except UNREADABLE as error:
        progress.finding = unreadable(progress.batch + 1, error)
    progress.done = True
    return progress


# Somebody who changes rows by hand may leave what cannot even be read.
UNREADABLE: Final = (DatabaseError, ValueError, TypeError, KeyError, AttributeError)


def unreadable(batch: int, error: Exception) -> Finding:
    """Say that a batch could not be read."""
    sentence = _("Batch {batch} or one of its events cannot be read: {error}")
    return Finding("unreadable", sentence.format(batch=batch, error=error), batch=batch)


def _check_batch(progress: Progress, keys: Keys, erasures: Erasures, leaves: LeafCheck) -> None:
    number = progress.batch + 1
    batch = Batch.objects.filter(number=number).first()
    if batch is None:
        raise Wrong("batch_removed", _("Batch {batch} is gone.").format(batch=number), batch=number)
    if batch.previous != progress.link or batch.first != progress.leaves + 1:
        sentence = _("Batch {batch} does not follow on the one before: one of them was replaced.").format(batch=number)
        raise Wrong("chain_broken", sentence, batch=number)
    form = stated(batch)
    try:
        check_signature(form, keys)
    except Broken as broken:
        raise Wrong(broken.code, broken.sentence, batch=number) from broken
    last = batch.first + batch.size - 1
    checked = leaves(number, batch.first, last, erasures)
    if checked.root != batch.root:
        sentence = _("Batch {batch}: an event among the leaves {first} to {last} was rewritten, and its leaf with it.")
        raise Wrong("rewritten", sentence.format(batch=number, first=batch.first, last=last), batch=number)
    progress.batch, progress.leaves, progress.link = number, last, link(form)
    progress.erased += checked.erased
    progress.archived += checked.archived
    _check_tips(progress)


def _check_tips(progress: Progress) -> None:
    for number, leaves, hashed in progress.tips:
        if number == progress.batch and (leaves, hashed) != (progress.leaves, progress.link):
            sentence = _("Batch {batch} is not the one that was anchored: the history up to it was written anew.")
            raise Wrong("anchor_differs", sentence.format(batch=number), batch=number)


def _check_end(progress: Progress, now: datetime) -> None:
    """Look for what is cut off or too much: batches, leaves, events that nobody sealed."""
    ahead = max((tip for tip in progress.tips if tip[0] > progress.upto), default=None)
    if ahead and not Batch.objects.filter(number=ahead[0]).exists():
        sentence = _(
            "The history ends with batch {last}, but batch {batch} was anchored: its end was cut off, "
            "or an older backup was restored."
        )
        raise Wrong("cut_off", sentence.format(last=progress.upto, batch=ahead[0]), batch=ahead[0])
    # Before the first one, where no batch looks, or after the last.
    beside = Q(number__lt=1) | Q(number__gt=progress.leaves, batch__lte=progress.upto)
    stray = Leaf.objects.filter(beside).order_by("number").first() or _leaf_without_batch()
    if stray is not None:
        sentence = _("Leaf {leaf} belongs to no sealed batch: it was added, or its batch was removed.")
        raise Wrong("leaf_added", sentence.format(leaf=stray.pk), leaf=stray.pk)
    added = Batch.objects.filter(number__lt=1).order_by("number").first()
    if added is not None:
        raise Wrong("batch_added", _("Batch {batch} was added.").format(batch=added.pk), batch=added.pk)
    _check_unsealed(progress, now)


def _leaf_without_batch() -> Leaf | None:
    last = Leaf.objects.order_by("-number").first()
    return last if last and not Batch.objects.filter(pk=last.batch_id).exists() else None


def _check_unsealed(progress: Progress, now: datetime) -> None:
    """Every event without a leaf must wait, and not for long, and its text be the one that was recorded."""
    for event in Event.objects.filter(leaf=None).order_by("id").iterator(chunk_size=500):
        where = {"event": str(event.uuid)}
        if not Pending.objects.filter(pk=event.pk).exists():
            if Leaf.objects.filter(event=event.pk).exists():
                continue  # sealed meanwhile
            sentence = _("Event {event} was added: it is neither sealed nor does it wait to be.")
            raise Wrong("event_added", sentence.format(event=event.uuid), **where)
        if event.recorded_at < now - GRACE:
            sentence = _("Event {event} waits for too long to be sealed: the sealing stands still, or it was added.")
            raise Wrong("unsealed", sentence.format(event=event.uuid), **where)
        if not _keeps_its_promises(event):
            raise Wrong("text_changed", _("A text of event {event} was changed.").format(event=event.uuid), **where)
        progress.waiting += 1


def _keeps_its_promises(event: Event) -> bool:
    text = EventText.objects.filter(pk=event.pk).first()
    if text is None:
        return False
    if text.erased_at is not None:
        return not (text.fields or text.salts or text.search)
    return keeps_promises(event.commitments, text.fields, text.salts, text.search)


def sentence_of(progress: Progress) -> str:
    """Say in words how a verification that is done ended."""
    if progress.finding:
        return progress.finding.sentence
    batches = ngettext("{count} batch", "{count} batches", progress.batch).format(count=f"{progress.batch:,}")
    whole = ngettext(
        "{leaves} sealed event in {batches} is as it was sealed.",
        "All {leaves} sealed events in {batches} are as they were sealed.",
        progress.leaves,
    )
    said = [whole.format(leaves=f"{progress.leaves:,}", batches=batches)]
    if progress.archived:
        told = ngettext(
            "{count} of them is in an archive; its hash is kept here.",
            "{count} of them are in archives; their hashes are kept here.",
            progress.archived,
        )
        said.append(told.format(count=f"{progress.archived:,}"))
    if progress.archive:
        at_hand = progress.archive - len(progress.absent)
        told = ngettext(
            "{count} of {total} archive is at hand, and unchanged.",
            "{count} of {total} archives are at hand, and unchanged.",
            progress.archive,
        )
        said.append(told.format(count=f"{at_hand:,}", total=f"{progress.archive:,}"))
    if progress.absent:
        said.append(_("Not at hand, and not checked: {files}.").format(files=_some(progress.absent)))
    if progress.erased:
        said.append(_("The personal text of {count} was erased on request.").format(count=f"{progress.erased:,}"))
    if progress.waiting:
        told = ngettext("{count} more waits to be sealed.", "{count} more wait to be sealed.", progress.waiting)
        said.append(told.format(count=f"{progress.waiting:,}"))
    if progress.tips:
        told = ngettext("{count} anchor agrees.", "{count} anchors agree.", len(progress.tips))
        said.append(told.format(count=len(progress.tips)))
    else:
        said.append(_("No anchor was given, so that a cut-off end or an older backup would not show."))
    return " ".join(said)


def _some(names: Sequence[str]) -> str:
    """Name files; of many only the first."""
    named = ", ".join(f"{name}.jsonl" for name in names[:NAMED])
    return _("{files} and {count} more").format(files=named, count=len(names) - NAMED) if len(names) > NAMED else named
