"""What reminders say. Nothing when it is no longer so at the moment of sending."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from approvals.models import Request
from pim_portal.models import DueItem, Notification
from pim_portal.notifications.letters.letter import Letter, span_of, the_role
from pim_portal.notifications.letters.news import page_of
from pim_portal.notifications.letters.requests import request_to_decide
from roles import wording
from roles.models import Assignment, AssignmentType


def due_of(notification: Notification) -> DueItem:
    """Return what fell due; a reminder tells of nothing else."""
    if notification.due is None:
        raise LookupError("This mail tells of nothing that is due.")
    return notification.due


def _still_ending(notification: Notification, now: datetime) -> Assignment | None:
    """Return the assignment while the end that was announced still lies ahead, and is still its end."""
    item = due_of(notification)
    rows = Assignment.objects.in_effect(now).filter(pk=item.subject_id, ends_at=item.at)
    return rows.select_related("principal", "role", "resource").first()


def ends_soon(notification: Notification, now: datetime) -> Letter | None:
    """Tell somebody that a role which they, or a group of theirs, were given is about to end."""
    row = _still_ending(notification, now)
    if row is None or row.ends_at is None:
        return None
    words = {"the_role": the_role(row.role, row.resource), "when": wording.relative(row.ends_at, now)}
    subject = _("Your assignment to {the_role} ends {when}")
    if row.type == AssignmentType.ELIGIBLE:
        subject = _("Your eligibility for {the_role} ends {when}")
    through = [] if row.principal_id == notification.recipient_id else [(_("Through the group"), row.principal.name)]
    ask = _("If you still need it after that, ask for more time before it ends.")
    if through:
        # What is given to a group is extended for the group, and not at the wish of one of its members.
        ask = _("If you still need it after that, ask an owner of the group {group}, or an administrator.")
    return Letter(
        subject=subject.format(**words),
        sentences=(ask.format(group=row.principal.name),),
        facts=(*_facts(row), *through),
        button=_("Open my roles"),
        path=reverse("approvals:my_roles"),
        because=_("This concerns a role of yours."),
    )


def ends_soon_for(notification: Notification, now: datetime) -> Letter | None:
    """Tell an administrator that somebody’s assignment is about to end."""
    row = _still_ending(notification, now)
    if row is None or row.ends_at is None:
        return None
    words = {
        "name": row.principal.name,
        "the_role": the_role(row.role, row.resource),
        "when": wording.relative(row.ends_at, now),
    }
    subject = _("{name}’s assignment to {the_role} ends {when}")
    if row.type == AssignmentType.ELIGIBLE:
        subject = _("{name}’s eligibility for {the_role} ends {when}")
    return Letter(
        subject=subject.format(**words),
        sentences=(_("Extend it if it is still needed. If you do nothing, it ends by itself."),),
        facts=((_("Who"), row.principal.name), *_facts(row)),
        button=_("Open the assignments"),
        path=page_of(row.resource, "assignments"),
        because=_("You administer this role."),
    )


def activation_ends_soon(notification: Notification, now: datetime) -> Letter | None:
    """Tell somebody that a role which they have activated is active for some minutes only."""
    row = _still_ending(notification, now)
    if row is None or row.ends_at is None:
        return None
    words = {"the_role": the_role(row.role, row.resource), "when": wording.relative(row.ends_at, now)}
    return Letter(
        subject=_("Your activation of {the_role} ends {when}").format(**words),
        sentences=(_("Finish what you are doing, or ask for more time if you need it."),),
        facts=_facts(row),
        button=_("Open my roles"),
        path=reverse("approvals:my_roles") + "?tab=active",
        because=_("You activated this role."),
    )


def activation_ends_soon_for(notification: Notification, now: datetime) -> Letter | None:
    """Say of somebody else that their activation is about to end."""
    letter = activation_ends_soon(notification, now)
    row = _still_ending(notification, now)
    if letter is None or row is None or row.ends_at is None:
        return None
    subject = _("{name}’s activation of {the_role} ends {when}").format(
        name=row.principal.name, the_role=the_role(row.role, row.resource), when=wording.relative(row.ends_at, now)
    )
    facts = ((_("Who"), row.principal.name), *_facts(row))
    return replace(letter, subject=subject, sentences=(_("It ends by itself."),), facts=facts)


def still_waits(notification: Notification, now: datetime) -> Letter | None:
    """Remind an approver of a request that they have not decided."""
    request = Request.objects.shown().get(pk=due_of(notification).subject_id)
    letter = request_to_decide(request, with_reason=notification.recipient_id is not None)
    words = {"person": request.principal.name, "the_role": the_role(request.role, request.resource)}
    left = wording.roughly(request.lapses_at - now)
    return replace(
        letter,
        subject=_("Reminder: {subject}").format(subject=letter.subject),
        sentences=(
            _("{person} still waits for {the_role}. Nobody can decide after {left} more.").format(left=left, **words),
            *letter.sentences,
        ),
        because=_("You are an approver of this request and have not answered. This is the only reminder."),
    )


def request_escalated(notification: Notification, now: datetime) -> Letter | None:
    """Ask somebody of the escalation of what nobody has decided in half of its window."""
    request = Request.objects.shown().get(pk=due_of(notification).subject_id)
    letter = request_to_decide(request, with_reason=notification.recipient_id is not None)
    told = _("Nobody has decided this in half of its time. From now on you may decide it as well.")
    because = _("The settings of this role name you, or a group of yours, as the escalation.")
    return replace(letter, sentences=(told, *letter.sentences), because=because)


def _facts(row: Assignment) -> tuple[tuple[str, str], ...]:
    return (
        (_("Role"), row.role.name),
        (_("Resource"), row.resource.name),
        (_("Type"), str(AssignmentType(row.type).label)),
        *span_of(row),
    )
