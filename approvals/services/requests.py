"""Asking for a role: at once where the settings allow it, else as a request that waits."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from approvals.models import Action, Request, RequestApprover, RequestStage, Status
from approvals.rules import ACTIVATE, ActivateFacts
from approvals.selectors.approvers import proposed_panels
from audit.kinds import Kind, Realm
from audit.recording import Ids
from roles.actors import Actor, Clock
from roles.models import Assignment, Purpose, Resource, SecondFactor, User
from roles.refusals import About, Refused, Violation, require
from roles.selectors.assignments import ends_for
from roles.selectors.settings import EffectiveSettings, settings_behind
from roles.service import record, service
from roles.services import step_ups
from roles.services.assignments import is_retired, start_activation
from roles.services.locks import hold_tree, lock_principal
from roles.text import clean


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for. `start` None is at once; `resource` None is where the eligibility is."""

    duration: timedelta
    reason: str = ""
    ticket: str = ""
    start: datetime | None = None
    resource_id: uuid.UUID | None = None


def digest_of(request: Request) -> str:
    """Return the digest of exactly what was asked (hex SHA-256); a decision is bound to it."""
    form = [
        str(request.action),
        str(request.principal_id),
        str(request.requestor_id),
        str(request.role_id),
        str(request.resource_id),
        str(request.eligibility_id),
        request.wanted_start.isoformat() if request.wanted_start else None,
        request.wanted_duration.total_seconds(),
        request.reason,
        request.ticket,
    ]
    return hashlib.sha256(json.dumps(form).encode()).hexdigest()


def gather(
    user: User, eligibility_id: uuid.UUID, *, wanted: Wanted, actor: Actor, now: datetime
) -> tuple[ActivateFacts, Resource]:
    """Gather the facts of an activation as they are now; the page before it and the service ask the same."""
    eligibilities = Assignment.objects.eligible_for(user.pk, now).select_related("role", "resource", "principal")
    eligibility = eligibilities.filter(pk=eligibility_id).first()
    row = eligibility or Assignment.objects.select_related("role", "resource").get(pk=eligibility_id)
    resource = row.resource
    inside = True
    if wanted.resource_id is not None and wanted.resource_id != row.resource_id:
        chosen = Resource.objects.filter(pk=wanted.resource_id).first()
        inside = chosen is not None and row.resource.contains(chosen) and not is_retired(row.role, chosen)
        resource = chosen if chosen is not None and inside else row.resource
    settings = settings_behind(row)
    slot = Assignment.objects.open().filter(principal=user, activated_from=row, resource=resource, ends_at__gt=now)
    running = set(slot.values_list("pk", flat=True)) - set(slot.orphaned(now).values_list("pk", flat=True))
    waiting = Request.objects.waiting(now).filter(principal=user, eligibility=row, resource=resource)
    every_time = settings.second_factor == SecondFactor.EVERY_TIME
    second_factor = settings.second_factor == SecondFactor.NONE or step_ups.serves(
        actor, Purpose.ACTIVATE, row.pk, now=now, own_code=every_time
    )
    facts = ActivateFacts(
        eligibility=eligibility,
        settings=settings,
        now=now,
        start=wanted.start,
        duration=wanted.duration,
        reason=clean(wanted.reason),
        ticket=clean(wanted.ticket),
        panels=tuple(proposed_panels(settings, person=user, now=now)),
        second_factor=second_factor,
        inside=inside,
        already_active=bool(running),
        already_asked=waiting.exists(),
        ends_at=ends_for(eligibility, user.pk, now) if eligibility else None,
    )
    return facts, resource


