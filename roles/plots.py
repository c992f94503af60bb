"""Bars drawn by the server: no script, no inline style, the figures beside them as text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 140  # of the drawing, in its own units
HEIGHT: Final = 44  # of the highest bar
BAR: Final = 12  # width of a bar


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a plot. `x` and `y` are its upper left corner, `middle` is where its name stands."""

    name: str
    value: int
    x: float
    y: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + BAR / 2


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars from left to right, and the same in words."""

    bars: tuple[Bar, ...]

    @property
    def text(self) -> str:
        return ", ".join(f"{bar.name} {bar.value}" for bar in self.bars)


def plot(values: Iterable[tuple[str, int]]) -> Plot:
    """Lay out named values; the highest fills the height, nothing is never shown as something."""
    named = list(values)
    highest = max((value for _, value in named), default=0) or 1
    slot = WIDTH / max(len(named), 1)
    return Plot(
        tuple(
            Bar(name, value, slot * place + (slot - BAR) / 2, HEIGHT - _height(value, highest), _height(value, highest))
            for place, (name, value) in enumerate(named)
        )
    )


def _height(value: int, highest: int) -> float:
    return round(HEIGHT * value / highest, 1)
