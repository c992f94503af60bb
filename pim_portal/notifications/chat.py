"""Chat channels: they tell and link, and never decide. Where they lead is the operator's alone (PIM_CHAT_URLS).

A line says what the subject of the mail says: somebody's name, a role, a place. It goes by the same outbox as the
mails, with the same attempts, and is sent by the worker in a job of its own, so that a slow channel holds up no mail.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from audit.models import Event
from audit.sentences import said
from pim_portal.models import Notification, NotificationState
from pim_portal.notifications import claims
from pim_portal.notifications.catalogue import BY_NAME
from pim_portal.notifications.mails.mail import Mail
from roles.actors import Clock
from roles.text import clean

logger = logging.getLogger(__name__)

SECONDS: Final = 8.0  # how long one run goes on claiming; one line takes 4 s to connect and 4 s to answer at most
LONGEST: Final = 300  # characters of a reason


def key_of(url: str) -> str:
    """Return what a channel is called in the outbox: its service and a digest, since its address is a secret."""
    return f"{urlsplit(url).scheme[:15]}:{hashlib.sha256(url.encode()).hexdigest()[:12]}"


def lines_for(mail: Mail, event: Event) -> Iterator[Notification]:
    """Yield the rows, unsaved, of one mail to every channel."""
    if mail.chat is None or not settings.PIM_CHAT_URLS or not mail.chat(event):
        return
    for url in settings.PIM_CHAT_URLS:
        key = key_of(url)
        yield Notification(event=event, mail=mail.name, channel=key, dedupe_key=f"{event.uuid}:{mail.name}:{key}")


def deliver_chats(*, clock: Clock, seconds: float = SECONDS) -> int:
    """Send the lines that are due for at most about `seconds`; return how many were taken."""
    urls = {key_of(url): url for url in settings.PIM_CHAT_URLS}
    sent = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and (row := claims.claim(clock(), claims.CHATS)):
        sent += _send(row, urls.get(row.channel), clock=clock)
    return sent


def _send(row: Notification, url: str | None, *, clock: Clock) -> bool:
    if row.attempts > claims.MAX_ATTEMPTS:
        return claims.set_aside(row, row.last_error or "Sending it never came to an end.")
    if url is None:
        return claims.drop(row, "This channel is no longer set.")
    try:
        line = _line(row, clock=clock)
        if line is None:
            return claims.drop(row, "There was nothing left to tell.")
        taken = post(url, line)
    except Exception as error:
        logger.exception("The line %s could not be made or sent.", row.pk)
        return claims.refused(row, type(error).__name__, final=False, clock=clock)
    if not taken:
        return claims.refused(row, "The channel did not take it.", final=False, clock=clock)
    claims.write(row, state=NotificationState.SENT, sent_at=clock(), last_error="")
    return True


def post(url: str, line: str) -> bool:
    """Send one line to one channel; return whether it was taken."""
    # Imported where it is used: it takes a third of a second, and most portals have no channel.
    from apprise import Apprise, AppriseAsset, NotifyFormat

    # A channel leads where the operator wrote, and nowhere else.
    channel = Apprise(asset=AppriseAsset(http_redirects=False))
    return bool(channel.add(url) and channel.notify(body=line, body_format=NotifyFormat.TEXT))


def _line(row: Notification, *, clock: Clock) -> str | None:
    with translation.override(settings.LANGUAGE_CODE):
        mail = BY_NAME[row.mail]
        letter = mail.compose(row, clock()) if mail.concerns(row, clock()) else None
        if letter is None or row.event is None:
            return None
        parts = [harmless(letter.subject)]
        if settings.PIM_CHAT_REASONS and (reason := said(row.event, "reason")):
            parts.append(_("Reason: {reason}").format(reason=harmless(reason)[:LONGEST]))
        return "\n".join([*parts, settings.PIM_BASE_URL + letter.path])


def harmless(text: str) -> str:
    """Return a text that no channel makes a link, a mention or markup of: names and reasons are people's own words."""
    text = " ".join(clean(text).split()).translate(str.maketrans("<>[]`|", "‹›()’¦"))
    text = re.sub(r"([@#])(?=\S)", "\\1\u200b", text)
    return re.sub(r"(?<=\S)([.:/])(?=\S)", "\\1\u200b", text)
