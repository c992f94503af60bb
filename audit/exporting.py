"""What can be taken away: the proof of one event, and an export with its own verifier.

Everything in it is plain JSON that `audit.proofs`, alone on another machine, can verify.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from audit import proofs
from audit.anchors import tip
from audit.canonical import canonical_form
from audit.models import Batch, Event, EventText, Leaf
from audit.proofs import inclusion_path
from audit.services.sealing import stated

README = """\
WHAT THIS IS

An export of the audit history of {portal}, made on {made} (UTC) for {reader}.
It holds {events} events{selection}.

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


def write_export(
    file: IO[bytes],
    leaves: Iterable[Leaf],
    *,
    whole: bool,
    public_keys: Iterable[str],
    portal: str,
    reader: str,
    now: datetime,
) -> int:
    """Write the export of these leaves, a batch at a time; return how many events it holds.

    `whole` says that no sealed event is left out; the verifier then misses any that is not there.
    """
    here = tip()
    seals = Batch.objects.filter(number__lte=here.batch if here else 0).order_by("number")
    count = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("events.jsonl", "w", force_zip64=True) as lines:
            for _leaf, one in entries(leaves):
                lines.write(json.dumps(one, ensure_ascii=False).encode() + b"\n")
                count += 1
        with archive.open("seals.jsonl", "w", force_zip64=True) as lines:
            for batch in seals.iterator(chunk_size=1000):
                lines.write(json.dumps(stated(batch)).encode() + b"\n")
        about = {
            "format": 1,
            "whole": whole,
            "events": count,
            "tip": here.line if here else "",
            "made": now.isoformat(),
        }
        archive.writestr("export.json", json.dumps(about, indent=2))
        archive.writestr("public-key.txt", "".join(f"{key}\n" for key in public_keys))
        archive.writestr("verify.py", Path(proofs.__file__).read_bytes())
        words = {"portal": portal, "made": f"{now:%Y-%m-%d %H:%M}", "reader": reader, "events": count}
        words["selection"] = ": every sealed one" if whole else ", a selection"
        words["limits"] = WHOLE_LIMITS if whole else SELECTION_LIMITS
        archive.writestr("README.txt", README.format(**words))
    return count
