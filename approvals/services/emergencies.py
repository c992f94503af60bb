"""Activating in an emergency: at once, without waiting for approval, loudly, and reviewed by somebody else."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.utils.translation import gettext_noop

from approvals.models import Action, EmergencyReview, Request, RequestApprover, RequestStage, Status
from approvals.rules.emergencies import BREAK_GLASS
from approvals.selectors.approvers import Panel, proposed_panels
from approvals.services.activations import Wanted, about_asking, draft, gather, grant
from approvals.services.closing import close_lapsed
from approvals.services.requests import close, person_of, record_made
from audit.kinds import Kind
from roles.actors import Actor, Clock
from roles.models import Assignment, Purpose
from roles.refusals import require
from roles.selectors.settings import settings_behind
from roles.service import record, service
from roles.services import step_ups
from roles.services.gifts import Given, lock_given

INSTEAD = gettext_noop("It was activated in an emergency instead.")


@service(Kind.EMERGENCY_STARTED)
def break_glass(eligibility_id: uuid.UUID, *, wanted: Wanted, actor: Actor, clock: Clock) -> Request:
    """Activate a role that needs approval without waiting for it, where its settings allow that.

    Always for oneself and at once. What waits of the same person for the same eligibility is cancelled. Raises
    `Refused`, and `Assignment.DoesNotExist` for an unknown eligibility.
    """
    user = person_of(actor)
    lock_given(replace(Given.by(eligibility_id), principal_id=user.pk))
    now = clock()
    facts, resource = gather(user, eligibility_id, wanted=wanted, actor=actor, now=now, emergency=True)
    require(BREAK_GLASS, facts, about=about_asking(user, eligibility_id, facts, resource))
    eligibility = facts.eligibility
    if eligibility is None:
        raise AssertionError("The rules let an activation pass that has no eligibility.")

    step_ups.spend(actor, Purpose.BREAK_GLASS, eligibility.pk, now=now)
    close_lapsed(now=now, action=Action.ACTIVATE, principal=user, assignment=eligibility)
    _cancel_what_waits(eligibility, user_id=user.pk, actor=actor, now=now)
    settings = settings_behind(eligibility)
    panels = proposed_panels(settings, person=user, now=now)
    request = draft(user, eligibility, resource, facts, emergency_under=settings)
    record_made(request, actor=actor, now=now, settings=facts.settings)
    grant(request, actor=actor, now=now, settings=facts.settings, duration=facts.duration)
    if request.outcome is None:
        raise AssertionError("The rules let an emergency pass that could not be granted.")
    _keep_who_would_have_approved(request, panels)
    review = EmergencyReview.objects.create(request=request, due_at=now + settings.break_glass_review_within)
    record(
        Kind.EMERGENCY_STARTED,
        actor=actor,
        at=now,
        assignment=request.outcome,
        request_id=request.pk,
        authority=eligibility,
        details={
            "starts_at": request.outcome.starts_at.isoformat(),
            "ends_at": request.outcome.ends_at.isoformat() if request.outcome.ends_at else None,
            "review_due_at": review.due_at.isoformat(),
        },
        reason=request.reason,
        ticket=request.ticket,
    )
    return request


def _cancel_what_waits(eligibility: Assignment, *, user_id: uuid.UUID, actor: Actor, now: datetime) -> None:
    """Cancel the requests that wait: granted later, they would let the role go on unasked."""
    waiting = Request.objects.pending().filter(action=Action.ACTIVATE, principal=user_id, assignment=eligibility)
    for request in waiting.shown().order_by("made_at", "pk"):
        close(request, Status.CANCELLED, actor=actor, now=now, why=INSTEAD)


def _keep_who_would_have_approved(request: Request, panels: Iterable[Panel]) -> None:
    """Keep the stages that were skipped: they say who may review. Only now, so that nobody is asked to decide."""
    for panel in panels:
        stage = RequestStage.objects.create(request=request, number=panel.number, quorum=panel.quorum)
        RequestApprover.objects.bulk_create(RequestApprover(stage=stage, principal=one) for one in panel.people)
