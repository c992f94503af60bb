"""Where an assignment comes from: who gave it, when, and why, as the history has it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from audit.kinds import Kind, Outcome
from audit.models import Event
from audit.sentences import who, why
from roles.models import Assignment
from roles.models.prepared import Prepared

_BEGINNINGS = (Kind.ASSIGNMENT_ADDED, Kind.ASSIGNMENT_RENEWED, Kind.ACTIVATION_STARTED)


@dataclass(frozen=True, slots=True)
class Origin:
    """When an assignment was given, by whom, and with which reason."""

    at: datetime
    by: str
    why: str


_GIVEN = Prepared(
    lambda targets, assignments: (
        Event.objects.filter(
            target_id__in=targets, assignment_id__in=assignments, kind__in=_BEGINNINGS, outcome=Outcome.DONE
        )
        .select_related("text")
        .order_by("occurred_at", "pk")
    )
)


def origins_of(rows: Iterable[Assignment]) -> dict[uuid.UUID, Origin]:
    """Return the origin of each of these assignments that the history knows; one query for all."""
    wanted = {row.pk: row.principal_id for row in rows}
    events = _GIVEN.ask(set(wanted.values()), list(wanted)) if wanted else []
    found: dict[uuid.UUID, Origin] = {}
    for event in events:
        if event.assignment_id is not None:
            found.setdefault(event.assignment_id, Origin(event.occurred_at, who(event), why(event)))
    return found
