"""One POST to a target that somebody set: no redirect, a deadline over all; of the answer only its status counts."""

from __future__ import annotations

import http.client
import logging
import ssl
from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _

from roles.outbound.addresses import Inside, NotFound
from roles.outbound.deadlines import Full, Late, Places, within
from roles.outbound.lines import Line

logger = logging.getLogger(__name__)

DEADLINE: Final = 8.0  # seconds, names, handshake, answer and all
AGENT: Final = "PIM-Portal"
MOST_AT_ONCE: Final = 40  # in one process, with those that hang in asking for a name

_places = Places(MOST_AT_ONCE)


def post(url: str, headers: Mapping[str, str], body: bytes, *, allow_private: bool, deadline: float = DEADLINE) -> str:
    """Post, and return what went wrong, in a sentence; empty where the target took it (an answer 2xx)."""
    line = Line(url, timeout=deadline, allow_private=allow_private)
    sent = {"Content-Type": "application/json", "User-Agent": AGENT, "Connection": "close", **headers}
    try:
        status = within(deadline, lambda: _status(line, sent, body), give_up=line.cut, places=_places)
    except NotFound:
        return _("The host is not found in the network.")
    except Inside:
        return _("The address lies inside, where web hooks may not lead.")
    except ssl.SSLCertVerificationError as error:
        return _("The certificate is not good: {why}").format(why=error.verify_message)
    except (Late, TimeoutError):
        return _("No answer within {seconds} seconds.").format(seconds=f"{deadline:g}")
    except Full:
        return _("Too many web hooks hang at once.")
    except http.client.RemoteDisconnected:
        return _("The line was dropped before an answer came.")
    except (OSError, http.client.HTTPException) as error:
        return _("The line broke, or could not be opened ({why}).").format(why=type(error).__name__)
    if 300 <= status < 400:
        return _("The target sends elsewhere ({status}), and the portal does not follow.").format(status=status)
    return "" if 200 <= status < 300 else _("The target answered {status}.").format(status=status)


def _status(line: Line, headers: Mapping[str, str], body: bytes) -> int:
    try:
        line.request("POST", line.path, body=body, headers=dict(headers))
        return line.getresponse().status
    finally:
        line.close()
