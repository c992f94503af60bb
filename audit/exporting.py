"""What can be taken away: the proof of one event, and an export with its own verifier.

Everything in it is plain JSON that `audit.proofs`, alone on another machine, can verify.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from django.utils.translation import ngettext

from audit import proofs
from audit.anchors import Tip
from audit.canonical import canonical_form
from audit.models import Batch, Event, EventText, Leaf
from audit.proofs import inclusion_path
from audit.services.sealing import stated

File = tuple[str, Iterable[bytes]]  # its name, and its content in parts

README = """\
WHAT THIS IS

An export of the audit history of {portal}, made on {made} (UTC) for {reader}.
It holds {events}{selection}.

    events.jsonl     one event a line, in the order in which they were sealed: the event, its texts, its proof
    seals.jsonl      every sealed batch: its Merkle root, the link to the batch before, its signature
    public-key.txt   the public keys of the portal
    export.json      what this export says of itself
    verify.py        checks all of it; it needs Python 3.11 and the package cryptography

HOW TO VERIFY IT

    python3 verify.py

Better, with what you did not get from this export: a public key that somebody read out to you, and the tips that the
portal sent to the auditors by mail.

    python3 verify.py --key PUBLIC_KEY --tip @file-with-the-mails.txt

WHAT IT PROVES

- Each event in here is, to the byte, the one that the portal recorded and sealed at its place. Its texts (names,
  reason, ticket, address) are those of that moment; a text that was erased on request is missing, and the event still
  verifies.
- The order of the events is the order in which they were sealed. When an event happened and when it was recorded stand
  in the event itself.
- Where the public key is really the portal's: that whoever held its key signed all this.

WHAT IT DOES NOT PROVE

{limits}- That what was recorded is true, or that all that happened was recorded.
- That nothing came later: the export ends where it was made.
- Without a tip that was kept elsewhere: that whoever holds the key has not written the whole history anew.
"""

WHOLE_LIMITS = ""
SELECTION_LIMITS = """\
- That nothing is missing. This is a selection: of the events that are not in here it proves that they exist (every leaf
  has its number), and nothing else. Their absence says nothing about what happened.
"""


def entry(event: Event, leaf: Leaf, path: Sequence[bytes]) -> dict[str, Any]:
    """Return an event as it is taken away, with its texts and the path to the root of its batch."""
    text: EventText = event.text
    return {
        "leaf": leaf.number,
        "batch": leaf.batch_id,
        "event": canonical_form(event),
        "text": text.fields,
        "salts": text.salts,
        "erased_at": text.erased_at.isoformat() if text.erased_at else None,
        "path": [one.hex() for one in path],
    }


def proof_of(event: Event, public_key: str) -> dict[str, Any] | None:
    """Return the proof of one event; none while it waits to be sealed."""
    leaf = Leaf.objects.select_related("batch").filter(event=event.pk).first()
    if leaf is None:
        return None
    path = inclusion_path(_hashes(leaf.batch), leaf.number - leaf.batch.first)
    return {"format": 1, **entry(event, leaf, path), "seal": stated(leaf.batch), "public_key": public_key}


def entries(leaves: Iterable[Leaf]) -> Iterator[tuple[Leaf, dict[str, Any]]]:
    """Yield these leaves, each as it is taken away. They come in their order, with batch, event and text."""
    for batch, group in groupby(leaves, key=lambda leaf: leaf.batch):
        hashes = _hashes(batch)
        for leaf in group:
            yield leaf, entry(leaf.event, leaf, inclusion_path(hashes, leaf.number - batch.first))


def _hashes(batch: Batch) -> list[bytes]:
    rows = Leaf.objects.filter(number__gte=batch.first, number__lt=batch.first + batch.size).order_by("number")
    return [bytes.fromhex(hashed) for hashed in rows.values_list("hash", flat=True)]


@dataclass(frozen=True, slots=True)
class Described:
    """What an export says of itself. `whole`: no sealed event up to `upto` is left out; the verifier misses any."""

    whole: bool
    upto: Tip | None
    public_keys: tuple[str, ...]
    portal: str
    reader: str
    made: datetime


@dataclass(slots=True)
class Written:
    """How far an export got while it is sent."""

    events: int = 0
    cut_off: bool = False


def export_files(parts: Iterable[Iterable[Leaf]], about: Described, written: Written) -> Iterator[File]:
    """Yield the files of an export, each with its content in parts, to be sent in this order while it is made.

    The leaves come in their order, with batch, event and text. Whoever gives them may end early, and then says so in
    `written`: the export says so, too.
    """
    yield "events.jsonl", _lines_of(parts, written)
    seals = Batch.objects.filter(number__lte=about.upto.batch if about.upto else 0).order_by("number")
    yield "seals.jsonl", (json.dumps(stated(batch)).encode() + b"\n" for batch in seals.iterator(chunk_size=1000))
    said = {
        "format": 1,
        "whole": about.whole and not written.cut_off,
        "events": written.events,
        "cut_off": written.cut_off,
        "tip": about.upto.line if about.upto else "",
        "made": about.made.isoformat(),
    }
    yield "export.json", [json.dumps(said, indent=2).encode()]
    yield "public-key.txt", ["".join(f"{key}\n" for key in about.public_keys).encode()]
    yield "verify.py", [Path(proofs.__file__).read_bytes()]
    yield "README.txt", [_readme(about, written).encode()]


def _lines_of(parts: Iterable[Iterable[Leaf]], written: Written) -> Iterator[bytes]:
    for leaves in parts:
        lines = [json.dumps(one, ensure_ascii=False).encode() + b"\n" for _leaf, one in entries(leaves)]
        written.events += len(lines)
        yield b"".join(lines)


def _readme(about: Described, written: Written) -> str:
    whole = about.whole and not written.cut_off
    selection = ": every sealed one" if whole else ", a selection"
    if written.cut_off:
        selection = ", and is INCOMPLETE: the right to read this ended while it was made"
    return README.format(
        portal=about.portal,
        made=f"{about.made:%Y-%m-%d %H:%M}",
        reader=about.reader,
        events=ngettext("{count} event", "{count} events", written.events).format(count=written.events),
        selection=selection,
        limits=WHOLE_LIMITS if whole else SELECTION_LIMITS,
    )
