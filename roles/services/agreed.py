"""What a second administrator agreed to: the ordinary services do it, and say by which request."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agreed:
    """A request whose change is made now; its decision has spent the second factor.

    `alone`: nobody else answered in time, and its author makes it without a second administrator.
    """

    request_id: uuid.UUID
    author_id: uuid.UUID
    alone: bool = False

    @property
    def told(self) -> dict[str, object]:
        """What the details of an event say of it."""
        return {"asked_by": str(self.author_id)} | ({"alone": True} if self.alone else {})
