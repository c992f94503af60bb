"""Who would review how much: the answer before a review is saved, from the same rows that its start would take."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from reviews.models import ReviewersKind
from reviews.rules.series import StageWanted, Wanted
from reviews.selectors.candidates import Candidate, Scope, in_chunks
from reviews.selectors.reviewers import names_of, people_in, selves_of
from reviews.selectors.usage import Usage, usage_of
from roles.models import PrincipalKind, Resource

EXAMPLES: Final = 10  # rows that are named where nobody would review them
REVIEWERS_NAMED: Final = 20
MOST_LOOKED_AT: Final = 10_000  # rows: somebody waits for the answer; more are told of where they are reviewed


@dataclass(slots=True)
class StagePreview:
    """Who would review how many rows in one stage, and which would have nobody: the first few by name, with why."""

    number: int
    kind: ReviewersKind
    by_reviewer: Counter[uuid.UUID] = field(default_factory=Counter)
    to_fallback: int = 0
    uncovered: int = 0
    examples: list[tuple[str, str, str]] = field(default_factory=list)
    names: list[tuple[str, int]] = field(default_factory=list)

    @property
    def others(self) -> int:
        """How many reviewers are not named."""
        return len(self.by_reviewer) - len(self.names)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a review would take, now; `more` where only the first rows were looked at."""

    total: int
    stages: tuple[StagePreview, ...]
    more: bool = False

    @property
    def uncovered(self) -> tuple[int, ...]:
        return tuple(stage.uncovered for stage in self.stages)


@dataclass(frozen=True, slots=True)
class _Seats:
    """The people of a stage, and what each of them counts as their own."""

    wanted: StageWanted
    reviewers: dict[uuid.UUID, set[uuid.UUID]]
    fallbacks: dict[uuid.UUID, set[uuid.UUID]]

    def reviewers_of(self, row: Candidate, usage: Usage) -> list[uuid.UUID]:
        if self.wanted.kind == ReviewersKind.SELF:
            return [row.principal.pk] if row.principal.kind == PrincipalKind.USER else []
        if self.wanted.kind == ReviewersKind.MANAGERS:
            return [usage.manager_id] if usage.manager_id else []
        return [one for one, own in self.reviewers.items() if row.principal.pk not in own]

    def fallbacks_of(self, row: Candidate) -> list[uuid.UUID]:
        return [one for one, own in self.fallbacks.items() if row.principal.pk not in own]

    def why_nobody(self, row: Candidate) -> str:
        """Return the code of why the kind of this stage names nobody for a row."""
        if self.wanted.kind == ReviewersKind.SELF:
            return "group"
        if self.wanted.kind == ReviewersKind.MANAGERS:
            return "group" if row.principal.kind == PrincipalKind.GROUP else "no_manager"
        return "only_reviewer" if self.reviewers else "no_reviewer"


def scope_wanted(place: Resource, wanted: Wanted) -> Scope:
    """Return what a series as it is wanted would review."""
    return Scope(place, wanted.roles, wanted.covers, wanted.inherited, wanted.inactive_days)


def preview(place: Resource, wanted: Wanted, now: datetime) -> Preview:
    """Return who would review how many assignments if this review started now, from the first `MOST_LOOKED_AT`."""
    seats = [_seats(stage, now) for stage in wanted.stages]
    stages = tuple(StagePreview(number, stage.kind) for number, stage in enumerate(wanted.stages, start=1))
    looked_at, total, more = 0, 0, False
    for chunk in in_chunks(scope_wanted(place, wanted), now):
        if looked_at >= MOST_LOOKED_AT:
            more = True
            break
        looked_at += len(chunk)
        usages = usage_of(chunk, now, look_back_days=wanted.look_back_days)
        for row, usage in zip(chunk, usages, strict=True):
            if wanted.inactive_days is None or usage.inactive(wanted.inactive_days, now):
                total += 1
                for shown, seat in zip(stages, seats, strict=True):
                    _count(shown, seat, row, usage)
    for shown in stages:
        _name(shown)
    return Preview(total, stages, more)


def _seats(stage: StageWanted, now: datetime) -> _Seats:
    chosen = stage.reviewers if stage.kind == ReviewersKind.CHOSEN else frozenset()
    return _Seats(stage, selves_of(people_in(chosen, now), now), selves_of(people_in(stage.fallbacks, now), now))


def _count(shown: StagePreview, seats: _Seats, row: Candidate, usage: Usage) -> None:
    reviewers: Sequence[uuid.UUID] = seats.reviewers_of(row, usage)
    if not reviewers:
        reviewers = seats.fallbacks_of(row)
        shown.to_fallback += bool(reviewers)
    if not reviewers:
        shown.uncovered += 1
        if len(shown.examples) < EXAMPLES:
            shown.examples.append((row.principal.name, row.assignment.role.name, seats.why_nobody(row)))
    shown.by_reviewer.update(reviewers)


def _name(shown: StagePreview) -> None:
    most = shown.by_reviewer.most_common(REVIEWERS_NAMED)
    names = names_of(one for one, _count in most)
    shown.names = sorted(((names.get(one, ""), count) for one, count in most), key=lambda one: (-one[1], one[0]))
