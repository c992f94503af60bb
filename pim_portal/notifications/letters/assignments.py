"""Roles that somebody was given, activated, kept or lost."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from approvals.models import Decision, Verdict
from pim_portal.models import Notification
from pim_portal.notifications.letters.letter import (
    Letter,
    actor_of,
    assignment_of,
    event_of,
    named,
    span_of,
    the_role,
    with_job,
)
from pim_portal.notifications.recipients import request_of
from roles import wording
from roles.ids import GROUP_OWNER
from roles.models import Assignment, AssignmentType, EndReason, RoleKind, User


def role_activated(notification: Notification, now: datetime) -> Letter | None:
    """Tell an administrator that somebody activated a privileged role."""
    row = assignment_of(notification)
    words = {"person": row.principal.name, "the_role": the_role(row.role, row.resource)}
    request = request_of(event_of(notification))
    said = request.decisions.filter(verdict=Verdict.APPROVE) if request else Decision.objects.none()
    none = _("None: it was activated in an emergency") if row.break_glass else _("The role asks for none")
    approved = ", ".join(one.said_by for one in said.select_related("approver", "for_approver")) or none
    return Letter(
        subject=_("{person} activated {the_role}").format(**words),
        sentences=(
            _("This is a privileged role. There is nothing to do if you expected this.")
            if row.role.privileged
            else _("There is nothing to do if you expected this."),
        ),
        facts=(
            (_("Who"), with_job(User.objects.get(pk=row.principal_id))),
            (_("Role"), row.role.name),
            (_("Resource"), row.resource.name),
            *span_of(row),
            (_("Approval"), approved),
        ),
        button=_("Open PIM Portal"),
        path=reverse("overview"),
        because=_("You administer this role."),
    )


def role_prolonged(notification: Notification, now: datetime) -> Letter | None:
    """Tell an administrator that somebody prolonged a privileged role."""
    row = assignment_of(notification)
    words = {"person": row.principal.name, "the_role": the_role(row.role, row.resource)}
    return Letter(
        subject=_("{person} prolonged {the_role}").format(**words),
        sentences=(_("This is a privileged role. There is nothing to do if you expected this."),),
        facts=(
            (_("Who"), with_job(User.objects.get(pk=row.principal_id))),
            (_("Role"), row.role.name),
            (_("Resource"), row.resource.name),
            *span_of(row),
        ),
        button=_("Open PIM Portal"),
        path=reverse("overview"),
        because=_("You administer this role."),
    )


def activation_ended(notification: Notification, now: datetime) -> Letter | None:
    """Tell somebody that a role which they had activated is over."""
    row = assignment_of(notification)
    if row.ended_at is None or row.principal_id != notification.recipient_id:
        return None
    role = named(row.role, row.resource)
    why = {
        EndReason.EXPIRED: _("Its time was over. You can activate it again when you need it."),
        EndReason.ELIGIBILITY_ENDED: _("The eligibility behind it ended, so it cannot be activated again."),
    }
    return Letter(
        subject=_("Your activation of {role} has ended").format(role=role),
        sentences=(
            _("You no longer hold {role} by this activation.").format(role=role),
            why.get(EndReason(row.end_reason), f"{EndReason(row.end_reason).label}."),
        ),
        facts=(
            (_("Role"), row.role.name),
            (_("Resource"), row.resource.name),
            (_("Start"), wording.exact(row.starts_at)),
            (_("Ended"), wording.exact(row.ended_at)),
        ),
        button=_("Open my roles"),
        path=reverse("approvals:my_roles"),
        because=_("You activated this role."),
    )


def assignment_added(notification: Notification, now: datetime) -> Letter | None:
    """Tell somebody about a role that they, or a group of theirs, were given; nothing when it is over already."""
    row = assignment_of(notification)
    if row.over_at is not None and row.over_at <= now:
        return None
    role = the_role(row.role, row.resource)
    eligible = row.type == AssignmentType.ELIGIBLE
    if row.role.kind == RoleKind.GROUP:
        subject = _in_group(row, may_become=eligible).format(group=row.resource.name)
        return _about_assignment(notification, row, subject, _advice(row))
    subject = _("You were made eligible for {the_role}") if eligible else _("You were assigned {the_role}")
    return _about_assignment(notification, row, subject.format(the_role=role), _advice(row))


def assignment_changed(notification: Notification, now: datetime) -> Letter | None:
    """Tell somebody that the times of a role which they, or a group of theirs, were given have changed."""
    row = assignment_of(notification)
    if row.over_at is not None and row.over_at <= now:
        return None
    role = the_role(row.role, row.resource)
    if row.activated_from_id is not None:
        subject = _("Your activation of {the_role} ends at another time")
    elif row.type == AssignmentType.ELIGIBLE:
        subject = _("Your eligibility for {the_role} ends at another time")
    else:
        subject = _("Your assignment to {the_role} ends at another time")
    end = _("It ends on {end}.").format(end=wording.exact(row.ends_at)) if row.ends_at else _("It has no end any more.")
    return _about_assignment(notification, row, subject.format(the_role=role), end)


def kept(notification: Notification, now: datetime) -> Letter | None:
    """Tell the holder that an administrator extended an assignment of theirs without being asked."""
    row = assignment_of(notification)
    subject = _("Your time with {the_role} was extended").format(the_role=the_role(row.role, row.resource))
    return _about_assignment(notification, row, subject, _("It lasts longer; you need do nothing."))


def assignment_ended(notification: Notification, now: datetime) -> Letter | None:
    """Tell somebody that a role which they, or a group of theirs, were given is over."""
    row = assignment_of(notification)
    if row.ended_at is None:
        return None
    role = the_role(row.role, row.resource)
    if row.role.kind == RoleKind.GROUP:
        owner = row.role_id == GROUP_OWNER
        subject = _("You are no longer an owner of {group}") if owner else _("You are no longer a member of {group}")
    elif row.type == AssignmentType.ELIGIBLE:
        subject = _("You are no longer eligible for {the_role}")
    else:
        subject = _("Your assignment to {the_role} has ended")
    subject = subject.format(group=row.resource.name, the_role=role)
    return _about_assignment(notification, row, subject, why_it_ended(row))


def why_it_ended(row: Assignment) -> str:
    """Say in a sentence why an assignment is over."""
    why = {EndReason.EXPIRED: _("Its time was over."), EndReason.REMOVED: _("An administrator removed it.")}
    return why.get(EndReason(row.end_reason), f"{EndReason(row.end_reason).label}.")


def _about_assignment(notification: Notification, row: Assignment, subject: str, sentence: str) -> Letter:
    ended = [(_("Ended"), wording.exact(row.ended_at))] if row.ended_at else []
    through = [] if row.principal_id == notification.recipient_id else [(_("Through the group"), row.principal.name)]
    return Letter(
        subject=subject,
        sentences=(sentence,),
        facts=(
            (_("Role"), row.role.name),
            (_("Resource"), row.resource.name),
            (_("Type"), str(AssignmentType(row.type).label)),
            *through,
            *(span_of(row) if not ended else [(_("Start"), wording.exact(row.starts_at)), *ended]),
            (_("By"), actor_of(notification)),
        ),
        button=_("Open my roles"),
        path=reverse("approvals:my_roles"),
        because=_("This concerns a role of yours."),
    )


def _in_group(row: Assignment, *, may_become: bool) -> str:
    if row.role_id == GROUP_OWNER:
        return _("You can now become an owner of {group}") if may_become else _("You are now an owner of {group}")
    return _("You can now become a member of {group}") if may_become else _("You are now a member of {group}")


def _advice(row: Assignment) -> str:
    if row.type == AssignmentType.ELIGIBLE:
        return _("You hold nothing yet: activate it when you need it, for as long as you need it.")
    if row.ends_at is None:
        return _("It needs no activation and has no end.")
    return _("It needs no activation: it is in effect from its start to its end.")
