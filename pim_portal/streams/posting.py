"""One POST to a target that somebody set: no redirect, a deadline over all; of the answer only its status counts."""

from __future__ import annotations

import http.client
import logging
import ssl
from collections.abc import Mapping
from typing import Final, NamedTuple

from django.utils.translation import gettext as _

from roles.outbound.addresses import Inside, NotFound
from roles.outbound.deadlines import Full, Late, Places, within
from roles.outbound.lines import Line

logger = logging.getLogger(__name__)

DEADLINE: Final = 8.0  # seconds, names, handshake, answer and all
AGENT: Final = "PIM-Portal"
MOST_AT_ONCE: Final = 40  # in one process, with those that hang in asking for a name

_places = Places(MOST_AT_ONCE)


class Answer(NamedTuple):
    """What went wrong, in a sentence; empty where the target took it (an answer 2xx). And when it may be asked again.

    `status` is 0, and `retry_after` empty, where there was no answer.
    """

    error: str
    status: int = 0
    retry_after: str = ""


def post(
    url: str, headers: Mapping[str, str], body: bytes, *, allow_private: bool, deadline: float = DEADLINE
) -> Answer:
    """Post, and return what came of it."""
    try:
        status, retry_after = _posted(url, headers, body, allow_private=allow_private, deadline=deadline)
    except _NoAnswer as none:
        return Answer(str(none))
    if 300 <= status < 400:
        return Answer(_("The target sends elsewhere ({status}), and the portal does not follow.").format(status=status))
    if 200 <= status < 300:
        return Answer("", status)
    return Answer(_("The target answered {status}.").format(status=status), status, retry_after)


class _NoAnswer(Exception):  # noqa: N818 - what happened, in a sentence
    pass


def _posted(
    url: str, headers: Mapping[str, str], body: bytes, *, allow_private: bool, deadline: float
) -> tuple[int, str]:
    line = Line(url, timeout=deadline, allow_private=allow_private)
    sent = {"Content-Type": "application/json", "User-Agent": AGENT, "Connection": "close", **headers}
    try:
        return within(deadline, lambda: _status(line, sent, body), give_up=line.cut, places=_places)
    except NotFound:
        raise _NoAnswer(_("The host is not found in the network.")) from None
    except Inside:
        raise _NoAnswer(_("The address lies inside, where web hooks may not lead.")) from None
    except ssl.SSLCertVerificationError as error:
        raise _NoAnswer(_("The certificate is not good: {why}").format(why=error.verify_message)) from None
    except (Late, TimeoutError):
        raise _NoAnswer(_("No answer within {seconds} seconds.").format(seconds=f"{deadline:g}")) from None
    except Full:
        raise _NoAnswer(_("Too many web hooks hang at once.")) from None
    except http.client.RemoteDisconnected:
        raise _NoAnswer(_("The line was dropped before an answer came.")) from None
    except (OSError, http.client.HTTPException) as error:
        raise _NoAnswer(_("The line broke, or could not be opened ({why}).").format(why=type(error).__name__)) from None


def _status(line: Line, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
    try:
        line.request("POST", line.path, body=body, headers=dict(headers))
        answer = line.getresponse()
        return answer.status, answer.headers.get("Retry-After", "")
    finally:
        line.close()
