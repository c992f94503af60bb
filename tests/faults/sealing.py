"""The seals of the history, checked by a few lines of their own (RFC 6962, Ed25519) over the raw rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.faults.raw import Row, ids

PLAIN = ("id", "kind", "outcome", "realm", "details", "commitments", "format_version")


def _sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _bytes(form: Any) -> bytes:
    return json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return _sha(b"\x01" + _root(leaves[:split]) + _root(leaves[split:]))


def _event(row: Row) -> bytes:
    form = {name: row[name] for name in PLAIN}
    form |= {name: value and str(UUID(value)) for name, value in row.items() if name.endswith("_id")}
    form |= {name: row[name].isoformat(timespec="microseconds") for name in ("occurred_at", "recorded_at")}
    return _sha(b"\x00" + _bytes(form | {"uuid": str(UUID(row["uuid"]))}))


def seals_broken(rows: dict[str, list[Row]], keys: list[bytes]) -> Iterator[str]:
    """Say what is wrong with the chain, its signatures, its leaves, the events in them and the texts beside them."""
    events = {row["id"]: row for row in rows["audit_event"]}
    leaves = sorted(rows["audit_leaf"], key=lambda row: int(row["number"]))
    signers = {_sha(key).hex()[:32]: Ed25519PublicKey.from_public_bytes(key) for key in keys}
    before, count = "0" * 64, 0
    for number, batch in enumerate(sorted(rows["audit_batch"], key=lambda row: int(row["number"])), start=1):
        mine = leaves[count : count + batch["size"]]
        if (batch["number"], batch["first"], batch["previous"]) != (number, count + 1, before):
            yield f"batch {batch['number']} does not follow on the one before"
        if [leaf["number"] for leaf in mine] != [*range(count + 1, count + batch["size"] + 1)]:
            yield f"a leaf of batch {number} is missing"
        hashes = [_event(events[leaf["event_id"]]) if leaf["event_id"] in events else b"" for leaf in mine]
        if (
            [one.hex() for one in hashes] != [leaf["hash"] for leaf in mine]
            or not hashes
            or _root(hashes).hex() != batch["root"]
        ):
            yield f"an event of batch {number} is not the one that was sealed"
        stated = {name: batch[name] for name in ("number", "first", "size", "root", "previous", "key")}
        stated |= {"format": 1, "sealed_at": batch["sealed_at"].isoformat(timespec="microseconds")}
        statement = b"pim-portal-audit-batch\n" + _bytes(stated)
        try:
            signers[batch["key"]].verify(bytes.fromhex(batch["signature"]), statement)
        except (InvalidSignature, KeyError):
            yield f"batch {number} is not signed by our key"
        before, count = _sha(statement).hex(), count + batch["size"]
    sealed, waiting = ids(leaves, "event_id"), ids(rows["audit_pending"], "event_id")
    if len(leaves) != count or len(sealed) != count or sealed & waiting or sealed | waiting != set(events):
        yield f"{count} events are sealed and {len(waiting)} wait, of {len(events)}"
    for text in rows["audit_eventtext"]:
        promised = events[text["event_id"]]["commitments"] if text["event_id"] in events else None
        made = {
            name: _sha(bytes.fromhex(text["salts"][name]) + said.encode()).hex()
            for name, said in text["fields"].items()
        }
        if made != promised:
            yield f"the text of event {text['event_id']} is not the one that was recorded"
