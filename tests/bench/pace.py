"""How fast the machine is while something is measured: a fixed piece of work, timed beside it.

The processors of a hosted machine are shared. A neighbour makes the same page take half as long again for a second or
for an hour, and no figure of the page alone says so.
"""

from __future__ import annotations

import time
from typing import Final

_COUNTED: Final = range(30_000)  # a quarter of a millisecond's work
_TIMES: Final = 3  # of which the least counts: what interrupts one of them says nothing about the rest


def pace() -> float:
    """Return the seconds that the fixed work takes at this moment."""
    least = float("inf")
    for _time in range(_TIMES):
        began = time.perf_counter()
        sum(_COUNTED)
        least = min(least, time.perf_counter() - began)
    return least
