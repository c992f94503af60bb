"""The one byte form of an event, made in Python, that seals and proofs are computed over.

Format 1: a JSON object with sorted keys, no spaces, UTF-8; times in UTC with microseconds; ids as lower-case text.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audit.models import Event

IDS = ("actor_id", "target_id", "role_id", "resource_id", "request_id", "assignment_id", "authority_id")


def commitment(text: str, *, salt: str) -> str:
    """Return a commitment to `text` that tells nothing of it without the salt (hex SHA-256)."""
    return hashlib.sha256(bytes.fromhex(salt) + text.encode()).hexdigest()


def canonical(event: Event) -> bytes:
    """Return the bytes of this event that are sealed."""
    form: dict[str, object] = {name: str(value) if (value := getattr(event, name)) else None for name in IDS}
    form |= {
        "uuid": str(event.uuid),
        "occurred_at": event.occurred_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "recorded_at": event.recorded_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "kind": str(event.kind),
        "outcome": str(event.outcome),
        "realm": str(event.realm),
        "details": event.details,
        "commitments": event.commitments,
        "format_version": event.format_version,
    }
    return json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
