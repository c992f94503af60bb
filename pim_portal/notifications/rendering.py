"""A letter as an e-mail: HTML and text with the same words, in the recipient's time zone, to that one person."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Final
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation

from pim_portal.models import Notification
from pim_portal.notifications.catalogue import BY_NAME
from roles.middleware import zone_of
from roles.models import User
from roles.text import clean

PREFIX: Final = "PIM: "
LONGEST_SUBJECT: Final = 200  # characters


def render(notification: Notification, recipient: User, *, now: datetime) -> EmailMultiAlternatives | None:
    """Return the mail to send, or None when there is nothing left to tell."""
    with timezone.override(zone_of(recipient.time_zone)), translation.override(settings.LANGUAGE_CODE):
        letter = BY_NAME[notification.mail].compose(notification, now)
        if letter is None:
            return None
        context = {
            "letter": letter,
            "url": settings.PIM_BASE_URL + letter.path,
            "home": settings.PIM_BASE_URL,
            "zone": timezone.get_current_timezone_name(),
            "recipient": recipient,
        }
        text = render_to_string("mails/letter.txt", context)
        html = _inliner().inline(render_to_string("mails/letter.html", context))
    message = EmailMultiAlternatives(
        subject=subject_of(letter.subject),
        body=text,
        to=[recipient.email],
        headers={
            "Message-ID": f"<{notification.message_id}@{urlsplit(settings.PIM_BASE_URL).hostname}>",
            # No out-of-office replies.
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def subject_of(text: str) -> str:
    """Return a subject on one line: a line break in somebody's name must not begin a header of its own."""
    line = PREFIX + " ".join(clean(text).split())
    return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - 1] + "…"


@cache
def _inliner() -> css_inline.CSSInliner:
    # Mail programs that know no style sheet get inlined styles; the sheet stays for those that know dark mode.
    return css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
