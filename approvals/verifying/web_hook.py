"""Asking by web hook: one signed POST over HTTPS, no redirect, and an answer that names what was asked."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from approvals.verifying.answers import NoAnswer, Said, said
from approvals.verifying.deadlines import DEADLINE, in_time
from roles.outbound.addresses import Inside, NotFound
from roles.outbound.lines import Line

MOST_BYTES: Final = 16 * 1024  # of an answer
UNREADABLE = _("the ticket system gave an answer that cannot be read.")


@dataclass(frozen=True, slots=True)
class Hook:
    """Where the ticket system is asked, and the secret that signs the question."""

    url: str
    secret: str
    allow_private: bool = False

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


def sign(secret: str, at: str, body: bytes) -> str:
    """Return the signature of a question: HMAC-SHA256 over the time (Unix seconds), a dot and the body, in hex."""
    return hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()


def ask(hook: Hook, question: Mapping[str, str], *, deadline: float = DEADLINE) -> Said:
    """Ask, and return yes or no. Raises `NoAnswer` for everything else, at the latest after `deadline` seconds."""
    line = Line(hook.url, timeout=deadline, allow_private=hook.allow_private)
    return in_time(lambda: _asked(line, hook, question), give_up=line.cut, deadline=deadline)


def _asked(line: Line, hook: Hook, question: Mapping[str, str]) -> Said:
    nonce, at = secrets.token_urlsafe(24), str(int(time.time()))
    body = json.dumps({**question, "id": nonce}).encode()
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": "PIM-Portal",
        "X-PIM-Timestamp": at,
        "X-PIM-Signature": f"sha256={sign(hook.secret, at, body)}",
    }
    try:
        line.request("POST", line.path, body=body, headers=headers)
        with line.getresponse() as response:
            text = response.read(MOST_BYTES + 1)
    except NotFound as error:
        raise NoAnswer(_("the ticket system is not found in the network.")) from error
    except Inside as error:
        raise NoAnswer(_("the ticket system lies where the portal may not ask.")) from error
    except TimeoutError:
        raise  # as late as the deadline over all, which it may come before
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(_("the line to the ticket system broke, or could not be opened.")) from error
    finally:
        line.close()
    if 300 <= response.status < 400:
        raise NoAnswer(_("the ticket system sends elsewhere, and the portal does not follow."))
    if response.status != http.HTTPStatus.OK:
        raise NoAnswer(_("the ticket system answered with an error (%(status)s).") % {"status": response.status})
    return _read(text, nonce=nonce, ticket=question["ticket"])


def _read(text: bytes, *, nonce: str, ticket: str) -> Said:
    """Take the answer apart: it names this question and this ticket, or it is none."""
    if len(text) > MOST_BYTES:
        raise NoAnswer(UNREADABLE)
    try:
        answer: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NoAnswer(UNREADABLE) from error
    if not isinstance(answer, dict):
        raise NoAnswer(UNREADABLE)
    if answer.get("id") != nonce or answer.get("ticket") != ticket:
        raise NoAnswer(_("the ticket system answered another question than was asked."))
    return said(answer.get("accepted"), answer.get("words", ""))
