"""A kind of event in words, and which of several words fit an event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise

from audit.models import Event


class Wording(NamedTuple):
    """A kind of event in words: what was done, and what somebody tried to do."""

    done: str | Promise
    tried: str | Promise


# Where one sentence would not do, the first that fits is said instead.
Variants = list[tuple[Callable[[Event], bool], Wording]]


def own(event: Event) -> bool:
    return event.target_id is not None and event.target_id == event.actor_id


def for_somebody_else(event: Event) -> bool:
    return event.target_id is not None and event.target_id != event.actor_id


def eligible(event: Event) -> bool:
    return bool(event.details.get("type") == "eligible")


@dataclass(frozen=True, slots=True)
class AsksTo:
    """Whether a request of this action was made."""

    action: str

    def __call__(self, event: Event) -> bool:
        return bool(event.details.get("action") == self.action)


def planned(event: Event) -> bool:
    """Return whether what was activated begins later than it was activated."""
    starts_at = parse_datetime(str(event.details.get("starts_at", "")))
    return starts_at is not None and starts_at > event.occurred_at


def planned_for_somebody_else(event: Event) -> bool:
    return planned(event) and for_somebody_else(event)


def default_settings(event: Event) -> bool:
    return event.resource_id is None and "resource" not in event.commitments


def by_a_deputy(event: Event) -> bool:
    return "instead_of" in event.details
