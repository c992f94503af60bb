"""What an import brought."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.kinds import Kind
from audit.models import Event
from pim_portal.models import Notification
from pim_portal.notifications.letters.letter import (
    Letter,
    actor_of,
    event_of,
    named,
)
from pim_portal.notifications.matrix import named_for_assignments, row_of_assignment
from pim_portal.notifications.recipients import named_by_event
from roles import wording
from roles.models import Assignment

MOST_NAMED = 20  # assignments that the mail about an import names


def roles_imported(notification: Notification, now: datetime) -> Letter | None:
    """Tell somebody, once, of all that an import gave them and groups of theirs; nothing when all of it is over."""
    event = event_of(notification)
    recipient = named_by_event(notification.recipient_id)
    groups = Assignment.objects.memberships(event.occurred_at).filter(principal=recipient)
    targets = [recipient, *groups.values_list("resource__group", flat=True)]
    shown = _given_with(event, now, Q(target_id__in=targets))
    if not shown:
        return None
    facts = [(f"{row.get_type_display()}", _given_by_import(row, recipient)) for row in shown[:MOST_NAMED]]
    if len(shown) > MOST_NAMED:
        facts.append((_("And"), _("{count} more").format(count=len(shown) - MOST_NAMED)))
    count = ngettext("{count} role", "{count} roles", len(shown)).format(count=len(shown))
    return Letter(
        subject=_("You were given {roles} by an import").format(roles=count),
        sentences=(_("What you are eligible for you hold only once you activate it; what is active needs nothing."),),
        facts=(*facts, (_("By"), actor_of(notification))),
        button=_("Open my roles"),
        path=reverse("approvals:my_roles"),
        because=_("This concerns roles of yours."),
    )


def _given_with(event: Event, now: datetime, which: Q) -> list[Assignment]:
    """Return what came with an event of an import and is not over: all its events have its moment and its actor."""
    same = Event.objects.filter(
        which, kind=Kind.ASSIGNMENT_ADDED, actor_id=event.actor_id, occurred_at=event.occurred_at
    )
    rows = Assignment.objects.open().filter(pk__in=list(same.values_list("assignment_id", flat=True)))
    rows = rows.filter(Q(ends_at=None) | Q(ends_at__gt=now)).select_related("role", "resource", "principal")
    return list(rows.order_by("role__name_key", "resource__path", "pk"))


def roles_imported_for(notification: Notification, now: datetime) -> Letter | None:
    """Tell an address, once, of all that an import gave under the settings that name it; nothing when all is over."""
    event = event_of(notification)
    ruled: dict[tuple[object, ...], bool] = {}
    shown = []
    for row in _given_with(event, now, Q()):
        key = (row.role_id, row.resource_id, row.type)
        if key not in ruled:
            named_there = named_for_assignments(row_of_assignment(row))
            ruled[key] = notification.address.casefold() in (one.casefold() for one in named_there)
        if ruled[key]:
            shown.append(row)
    if not shown:
        return None
    facts = [(row.principal.name, _until(named(row.role, row.resource), row)) for row in shown[:MOST_NAMED]]
    if len(shown) > MOST_NAMED:
        facts.append((_("And"), _("{count} more").format(count=len(shown) - MOST_NAMED)))
    count = ngettext("{count} role", "{count} roles", len(shown)).format(count=len(shown))
    return Letter(
        subject=_("An import gave {roles}").format(roles=count),
        sentences=(_("There is nothing to do if you expected this."),),
        facts=(*facts, (_("By"), actor_of(notification))),
        button=_("Open PIM Portal"),
        path=reverse("overview"),
        because="",
    )


def _given_by_import(row: Assignment, recipient: uuid.UUID) -> str:
    words = named(row.role, row.resource)
    if row.principal_id != recipient:
        words = _("{role}, through the group {group}").format(role=words, group=row.principal.name)
    return _until(words, row)


def _until(words: str, row: Assignment) -> str:
    until = wording.exact(row.ends_at) if row.ends_at else ""
    return (
        _("{role}, until {end}").format(role=words, end=until) if until else _("{role}, permanent").format(role=words)
    )


def imported(notification: Notification, now: datetime) -> Letter | None:
    """Tell the administrators of a place that an import was applied there."""
    event = event_of(notification)
    made = event.details.get("made", 0)
    place = event.text.fields.get("resource", "")
    facts = [(_("Made"), str(made)), (_("By"), actor_of(notification)), (_("When"), wording.exact(event.occurred_at))]
    if place:
        facts.insert(0, (_("Where"), place))
    return Letter(
        subject=_("An import was applied"),
        sentences=(_("There is nothing to do if you expected this. Each change stands in the history by itself."),),
        facts=tuple(facts),
        button=_("Open PIM Portal"),
        path=reverse("overview"),
        because=_("You administer roles there."),
    )
