"""Extending an assignment that runs, and renewing one that has ended: asked by its holder, granted by an administrator.

What administrators do directly (`roles.services.changes`) is what a grant calls: the rules stand there once.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from approvals.models import Action, Request
from approvals.rules.extensions import ASK_RENEWAL, RenewalFacts, not_longer
from approvals.services.closing import close_lapsed
from approvals.services.requests import digest_of, grant_as, person_of, put, record_made
from audit.kinds import Kind
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Assignment, AssignmentType, Purpose, RoleKind, User
from roles.refusals import Refused, Violation, broken
from roles.rules.changes import CHANGE, RENEW, RENEWED_WITHIN, REPLACE
from roles.selectors.groups import roles_beyond
from roles.selectors.holding import people_holding
from roles.selectors.settings import settings_of
from roles.service import service
from roles.services import step_ups
from roles.services.assignments import about
from roles.services.change_facts import Granted, facts_of_change, facts_of_renewal, facts_of_replacement, fresh
from roles.services.changes import change_granted, principals_of, renew_granted, replace_granted
from roles.services.gifts import Given, lock_given
from roles.text import clean

# A renewal is answered while who asked still remembers why. An extension waits until the end of what it extends, which
# is nearer: from then on there is nothing to extend, and a renewal can be asked for.
WINDOW = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked for, or granted: `ends_at` None is permanent, `starts_at` None at once."""

    type: AssignmentType
    ends_at: datetime | None
    starts_at: datetime | None = None


def terms_of(request: Request) -> Terms:
    """Return what was asked."""
    return Terms(AssignmentType(request.wanted_type), request.wanted_end)


def what_stands_in_the_way(
    user: User, row: Assignment, action: Action, *, ends_at: datetime | None, reason: str, actor: Actor, now: datetime
) -> list[Violation]:
    """Return everything against asking for this; the page before it asks the same."""
    waiting = Request.objects.waiting(now).filter(assignment=row, action__in=(Action.EXTEND, Action.RENEW))
    deciders = people_holding(Permission.DECIDE_RENEWALS, [row.resource], now, may_become=True)[row.resource_id]
    facts = RenewalFacts(
        action=action,
        assignment=row,
        direct=row.principal_id == user.pk,
        in_effect=Assignment.objects.in_effect(now).filter(pk=row.pk).exists(),
        now=now,
        ends_at=ends_at,
        reason=clean(reason),
        second_factor=step_ups.serves(actor, Purpose.ACTIVATE, row.pk, now=now),
        already_asked=waiting.exists(),
        somebody_decides=any(one.pk != user.pk for one in deciders),
    )
    terms = Terms(AssignmentType(row.type), ends_at)
    ruled = _broken(row, action, terms, reason=reason, granted=Granted(actor=actor, now=now))
    own = broken(ASK_RENEWAL, facts)
    return own + [one for one in ruled if one.code not in {said.code for said in own}]


def _broken(row: Assignment, action: Action, terms: Terms, *, reason: str, granted: Granted) -> list[Violation]:
    """Return what the rules of changing and renewing say of these terms: those that the grant will ask, too."""
    ends_at = terms.ends_at
    if action == Action.RENEW:
        facts = facts_of_renewal(
            row, type=terms.type, starts_at=terms.starts_at, ends_at=ends_at, reason=reason, granted=granted
        )
        return broken(RENEW, facts)
    if terms.type != row.type:
        other = facts_of_replacement(row, type=terms.type, ends_at=ends_at, reason=reason, granted=granted)
        return broken(REPLACE, other)
    return broken(CHANGE, facts_of_change(row, starts_at=None, ends_at=ends_at, reason=reason, granted=granted))


@service(Kind.REQUEST_MADE)
def ask_to_extend(
    assignment_id: uuid.UUID, *, ends_at: datetime | None, reason: str, actor: Actor, clock: Clock
) -> Request:
    """Ask for a later end of an assignment of one's own that runs and ends soon; `ends_at` None is permanent.

    Raises `Refused`, and `Assignment.DoesNotExist` for an unknown id.
    """
    return _ask(Action.EXTEND, assignment_id, ends_at=ends_at, reason=reason, actor=actor, clock=clock)


