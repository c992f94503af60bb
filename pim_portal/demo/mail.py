"""The demo's way to send a mail: into the mailbox page, never off the machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from pim_portal.models import SampleMail


class DemoMailBackend(BaseEmailBackend):
    """Keeps each mail as a row for each of its recipients. Works in the demo only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not settings.PIM_DEMO:
            raise ImproperlyConfigured("The mailbox of the demo cannot be used outside the demo.")
        super().__init__(*args, **kwargs)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Put the mails into the mailbox; return how many there were."""
        rows = [
            SampleMail(
                recipient=recipient, subject=str(message.subject), text=str(message.body), html=_html_of(message)
            )
            for message in email_messages
            for recipient in message.recipients()
        ]
        SampleMail.objects.bulk_create(rows)
        return len(email_messages)


def _html_of(message: EmailMessage) -> str:
    if isinstance(message, EmailMultiAlternatives):
        for content, mimetype in message.alternatives:
            if mimetype == "text/html":
                return str(content)
    return ""
