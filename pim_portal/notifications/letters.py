"""What each mail says. A letter is plain values in whole sentences; `rendering` turns it into HTML and text alike.

Reason and ticket stand only in the mail that asks approvers to decide: a mail goes ways that the portal does not know.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from approvals.models import Action, Decision, Request, Status, Verdict
from approvals.wording import sentence_of, what_is_wanted
from audit.kinds import Kind, Realm
from audit.models import Event
from audit.proofs import tip_line
from pim_portal.models import EntryTicket, Notification, TicketKind
from pim_portal.notifications.recipients import named_by_event, request_of
from roles import wording
from roles.ids import DIRECTORY, GROUP_OWNER
from roles.models import Assignment, AssignmentType, EndReason, Principal, Resource, Role, RoleKind, User


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a longer mail: its title, and lines of a fact and what is said of it."""

    title: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to one person. `path` is where its one button leads, `quote` what somebody wrote, with its label,
    `note` what is said below the button."""

    subject: str
    sentences: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    button: str
    path: str
    because: str
    quote: tuple[str, str] | None = None
    note: str = ""
    sections: tuple[Section, ...] = ()


Compose = Callable[[Notification, datetime], Letter | None]


def named(role: Role, resource: Resource) -> str:
    """Say which role is meant: by its name in the directory, elsewhere with its place."""
    if resource.pk == DIRECTORY:
        return role.name
    return _("{role} at {resource}").format(role=role.name, resource=resource.name)


def the_role(role: Role, resource: Resource) -> str:
    """Say the same inside a sentence: "the Owner role at Production"."""
    sentence = _("the {role} role") if resource.pk == DIRECTORY else _("the {role} role at {resource}")
    return sentence.format(role=role.name, resource=resource.name)


def audit_tip(notification: Notification, now: datetime) -> Letter | None:
    """Hand an auditor the tip of the history to keep."""
    assert notification.event is not None  # noqa: S101 - the tip is an event
    tip = notification.event.details
    return Letter(
        subject=_("The audit history on {day}: {leaves} events").format(
            day=wording.day(notification.event.occurred_at), leaves=f"{tip['leaves']:,}"
        ),
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


def request_waits(notification: Notification, now: datetime) -> Letter | None:
    """Ask an approver to decide."""
    return request_to_decide(_request(notification), with_reason=notification.recipient_id is not None)


def request_to_decide(request: Request, *, with_reason: bool) -> Letter:
    """Say what is asked, by whom, why and until when it can be decided.

    Reason and ticket are for people of the portal only: an address in some settings may be anybody's.
    """
    if request.action != Action.ACTIVATE:
        return keeping_waits(request, with_reason=with_reason)
    person = User.objects.get(pk=request.principal_id)
    words = {
        "person": person.name,
        "the_role": the_role(request.role, request.resource),
        "duration": wording.span(request.time),
    }
    planned = [(_("Start"), wording.exact(request.wanted_start))] if request.wanted_start else []
    facts = [
        (_("Who"), with_job(person)),
        (_("Role"), request.role.name),
        (_("Resource"), request.resource.name),
        (_("Duration"), words["duration"]),
        *planned,
        *_ticket_of(request, with_reason=with_reason),
        (_("Decide by"), wording.exact(request.lapses_at)),
    ]
    return Letter(
        subject=_("Review {person}’s request to activate {the_role}").format(**words),
        sentences=(),
        facts=tuple(facts),
        quote=_reason_of(request, person) if with_reason else None,
        button=_("Open the request"),
        path=reverse("approvals:request", args=[request.pk]),
        note=_("Opening it decides nothing: you sign in, look, and say why you decide as you do."),
        because=_("You are an approver of this request."),
    )


def _ticket_of(request: Request, *, with_reason: bool) -> list[tuple[str, str]]:
    return [(_("Ticket"), _unlinked(request.ticket))] if with_reason and request.ticket else []


def _reason_of(request: Request, person: User) -> tuple[str, str]:
    return _("Reason, as {person} wrote it").format(person=person.name), _unlinked(request.reason)


def keeping_waits(request: Request, *, with_reason: bool) -> Letter:
    """Ask somebody to decide whether a role may be kept for longer: prolonged, extended or renewed."""
    person = User.objects.get(pk=request.principal_id)
    role = the_role(request.role, request.resource)
    subject = {
        Action.PROLONG: _("Review {person}’s request to prolong {the_role}"),
        Action.EXTEND: _("Review {person}’s request to extend {the_role}"),
        Action.RENEW: _("Review {person}’s request to renew {the_role}"),
    }[Action(request.action)]
    facts = [
        (_("Who"), with_job(person)),
        (_("Role"), request.role.name),
        (_("Resource"), request.resource.name),
        (_("Type"), str(AssignmentType(request.about.type).label)),
        # When it began decides nothing, and the button shall stand on the first screen of a phone.
        *span_of(request.about)[1:],
        (_("Asked for"), what_is_wanted(request)),
        *_ticket_of(request, with_reason=with_reason),
        (_("Decide by"), wording.exact(request.lapses_at)),
    ]
    administers = _("You administer this role, or could after activating yours.")
    return Letter(
        subject=subject.format(person=person.name, the_role=role),
        sentences=(sentence_of(request, role),),
        facts=tuple(facts),
        quote=_reason_of(request, person) if with_reason else None,
        button=_("Open the request"),
        path=reverse("approvals:request", args=[request.pk]),
        note=_("Opening it decides nothing: you sign in, look, and say why you decide as you do."),
        because=administers if request.is_renewal else _("You are an approver of this request."),
    )


def kept(notification: Notification, now: datetime) -> Letter | None:
    """Tell the holder that an administrator extended an assignment of theirs without being asked."""
    row = assignment_of(notification)
    subject = _("Your time with {the_role} was extended").format(the_role=the_role(row.role, row.resource))
    return _about_assignment(notification, row, subject, _("It lasts longer; you need do nothing."))


def request_result(notification: Notification, now: datetime) -> Letter | None:
    """Tell the requestor, or an approver who was asked, how a request ended."""
    request = _request(notification)
    own = notification.recipient_id in (request.principal_id, request.requestor_id)
    subject, sentence = _end_of_request(request, own=own)
    role = named(request.role, request.resource)
    words = {"person": request.principal.name, "role": role}
    facts = [(_("Role"), request.role.name), (_("Resource"), request.resource.name)]
    if not own:
        facts.insert(0, (_("Who"), request.principal.name))
    if request.result:
        facts += span_of(request.result)
    verdict = {Status.GRANTED: Verdict.APPROVE, Status.DENIED: Verdict.DENY}.get(Status(request.status))
    said = request.decisions.filter(verdict=verdict).select_related("approver", "for_approver")
    deciders = [one.said_by for one in said]
    if deciders:
        label = _("Approved by") if request.status == Status.GRANTED else _("Denied by")
        facts.append((label, ", ".join(deciders)))
    # Why it lapsed, failed or was cancelled is said by the portal; why it was denied, by a person.
    sentences = [one for one in (request.status_reason, sentence.format(**words)) if one]
    if request.status == Status.DENIED:
        sentences.append(_("The request’s page says why."))
    return Letter(
        subject=subject.format(**words),
        sentences=tuple(sentences),
        facts=tuple(facts),
        button=_("Open the request"),
        path=reverse("approvals:request", args=[request.pk]),
        because=_("You asked for this role.") if own else _("You were asked to decide this request."),
    )


def _end_of_request(request: Request, *, own: bool) -> tuple[str, str]:
    later = request.outcome is not None and request.outcome.starts_at > request.outcome.created_at
    granted = _("The role will be active by itself at its start.") if later else _("The role is active now.")
    if request.action != Action.ACTIVATE:
        granted = _("You have it for longer.") if request.action != Action.RENEW else _("You have it again.")
    not_given = _("You did not get {role}.")
    lapsed = _("You did not get {role}. You can ask again.")
    if request.action in (Action.EXTEND, Action.PROLONG):
        not_given, lapsed = _("{role} ends when it was to end."), _("{role} ends when it was to end.")
    mine = {
        Status.GRANTED: (_("Your request for {role} was approved"), granted),
        Status.DENIED: (_("Your request for {role} was denied"), not_given),
        Status.LAPSED: (_("Your request for {role} lapsed"), lapsed),
        Status.CANCELLED: (_("Your request for {role} was cancelled"), not_given),
        Status.FAILED: (_("Your request for {role} failed"), not_given),
    }
    theirs = {
        Status.GRANTED: (_("{person}’s request for {role} was approved"), _("There is nothing left to decide.")),
        Status.DENIED: (_("{person}’s request for {role} was denied"), _("There is nothing left to decide.")),
        Status.LAPSED: (_("{person}’s request for {role} lapsed"), _("It can no longer be decided.")),
        Status.CANCELLED: (_("{person}’s request for {role} was cancelled"), _("There is nothing left to decide.")),
        Status.FAILED: (_("{person}’s request for {role} failed"), _("It was approved, but could not be granted.")),
    }
    return (mine if own else theirs)[Status(request.status)]


def role_activated(notification: Notification, now: datetime) -> Letter | None:
    """Tell an administrator that somebody activated a privileged role."""
    row = assignment_of(notification)
    words = {"person": row.principal.name, "the_role": the_role(row.role, row.resource)}
    request = request_of(event_of(notification))
    said = request.decisions.filter(verdict=Verdict.APPROVE) if request else Decision.objects.none()
    approved = ", ".join(one.said_by for one in said.select_related("approver", "for_approver")) or _(
        "The role asks for none"
    )
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
            why.get(EndReason(row.end_reason), str(EndReason(row.end_reason).label)),
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


MOST_NAMED = 20  # assignments that the mail about an import names


def roles_imported(notification: Notification, now: datetime) -> Letter | None:
    """Tell somebody, once, of all that an import gave them and groups of theirs; nothing when all of it is over."""
    event = event_of(notification)
    recipient = named_by_event(notification.recipient_id)
    groups = Assignment.objects.memberships(event.occurred_at).filter(principal=recipient)
    targets = [recipient, *groups.values_list("resource__group", flat=True)]
    # All events of an import have its moment and its actor.
    same = Event.objects.filter(
        kind=Kind.ASSIGNMENT_ADDED, actor_id=event.actor_id, occurred_at=event.occurred_at, target_id__in=targets
    )
    rows = Assignment.objects.open().filter(pk__in=list(same.values_list("assignment_id", flat=True)))
    rows = rows.filter(Q(ends_at=None) | Q(ends_at__gt=now)).select_related("role", "resource", "principal")
    shown = list(rows.order_by("role__name_key", "resource__path", "pk"))
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


def _given_by_import(row: Assignment, recipient: uuid.UUID) -> str:
    words = named(row.role, row.resource)
    if row.principal_id != recipient:
        words = _("{role}, through the group {group}").format(role=words, group=row.principal.name)
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


def event_of(notification: Notification) -> Event:
    assert notification.event is not None  # noqa: S101 - every mail of the catalogue tells of an event
    return notification.event


def _request(notification: Notification) -> Request:
    return Request.objects.shown().get(pk=named_by_event(event_of(notification).request_id))


def assignment_of(notification: Notification) -> Assignment:
    rows = Assignment.objects.select_related("principal", "role", "resource")
    return rows.get(pk=named_by_event(event_of(notification).assignment_id))


def span_of(row: Assignment) -> list[tuple[str, str]]:
    end = wording.exact(row.ends_at) if row.ends_at else _("Permanent")
    return [(_("Start"), wording.exact(row.starts_at)), (_("End"), end)]


def _unlinked(text: str) -> str:
    """Return `text` so that mail programs make no link of it: nobody's words become a thing to click."""
    return re.sub(r"(?<=\S)([.:/@])(?=\S)", "\\1\u200b", text)


def with_job(person: User) -> str:
    return ", ".join(part for part in (person.name, person.job_title, person.department) if part)


def actor_of(notification: Notification) -> str:
    """Say who did it; the text of the event may have been erased since."""
    event = event_of(notification)
    if event.actor_id == notification.recipient_id:
        return _("Yourself")
    actor = Principal.objects.filter(pk=event.actor_id).first() if event.actor_id else None
    return actor.name if actor else event.text.fields.get("actor", _("PIM Portal"))
