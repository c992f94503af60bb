"""The check of a ticket as a value: of what, what came of it, when. The services demand it; they ask nobody."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

GOOD_FOR: Final = timedelta(minutes=3)  # how long what a verifier said may be relied on
MOST_WORDS: Final = 160  # characters of what a verifier said


class Finding(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"  # no answer that could be relied on


@dataclass(frozen=True, slots=True)
class TicketSubject:
    """What a check is bound to: this ticket, of this person, for this role at this resource."""

    ticket: str
    person_id: uuid.UUID
    role_id: uuid.UUID
    resource_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class TicketCheck:
    """What a verifier said of a ticket, or why it said nothing. `verifier` names who was asked."""

    subject: TicketSubject
    finding: Finding
    verifier: str
    words: str
    at: datetime

    @property
    def told(self) -> str:
        """How it stands on the request: who accepted it, and in which words."""
        words = f"{self.verifier}: {self.words}" if self.words else self.verifier
        return words[:200]
