"""What administrators are told of others: who was given what, whose time was over, which settings changed.

Also what the addresses read that a role's settings name besides: the same news, of somebody else.
"""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from audit.kinds import Kind
from audit.sentences import said, sentence
from pim_portal.models import Notification
from pim_portal.notifications.letters.assignments import why_it_ended
from pim_portal.notifications.letters.letter import Letter, actor_of, assignment_of, event_of, span_of, the_role
from pim_portal.notifications.recipients import named_by_event
from roles import wording
from roles.models import Assignment, AssignmentType, Resource, ResourceKind
from roles.places import address


def role_given(notification: Notification, now: datetime) -> Letter | None:
    """Say who was given a role; nothing when it is over already."""
    row = assignment_of(notification)
    if row.over_at is not None and row.over_at <= now:
        return None
    if row.type == AssignmentType.ELIGIBLE:
        subject = _("{name} was made eligible for {the_role}")
    elif row.ends_at is None:
        subject = _("{name} was permanently assigned {the_role}")
    else:
        subject = _("{name} was assigned {the_role}")
    return _news(notification, row, subject, _("There is nothing to do if you expected this."))


def times_changed(notification: Notification, now: datetime) -> Letter | None:
    """Say whose assignment lasts longer, or shorter; nothing when it is over already."""
    row = assignment_of(notification)
    if row.over_at is not None and row.over_at <= now:
        return None
    extended = event_of(notification).kind == Kind.ASSIGNMENT_EXTENDED
    subject = _("{name} keeps {the_role} for longer") if extended else _("{name} has {the_role} until another time")
    return _news(notification, row, subject, _("There is nothing to do if you expected this."))


def role_no_longer_held(notification: Notification, now: datetime) -> Letter | None:
    """Say whose assignment, or activation, is over."""
    row = assignment_of(notification)
    if row.ended_at is None:
        return None
    if row.activated_from_id is not None:
        subject = _("{name}’s activation of {the_role} has ended")
    elif row.type == AssignmentType.ELIGIBLE:
        subject = _("{name} is no longer eligible for {the_role}")
    else:
        subject = _("{name}’s assignment to {the_role} has ended")
    return _news(notification, row, subject, why_it_ended(row))


def _news(notification: Notification, row: Assignment, subject: str, says: str) -> Letter:
    ended = [(_("Ended"), wording.exact(row.ended_at))] if row.ended_at else []
    return Letter(
        subject=subject.format(name=row.principal.name, the_role=the_role(row.role, row.resource)),
        sentences=(says,),
        facts=(
            (_("Who"), row.principal.name),
            (_("Role"), row.role.name),
            (_("Resource"), row.resource.name),
            (_("Type"), str(AssignmentType(row.type).label)),
            *(span_of(row) if not ended else [(_("Start"), wording.exact(row.starts_at)), *ended]),
            (_("By"), actor_of(notification)),
        ),
        button=_("Open the assignments"),
        path=page_of(row.resource, "assignments"),
        because=_("You administer this role."),
    )


def page_of(resource: Resource, page: str) -> str:
    """Return the address of a page of a place; a group has one page of its own."""
    if resource.kind == ResourceKind.GROUP:
        return reverse("group", args=[resource.group.pk])
    return address(resource, page)


def settings_changed_alone(notification: Notification, now: datetime) -> Letter | None:
    """Say that somebody loosened settings that concern themselves, without a second administrator."""
    event = event_of(notification)
    resource = Resource.objects.get(pk=event.resource_id)
    words = {"name": actor_of(notification), "the_role": said(event, "role"), "place": resource.name}
    subject = _("{name} loosened the settings of {the_role} alone")
    sentences = (
        _("{name} holds this role or may activate it, and no second administrator answered within a day."),
        _("Look at what changed, and take it back if it should not be."),
    )
    return Letter(
        subject=subject.format(**words),
        sentences=tuple(one.format(**words) for one in sentences),
        facts=(
            (_("Role"), words["the_role"]),
            (_("Resource"), words["place"]),
            (_("When"), wording.exact(event.occurred_at)),
            (_("By"), words["name"]),
        ),
        button=_("Open the request"),
        path=reverse("approvals:request", args=[named_by_event(event.request_id)]),
        because=_("You administer this role. This mail cannot be turned off."),
    )


def settings_changed(notification: Notification, now: datetime) -> Letter | None:
    """Say that somebody changed the rules of a role."""
    event = event_of(notification)
    resource = Resource.objects.filter(pk=event.resource_id).first() if event.resource_id else None
    return Letter(
        subject=_("The settings of {role} were changed").format(role=said(event, "role")),
        sentences=(
            sentence(event),
            _("They rule every activation and assignment of the role from now on, here and below."),
        ),
        facts=(
            (_("Role"), said(event, "role")),
            (_("Resource"), resource.name if resource else _("Everywhere")),
            (_("When"), wording.exact(event.occurred_at)),
            (_("By"), actor_of(notification)),
        ),
        button=_("Open the settings") if resource else _("Open PIM Portal"),
        path=address(resource, "role_settings", pk=event.role_id) if resource else reverse("overview"),
        because=_("You administer this role."),
    )
