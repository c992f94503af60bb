"""The append-only history and its seals."""

from audit.models.events import FORMAT_VERSION, Event, EventQuerySet, EventText, Pending
from audit.models.seals import Anchoring, Batch, Leaf, Verification

__all__ = [
    "FORMAT_VERSION",
    "Anchoring",
    "Batch",
    "Event",
    "EventQuerySet",
    "EventText",
    "Leaf",
    "Pending",
    "Verification",
]