@service(Kind.REQUEST_MADE)
def ask(eligibility_id: uuid.UUID, *, wanted: Wanted, actor: Actor, clock: Clock) -> Request:
    """Ask to activate a role that one is eligible for; without approval it is active at once.

    Always for oneself. Raises `Refused` with everything that the settings do not allow, and
    `Assignment.DoesNotExist` for an unknown eligibility.
    """
    user = _person(actor)
    lock_principal(user.pk)
    hold_tree(Assignment.objects.values_list("resource_id", flat=True).get(pk=eligibility_id))
    now = clock()
    facts, resource = gather(user, eligibility_id, wanted=wanted, actor=actor, now=now)
    require(ACTIVATE, facts, about=_about(user, eligibility_id, facts, resource))
    eligibility = facts.eligibility
    if eligibility is None:
        raise AssertionError("The rules let an activation pass that has no eligibility.")

    _close_lapsed(user, eligibility, resource, now)
    if facts.settings.second_factor != SecondFactor.NONE:
        step_ups.spend(actor, Purpose.ACTIVATE, eligibility.pk, now=now)
    request = Request(
        action=Action.ACTIVATE,
        principal=user,
        requestor=user,
        role=eligibility.role,
        resource=resource,
        eligibility=eligibility,
        made_at=now,
        # In UTC: the digest outlives the row's way through the database, and hours add up through a change of clocks.
        wanted_start=facts.start.astimezone(UTC) if facts.start and facts.start > now else None,
        wanted_duration=facts.duration,
        reason=facts.reason,
        ticket=facts.ticket,
        settings_digest=facts.settings.digest,
        settings_max=facts.settings.max_activation,
        second_factor=facts.settings.second_factor,
        lapses_at=now + facts.settings.approval_window,
    )
    request.digest = digest_of(request)
    if facts.panels:
        _wait(request, facts)
        _record_made(request, actor=actor, now=now)
        return request
    _record_made(request, actor=actor, now=now)
    grant(request, actor=actor, now=now, settings=facts.settings, duration=facts.duration)
    return request


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise Refused([Violation("nobody", _("Only a person can ask for a role."))])
    return actor.user


def _about(user: User, eligibility_id: uuid.UUID, facts: ActivateFacts, resource: Resource) -> About:
    row = facts.eligibility
    if row is None:
        # No name of the role or the place: it may be somebody else's.
        ids = Ids(target=user.pk, resource=resource.pk, assignment=eligibility_id)
        return About(ids=ids, realm=resource.realm, text={"target": user.name})
    ids = Ids(target=user.pk, role=row.role_id, resource=row.resource_id, assignment=row.pk)
    names = {"target": user.name, "role": row.role.name, "resource": row.resource.name}
    return About(ids=ids, realm=row.resource.realm, text=names | {"reason": facts.reason, "ticket": facts.ticket})


def _wait(request: Request, facts: ActivateFacts) -> None:
    request.save(force_insert=True)
    for panel in facts.panels:
        stage = RequestStage.objects.create(request=request, number=panel.number, quorum=panel.quorum)
        RequestApprover.objects.bulk_create(RequestApprover(stage=stage, principal=user) for user in panel.people)


def _record_made(request: Request, *, actor: Actor, now: datetime) -> None:
    record(
        Kind.REQUEST_MADE,
        actor=actor,
        at=now,
        target=request.principal,
        role=request.role,
        resource=request.resource,
        request_id=request.pk,
        authority=request.eligibility,
        details={
            "action": str(request.action),
            "wanted_start": request.wanted_start.isoformat() if request.wanted_start else None,
            "wanted_seconds": int(request.wanted_duration.total_seconds()),
            "digest": request.digest,
            "settings": request.settings_digest,
        },
        reason=request.reason,
        ticket=request.ticket,
    )


def grant(
    request: Request,
    *,
    actor: Actor,
    now: datetime,
    settings: EffectiveSettings,
    duration: timedelta,
) -> None:
    """Grant a request: its clock starts now, or at the later start that was asked for.

    The activation is never longer than was asked, granted, allowed then or allowed now, nor past the end of the
    eligibility. The principal is locked and the rules have been asked.
    """
    eligibility = request.eligibility
    starts_at = max(request.wanted_start or now, now)
    longest = min(duration, request.wanted_duration, request.settings_max, settings.max_activation)
    until = ends_for(eligibility, request.principal_id, now)
    ends_at = min(starts_at + longest, until) if until else starts_at + longest
    why = ""
    if ends_at <= starts_at:
        why = "The eligibility ends before the start that was asked for."
    elif not eligibility.resource.contains(request.resource) or is_retired(request.role, request.resource):
        why = "The resource is no longer one that the eligibility reaches."
    if why:
        close(request, Status.FAILED, actor=actor, now=now, why=why)
        return
    outcome = start_activation(
        eligibility,
        holder_id=request.principal_id,
        resource=request.resource,
        starts_at=starts_at,
        ends_at=ends_at,
        now=now,
        actor=actor,
        request_id=request.pk,
        reason=request.reason,
        ticket=request.ticket,
    )
    request.status, request.decided_at, request.outcome = Status.GRANTED, now, outcome
    request.save()


