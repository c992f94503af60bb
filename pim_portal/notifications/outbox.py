"""Delivering the outbox. May be called by anybody at any time, by several at once.

A row is claimed in a short transaction that counts the attempt and leaves a lease, sent outside any transaction, and
marked by compare-and-set. A crash in between sends it once more after the lease, under the same Message-ID.
"""

from __future__ import annotations

import logging
import smtplib
import time
from datetime import datetime, timedelta
from typing import Final

from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.db import transaction
from django.db.models import QuerySet

from pim_portal.models import Notification, NotificationState
from pim_portal.notifications.catalogue import BY_NAME
from pim_portal.notifications.rendering import render
from roles.actors import Clock
from roles.models import User

logger = logging.getLogger(__name__)

# Longer than any one sending can take.
LEASE: Final = timedelta(minutes=5)
# Eight attempts over six hours: 3, 6, 12 ... minutes apart. A server that cannot be reached costs no attempt at all.
FIRST_RETRY: Final = timedelta(minutes=3)
MAX_ATTEMPTS: Final = 8
GIVE_UP_AFTER: Final = timedelta(days=3)
SECONDS: Final = 15.0  # how long one run goes on claiming


class NoMailServerError(Exception):
    """There is no mail server to send through, or it does not let the portal in."""


def deliver(*, clock: Clock, seconds: float = SECONDS) -> int:
    """Send what is due for at most about `seconds`; return how many mails left.

    When the server cannot be reached everything waits as it is: an outage uses up no attempt and loses nothing.
    """
    if not _due(clock()).exists():
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
        while time.monotonic() < deadline and (row := _claim(clock())):
            try:
                sent += _send(row, connection, clock=clock)
            except (smtplib.SMTPServerDisconnected, OSError) as error:
                # Nobody knows how far it came. The others wait for a server that answers.
                logger.warning("The mail server broke off: %s", error)
                break
    finally:
        _close(connection)
    return sent


def _due(now: datetime) -> QuerySet[Notification]:
    return Notification.objects.filter(state=NotificationState.WAITING, next_attempt_at__lte=now)


def _open(connection: BaseEmailBackend) -> None:
    if isinstance(connection, EmailBackend) and not connection.host:
        raise NoMailServerError("No mail server is set: PIM_EMAIL_URL is empty.")
    try:
        connection.open()
    except (smtplib.SMTPException, OSError) as error:
        raise NoMailServerError(_words(error)) from error


def _close(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except (smtplib.SMTPException, OSError) as error:
        logger.info("The mail server did not say goodbye: %s", error)


def _remark(error: str, *, now: datetime) -> None:
    """Write down why nothing can be sent, and set aside what has waited for days."""
    logger.warning("No mail can be sent: %s", error)
    _due(now).exclude(last_error=error).update(last_error=error)
    _due(now).filter(created_at__lte=now - GIVE_UP_AFTER).update(state=NotificationState.FAILED)


def _claim(now: datetime) -> Notification | None:
    """Take the next row that is due: counted before it is sent, so that one which kills its sender ends some time."""
    with transaction.atomic():
        due = (
            _due(now).select_for_update(skip_locked=True, of=("self",)).order_by("next_attempt_at", "created_at", "pk")
        )
        row = due.first()
        if row is not None:
            row.attempts += 1
            row.next_attempt_at = now + LEASE
            row.save(update_fields=["attempts", "next_attempt_at"])
        return row


def _send(row: Notification, connection: BaseEmailBackend, *, clock: Clock) -> bool:
    """Send one claimed row and write down what came of it; raises what the connection did not survive."""
    if row.attempts > MAX_ATTEMPTS:
        return _set_aside(row, row.last_error or "Sending it never came to an end.")
    try:
        recipient = User.objects.filter(pk=row.recipient_id, enabled=True).first()
        if recipient is None or not recipient.email:
            return _drop(row, "The recipient is disabled or has no e-mail address.")
        if not BY_NAME[row.mail].concerns(row, clock()):
            return _drop(row, "It no longer concerns the recipient.")
        message = render(row, recipient, now=clock())
        if message is None:
            return _drop(row, "There was nothing left to tell.")
        connection.send_messages([message])
    except smtplib.SMTPResponseException as error:
        # A refused sender is a matter of the set-up, and that can be mended.
        final = error.smtp_code >= 500 and not isinstance(error, smtplib.SMTPSenderRefused)
        return _refused(row, _words(error), final=final, clock=clock)
    except smtplib.SMTPRecipientsRefused as error:
        final = all(code >= 500 for code, _answer in error.recipients.values())
        return _refused(row, _words(error), final=final, clock=clock)
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        _refused(row, _words(error), final=False, clock=clock)
        raise
    except Exception as error:
        logger.exception("The mail %s could not be made.", row.pk)
        return _refused(row, _words(error), final=False, clock=clock)
    if not _write(row, state=NotificationState.SENT, sent_at=clock(), last_error=""):
        logger.warning("The mail %s took longer than its lease; it may arrive twice.", row.pk)
    return True


def _refused(row: Notification, error: str, *, final: bool, clock: Clock) -> bool:
    if final or row.attempts >= MAX_ATTEMPTS:
        return _set_aside(row, error)
    wait = FIRST_RETRY * 2 ** (row.attempts - 1)
    _write(row, next_attempt_at=clock() + wait, last_error=error)
    return False


def _set_aside(row: Notification, error: str) -> bool:
    logger.error("The mail %s was set aside: %s", row.pk, error)
    _write(row, state=NotificationState.FAILED, last_error=error)
    return False


def _drop(row: Notification, why: str) -> bool:
    _write(row, state=NotificationState.DROPPED, last_error=why)
    return False


def _write(row: Notification, **values: object) -> bool:
    """Write what came of this attempt, unless another sender has claimed the row since."""
    mine = Notification.objects.filter(pk=row.pk, state=NotificationState.WAITING, attempts=row.attempts)
    return mine.update(**values) == 1


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
