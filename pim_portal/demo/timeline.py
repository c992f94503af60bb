"""Acts of the past in their order, each at its own time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

from roles.actors import Actor, Clock

MINUTE = timedelta(minutes=1)
OPERATOR = Actor.operator("sample organisation")

Act = Callable[[datetime], None]


def at(moment: datetime) -> Clock:
    """Return the clock of that moment."""
    return lambda: moment


class Timeline:
    """Acts in the order of their times; an act may put later ones on it."""

    def __init__(self) -> None:
        self._acts: list[tuple[datetime, int, Act]] = []
        self._order = itertools.count()

    def put(self, moment: datetime, act: Act) -> None:
        heapq.heappush(self._acts, (moment, next(self._order), act))

    def play(self, until: datetime) -> None:
        """Play what lies before `until`, or at it."""
        while self._acts and self._acts[0][0] <= until:
            moment, _order, act = heapq.heappop(self._acts)
            act(moment)
