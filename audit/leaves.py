"""The leaves of a batch against their events: at a glance where that will do, else row by row, to name what is wrong.

What the two find right is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from audit.archive_checks import tombstones
from audit.findings import Erasures, Wrong
from audit.glance import glance, order_in
from audit.models import Leaf
from audit.proofs import commits, leaf_hash, merkle_root
from audit.reading import Row, rows, sealed_bytes


class Checked(NamedTuple):
    """What the leaves of a batch came to: the root over their events as these are now, how many texts are erased.

    An event that is archived stands for itself by the hash on its tombstone: the root tells whether that is right.
    """

    root: str
    erased: int
    archived: int = 0


def check_leaves(batch: int, first: int, last: int, erasures: Erasures) -> Checked:
    """Check the leaves from `first` to `last`, which make up a batch, against their events. Raises `Wrong`."""
    gone = tombstones(first, last)
    found = glance(batch, first, last, erasures, gone)
    if found is not None:
        return Checked(merkle_root(found.hashes).hex(), found.erased, found.archived)
    hashes: list[bytes] = []
    erased = archived = 0
    for row in _in_order(batch, first, last):
        if row.event is None:
            hashes.append(_archived(row, gone))
            archived += 1
            continue
        hashes.append(_check_event(row, erasures))
        erased += row.erased_at is not None
    return Checked(merkle_root(hashes).hex(), erased, archived)


def _in_order(batch: int, first: int, last: int) -> Iterator[Row]:
    """Yield these leaves, all of them, and each of this batch. Raises `Wrong`."""
    expected = first
    for row in rows(first, last):
        if row.leaf != expected:
            break
        expected += 1
        if row.batch != batch:
            sentence = _("Leaf {leaf} is said to belong to batch {batch}.").format(leaf=row.leaf, batch=row.batch)
            raise Wrong("leaf_changed", sentence, batch=batch, leaf=row.leaf)
        yield row
    if expected != last + 1:
        sentence = _("Leaf {leaf} is gone.").format(leaf=expected)
        raise Wrong("leaf_removed", sentence, batch=batch, leaf=expected)


def _archived(row: Row, gone: Mapping[int, str]) -> bytes:
    """Return what stands for an event that is not here any more: the hash on its tombstone."""
    hashed = gone.get(row.leaf)
    if hashed is None:
        event_id = Leaf.objects.values_list("event_id", flat=True).get(pk=row.leaf)
        sentence = _("The event at leaf {leaf} (number {event}) was removed.").format(leaf=row.leaf, event=event_id)
        raise Wrong("event_removed", sentence, batch=row.batch, leaf=row.leaf)
    if hashed != row.hash:
        sentence = _("The tombstone of the archived event at leaf {leaf} was changed.").format(leaf=row.leaf)
        raise Wrong("tombstone_changed", sentence, batch=row.batch, leaf=row.leaf)
    return bytes.fromhex(hashed)


def _check_event(row: Row, erasures: Erasures) -> bytes:
    assert row.event is not None  # noqa: S101 - the caller has looked
    hashed = leaf_hash(sealed_bytes(row.event))
    if hashed.hex() != row.hash:
        raise _changed(row, hashed.hex())
    _check_texts(row, erasures)
    return hashed


def _changed(row: Row, hashed: str) -> Wrong:
    """Say whether an event was changed, or is one of another place."""
    assert row.event is not None  # noqa: S101 - the caller has looked
    where: dict[str, Any] = {"batch": row.batch, "leaf": row.leaf, "event": row.event["uuid"]}
    home = Leaf.objects.filter(hash=hashed).values_list("number", flat=True).first()
    if home is not None:
        sentence = _("The event at leaf {leaf} was swapped: it was sealed as leaf {home}.")
        return Wrong("event_swapped", sentence.format(leaf=row.leaf, home=home), **where)
    sentence = _("The event {event} at leaf {leaf}, or its leaf, was changed after it was sealed.")
    return Wrong("event_changed", sentence.format(event=row.event["uuid"], leaf=row.leaf), **where)


def _check_texts(row: Row, erasures: Erasures) -> None:
    assert row.event is not None  # noqa: S101 - the caller has looked
    name, promised, texts = row.event["uuid"], row.event["commitments"], row.texts
    where: dict[str, Any] = {"batch": row.batch, "leaf": row.leaf, "event": name}
    if texts is None:
        raise Wrong("text_removed", _("The text of event {event} was removed.").format(event=name), **where)
    if row.erased_at is not None:
        _check_erased(row, row.erased_at, erasures, where)
        return
    if texts.keys() != promised.keys() or row.salts.keys() != promised.keys():
        raise Wrong("text_changed", _("A text of event {event} was removed or added.").format(event=name), **where)
    for part, text in texts.items():
        if not commits(promised[part], text, salt=row.salts[part]):
            sentence = _("The text “{name}” of event {event} was changed.").format(name=part, event=name)
            raise Wrong("text_changed", sentence, **where)
    if order_in(texts, row.search) is None:
        sentence = _("What event {event} is found by in a search was changed.").format(event=name)
        raise Wrong("search_changed", sentence, **where)


def _check_erased(row: Row, erased_at: str, erasures: Erasures, where: dict[str, Any]) -> None:
    if where["event"] not in erasures:
        sentence = _("The text of event {event} was erased, and no event tells of it.").format(event=where["event"])
        raise Wrong("text_erased_silently", sentence, **where)
    if not erasures.at(where["event"], erased_at):
        sentence = _("When the text of event {event} was erased was changed.").format(event=where["event"])
        raise Wrong("text_changed", sentence, **where)
    if row.texts or row.salts or row.search:
        sentence = _("The text of event {event} was erased, and something was put in its place.")
        raise Wrong("text_changed", sentence.format(event=where["event"]), **where)


def keeps_promises(commitments: dict[str, str], texts: dict[str, str], salts: dict[str, str], search: str) -> bool:
    """Return whether these are the texts of an event, and what they are found by."""
    if not texts.keys() == salts.keys() == commitments.keys():
        return False
    kept = all(commits(commitments[name], text, salt=salts[name]) for name, text in texts.items())
    return kept and order_in(texts, search) is not None
