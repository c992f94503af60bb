"""Waiting for something to become true."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

LOOK = 0.1  # seconds
PATIENCE = 300  # seconds for what takes one where the machine has nothing else to do


class Unreachable(Exception):  # noqa: N818 - an answer, not an error
    """The database or the portal cannot be asked at the moment."""


def until(condition: Callable[[], Any], within: float, what: str) -> float:
    """Wait for something to become true; return how long it took. A condition that cannot be asked is not true yet."""
    began = time.monotonic()
    while True:
        with suppress(OSError, Unreachable):
            if condition():
                return time.monotonic() - began
        assert time.monotonic() - began < within, f"Waited {within:.0f} s in vain: {what}."
        time.sleep(LOOK)
