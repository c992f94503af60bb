"""What auditors are told of how the history is kept, and of where it goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.groups import Group
from audit.kinds import Kind
from audit.models import Event
from pim_portal.models import Notification
from pim_portal.notifications.letters.letter import Letter, actor_of, event_of, unlinked
from roles import wording


def retention_changed(notification: Notification, now: datetime) -> Letter | None:
    """Tell for how long which events are kept now, and were before; the reason is not sent."""
    event = event_of(notification)
    shortened = bool(event.details["shortened"])
    sooner = _("Events may leave the database sooner than before. They go into sealed archives, and are not lost.")
    longer = _("Nothing leaves the database sooner than before.")
    return Letter(
        subject=(
            _("Audit events are kept for a shorter time") if shortened else _("Audit events are kept for a longer time")
        ),
        sentences=(sooner if shortened else longer, _("If you did not expect this, ask who changed it.")),
        facts=((_("Changed by"), actor_of(notification)), *_changes(event), (_("When"), _when(event))),
        button=_("Open keeping"),
        path=reverse("keeping"),
        because=_("You may read the audit history of the directory."),
    )


def _changes(event: Event) -> Iterator[tuple[str, str]]:
    for name, days in event.details["days_after"].items():
        before = event.details["days_before"].get(name)
        yield str(Group(name).label), _("{after} (before: {before})").format(after=_span(days), before=_span(before))


def _span(days: int | None) -> str:
    return _("for ever") if days is None else ngettext("{days} day", "{days} days", days).format(days=f"{days:,}")


def _when(event: Event) -> str:
    return wording.exact(event.occurred_at)


def history_archived(notification: Notification, now: datetime) -> Letter | None:
    """Hand an auditor what identifies an archive."""
    told = event_of(notification).details
    moved = ngettext(
        "{count} audit event moved into archive {number}",
        "{count} audit events moved into archive {number}",
        told["count"],
    )
    return Letter(
        subject=moved.format(count=f"{told['count']:,}", number=told["archive"]),
        sentences=(
            _("They were older than is set for their kind, and left the database. Their seals still verify."),
            _("Keep this mail: whoever changes the file of the archive cannot change what stands here."),
        ),
        facts=(
            (_("File"), told["file"]),
            (_("SHA-256"), told["sha256"]),
            (_("Leaves"), _("{first} to {last}").format(first=told["first_leaf"], last=told["last_leaf"])),
        ),
        button=_("Open keeping"),
        path=reverse("keeping"),
        because=_("You may read the audit history of the directory."),
    )


def web_hook_set(notification: Notification, now: datetime) -> Letter | None:
    """Tell that the history goes to an address, by its host alone: the rest of it may be a secret."""
    event = event_of(notification)
    added = event.kind == Kind.WEB_HOOK_ADDED
    name = event.text.fields.get("hook", _("(erased)"))
    kinds = event.details["kinds"]
    chosen = ngettext("{count} kind of event", "{count} kinds of events", len(kinds)).format(count=len(kinds))
    return Letter(
        subject=(
            _("The audit history now goes to {host}").format(host=event.details["host"])
            if added
            else _("A web hook of the audit history was changed")
        ),
        sentences=(
            _("What happens in the portal is sent there as it is sealed, with names and reasons."),
            _("If you did not expect this, ask who set it."),
        ),
        facts=(
            (_("Web hook"), unlinked(name)),
            (_("Host"), unlinked(event.details["host"])),
            (_("It gets"), chosen if kinds else _("Every event")),
            (_("Set by"), actor_of(notification)),
            (_("When"), _when(event)),
        ),
        button=_("Open the event"),
        path=reverse("audit_event", args=[event.uuid]),
        because=_("You may read the audit history of the directory."),
    )
