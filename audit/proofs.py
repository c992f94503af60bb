#!/usr/bin/env python3
"""Verify what was taken from the audit history of a PIM Portal: a proof of one event, an export, or an archive.

    python3 verify.py FILE_OR_FOLDER [--key PUBLIC_KEY_HEX ...] [--tip "pim-audit-tip ..."]

An archive is a file .jsonl, with the personal text of its events beside it in .texts.jsonl.

It needs Python 3.11 and the package `cryptography`, and nothing of the portal. The portal computes its own seals with
the very functions of this file, which stands in each export as verify.py.

Hashing is that of RFC 6962: a leaf is SHA-256(00 || bytes of the event), a node SHA-256(01 || left || right). A batch
signs, with Ed25519, its number, the leaves it covers, their root and the hash of the statement before.
"""

# ruff: noqa: T201 - a command that prints
from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GENESIS: Final = "0" * 64
DOMAIN: Final = b"pim-portal-audit-batch\n"
TIP: Final = "pim-audit-tip"
SALT: Final = 16  # bytes
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Broken(Exception):  # noqa: N818 - a finding, not an error
    """What was found to be wrong: a stable code and a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


# Bytes and hashes


def canonical_json(form: Any) -> bytes:
    """Return the one byte form of a JSON value: sorted keys, no spaces, UTF-8."""
    return _ENCODER.encode(form).encode()


def commitment(text: str, *, salt: str) -> str:
    """Return a commitment to `text` that tells nothing of it without the salt (hex SHA-256)."""
    return hashlib.sha256(bytes.fromhex(salt) + text.encode()).hexdigest()


def commits(promised: str, text: str, *, salt: str) -> bool:
    """Return whether `promised` is the commitment to this text with this salt.

    The salt is as long as it was made, in the one form: otherwise letters could wander between it and the text.
    """
    try:
        raw = bytes.fromhex(salt)
        data = text.encode()
    except ValueError:
        return False
    return len(raw) == SALT and raw.hex() == salt and hashlib.sha256(raw + data).hexdigest() == promised


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over these leaf hashes (RFC 6962 §2.1)."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    row = list(leaves)
    while len(row) > 1:
        # An odd one at the end moves up as it is, which is the tree of RFC 6962.
        odd = row[-1:] if len(row) % 2 else []
        pairs = iter(row)
        row = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)] + odd
    return row[0]


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes beside the way from one leaf up to the root, the lowest first (RFC 6962 §2.1.1)."""
    path: list[bytes] = []
    row, at = list(leaves), index
    while len(row) > 1:
        if at ^ 1 < len(row):
            path.append(row[at ^ 1])
        row = [node_hash(*row[i : i + 2]) if i + 1 < len(row) else row[i] for i in range(0, len(row), 2)]
        at //= 2
    return path


def root_by_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that this leaf leads to by this path; raises `Broken` where the path has another length."""
    rest, at, last, hashed = list(path), index, size - 1, leaf
    while last > 0:
        if at % 2 or at < last:
            if not rest:
                raise Broken("path_wrong", "The path from the event to the root of its batch is too short.")
            beside = rest.pop(0)
            hashed = node_hash(beside, hashed) if at % 2 else node_hash(hashed, beside)
        at, last = at // 2, last // 2
    if rest:
        raise Broken("path_wrong", "The path from the event to the root of its batch is too long.")
    return hashed


# Batches

STATED: Final = ("number", "first", "size", "root", "previous", "sealed_at", "key")


def statement(batch: dict[str, Any]) -> bytes:
    """Return what the signature of a batch signs."""
    return DOMAIN + canonical_json({"format": 1} | {name: batch[name] for name in STATED})


def link(batch: dict[str, Any]) -> str:
    """Return the hash of a batch's statement, which the next batch names: the tip, while there is no next one."""
    return hashlib.sha256(statement(batch)).hexdigest()


def key_id(public: bytes) -> str:
    """Return the short name of a public key: the first half of its SHA-256, in hex."""
    return hashlib.sha256(public).hexdigest()[:32]