@service(Kind.REQUEST_MADE)
def ask_to_renew(
    assignment_id: uuid.UUID, *, ends_at: datetime | None, reason: str, actor: Actor, clock: Clock
) -> Request:
    """Ask for an assignment of one's own anew that ended by its time; `ends_at` None is permanent.

    Raises `Refused`, and `Assignment.DoesNotExist` for an unknown id.
    """
    return _ask(Action.RENEW, assignment_id, ends_at=ends_at, reason=reason, actor=actor, clock=clock)


def _ask(
    action: Action, assignment_id: uuid.UUID, *, ends_at: datetime | None, reason: str, actor: Actor, clock: Clock
) -> Request:
    user = person_of(actor)
    lock_given(Given.by(assignment_id), also={user.pk, *principals_of(assignment_id)})
    now = clock()
    row = fresh(assignment_id)
    violations = what_stands_in_the_way(user, row, action, ends_at=ends_at, reason=reason, actor=actor, now=now)
    if violations:
        raise Refused(violations, about=about(row))

    close_lapsed(now=now, assignment=row, action=action)
    step_ups.spend(actor, Purpose.ACTIVATE, row.pk, now=now)
    settings = settings_of(row.role, row.resource)
    request = Request(
        action=action,
        principal=user,
        requestor=user,
        role=row.role,
        resource=row.resource,
        assignment=row,
        made_at=now,
        wanted_type=row.type,
        wanted_end=ends_at.astimezone(UTC) if ends_at else None,  # as it is read back: the digest is of it
        reason=clean(reason),
        settings_digest=settings.digest,
        lapses_at=lapse_of(row, action, now),
    )
    request.digest = digest_of(request)
    put(request, ())
    record_made(request, actor=actor, now=now)
    return request


def lapse_of(row: Assignment, action: Action, now: datetime) -> datetime:
    """Return when a request for this lapses that is made now, read by the clock.

    To extend: with the assignment. To renew: after two weeks, and when it can no longer be renewed at the latest.
    """
    end = row.over_at
    if end is None:
        raise LookupError("What has no end is neither extended nor renewed.")
    return end if action == Action.EXTEND else min(now + WINDOW, end + RENEWED_WITHIN)


def granted_by(request: Request, approver: User, *, actor: Actor, now: datetime) -> Granted:
    """Return by what authority somebody would grant this; its second factor is that of the decision."""
    authority = Authority(approver, now)
    held = authority.by(Permission.DECIDE_RENEWALS, request.resource)
    return Granted(
        actor=actor,
        now=now,
        authority_id=held.assignment_id if held else None,
        request_id=request.pk,
        allowed=held is not None,
        roles_beyond=roles_beyond(request.resource, authority) if request.role.kind == RoleKind.GROUP else (),
    )


def against_the_terms(request: Request, terms: Terms, *, reason: str, granted: Granted) -> list[Violation]:
    """Return everything against granting a request with these terms."""
    row = fresh(request.about.pk)
    action = Action(request.action)
    less = not_longer(action, row.ends_at, terms.ends_at)
    return ([less] if less else []) + _broken(row, action, terms, reason=reason, granted=granted)


def grant_renewal(request: Request, terms: Terms, *, reason: str, granted: Granted) -> None:
    """Do what was asked, by these terms; the principals are locked, and the rules are asked again where it is done."""
    row = request.about
    outcome = None
    if request.action == Action.RENEW:
        outcome = renew_granted(
            row.pk, type=terms.type, starts_at=terms.starts_at, ends_at=terms.ends_at, reason=reason, granted=granted
        )
    elif terms.type != row.type:
        outcome = replace_granted(row.pk, type=terms.type, ends_at=terms.ends_at, reason=reason, granted=granted)
    else:
        request.assignment = change_granted(
            row.pk, starts_at=None, ends_at=terms.ends_at, reason=reason, granted=granted
        )
    grant_as(request, now=granted.now, outcome=outcome)
