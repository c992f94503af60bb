"""Whether there are people enough for every stage of approval: nobody decides one request twice, in no two stages."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

People = frozenset[uuid.UUID]


@dataclass(frozen=True, slots=True)
class Need:
    """How many must agree in a stage, and who could; counted together with stages before it, who could in any."""

    stage: int
    quorum: int
    people: People
    before: int = 0  # how many agree in the stages that are counted with it

    @property
    def left(self) -> int:
        """How many could still agree in this stage once the others are complete."""
        return max(0, len(self.people) - self.before)

    @property
    def is_short(self) -> bool:
        return len(self.people) < self.before + self.quorum

    @property
    def is_tight(self) -> bool:
        """Whether nobody may be missing."""
        return len(self.people) == self.before + self.quorum


def alone_and_together(needs: Sequence[Need]) -> Iterator[tuple[frozenset[int], Need]]:
    """Yield each stage by itself, then what every set of stages comes to for its last one; with their numbers.

    All can be completed exactly where none of these is short (the marriage theorem); of five stages there are 31.
    """
    in_all = sum(one.quorum for one in needs)
    plenty = all(len(one.people) > in_all for one in needs)
    for size in range(1, 2 if plenty else len(needs) + 1):
        for some in combinations(needs, size):
            people = frozenset[uuid.UUID]().union(*(one.people for one in some))
            before, last = sum(one.quorum for one in some[:-1]), some[-1]
            yield frozenset(one.stage for one in some), Need(last.stage, last.quorum, people, before)


def shortages(
    needs: Sequence[Need],
    *,
    concerned: Callable[[uuid.UUID], bool] = lambda person: False,
    in_order: Iterable[uuid.UUID] = (),
) -> Iterator[tuple[Need, uuid.UUID | None]]:
    """Yield in which stage too few could agree for everybody (None), or for one person who is `concerned`.

    Nobody decides their own request, so where nobody may be missing whoever is among them is. Each stage is told once
    for everybody, or once for each person, those in the order given.
    """
    order = list(in_order)
    told: list[tuple[frozenset[int], int, uuid.UUID | None]] = []
    for numbers, need in alone_and_together(needs):
        tight = [pk for pk in order if pk in need.people and concerned(pk)] if need.is_tight else []
        for who in [None] if need.is_short else tight:
            # What a part of these stages lacks already is no news of the whole.
            if not any((known <= numbers or last == need.stage) and of in (None, who) for known, last, of in told):
                told.append((numbers, need.stage, who))
                yield need, who
