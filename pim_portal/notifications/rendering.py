"""A letter as an e-mail: HTML and text with the same words, in the recipient's time zone, to that one person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Final
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from pim_portal.models import Notification
from pim_portal.notifications.catalogue import BY_NAME
from pim_portal.notifications.letters.letter import Letter, without_links
from roles.middleware import zone_of
from roles.models import User
from roles.text import clean

PREFIX: Final = "PIM: "
LONGEST_SUBJECT: Final = 200  # characters


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a mail: somebody of the portal (`user`), or whoever is behind an address."""

    email: str
    name: str
    zone: str = ""
    user: User | None = None


def reader_of(notification: Notification) -> Reader | None:
    """Return who reads it, as they are now; None for somebody disabled or without an address."""
    if notification.address:
        return Reader(notification.address, notification.address)
    if notification.recipient_id is None:
        raise LookupError("A line to a chat channel is no mail.")
    user = User.objects.filter(pk=notification.recipient_id, enabled=True).exclude(email="").first()
    return Reader(user.email, user.name, user.time_zone, user) if user else None


def compose(notification: Notification, reader: Reader, *, now: datetime) -> Letter | None:
    """Return what the mail says to this reader."""
    mail = BY_NAME[notification.mail]
    if reader.user is not None:
        return mail.compose(notification, now)
    letter = (mail.for_others or mail.compose)(notification, now)
    if letter is None or mail.audience is None:
        return letter
    return replace(letter, because=_("The settings of this role name this address."))


def render(notification: Notification, reader: Reader, *, now: datetime) -> EmailMultiAlternatives | None:
    """Return the mail to send, or None when there is nothing left to tell."""
    with timezone.override(zone_of(reader.zone)), translation.override(settings.LANGUAGE_CODE):
        letter = compose(notification, reader, now=now)
        if letter is None:
            return None
        letter = without_links(letter)
        context = {
            "letter": letter,
            "url": settings.PIM_BASE_URL + letter.path,
            "home": settings.PIM_BASE_URL,
            # Who can quiet a mail is told where.
            "choose": settings.PIM_BASE_URL + reverse("notifications") if _can_be_quieted(notification, reader) else "",
            "zone": timezone.get_current_timezone_name(),
            "recipient": reader.name,
        }
        text = render_to_string("mails/letter.txt", context)
        html = _inliner().inline(render_to_string("mails/letter.html", context))
    host = urlsplit(settings.PIM_BASE_URL).hostname
    message = EmailMultiAlternatives(
        subject=subject_of(letter.subject),
        body=text,
        to=[reader.email],
        headers={
            "Message-ID": f"<{notification.message_id}@{host}>",
            # For filters: each kind of mail by itself.
            "List-Id": f"PIM Portal <{notification.mail.replace('_', '-')}.pim.{host}>",
            # No out-of-office replies.
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def _can_be_quieted(notification: Notification, reader: Reader) -> bool:
    return reader.user is not None and BY_NAME[notification.mail].topic is not None


def subject_of(text: str) -> str:
    """Return a subject on one line: a line break in somebody's name must not begin a header of its own."""
    line = PREFIX + " ".join(clean(text).split())
    return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - 1] + "…"


@cache
def _inliner() -> css_inline.CSSInliner:
    # Mail programs that know no style sheet get inlined styles; the sheet stays for those that know dark mode.
    return css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
