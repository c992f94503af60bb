"""That something was brought in, and by which of their assignments somebody did it, for the history."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import datetime

from audit.kinds import Kind
from pim_portal.imports.outcomes import Fate
from roles.actors import Actor
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Resource
from roles.service import record


def record_imported(
    counts: Counter[Fate], *, within: Resource | None, reason: str, actor: Actor, now: datetime
) -> None:
    """Record how many lines of each fate there were, where any was made; `within` None is the whole directory."""
    if not counts[Fate.MADE]:
        return
    record(
        Kind.IMPORTED,
        actor=actor,
        at=now,
        details={str(fate): counts[fate] for fate in Fate},
        resource=within,
        authority_id=_authority_behind(actor, within, now),
        reason=reason,
    )


def _authority_behind(actor: Actor, within: Resource | None, now: datetime) -> uuid.UUID | None:
    held = Authority(actor.user, now).by(Permission.DEFINE, within) if actor.user else None
    return held.assignment_id if held else None
