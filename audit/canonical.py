"""The one byte form of an event, made in Python, that seals and proofs are computed over.

Format 1: a JSON object of every column, with sorted keys, no spaces, UTF-8; times in UTC with microseconds; ids as
lower-case text.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audit.proofs import canonical_json, commitment

if TYPE_CHECKING:
    from audit.models import Event

__all__ = ["IDS", "canonical", "canonical_form", "canonical_moment", "commitment"]

IDS = ("actor_id", "target_id", "role_id", "resource_id", "request_id", "assignment_id", "authority_id")


def canonical_moment(moment: datetime) -> str:
    """Return a moment as it is sealed."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def canonical_form(event: Event) -> dict[str, object]:
    """Return what is sealed of this event as a JSON object."""
    form: dict[str, object] = {name: str(value) if (value := getattr(event, name)) else None for name in IDS}
    return form | {
        "id": event.pk,
        "uuid": str(event.uuid),
        "occurred_at": canonical_moment(event.occurred_at),
        "recorded_at": canonical_moment(event.recorded_at),
        "kind": str(event.kind),
        "outcome": str(event.outcome),
        "realm": str(event.realm),
        "details": event.details,
        "commitments": event.commitments,
        "format_version": event.format_version,
    }


def canonical(event: Event) -> bytes:
    """Return the bytes of this event that are sealed."""
    return canonical_json(canonical_form(event))
