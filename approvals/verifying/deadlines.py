"""A deadline for what is not ours: it runs beside, and whoever waits goes on when the time is over."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from django.db import connections
from django.utils.translation import gettext_lazy as _

from approvals.verifying.answers import NoAnswer, Said

DEADLINE: Final = 5.0  # seconds for the whole answer, names, handshake and all
MOST_AT_ONCE: Final = 8  # in one process: what hangs does not gather

logger = logging.getLogger(__name__)
_places = threading.BoundedSemaphore(MOST_AT_ONCE)


def in_time(
    call: Callable[[], Said], *, give_up: Callable[[], None] = lambda: None, deadline: float = DEADLINE
) -> Said:
    """Return what `call` says. Raises `NoAnswer` where it says none, or not within `deadline` seconds.

    `give_up` is called when nobody waits any more, to end what still runs.
    """
    if not _places.acquire(blocking=False):
        raise NoAnswer(_("too many questions wait for the ticket system. Try again in a moment."))
    result: dict[str, Any] = {}

    def run() -> None:
        try:
            result["said"] = call()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            result["error"] = error
        finally:
            connections.close_all()
            _places.release()

    thread = threading.Thread(target=run, name="ticket-verifier", daemon=True)
    thread.start()
    thread.join(deadline)
    if thread.is_alive():
        give_up()
        raise NoAnswer(_("the ticket system did not answer in time. Try again in a moment."))
    if isinstance(error := result.get("error"), NoAnswer):
        raise error
    if error is not None:
        # Without its message: it may repeat the ticket.
        logger.error("The verifier of tickets failed: %s", type(error).__name__)
        raise NoAnswer(_("the ticket system failed. Tell whoever runs the portal.")) from error
    answer: Said = result["said"]
    return answer
