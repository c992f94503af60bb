"""A kind of event in words, and which of several words fit an event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise

from audit.models import Event


class Wording(NamedTuple):
    """A kind of event in words: what was done, and what somebody tried to do."""

    done: str | Promise
    tried: str | Promise


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether an event is one of a sort; the same in SQL over an event `e`, for downloads of a million of them."""

    fits: Callable[[Event], bool]
    sql: str

    def __call__(self, event: Event) -> bool:
        return self.fits(event)


def in_sql(sql: str) -> Callable[[Callable[[Event], bool]], Condition]:
    """Say a condition in SQL as well; a test holds the two against each other."""
    return lambda fits: Condition(fits, sql)


# Where one sentence would not do, the first that fits is said instead.
Variants = list[tuple[Condition, Wording]]

_OTHERS: Final = "e.target_id IS NOT NULL AND e.target_id IS DISTINCT FROM e.actor_id"
_MOMENT: Final = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d"
_STARTS: Final = "e.details->>'starts_at'"
_PLANNED: Final = f"CASE WHEN {_STARTS} ~ '{_MOMENT}' THEN ({_STARTS})::timestamptz > e.occurred_at ELSE false END"


@in_sql("e.target_id = e.actor_id")
def own(event: Event) -> bool:
    return event.target_id is not None and event.target_id == event.actor_id


@in_sql(_OTHERS)
def for_somebody_else(event: Event) -> bool:
    return event.target_id is not None and event.target_id != event.actor_id


@in_sql("e.details->>'type' = 'eligible'")
def eligible(event: Event) -> bool:
    return bool(event.details.get("type") == "eligible")


def asks_to(action: str) -> Condition:
    """Return whether a request of this action was made."""
    return Condition(lambda event: bool(event.details.get("action") == action), f"e.details->>'action' = '{action}'")


@in_sql(_PLANNED)
def planned(event: Event) -> bool:
    """Return whether what was activated begins later than it was activated."""
    starts_at = parse_datetime(str(event.details.get("starts_at", "")))
    return starts_at is not None and starts_at > event.occurred_at


@in_sql(f"{_PLANNED} AND {_OTHERS}")
def planned_for_somebody_else(event: Event) -> bool:
    return planned(event) and for_somebody_else(event)


@in_sql("e.resource_id IS NULL AND NOT e.commitments ? 'resource'")
def default_settings(event: Event) -> bool:
    return event.resource_id is None and "resource" not in event.commitments


@in_sql("e.details ? 'instead_of'")
def by_a_deputy(event: Event) -> bool:
    return "instead_of" in event.details
