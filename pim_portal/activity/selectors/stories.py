"""Stories: all that came of one request, and all that was done under one assignment."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Q

from audit.kinds import Kind, Outcome
from audit.models import Archived, Event, EventQuerySet
from audit.sentences import sentence, why
from pim_portal.activity.selectors.sight import in_sight, readable
from roles.authority import Authority

MOST = 500  # events of one story


@dataclass(frozen=True, slots=True)
class Passage:
    """One event of a story, as a timeline shows it."""

    event: Event
    tone: str
    text: str
    reason: str


def told(events: EventQuerySet) -> list[Passage]:
    """Return these events as passages, the first first."""
    return [
        Passage(one, "good" if one.outcome == Outcome.DONE else "bad", sentence(one), why(one))
        for one in events.order_by("occurred_at", "id")[:MOST]
    ]


def story_of_request(request_id: uuid.UUID, authority: Authority) -> EventQuerySet:
    """Return what was asked and decided, what came of it, and what was done under it, as far as it may be read.

    Empty where nothing of the request itself may be read.
    """
    own = Event.objects.filter(in_sight(authority), request_id=request_id)
    if not own.exists():
        return Event.objects.none()
    # An eligibility outlives its requests: of assignments, only the activation that this one began belongs here.
    started = list(own.filter(kind=Kind.ACTIVATION_STARTED).values_list("assignment_id", flat=True))
    after = Q(assignment_id__in=started) | Q(authority_id__in=started)
    return readable(authority).filter(Q(request_id=request_id) | after)


def archived_in_story(request_id: uuid.UUID, authority: Authority) -> int:
    """Return how many events that named this request, and might be read, are in archives."""
    return Archived.objects.filter(in_sight(authority), request_id=request_id).count()


def archived_under(assignment_id: uuid.UUID, authority: Authority) -> int:
    """Return how much of what was done under one assignment, and might be read, is in archives."""
    return Archived.objects.filter(in_sight(authority), authority_id=assignment_id).count()


def done_under(assignment_id: uuid.UUID, authority: Authority) -> EventQuerySet:
    """Return what was done by the authority of one assignment, as far as it may be read."""
    return readable(authority).filter(authority_id=assignment_id)
