"""Closing the review of an emergency: by somebody else, or by the operator where nobody else is left."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.utils.translation import gettext as _

from approvals.models import EmergencyReview, Request
from approvals.rules.emergency_reviews import CLOSE, CLOSE_AS_OPERATOR, CloseFacts
from approvals.selectors.emergencies import reviewers_of, stood_in_for
from approvals.services.requests import about_request, lock_request
from audit.kinds import Kind
from roles.actors import Actor, Clock
from roles.authority import Authority, Held
from roles.catalogue import Permission
from roles.models import Assignment, EndReason, Purpose, User
from roles.refusals import Refused, Violation, require
from roles.service import record, service
from roles.services import step_ups
from roles.services.ends import end
from roles.text import clean


def gather_closing(
    request: Request,
    review: EmergencyReview,
    *,
    justified: bool | None,
    finding: str,
    actor: Actor,
    reviewer: User,
    now: datetime,
) -> CloseFacts:
    """Gather the facts of closing a review as they are now; the page before it asks the same."""
    return CloseFacts(
        own=reviewer.pk in (request.principal_id, request.requestor_id),
        stood_in=reviewer.pk in stood_in_for(request, now),
        may=any(one.pk == reviewer.pk for one in reviewers_of(request, now)),
        closed=review.closed_at is not None,
        justified=justified,
        finding=clean(finding),
        second_factor=step_ups.serves(actor, Purpose.DECIDE, request.pk, now=now),
    )


@service(Kind.EMERGENCY_REVIEWED)
def close_review(
    request_id: uuid.UUID,
    *,
    justified: bool | None,
    finding: str,
    end_now: bool = False,
    actor: Actor,
    clock: Clock,
) -> EmergencyReview:
    """Close the review of an emergency; with `end_now` the activation ends, too, if it still runs.

    Raises `Refused`, and `EmergencyReview.DoesNotExist` for a request that was no emergency.
    """
    request = lock_request(request_id, deciding={actor.user.pk} if actor.user else ())
    now = clock()
    review = EmergencyReview.objects.get(request=request)
    about = about_request(request, justification=clean(finding))
    if actor.user is None:
        raise Refused([Violation("nobody", _("Only a person can review an emergency."))], about=about)
    reviewer = User.objects.get(pk=actor.user.pk)
    facts = gather_closing(
        request, review, justified=justified, finding=finding, actor=actor, reviewer=reviewer, now=now
    )
    require(CLOSE, facts, about=about)

    step_ups.spend(actor, Purpose.DECIDE, request.pk, now=now)
    held = Authority(reviewer, now).by(Permission.ASSIGN, request.resource)
    ended = end_now and _end(request, actor=actor, now=now, held=held, finding=facts.finding)
    review.closed_by = reviewer
    _close(request, review, justified=bool(justified), facts=facts, ended=ended, actor=actor, now=now, held=held)
    return review


@service(Kind.EMERGENCY_REVIEWED)
def close_review_as_operator(
    request_id: uuid.UUID, *, justified: bool, finding: str, actor: Actor, clock: Clock
) -> EmergencyReview:
    """Close a review that nobody else can close, as whoever runs the server.

    Raises `Refused` while somebody could, now or after activating a role of theirs, and `EmergencyReview.DoesNotExist`.
    """
    request = lock_request(request_id)
    now = clock()
    review = EmergencyReview.objects.get(request=request)
    facts = CloseFacts(
        own=False,
        stood_in=False,
        may=True,
        closed=review.closed_at is not None,
        justified=justified,
        finding=clean(finding),
        others=[one.name for one in reviewers_of(request, now, may_become=True)],
    )
    require(CLOSE_AS_OPERATOR, facts, about=about_request(request, justification=facts.finding))

    review.operator = actor.label
    _close(request, review, justified=justified, facts=facts, ended=False, actor=actor, now=now, held=None)
    return review


def _end(request: Request, *, actor: Actor, now: datetime, held: Held | None, finding: str) -> bool:
    """End the activation, where nobody has before; False where there is nothing to end any more."""
    outcome = request.outcome
    if outcome is None or (outcome.over_at is not None and outcome.over_at <= now):
        return False
    row = Assignment.objects.select_related("principal", "role", "resource").get(pk=outcome.pk)
    by = held.assignment_id if held else None
    return end(row, EndReason.EMERGENCY_OVER, actor=actor, at=now, authority_id=by, reason=finding)


def _close(
    request: Request,
    review: EmergencyReview,
    *,
    justified: bool,
    facts: CloseFacts,
    ended: bool,
    actor: Actor,
    now: datetime,
    held: Held | None,
) -> None:
    late = review.is_overdue(now)
    review.closed_at, review.justified, review.finding = now, justified, facts.finding
    review.save()
    record(
        Kind.EMERGENCY_REVIEWED,
        actor=actor,
        at=now,
        target=request.principal,
        role=request.role,
        resource=request.resource,
        request_id=request.pk,
        authority_id=held.assignment_id if held else None,
        details={"justified": justified, "ended_now": ended, "late": late},
        justification=facts.finding,
    )
