"""What is said of alerts, and to whom: only of what stands where its reader administers."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.kinds import Realm
from audit.models import Event
from pim_portal.alerts.definitions import BY_KEY
from pim_portal.models import Incident, Notification
from pim_portal.notifications.letters.letter import Letter, Section, event_of
from pim_portal.notifications.recipients import ADMINISTRATORS, people_behind
from roles.models import Assignment, Resource, User
from roles.models.resources import way_of
from roles.places import address

NAMED = 10  # incidents that a mail names


def told(event: Event) -> QuerySet[Incident]:
    """Return the incidents that an event tells of."""
    rows = Incident.objects.filter(told_in=event.details["telling"])
    about = ("alert__root", "principal", "role", "resource", "assignment__principal")
    return rows.select_related(*about).order_by("raised_at", "pk")


def concerned(event: Event) -> list[User]:
    """Return who administers where something was found, or above it."""
    incidents = list(told(event))
    above = {path for one in incidents for path in way_of(_path(one))}
    realm = Realm(incidents[0].alert.root.realm)
    rows = Assignment.objects.in_effect(event.occurred_at).filter(
        role__in=ADMINISTRATORS[realm], resource__path__in=above
    )
    # Read first: nested once more, the query is deeper than SQLite's parser can follow.
    holders = set(rows.order_by().values_list("principal", flat=True))
    return people_behind(list(holders), event.occurred_at)


def _path(incident: Incident) -> str:
    """Return where an incident stands; one at the node of a group belongs to the directory as a whole."""
    path, root = incident.resource.path, incident.alert.root.path
    return str(path if path.startswith(root) else root)


def _seen_by(notification: Notification, now: datetime) -> list[Incident]:
    """Return what this mail is about, as far as its reader administers it; a chat channel is told the number only."""
    incidents = list(told(event_of(notification)))
    user = User.objects.filter(pk=notification.recipient_id).first() if notification.recipient_id else None
    if user is None or not incidents:
        return incidents
    realm = Realm(incidents[0].alert.root.realm)
    rows = Assignment.objects.in_effect(now).of(user.pk, now).filter(role__in=ADMINISTRATORS[realm])
    paths = tuple(set(rows.order_by().values_list("resource__path", flat=True)))
    return [one for one in incidents if _path(one).startswith(paths)]


def alert_raised(notification: Notification, now: datetime) -> Letter | None:
    """Say what an alert found that is so still; nothing where all of it is over or dismissed by now."""
    incidents = [one for one in _seen_by(notification, now) if one.resolved_at is None and one.dismissed_at is None]
    if not incidents:
        return None
    kind = BY_KEY[incidents[0].alert.key]
    subject = ngettext("Alert: {alert} ({count} new)", "Alert: {alert} ({count} new)", len(incidents))
    return _letter(
        incidents,
        subject=subject.format(alert=kind.name, count=len(incidents)),
        sentences=(kind.description(len(incidents)), str(kind.impact), str(kind.to_fix)),
    )


def alert_resolved(notification: Notification, now: datetime) -> Letter | None:
    """Say what an alert no longer finds."""
    incidents = _seen_by(notification, now)
    if not incidents:
        return None
    kind = BY_KEY[incidents[0].alert.key]
    sentence = ngettext(
        "{count} incident is over. There is nothing to do.",
        "{count} incidents are over. There is nothing to do.",
        len(incidents),
    )
    return _letter(
        incidents,
        subject=_("Resolved: {alert}").format(alert=kind.name),
        sentences=(sentence.format(count=len(incidents)),),
    )


def _letter(incidents: list[Incident], *, subject: str, sentences: tuple[str, ...]) -> Letter:
    kind = BY_KEY[incidents[0].alert.key]
    lines = tuple((what(one), kind.sentence(one)) for one in incidents[:NAMED])
    more = len(incidents) - NAMED
    sentence = ngettext("{count} more stands on the page.", "{count} more stand on the page.", max(more, 1))
    return Letter(
        subject=subject,
        sentences=sentences,
        facts=((_("Severity"), str(kind.severity.label)), (_("Where"), _where(incidents))),
        button=_("Open the alert"),
        path=address(_place(incidents), "alert", key=kind.key),
        because=_("You administer roles there."),
        note=sentence.format(count=more) if more > 0 else "",
        sections=(Section(_("What it is about"), lines),),
    )


def what(incident: Incident) -> str:
    """Name what an incident is about: who, which role, where."""
    names = [one.name for one in (incident.principal, incident.role) if one is not None]
    return ", ".join([*names, incident.resource.name])


def _where(incidents: list[Incident]) -> str:
    names = list(dict.fromkeys(one.resource.name for one in incidents))
    return ", ".join(names) if len(names) <= NAMED else _("{count} places").format(count=len(names))


def _place(incidents: list[Incident]) -> Resource:
    """Return the place whose page shows all of these, as far down as may be, which their reader administers."""
    first, *others = [_path(one) for one in incidents]
    common = [path for path in way_of(first) if all(other.startswith(path) for other in others)]
    found: Resource = Resource.objects.get(path=common[-1])
    return found
