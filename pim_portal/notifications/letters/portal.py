"""What concerns the portal as a whole."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.kinds import Realm
from audit.proofs import tip_line
from pim_portal.models import Notification
from pim_portal.notifications.letters.letter import (
    Letter,
    event_of,
    with_job,
)
from pim_portal.notifications.recipients import named_by_event
from roles import wording
from roles.models import Resource, User


def audit_tip(notification: Notification, now: datetime) -> Letter | None:
    """Hand an auditor the tip of the history to keep."""
    assert notification.event is not None  # noqa: S101 - the tip is an event
    tip = notification.event.details
    subject = ngettext(
        "The audit history on {day}: {leaves} event", "The audit history on {day}: {leaves} events", tip["leaves"]
    )
    return Letter(
        subject=subject.format(day=wording.day(notification.event.occurred_at), leaves=f"{tip['leaves']:,}"),
        sentences=(
            _("The audit history is sealed up to here. Keep this mail: it is proof outside the portal."),
            _("Nobody who cuts off its end, or restores an older backup, can make it lead through here."),
        ),
        facts=(
            (_("Events"), f"{tip['leaves']:,}"),
            (_("Tip"), tip_line(tip["batch"], tip["leaves"], tip["tip"])),
        ),
        button=_("Open the audit history"),
        path=reverse("audit"),
        because=_("You may read the audit history of the directory."),
    )


def access_elevated(notification: Notification, now: datetime) -> Letter | None:
    """Tell whoever elevated their access, and those who watch over roles, that it was done; the reason is not sent."""
    event = event_of(notification)
    own = event.actor_id == notification.recipient_id
    person = User.objects.get(pk=named_by_event(event.target_id))
    everywhere = event.realm == Realm.DIRECTORY
    where = _("every resource root") if everywhere else Resource.objects.get(pk=event.resource_id).name
    words = {"person": person.name, "where": where}
    until = datetime.fromisoformat(event.details["ends_at"])
    subject = _("You elevated your access") if own else _("{person} elevated their access to {where}").format(**words)
    expected = (
        _("If this was not you, tell an administrator at once, and end all your sessions.")
        if own
        else _("If you did not expect this, ask them at once. Disabling them ends it.")
    )
    return Letter(
        subject=subject,
        sentences=(_("It allows giving and taking every role there, and ends by itself after an hour."), expected),
        facts=(
            (_("Who"), with_job(person)),
            (_("Access"), _("User Access Administrator at {where}").format(where=where)),
            (_("Start"), wording.exact(event.occurred_at)),
            (_("End"), wording.exact(until)),
        ),
        button=_("Open PIM Portal"),
        path=reverse("overview"),
        because=_("It is about your account.") if own else _("You administer roles."),
    )
