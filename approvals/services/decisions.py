"""Deciding: approve or deny, each in a transaction of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from approvals.models import TIMED, Action, Decision, Deputy, Request, RequestStage, Status, Verdict
from approvals.proposals import proposal_of
from approvals.rules.decisions import DECIDE, MAY_DECIDE, DecideFacts
from approvals.selectors.approvers import Panel, approvers_of
from approvals.selectors.deputies import approvers_behind
from approvals.selectors.requests import status_at
from approvals.selectors.settings_changes import (
    author_still_may,
    drifted,
    places_behind,
    preview_of_proposed_move,
    ruling,
)
from approvals.selectors.showing import shown_digest
from approvals.services.activations import grant, longest_allowed
from approvals.services.extensions import Terms, against_the_terms, grant_renewal, granted_by, terms_of
from approvals.services.prolonging import grant_prolonged
from approvals.services.requests import (
    about_request,
    close,
    digest_of,
    lock_request,
    named_instead_of,
    said_instead_of,
)
from approvals.services.settings_changes import make_agreed
from approvals.wording import what_changed
from audit.kinds import Kind
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.ids import DIRECTORY, PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import AssignmentType, Purpose, SecondFactor, User
from roles.refusals import Refused, Violation, broken
from roles.selectors.assignments import ends_for
from roles.selectors.duties.clashes import Clash, Gift, clashes_of
from roles.selectors.duties.holdings import earlier
from roles.selectors.settings import EffectiveSettings
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
    gives: AssignmentType | None = None,
    settings: EffectiveSettings | None = None,
) -> DecideFacts:
    """Gather the facts of a decision as they are now. `seen` is the digest of what the approver's page showed
    (`approvals.selectors.showing`), `settings` are those that rule it now, where a page has read them already."""
    changes_settings = request.action == Action.CHANGE_SETTINGS
    settings = settings or ruling(request)
    # Making somebody active straight away asks for what it asks when an administrator does it directly.
    own_code = gives == AssignmentType.ACTIVE and settings.second_factor_on_assign
    said = list(request.decisions.select_related("approver", "for_approver", "stage"))
    stages = list(request.stages.all())
    panel = approvers_of(request, now, settings, stages=stages, said=said)
    status = status_at(request, now)
    return DecideFacts(
        approver=approver,
        own=approver.pk in (request.principal_id, request.requestor_id),
        status=status,
        panel=panel,
        taken_by=_taken_by(request, said, panel, approver, now),
        decided_before=any(one.approver_id == approver.pk for one in said),
        verdict=verdict,
        justification=clean(justification),
        duration=duration,
        wanted=request.wanted_duration,
        now=now,
        timed=request.action in TIMED,
        drifted=what_changed(drifted(request)) if changes_settings else "",
        author_may=not changes_settings or author_still_may(request, now),
        runs_until=request.about.ends_at if request.action == Action.PROLONG else None,
        clashes=_clashes(request, settings, shortest_granted(request, said, duration), approver=approver, now=now)
        if verdict == Verdict.APPROVE and request.action in TIMED and status == Status.PENDING
        else (),
        as_seen=seen == shown_digest(request, settings, preview=preview_of_proposed_move(request, now))
        and request.digest == digest_of(request),
        second_factor=step_ups.serves(actor, Purpose.DECIDE, request.pk, now=now, own_code=own_code),
        stages_then=len(stages),
        stages=tuple(stages),
        said=tuple(said),
        settings=settings,
        reason=request.reason,
        ticket=request.ticket,
        ticket_check=request.ticket_check,
        factor_then=SecondFactor(request.second_factor),
    )


def _clashes(
    request: Request, settings: EffectiveSettings, granted: timedelta, *, approver: User, now: datetime
) -> tuple[Clash, ...]:
    """Return with what the role would clash if it were granted now, as the approver may see it.

    Extensions and renewals ask that of the terms that are granted; a change of settings gives nobody a role.
    """
    starts_at = max(request.wanted_start or now, now)
    longest = longest_allowed(request, settings, granted)
    ends_at = earlier(starts_at + longest, ends_for(request.behind, request.principal_id, now))
    gift = Gift(request.principal, request.role, request.resource, True, starts_at, ends_at)
    return clashes_of([gift], now, viewer=approver)


def shortest_granted(request: Request, said: Iterable[Decision], duration: timedelta | None) -> timedelta:
    """Return the shortest time that was asked or granted so far, by what was `said`, or is granted now."""
    granted = [one.granted_duration for one in said if one.granted_duration is not None]
    return min([*granted, request.time, duration or request.time])


def _taken_by(request: Request, said: Iterable[Decision], panel: Panel, approver: User, now: datetime) -> str:
    """Return who decided before this person in the same seat: their deputy, or the approver they stand in for."""
    if request.action not in TIMED or panel.seat_for(approver) is not None:
        return ""
    seats = {approver.pk, *approvers_behind(approver.pk, now)}
    taken = [one for one in said if one.seat_id in seats]
    return taken[0].approver.name if taken else ""


@service(Kind.REQUEST_APPROVED)
def approve(
    request_id: uuid.UUID,
    *,
    actor: Actor,
    justification: str,
    seen: str,
    duration: timedelta | None = None,
    terms: Terms | None = None,
    clock: Clock,
) -> Request:
    """Record an approval; the one that completes the last stage grants the request.

    `duration` may shorten a time that was asked for; `terms` set those of an extension or renewal anew. Raises
    `Refused`, and `Request.DoesNotExist` for an unknown id.
    """
    request, facts, now = _decide(request_id, Verdict.APPROVE, actor, justification, seen, duration, terms, clock)
    if request.is_renewal:
        granted = granted_by(request, facts.approver, actor=actor, now=now)
        grant_renewal(request, terms or terms_of(request), reason=facts.justification, granted=granted)
        return request
    if request.action == Action.CHANGE_SETTINGS:
        make_agreed(request, actor=actor, now=now)
        return request
    # Read under the lock, and the decision that was just made.
    if facts.agreed(request.stage_number) + 1 >= facts.panel.quorum:
        _advance(request, facts=facts, actor=actor, now=now)
    return request


@service(Kind.REQUEST_DENIED)
def deny(request_id: uuid.UUID, *, actor: Actor, justification: str, seen: str, clock: Clock) -> Request:
    """Record a denial; it ends the request. Raises `Refused`, and `Request.DoesNotExist` for an unknown id."""
    request, facts, now = _decide(request_id, Verdict.DENY, actor, justification, seen, None, None, clock)
    authority_id = _authority_id(request, facts, now)
    close(
        request,
        Status.DENIED,
        actor=actor,
        now=now,
        justification=facts.justification,
        authority_id=authority_id,
        instead_of=facts.instead_of,
        settings=facts.settings,
    )
    return request


def _decide(
    request_id: uuid.UUID,
    verdict: Verdict,
    actor: Actor,
    justification: str,
    seen: str,
    duration: timedelta | None,
    terms: Terms | None,
    clock: Clock,
) -> tuple[Request, DecideFacts, datetime]:
    # Who decides, and in whose place: neither is disabled, and no deputy is ended, while this is decided.
    standing_in = Deputy.objects.filter(deputy=actor.id, ended_at=None).values_list("approver", flat=True)
    deciding = {actor.user.pk, *standing_in} if actor.user else set()
    request = lock_request(request_id, deciding=deciding)
    now = clock()
    if actor.user is None:
        raise Refused([Violation("nobody", _("Only a person can decide."))], about=about_request(request))
    approver = User.objects.get(pk=actor.user.pk)
    gives = None
    if verdict == Verdict.APPROVE and request.is_renewal:
        terms = terms or terms_of(request)
        gives = terms.type
    facts = gather(
        request,
        verdict=verdict,
        justification=justification,
        duration=duration,
        seen=seen,
        actor=actor,
        approver=approver,
        now=now,
        gives=gives,
    )
    _require(request, facts, terms if gives else None, actor=actor, now=now)

    step_ups.spend(actor, Purpose.DECIDE, request.pk, now=now)
    stage = next((one for one in facts.stages if one.number == request.stage_number), None)
    granted = terms if gives and terms else None
    Decision.objects.create(
        request=request,
        stage=stage,
        approver=approver,
        for_approver=facts.instead_of,
        verdict=verdict,
        justification=facts.justification,
        granted_duration=duration,
        granted_type=granted.type if granted else "",
        granted_start=granted.starts_at if granted else None,
        granted_end=granted.ends_at if granted else None,
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
            details=_approved(request, stage, duration, granted) | said_instead_of(facts.instead_of),
            justification=facts.justification,
            instead=named_instead_of(facts.instead_of),
            at_hand=(request, facts.settings),
        )
    return request, facts, now


def _require(request: Request, facts: DecideFacts, terms: Terms | None, *, actor: Actor, now: datetime) -> None:
    """Refuse with everything that is against it: of deciding at all, and of what an extension or renewal would give."""
    violations = broken(DECIDE, facts)
    if terms is not None and not broken(MAY_DECIDE, facts):
        granted = granted_by(request, facts.approver, actor=actor, now=now)
        told = {one.code for one in violations}
        against = against_the_terms(request, terms, reason=facts.justification, granted=granted)
        violations += [one for one in against if one.code not in told]
    if violations:
        raise Refused(violations, about=about_request(request, justification=facts.justification))


def _approved(
    request: Request, stage: RequestStage | None, duration: timedelta | None, terms: Terms | None
) -> dict[str, object]:
    """Return what was approved, for the history."""
    said: dict[str, object] = {"action": str(request.action), "digest": request.digest}
    if stage is not None:
        said["stage"] = stage.number
        said["granted_seconds"] = int((duration or request.time).total_seconds())
    if terms is not None:
        said["type"] = str(terms.type)
        said["starts_at"] = terms.starts_at.isoformat() if terms.starts_at else None
        said["ends_at"] = terms.ends_at.isoformat() if terms.ends_at else None
    return said


def _advance(request: Request, *, facts: DecideFacts, actor: Actor, now: datetime) -> None:
    if any(one.number > request.stage_number for one in facts.stages):
        request.stage_number += 1
        request.save(update_fields=["stage_number"])
        return
    verb = grant_prolonged if request.action == Action.PROLONG else grant
    shortest = shortest_granted(request, facts.said, facts.duration)
    verb(request, actor=actor, now=now, settings=facts.settings, duration=shortest)


def _authority_id(request: Request, facts: DecideFacts, now: datetime) -> uuid.UUID | None:
    """Return the assignment by which somebody decides where the settings name nobody; who is named needs none."""
    if request.action not in TIMED:
        permission, places = Permission.DECIDE_RENEWALS, [request.resource]
        if request.action == Action.CHANGE_SETTINGS:
            permission, places = places_behind(request, proposal_of(request))
        held = Authority(facts.approver, now).by(permission, places[0])
        return held.assignment_id if held else None
    named = any(stage.approvers for stage in facts.settings.stages if stage.number == request.stage_number)
    for one in () if named else Authority(facts.instead_of or facts.approver, now).held:
        if one.role_id == PRIVILEGED_ROLE_ADMINISTRATOR and one.resource_id == DIRECTORY:
            return one.assignment_id
    return None
