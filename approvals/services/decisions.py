"""Deciding: approve or deny, each in a transaction of its own."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from approvals.models import Decision, Request, Status, Verdict
from approvals.rules import DECIDE, DecideFacts
from approvals.selectors.approvers import approvers_of
from approvals.selectors.requests import status_at
from approvals.services.requests import about_request, close, digest_of, grant, lock_request
from audit.kinds import Kind
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.ids import DIRECTORY, PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import Purpose, SecondFactor, User
from roles.refusals import Refused, Violation, require
from roles.selectors.settings import settings_behind
from roles.service import record, service
from roles.services import step_ups
from roles.text import clean


def gather(
    request: Request,
    *,
    verdict: Verdict,
    justification: str,
    duration: timedelta | None,
    seen: str,
    actor: Actor,
    approver: User,
    now: datetime,
) -> DecideFacts:
    """Gather the facts of a decision as they are now. `seen` is the digest of what the approver's page showed."""
    return DecideFacts(
        approver=approver,
        own=approver.pk in (request.principal_id, request.requestor_id),
        status=status_at(request, now),
        panel=approvers_of(request, now),
        decided_before=request.decisions.filter(approver=approver).exists(),
        verdict=verdict,
        justification=clean(justification),
        duration=duration,
        wanted=request.wanted_duration,
        as_seen=seen == request.digest == digest_of(request),
        second_factor=step_ups.serves(actor, Purpose.DECIDE, request.pk, now=now),
        stages_then=request.stages.count(),
        settings=settings_behind(request.eligibility),
        reason=request.reason,
        ticket=request.ticket,
        factor_then=SecondFactor(request.second_factor),
    )


@service(Kind.REQUEST_APPROVED)
def approve(
    request_id: uuid.UUID,
    *,
    actor: Actor,
    justification: str,
    seen: str,
    duration: timedelta | None = None,
    clock: Clock,
) -> Request:
    """Record an approval; the one that completes the last stage grants the request.

    `duration` may shorten what was asked. Raises `Refused`, and `Request.DoesNotExist` for an unknown id.
    """
    request, facts, now = _decide(request_id, Verdict.APPROVE, actor, justification, seen, duration, clock)
    agreed = request.decisions.filter(stage__number=request.stage_number, verdict=Verdict.APPROVE).count()
    if agreed >= facts.panel.quorum:
        _advance(request, facts=facts, actor=actor, now=now)
    return request


@service(Kind.REQUEST_DENIED)
def deny(request_id: uuid.UUID, *, actor: Actor, justification: str, seen: str, clock: Clock) -> Request:
    """Record a denial; it ends the request. Raises `Refused`, and `Request.DoesNotExist` for an unknown id."""
    request, facts, now = _decide(request_id, Verdict.DENY, actor, justification, seen, None, clock)
    authority_id = _authority_id(request, facts, now)
    close(request, Status.DENIED, actor=actor, now=now, justification=facts.justification, authority_id=authority_id)
    return request


def _decide(
    request_id: uuid.UUID,
    verdict: Verdict,
    actor: Actor,
    justification: str,
    seen: str,
    duration: timedelta | None,
    clock: Clock,
) -> tuple[Request, DecideFacts, datetime]:
    request = lock_request(request_id)
    now = clock()
    if actor.user is None:
        raise Refused([Violation("nobody", _("Only a person can decide."))], about=about_request(request))
    approver = User.objects.get(pk=actor.user.pk)
    facts = gather(
        request,
        verdict=verdict,
        justification=justification,
        duration=duration,
        seen=seen,
        actor=actor,
        approver=approver,
        now=now,
    )
    require(DECIDE, facts, about=about_request(request, justification=facts.justification))

    step_ups.spend(actor, Purpose.DECIDE, request.pk, now=now)
    stage = request.stages.get(number=request.stage_number)
    Decision.objects.create(
        request=request,
        stage=stage,
        approver=approver,
        verdict=verdict,
        justification=facts.justification,
        granted_duration=duration,
        decided_at=now,
    )
    if verdict == Verdict.APPROVE:
        record(
            Kind.REQUEST_APPROVED,
            actor=actor,
            at=now,
            target=request.principal,
            role=request.role,
            resource=request.resource,
            request_id=request.pk,
            authority_id=_authority_id(request, facts, now),
            details={
                "stage": stage.number,
                "granted_seconds": int((duration or request.wanted_duration).total_seconds()),
                "digest": request.digest,
            },
            justification=facts.justification,
        )
    return request, facts, now


def _advance(request: Request, *, facts: DecideFacts, actor: Actor, now: datetime) -> None:
    if request.stages.filter(number__gt=request.stage_number).exists():
        request.stage_number += 1
        request.save(update_fields=["stage_number"])
        return
    granted = [one.granted_duration for one in request.decisions.all() if one.granted_duration is not None]
    shortest = min([*granted, request.wanted_duration])
    grant(request, actor=actor, now=now, settings=facts.settings, duration=shortest)


def _authority_id(request: Request, facts: DecideFacts, now: datetime) -> uuid.UUID | None:
    """Return the assignment by which somebody decides where the settings name nobody; who is named needs none."""
    named = any(stage.approvers for stage in facts.settings.stages if stage.number == request.stage_number)
    for one in () if named else Authority(facts.approver, now).held:
        if one.role_id == PRIVILEGED_ROLE_ADMINISTRATOR and one.resource_id == DIRECTORY:
            return one.assignment_id
    return None
