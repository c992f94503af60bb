"""What people asked for, and what became of it: decided, called off, given back, over."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from approvals.models import Request
from approvals.selectors.showing import shown_digest
from approvals.services import decisions
from approvals.services.activations import Wanted, ask
from approvals.services.closing import cancel
from approvals.services.emergencies import break_glass
from pim_portal.demo.sample import SampleDecision, SampleRequest
from pim_portal.demo.timeline import MINUTE, Act, at
from roles.actors import Actor
from roles.models import Assignment, Purpose
from roles.services.assignments import deactivate

if TYPE_CHECKING:
    from pim_portal.demo.loader import Loader


def asking(loader: Loader, row: SampleRequest) -> Act:
    """Return the act of asking for a role, after which what became of it stands on the timeline."""

    def ask_for(now: datetime) -> None:
        user, place = loader.users[row.who], loader.places[row.at]
        eligibility = _eligibility(loader, row, now)
        start = now + timedelta(hours=row.wanted_start_hours) if row.wanted_start_hours else None
        verb, purpose = (break_glass, Purpose.BREAK_GLASS) if row.emergency else (ask, Purpose.ACTIVATE)
        request = verb(
            eligibility.pk,
            wanted=Wanted(
                duration=row.minutes * MINUTE,
                reason=row.reason,
                ticket=row.ticket,
                start=start,
                resource_id=place.pk,
            ),
            actor=loader.acting(user.username, purpose, eligibility.pk, now),
            clock=at(now),
        )
        _follow(loader, row, request)

    return ask_for


def _follow(loader: Loader, row: SampleRequest, request: Request) -> None:
    """Put on the timeline what became of a request."""
    loader.sweep_at(request.lapses_at)
    _end(loader, row, request)
    for decision in row.decisions:
        loader.timeline.put(
            request.made_at + decision.after_minutes * MINUTE, _deciding(loader, row, request.pk, decision)
        )
    if row.outcome == "cancelled":
        loader.timeline.put(request.made_at + row.closed_after_minutes * MINUTE, _cancelling(loader, row, request.pk))


def _deciding(loader: Loader, row: SampleRequest, request_id: uuid.UUID, decision: SampleDecision) -> Act:
    def decide(now: datetime) -> None:
        actor = loader.acting(decision.by, Purpose.DECIDE, request_id, now)
        seen = shown_digest(Request.objects.shown().get(pk=request_id))
        service = {"approve": decisions.approve, "deny": decisions.deny}[decision.verdict]
        request = service(request_id, actor=actor, justification=decision.justification, seen=seen, clock=at(now))
        _end(loader, row, request)

    return decide


def _end(loader: Loader, row: SampleRequest, request: Request) -> None:
    """Put the end of a granted role on the timeline, by its holder or by the clock."""
    outcome = request.outcome
    if outcome is None:
        return
    loader.sweep_at(outcome.ends_at)
    if row.deactivated_after_minutes is not None:
        loader.timeline.put(
            outcome.starts_at + row.deactivated_after_minutes * MINUTE, _deactivating(loader, row, outcome.pk)
        )


def _cancelling(loader: Loader, row: SampleRequest, request_id: uuid.UUID) -> Act:
    def call_off(now: datetime) -> None:
        cancel(request_id, actor=Actor(user=loader.users[row.who]), clock=at(now))

    return call_off


def _deactivating(loader: Loader, row: SampleRequest, assignment_id: uuid.UUID) -> Act:
    def give_back(now: datetime) -> None:
        deactivate(assignment_id, actor=Actor(user=loader.users[row.who]), clock=at(now))

    return give_back


def _eligibility(loader: Loader, row: SampleRequest, now: datetime) -> Assignment:
    place = loader.places[row.at]
    eligible = Assignment.objects.eligible_for(loader.users[row.who].pk, now)
    mine = eligible.filter(role=loader.role(row.role, place)).select_related("resource")
    fitting = [one for one in mine if one.resource.contains(place)]
    return next((one for one in fitting if one.resource_id == place.pk), fitting[0])
