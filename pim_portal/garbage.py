"""Python looks for garbage between two requests, not during one.

During a request it looks through all that the page is made of, again and again, and keeps most of it for old; one
answer in thirty then waited as long again for a full search. After a request nearly all of that is gone by itself: a
search takes a millisecond, and nobody waits for it.
"""

from __future__ import annotations

import gc
import threading
from typing import Any

from django.core.signals import request_finished, request_started

# New objects after which Python looks by itself all the same: where many ask at once there is no pause.
AT_THE_LATEST = 50_000
FULL_EVERY = 100  # requests

_lock = threading.Lock()
_running = 0
_finished = 0


def look_between_requests() -> None:
    """Look for garbage after each request while no other one runs in this process; every so often through all."""
    gc.set_threshold(AT_THE_LATEST, 10, 10)
    request_started.connect(_begin)
    request_finished.connect(_end)


def _begin(**_more: Any) -> None:
    global _running
    with _lock:
        _running += 1


def _end(**_more: Any) -> None:
    global _running, _finished
    with _lock:
        _running = max(0, _running - 1)
        _finished += 1
        pauses, full = _running == 0, _finished % FULL_EVERY == 0
    if pauses:
        gc.collect(2 if full else 1)
