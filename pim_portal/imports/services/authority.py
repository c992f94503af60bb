"""By which of their assignments somebody imports, for the history."""

from __future__ import annotations

import uuid
from datetime import datetime

from roles.actors import Actor
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Resource


def authority_behind(actor: Actor, within: Resource | None, now: datetime) -> uuid.UUID | None:
    """Return the assignment by which the actor imports below a place, or (None) into the whole directory."""
    held = Authority(actor.user, now).by(Permission.DEFINE, within) if actor.user else None
    return held.assignment_id if held else None
