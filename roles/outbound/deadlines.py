"""A deadline for what is not ours: it runs beside, and whoever waits goes on when the time is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import connections

T = TypeVar("T")
Places = threading.BoundedSemaphore


class Late(Exception):  # noqa: N818 - what is the matter
    """It did not come to its end in time."""


class Full(Exception):  # noqa: N818 - what is the matter
    """As many as may run at once do already."""


def within(seconds: float, call: Callable[[], T], *, give_up: Callable[[], None], places: Places) -> T:
    """Return what `call` returns, or raise what it raises. Raises `Late` after so many seconds, `Full` at once.

    `give_up` is called when nobody waits any more, to end what still runs; `places` bounds how many run at once, so
    that what hangs does not gather.
    """
    if not places.acquire(blocking=False):
        raise Full
    result: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            result.append(call())
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            errors.append(error)
        finally:
            connections.close_all()
            places.release()

    thread = threading.Thread(target=run, name="outbound", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        give_up()
        raise Late
    if errors:
        raise errors[0]
    return result[0]
