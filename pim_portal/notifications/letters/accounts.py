"""How somebody signs in, and the links by which they get in."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from pim_portal.models import EntryTicket, Notification, TicketKind
from pim_portal.notifications.letters.letter import (
    Compose,
    Letter,
    actor_of,
    event_of,
)
from roles import wording


def account_change(subject: Promise, sentence: Promise) -> Compose:
    """Return how to tell somebody of a change to how they sign in."""

    def compose(notification: Notification, now: datetime) -> Letter | None:
        event = event_of(notification)
        address = event.text.fields.get("address", "")
        return Letter(
            subject=str(subject),
            sentences=(
                str(sentence),
                _("If you know nothing of this, tell an administrator at once, and end all your sessions."),
            ),
            facts=(
                (_("When"), wording.exact(event.occurred_at)),
                (_("By"), actor_of(notification)),
                *([(_("From"), address)] if address else []),
            ),
            button=_("Open my audit history"),
            path=reverse("my_audit"),
            because=_("It is about how you sign in."),
        )

    return compose


def address_given_up(notification: Notification, now: datetime) -> Letter | None:
    """Tell whoever reads the address that somebody had before. It does not name the new one."""
    event = event_of(notification)
    fields = event.text.fields
    if not fields.get("target"):
        return None
    return Letter(
        subject=_("This is no longer the address of {name}").format(name=fields["target"]),
        sentences=(
            _("The mails of PIM Portal for {name} go to another address from now on.").format(name=fields["target"]),
            _("If this is your account and you know nothing of this, tell an administrator at once."),
        ),
        facts=((_("When"), wording.exact(event.occurred_at)), (_("By"), actor_of(notification))),
        button=_("Open PIM Portal"),
        path=reverse("overview"),
        because=_("Mails for this account came to this address until now."),
    )


def invitation(notification: Notification, now: datetime) -> Letter | None:
    """Send somebody the link by which they come in for the first time."""
    return _with_link(
        notification,
        now,
        subject=_("You are invited to PIM Portal"),
        sentences=(
            _("With this link you choose your password and set up your second factor. It works once."),
            _("You will need an authenticator app on your phone."),
        ),
        button=_("Accept the invitation"),
        because=_("An administrator added you to PIM Portal."),
    )


def reset_ticket(notification: Notification, now: datetime) -> Letter | None:
    """Send somebody who lost password or phone the link by which they get back in."""
    return _with_link(
        notification,
        now,
        subject=_("Your way back into PIM Portal"),
        sentences=(
            _("With this link you set up anew what was lost. It works once, and it signs nobody in by itself."),
            _("If you did not ask for help, do not use it, and tell an administrator at once."),
        ),
        button=_("Get back in"),
        because=_("An administrator helped you to get back in."),
    )


def _with_link(
    notification: Notification, now: datetime, *, subject: str, sentences: tuple[str, ...], button: str, because: str
) -> Letter | None:
    """Compose a mail around the ticket of this event; nothing when it was used or is over."""
    tickets = EntryTicket.objects.select_related("user").filter(used_at=None, until__gt=now).exclude(secret=None)
    ticket = tickets.filter(pk=event_of(notification).details["ticket"], user=notification.recipient_id).first()
    if ticket is None:
        return None
    return Letter(
        subject=subject,
        sentences=sentences,
        facts=(
            (_("User name"), ticket.user.username),
            *([] if ticket.kind == TicketKind.INVITATION else [(_("What for"), str(TicketKind(ticket.kind).label))]),
            (_("Works until"), wording.exact(ticket.until)),
            (_("By"), actor_of(notification)),
        ),
        button=button,
        path=reverse("entry", args=[ticket.secret]),
        because=because,
    )
