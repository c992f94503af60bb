"""The append-only history, its seals, and how long it is kept."""

from audit.models.events import FORMAT_VERSION, Event, EventQuerySet, EventText, Pending
from audit.models.keeping import Archive, Archived, Retention
from audit.models.seals import Anchoring, Batch, Leaf, Verification

__all__ = [
    "FORMAT_VERSION",
    "Anchoring",
    "Archive",
    "Archived",
    "Batch",
    "Event",
    "EventQuerySet",
    "EventText",
    "Leaf",
    "Pending",
    "Retention",
    "Verification",
]
