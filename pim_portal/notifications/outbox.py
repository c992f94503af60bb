"""Delivering the mails of the outbox. May be called by anybody at any time, by several at once (`claims`)."""

from __future__ import annotations

import logging
import smtplib
import time
from datetime import datetime
from typing import Final

from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

from pim_portal.models import Delivery, Notification, NotificationState
from pim_portal.notifications import claims
from pim_portal.notifications.catalogue import BY_NAME
from pim_portal.notifications.choices import delivery_for
from pim_portal.notifications.claims import GIVE_UP_AFTER, MAX_ATTEMPTS
from pim_portal.notifications.rendering import Reader, reader_of, render
from roles.actors import Clock

logger = logging.getLogger(__name__)

SECONDS: Final = 15.0  # how long one run goes on claiming


class NoMailServerError(Exception):
    """There is no mail server to send through, or it does not let the portal in."""


def deliver(*, clock: Clock, seconds: float = SECONDS) -> int:
    """Send what is due for at most about `seconds`; return how many mails left.

    When the server cannot be reached everything waits as it is: an outage uses up no attempt and loses nothing.
    """
    if not claims.due(clock()).exists():
        return 0
    connection = mail.get_connection()
    try:
        _open(connection)
    except NoMailServerError as error:
        _remark(str(error), now=clock())
        return 0
    sent = 0
    try:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and (row := claims.claim(clock())):
            try:
                sent += _send(row, connection, clock=clock)
            except (smtplib.SMTPServerDisconnected, OSError) as error:
                # Nobody knows how far it came. The others wait for a server that answers.
                logger.warning("The mail server broke off: %s", error)
                break
            if _has_hung_up(connection):
                logger.warning("The mail server hung up.")
                break
    finally:
        _close(connection)
    return sent


def _open(connection: BaseEmailBackend) -> None:
    if isinstance(connection, EmailBackend) and not connection.host:
        raise NoMailServerError("No mail server is set: PIM_EMAIL_URL is empty.")
    try:
        connection.open()
    except (smtplib.SMTPException, OSError) as error:
        _close(connection)
        raise NoMailServerError(_words(error)) from error
    except UnicodeError as error:
        # Without its message: it may repeat a part of the password.
        _close(connection)
        raise NoMailServerError("No mail server takes the host, user or password in PIM_EMAIL_URL.") from error


def _has_hung_up(connection: BaseEmailBackend) -> bool:
    """Whether the server ended the conversation (421): the others wait, and no attempt of theirs is counted."""
    return isinstance(connection, EmailBackend) and getattr(connection.connection, "sock", True) is None


def _close(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except (smtplib.SMTPException, OSError) as error:
        logger.info("The mail server did not say goodbye: %s", error)


def _remark(error: str, *, now: datetime) -> None:
    """Write down why nothing can be sent, and set aside what has waited for days since it was due, or due again."""
    logger.warning("No mail can be sent: %s", error)
    claims.due(now).exclude(last_error=error).update(last_error=error)
    claims.due(now).filter(next_attempt_at__lte=now - GIVE_UP_AFTER).update(state=NotificationState.FAILED)


def _send(row: Notification, connection: BaseEmailBackend, *, clock: Clock) -> bool:
    """Send one claimed row and write down what came of it; raises what the connection did not survive."""
    if row.attempts > MAX_ATTEMPTS:
        return claims.set_aside(row, row.last_error or "Sending it never came to an end.")
    try:
        reader = reader_of(row)
        if reader is None:
            return claims.drop(row, "The recipient is disabled or has no e-mail address.")
        if not BY_NAME[row.mail].concerns(row, clock()):
            return claims.drop(row, "It no longer concerns the recipient.")
        if _kept_back(row, reader):
            return False
        message = render(row, reader, now=clock())
        if message is None:
            return claims.drop(row, "There was nothing left to tell.")
        connection.send_messages([message])
    except smtplib.SMTPResponseException as error:
        # A refused sender is a matter of the set-up, and that can be mended.
        final = error.smtp_code >= 500 and not isinstance(error, smtplib.SMTPSenderRefused)
        return claims.refused(row, _words(error), final=final, clock=clock)
    except smtplib.SMTPRecipientsRefused as error:
        final = all(code >= 500 for code, _answer in error.recipients.values())
        return claims.refused(row, _words(error), final=final, clock=clock)
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        claims.refused(row, _words(error), final=False, clock=clock)
        raise
    except Exception as error:
        logger.exception("The mail %s could not be made.", row.pk)
        return claims.refused(row, _words(error), final=False, clock=clock)
    now = clock()
    if not claims.write(row, state=NotificationState.SENT, sent_at=now, last_error=""):
        logger.warning("The mail %s took longer than its lease; it may arrive twice.", row.pk)
    # What a digest told of has been told.
    row.gathered.filter(state=NotificationState.GATHERED).update(state=NotificationState.SENT, sent_at=now)
    return True


def _kept_back(row: Notification, reader: Reader) -> bool:
    """Keep a mail back that its reader does not want, or not now, as they have chosen by the time it is sent."""
    if reader.user is None:
        return False
    match delivery_for(reader.user.pk, BY_NAME[row.mail].topic):
        case Delivery.NEVER:
            claims.drop(row, "The recipient wants no mails of this kind.")
        case Delivery.DIGEST:
            claims.write(row, state=NotificationState.GATHERED, last_error="")
        case _:
            return False
    return True


def _words(error: Exception) -> str:
    """Say what went wrong as far as the mail server said it; never the mail itself."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, answer = next(iter(error.recipients.values()))
            return _clipped(f"{code} {_decoded(answer)}")
        case smtplib.SMTPResponseException():
            return _clipped(f"{error.smtp_code} {_decoded(error.smtp_error)}")
        case smtplib.SMTPServerDisconnected():
            return _clipped(f"The mail server broke off: {error}")
        case TimeoutError():
            return "The mail server did not answer in time."
    return _clipped(f"{type(error).__name__}: {error}")


def _decoded(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer


def _clipped(text: str) -> str:
    return " ".join(text.split())[:500]
