"""What is asked, and how it was decided.

Reason and ticket stand only in the mail that asks approvers to decide: a mail goes ways that the portal does not know.
"""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from approvals.models import Action, Request, Status, Verdict
from approvals.selectors.settings_changes import alone_from, proposed
from approvals.wording import sentence_of, what_is_wanted
from pim_portal.models import Notification
from pim_portal.notifications.letters.letter import (
    Letter,
    event_of,
    named,
    span_of,
    the_role,
    unlinked,
    with_job,
)
from pim_portal.notifications.recipients import named_by_event
from roles import wording
from roles.models import AssignmentType, User


def request_waits(notification: Notification, now: datetime) -> Letter | None:
    """Ask an approver to decide."""
    return request_to_decide(_request(notification), with_reason=notification.recipient_id is not None)


def request_to_decide(request: Request, *, with_reason: bool) -> Letter:
    """Say what is asked, by whom, why and until when it can be decided.

    Reason and ticket are for people of the portal only: an address in some settings may be anybody's.
    """
    if request.action == Action.CHANGE_SETTINGS:
        return settings_wait(request, with_reason=with_reason)
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


def settings_wait(request: Request, *, with_reason: bool) -> Letter:
    """Ask another administrator whether settings may become looser for who proposes it."""
    person = User.objects.get(pk=request.principal_id)
    words = {"person": person.name, "the_role": the_role(request.role, request.resource)}
    changes = [
        (f"{role.name}: {row.label}" if role.pk != request.role_id else row.label, f"{row.left} → {row.right}")
        for role, rows in proposed(request)
        for row in rows
    ]
    told = _("{person} holds this role or may activate it. Its settings become looser only if a second person agrees.")
    alone = _("If nobody answers, {person} can make the change alone from {when} on.")
    return Letter(
        subject=_("Review {person}’s change of the settings of {the_role}").format(**words),
        sentences=(told.format(**words), alone.format(when=wording.exact(alone_from(request)), **words)),
        facts=(
            (_("Who"), with_job(person)),
            (_("Role"), request.role.name),
            (_("Resource"), request.resource.name),
            *changes,
            (_("Decide by"), wording.exact(request.lapses_at)),
        ),
        quote=_reason_of(request, person) if with_reason and request.reason else None,
        button=_("Open the request"),
        path=reverse("approvals:request", args=[request.pk]),
        note=_("Opening it decides nothing: you sign in, look, and say why you decide as you do."),
        because=_("You administer this role, or could after activating yours."),
    )


def _ticket_of(request: Request, *, with_reason: bool) -> list[tuple[str, str]]:
    return [(_("Ticket"), unlinked(request.ticket))] if with_reason and request.ticket else []


def _reason_of(request: Request, person: User) -> tuple[str, str]:
    return _("Reason, as {person} wrote it").format(person=person.name), unlinked(request.reason)


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
        because=_why_told(request) if own else _("You were asked to decide this request."),
    )


def _why_told(request: Request) -> str:
    proposed_it = _("You proposed this change.")
    return proposed_it if request.action == Action.CHANGE_SETTINGS else _("You asked for this role.")


def _end_of_request(request: Request, *, own: bool) -> tuple[str, str]:
    later = request.outcome is not None and request.outcome.starts_at > request.outcome.created_at
    granted = _("The role will be active by itself at its start.") if later else _("The role is active now.")
    if request.action == Action.CHANGE_SETTINGS:
        return _end_of_change(request, own=own)
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


def _end_of_change(request: Request, *, own: bool) -> tuple[str, str]:
    still = _("The settings are as they were.")
    mine = {
        Status.GRANTED: (_("Your change of the settings of {role} was approved"), _("They rule from now on.")),
        Status.DENIED: (_("Your change of the settings of {role} was denied"), still),
        Status.LAPSED: (_("Your change of the settings of {role} lapsed"), still),
        Status.CANCELLED: (_("Your change of the settings of {role} was cancelled"), still),
        Status.FAILED: (_("Your change of the settings of {role} failed"), still),
    }
    theirs = {
        Status.GRANTED: (_("{person}’s change of the settings of {role} was approved"), _("They rule from now on.")),
        Status.DENIED: (_("{person}’s change of the settings of {role} was denied"), still),
        Status.LAPSED: (_("{person}’s change of the settings of {role} lapsed"), still),
        Status.CANCELLED: (_("{person}’s change of the settings of {role} was cancelled"), still),
        Status.FAILED: (_("{person}’s change of the settings of {role} failed"), still),
    }
    return (mine if own else theirs)[Status(request.status)]


def _request(notification: Notification) -> Request:
    return Request.objects.shown().get(pk=named_by_event(event_of(notification).request_id))
