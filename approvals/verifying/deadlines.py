"""A deadline for what is not ours: it runs beside, and whoever waits goes on when the time is over."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from django.utils.translation import gettext_lazy as _

from approvals.verifying.answers import NoAnswer, Said
from roles.outbound.deadlines import Full, Late, Places, within

DEADLINE: Final = 5.0  # seconds for the whole answer, names, handshake and all
MOST_AT_ONCE: Final = 8  # in one process: what hangs does not gather

logger = logging.getLogger(__name__)
_places = Places(MOST_AT_ONCE)


def in_time(
    call: Callable[[], Said], *, give_up: Callable[[], None] = lambda: None, deadline: float = DEADLINE
) -> Said:
    """Return what `call` says. Raises `NoAnswer` where it says none, or not within `deadline` seconds.

    `give_up` is called when nobody waits any more, to end what still runs.
    """
    try:
        return within(deadline, call, give_up=give_up, places=_places)
    except NoAnswer:
        raise
    except Full as full:
        raise NoAnswer(_("too many questions wait for the ticket system. Try again in a moment.")) from full
    except (Late, TimeoutError) as late:
        raise NoAnswer(_("the ticket system did not answer in time. Try again in a moment.")) from late
    except Exception as error:
        # Without its message: it may repeat the ticket.
        logger.error("The verifier of tickets failed: %s", type(error).__name__)
        raise NoAnswer(_("the ticket system failed. Tell whoever runs the portal.")) from error