_KINDS = {
    Status.DENIED: Kind.REQUEST_DENIED,
    Status.CANCELLED: Kind.REQUEST_CANCELLED,
    Status.LAPSED: Kind.REQUEST_LAPSED,
    Status.FAILED: Kind.REQUEST_FAILED,
}


def close(
    request: Request,
    status: Status,
    *,
    actor: Actor,
    now: datetime,
    why: str = "",
    justification: str = "",
    authority_id: uuid.UUID | None = None,
) -> None:
    """End a pending request without an outcome and record it; its principal is locked."""
    request.status, request.status_reason, request.decided_at = status, why, now
    request.save(update_fields=["status", "status_reason", "decided_at"])
    record(
        _KINDS[status],
        actor=actor,
        at=now,
        target=request.principal,
        role=request.role,
        resource=request.resource,
        request_id=request.pk,
        authority_id=authority_id,
        details={"action": str(request.action), "why": why},
        justification=justification,
        reason=request.reason,
        ticket=request.ticket,
    )


def _close_lapsed(user: User, eligibility: Assignment, resource: Resource, now: datetime) -> None:
    """Write down a request that lapsed in this slot, so that it can be asked anew."""
    slot = Request.objects.lapsed_unwritten(now).filter(principal=user, eligibility=eligibility, resource=resource)
    for request in slot.shown():
        lapse(request, now=now)


def lapse(request: Request, *, now: datetime) -> None:
    """Write down that a request can no longer be decided; its principal is locked."""
    by_clock = request.lapses_at <= now
    why = "Nobody decided in time." if by_clock else "The eligibility behind it ended."
    close(request, Status.LAPSED, actor=Actor.portal(), now=min(now, request.lapses_at), why=why)


@service(Kind.REQUEST_CANCELLED)
def cancel(request_id: uuid.UUID, *, actor: Actor, clock: Clock) -> Request:
    """Cancel one's own request while it waits. Raises `Refused`."""
    request = lock_request(request_id)
    now = clock()
    violations = []
    if actor.id not in (request.principal_id, request.requestor_id):
        violations.append(Violation("not_allowed", _("Only the person who asked can cancel this request.")))
    if not Request.objects.waiting(now).filter(pk=request.pk).exists():
        violations.append(Violation("over", _("This request no longer waits; there is nothing to cancel.")))
    if violations:
        raise Refused(violations, about=about_request(request))
    close(request, Status.CANCELLED, actor=actor, now=now)
    return request


def cancel_requests_of(user_id: uuid.UUID, *, actor: Actor, now: datetime, why: str) -> int:
    """Cancel all that waits for a person who was disabled; inside the transaction that disables them."""
    waiting = list(Request.objects.pending().filter(principal=user_id).shown())
    for request in waiting:
        close(request, Status.CANCELLED, actor=actor, now=now, why=why)
    return len(waiting)


def lapse_overdue(*, clock: Clock, limit: int = 500) -> int:
    """Write down the requests that lapsed, a small transaction each; return how many there were."""
    due = list(
        Request.objects.lapsed_unwritten(clock()).order_by("lapses_at", "pk").values_list("pk", flat=True)[:limit]
    )
    written = 0
    for pk in due:
        with transaction.atomic():
            request = lock_request(pk)
            now = clock()
            if Request.objects.lapsed_unwritten(now).filter(pk=pk).exists():
                lapse(request, now=now)
                written += 1
    return written


def lock_request(request_id: uuid.UUID) -> Request:
    """Lock the principal that a request is about, hold its tree, and return the request as it is now."""
    principal_id, resource_id = Request.objects.values_list("principal_id", "resource_id").get(pk=request_id)
    lock_principal(principal_id)
    hold_tree(resource_id)
    return Request.objects.shown().select_related("eligibility__role", "eligibility__resource").get(pk=request_id)


def about_request(request: Request, **text: str) -> About:
    """Say what an attempt on this request was about."""
    ids = Ids(target=request.principal_id, role=request.role_id, resource=request.resource_id, request=request.pk)
    names = {"target": request.principal.name, "role": request.role.name, "resource": request.resource.name}
    return About(ids=ids, realm=Realm(request.resource.realm), text=names | text)