def check_signature(batch: dict[str, Any], keys: dict[str, Ed25519PublicKey]) -> None:
    """Raise `Broken` unless one of these keys, by its id, signed this batch."""
    key = keys.get(batch["key"])
    if key is None:
        raise Broken("foreign_key", f"Batch {batch['number']} is signed with the key {batch['key']}, which is unknown.")
    try:
        signature = bytes.fromhex(batch["signature"])
        key.verify(signature, statement(batch))
    except (InvalidSignature, ValueError):
        signature = b""
    if signature.hex() != batch["signature"]:  # in the one form, too
        raise Broken("forged_signature", f"The signature of batch {batch['number']} is not that of its key.")


def tip_line(number: int, leaves: int, hashed: str) -> str:
    """Return a tip as one line of text, as it is written to logs, files and mails."""
    return f"{TIP} 1 {number} {leaves} {hashed}"


def tips_in(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield every tip that stands somewhere in a text, such as a log or a mail: batch, leaves so far, hash."""
    words = text.split()
    for at, word in enumerate(words):
        if word.strip("\"'<>|") == TIP and words[at + 1 : at + 2] == ["1"] and len(words) > at + 4:
            number, leaves, hashed = words[at + 2 : at + 5]
            if all(one.isdecimal() and len(one) < 20 for one in (number, leaves)):  # as a database counts
                yield int(number), int(leaves), hashed.strip("\"'<>|.,").lower()


# What was taken away


def read_keys(lines: Sequence[str]) -> dict[str, Ed25519PublicKey]:
    """Return public keys (hex, one a line) by their ids."""
    raw = [bytes.fromhex(line.strip()) for line in lines if line.strip() and not line.startswith("#")]
    return {key_id(one): Ed25519PublicKey.from_public_bytes(one) for one in raw}


def check_texts(entry: dict[str, Any]) -> int:
    """Check the personal text beside an event against its commitments; return how many fields were erased.

    Erasing takes all fields of an event, and, but for an archive, says when.
    """
    form = entry["event"]
    texts, salts = entry.get("text") or {}, entry.get("salts") or {}
    for name in texts.keys() | salts.keys():
        salt, promised = salts.get(name), form["commitments"].get(name)
        if promised is None or salt is None or name not in texts or not commits(promised, texts[name], salt=salt):
            raise Broken("text_changed", f"The text “{name}” of event {form['uuid']} is not the one that was recorded.")
    missing = form["commitments"].keys() - texts.keys()
    if missing and (texts or entry.get("erased_at", "") is None):
        raise Broken(
            "text_changed", f"The text “{min(missing)}” of event {form['uuid']} is missing, and was not erased."
        )
    return len(missing)


def check_event(entry: dict[str, Any], batch: dict[str, Any], keys: dict[str, Ed25519PublicKey]) -> None:
    """Check one event against its batch, by its path, and the batch by its signature."""
    check_signature(batch, keys)
    index = entry["leaf"] - batch["first"]
    if entry["batch"] != batch["number"] or not 0 <= index < batch["size"]:
        raise Broken("leaf_wrong", f"Leaf {entry['leaf']} does not belong to batch {batch['number']}.")
    check_texts(entry)
    path = [bytes.fromhex(one) for one in entry["path"]]
    if root_by_path(leaf_hash(canonical_json(entry["event"])), index, batch["size"], path).hex() != batch["root"]:
        raise Broken("event_changed", f"Event {entry['event']['uuid']} (leaf {entry['leaf']}) was changed.")


def check_chain(batches: Sequence[dict[str, Any]], keys: dict[str, Ed25519PublicKey]) -> None:
    """Check that every batch follows on the one before, from the first, and is signed."""
    before, leaves = GENESIS, 0
    for number, batch in enumerate(batches, start=1):
        if batch["number"] != number:
            raise Broken("batch_missing", f"Batch {number} is missing.")
        if batch["previous"] != before or batch["first"] != leaves + 1:
            raise Broken("chain_broken", f"Batch {number} does not follow on batch {number - 1}.")
        check_signature(batch, keys)
        before, leaves = link(batch), leaves + batch["size"]


def check_tips(batches: Sequence[dict[str, Any]], tips: Sequence[tuple[int, int, str]]) -> None:
    """Check tips that were kept elsewhere: a batch that they name must be there, and be the same."""
    for number, leaves, hashed in tips:
        if number > len(batches):
            raise Broken("cut_off", f"The tip that was kept names batch {number}, but the last one is {len(batches)}.")
        batch = batches[number - 1]
        if link(batch) != hashed or batch["first"] + batch["size"] - 1 != leaves:
            raise Broken("tip_differs", f"Batch {number} is not the one that the tip names: it was rewritten.")


def verify_proof(proof: dict[str, Any], keys: dict[str, Ed25519PublicKey] | None) -> str:
    """Verify the proof of one event; return what it proves, in words. Without keys the one in the file is taken."""
    check_event(proof, proof["seal"], keys or read_keys([proof["public_key"]]))
    form = proof["event"]
    return f"Event {form['uuid']} ({form['kind']}, {form['occurred_at']}) stands unchanged as leaf {proof['leaf']}."


def verify_export(
    folder: Path, keys: dict[str, Ed25519PublicKey] | None, tips: Sequence[tuple[int, int, str]] = ()
) -> str:
    """Verify an export; return what it proves, in words."""
    about = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    batches = [json.loads(line) for line in (folder / "seals.jsonl").read_text(encoding="utf-8").splitlines()]
    check_chain(batches, keys or read_keys((folder / "public-key.txt").read_text().splitlines()))
    check_tips(batches, [*tips, *tips_in(about["tip"])])
    # Every batch is signed by now: its events need only lead to its root.
    by_number = {batch["number"]: batch for batch in batches}
    count, erased, before = 0, 0, 0
    with open(folder / "events.jsonl", encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            if entry["leaf"] <= before:
                raise Broken("event_twice", f"Leaf {entry['leaf']} comes twice or out of its order.")
            if about["whole"] and entry["leaf"] != before + 1:
                raise Broken("event_removed", f"The event at leaf {before + 1} is missing.")
            before = entry["leaf"]
            erased += _check_in(entry, by_number)
            count += 1
    last = batches[-1]["first"] + batches[-1]["size"] - 1 if batches else 0
    if about["whole"] and before != last:
        raise Broken("event_removed", f"The event at leaf {before + 1} is missing.")
    if count != about["events"]:
        raise Broken("event_removed", f"The export says that it holds {about['events']} events, but holds {count}.")
    whole = "every sealed event, none left out" if about["whole"] else "a selection: what it leaves out proves nothing"
    cut = " INCOMPLETE: the right to read it ended while it was made." if about.get("cut_off") else ""
    return f"{count} events in {len(batches)} batches are unchanged: {whole}. Erased texts: {erased}.{cut}"


def _check_in(entry: dict[str, Any], batches: Mapping[int, dict[str, Any]]) -> int:
    batch = batches.get(entry["batch"])
    if batch is None:
        raise Broken("batch_missing", f"Batch {entry['batch']} is missing.")
    index = entry["leaf"] - batch["first"]
    if not 0 <= index < batch["size"]:
        raise Broken("leaf_wrong", f"Leaf {entry['leaf']} does not belong to batch {batch['number']}.")
    path = [bytes.fromhex(one) for one in entry["path"]]
    if root_by_path(leaf_hash(canonical_json(entry["event"])), index, batch["size"], path).hex() != batch["root"]:
        raise Broken("event_changed", f"Event {entry['event']['uuid']} (leaf {entry['leaf']}) was changed.")
    return check_texts(entry)


# Archives

ARCHIVE: Final = "pim-audit-archive"
TEXTS: Final = ".texts.jsonl"


class Archived(NamedTuple):
    """What an archive was found to hold. `bare` are the events whose text is not there."""

    events: int
    first: int
    last: int
    digest: str
    bare: list[str]


def digest_of_leaves(leaves: Iterable[tuple[int, str]]) -> str:
    """Return the one hash over leaves, each a number and its hash in hex, in their order."""
    hashed = hashlib.sha256()
    for number, leaf in leaves:
        hashed.update(f"{number} {leaf}\n".encode())
    return hashed.hexdigest()


def texts_beside(file: Path) -> Path:
    """Return where the personal text of the events in an archive stands."""
    return file.with_name(file.name.removesuffix(".jsonl") + TEXTS)


def check_archive(file: Path, keys: dict[str, Ed25519PublicKey] | None) -> Archived:
    """Check an archive line by line: events against their paths, seals against the keys, texts against commitments."""
    texts = _texts_of(texts_beside(file))
    waiting = next(texts, None)
    bare: list[str] = []
    leaves: list[tuple[int, str]] = []
    with open(file, encoding="utf-8") as lines:
        about = json.loads(next(lines, "{}"))
        if about.get("type") != ARCHIVE:
            raise Broken("archive_unknown", "The file does not begin as an archive does.")
        trusted = read_keys(about["public_keys"]) if keys is None else keys
        batches: dict[int, dict[str, Any]] = {}
        for line in lines:
            entry = json.loads(line)
            if "seal" in entry:
                check_signature(entry["seal"], trusted)
                batches = {entry["seal"]["number"]: entry["seal"]}
                continue
            if leaves and entry["leaf"] <= leaves[-1][0]:
                raise Broken("event_twice", f"Leaf {entry['leaf']} comes twice or out of its order.")
            if waiting is not None and waiting["leaf"] == entry["leaf"]:
                entry |= {"text": waiting["text"], "salts": waiting["salts"]}
                waiting = next(texts, None)
            if _check_in(entry, batches):
                bare.append(entry["event"]["uuid"])
            leaves.append((entry["leaf"], leaf_hash(canonical_json(entry["event"])).hex()))
    if len(leaves) != about["events"]:
        sentence = f"The archive says that it holds {about['events']} events, but holds {len(leaves)}."
        raise Broken("event_removed", sentence)
    if waiting is not None:
        raise Broken("text_changed", f"There is a text of leaf {waiting['leaf']}, which is not in the archive.")
    return Archived(len(leaves), leaves[0][0], leaves[-1][0], digest_of_leaves(leaves), bare)


def _texts_of(file: Path) -> Iterator[dict[str, Any]]:
    if file.exists():
        with open(file, encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def verify_archive(file: Path, keys: dict[str, Ed25519PublicKey] | None) -> str:
    """Verify an archive; return what it proves, in words."""
    found = check_archive(file, keys)
    return (
        f"{found.events} events, leaves {found.first} to {found.last}, are unchanged: a selection, as an archive is. "
        f"Events whose text was erased: {len(found.bare)}."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify what the command line names; 0 when all is well, 1 when something is wrong, 2 when it cannot be read."""
    parser = argparse.ArgumentParser(description="Verify an export or a proof of the audit history of a PIM Portal.")
    parser.add_argument(
        "path",
        nargs="?",
        default=".",
        type=Path,
        help="the proof file, the folder of the export, or the .jsonl of the archive",
    )
    parser.add_argument("--key", action="append", default=[], help="the portal's public key, from a source you trust")
    parser.add_argument("--tip", default="", help="a tip that you kept: a line, a log, a mail; or @ and a file of them")
    options = parser.parse_args(arguments)
    try:
        keys = read_keys(options.key) if options.key else None
        text = Path(options.tip[1:]).read_text(encoding="utf-8") if options.tip.startswith("@") else options.tip
        tips = list(tips_in(text))
        if options.tip and not tips:
            raise ValueError("there is no tip in what --tip names")
        if options.path.is_dir():
            print(verify_export(options.path, keys, tips))
        elif options.path.suffix == ".jsonl":
            print(verify_archive(options.path, keys))
        else:
            print(verify_proof(json.loads(options.path.read_text(encoding="utf-8")), keys))
    except Broken as broken:
        print(f"NOT AS IT WAS SEALED: {broken.sentence} [{broken.code}]", file=sys.stderr)
        return 1
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"This cannot be read: {error!r}", file=sys.stderr)
        return 2
    if keys is None:
        print("The public key was taken from the file itself: compare it with the one that the portal's page shows.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
