"""How a journey is looked at: the screen of a desk, and a phone at night that runs no script. The others are `long`."""

from __future__ import annotations

from typing import NamedTuple

import pytest


class Look(NamedTuple):
    """A colour scheme, a width in pixels, and whether scripts run."""

    scheme: str
    width: int
    script: bool

    @property
    def height(self) -> int:
        return 800 if self.width > 600 else 740


DESK = Look("light", 1280, script=True)
PHONE = Look("dark", 360, script=False)

LOOKS = [
    pytest.param(DESK, id="desk"),
    pytest.param(PHONE, id="phone without scripts"),
    pytest.param(Look("dark", 360, script=True), id="phone", marks=pytest.mark.long),
    pytest.param(Look("light", 1280, script=False), id="desk without scripts", marks=pytest.mark.long),
]
