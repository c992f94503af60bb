"""What every request has in common: how it is bound to what was asked, locked, put to its approvers and closed."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from approvals.models import Action, Request, RequestApprover, RequestStage, Status
from approvals.proposals import Proposal, proposal_of
from approvals.selectors.approvers import Panel
from approvals.selectors.requests import shown_request
from audit.kinds import Kind, Realm
from audit.recording import Ids
from roles.actors import Actor
from roles.models import Role, User
from roles.models.prepared import Prepared
from roles.refusals import About, Refused, Violation
from roles.rules.looser import loosened
from roles.selectors.settings import EffectiveSettings
from roles.service import record
from roles.services.changes import principals_of
from roles.services.gifts import Given, lock_given
from roles.services.locks import hold_tree, lock_principals
from roles.services.moves import concerned_by_move
from roles.services.settings_rows import details_of


def digest_of(request: Request) -> str:
    """Return the digest of exactly what was asked (hex SHA-256); a decision is bound to it."""
    form: list[object] = [
        str(request.action),
        str(request.principal_id),
        str(request.requestor_id),
        str(request.role_id),
        str(request.resource_id),
        str(request.assignment_id),
        request.wanted_start.isoformat() if request.wanted_start else None,
        request.wanted_duration.total_seconds() if request.wanted_duration is not None else None,
        request.reason,
        request.ticket,
    ]
    if request.is_renewal:
        form += [str(request.wanted_type), request.wanted_end.isoformat() if request.wanted_end else None]
    if request.ticket_check:
        form.append(["ticket_check", request.ticket_check])
    if request.break_glass:
        form.append("break_glass")
    if request.proposal is not None:
        form.append(["proposal", request.proposal])
    return hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()


def person_of(actor: Actor) -> User:
    """Return the person who asks; raises `Refused` for the portal itself and its operator."""
    if actor.user is None:
        raise Refused([Violation("nobody", _("Only a person can ask for a role."))])
    return actor.user


_ROW = Prepared(lambda pk: Request.objects.filter(pk=pk))


def lock_request(request_id: uuid.UUID, *, deciding: Iterable[uuid.UUID] = ()) -> Request:
    """Lock whom a request concerns and who is `deciding`, hold its tree, and return it as it is now."""
    row = _ROW.first(request_id)
    if row is None:
        raise Request.DoesNotExist(f"No request {request_id}.")
    touched = principals_of(row.assignment_id) if row.is_renewal and row.assignment_id else set()
    moved_to = proposal_of(row).target_id if row.action == Action.CHANGE_SETTINGS else None
    if moved_to is not None:
        touched |= concerned_by_move(row.resource_id, moved_to)[0]
    if moved_to is not None:
        # Who moves a place locks the roots themselves; to hold one before would let two of them wait for each other.
        lock_principals({row.principal_id, *touched, *deciding})
    elif row.action == Action.CHANGE_SETTINGS:
        lock_principals({row.principal_id, *touched, *deciding})
        hold_tree(row.resource_id)
        # Nobody changes the settings of this role meanwhile, here or above.
        Role.objects.select_for_update(no_key=True).get(pk=row.role_id)
    else:
        lock_given(Given(row.principal_id, row.role_id, row.resource_id), also={*touched, *deciding})
    return shown_request(request_id)


def about_request(request: Request, **text: str) -> About:
    """Say what an attempt on this request was about."""
    ids = Ids(target=request.principal_id, role=request.role_id, resource=request.resource_id, request=request.pk)
    names = {"target": request.principal.name, "role": request.role.name, "resource": request.resource.name}
    return About(ids=ids, realm=Realm(request.resource.realm), text=names | text)


def put(request: Request, panels: Iterable[Panel]) -> None:
    """Save a request that waits, with who is asked in each stage."""
    request.save(force_insert=True)
    for panel in panels:
        stage = RequestStage.objects.create(request=request, number=panel.number, quorum=panel.quorum)
        asked = [RequestApprover(stage=stage, principal=user) for user in panel.people]
        asked += [RequestApprover(stage=stage, principal=user, escalation=True) for user in panel.later]
        RequestApprover.objects.bulk_create(asked)


def record_made(request: Request, *, actor: Actor, now: datetime, settings: EffectiveSettings | None = None) -> None:
    """Record that something was asked; who asks does so by the assignment that it is about.

    `settings` are those that rule it now, where they have been read.
    """
    details: dict[str, object] = {"action": str(request.action), "digest": request.digest}
    if request.is_renewal:
        details["wanted_type"] = str(request.wanted_type)
        details["wanted_end"] = request.wanted_end.isoformat() if request.wanted_end else None
    elif request.action == Action.CHANGE_SETTINGS:
        details |= told_of(proposal_of(request))
    else:
        details["wanted_start"] = request.wanted_start.isoformat() if request.wanted_start else None
        details["wanted_seconds"] = int(request.time.total_seconds())
        if request.ticket_check:
            details["ticket_checked"] = True
    record(
        Kind.REQUEST_MADE,
        actor=actor,
        at=now,
        target=request.principal,
        role=request.role,
        resource=request.resource,
        request_id=request.pk,
        authority=request.assignment,
        details=details | {"settings": request.settings_digest},
        at_hand=_at_hand(request, settings),
        reason=request.reason,
        ticket=request.ticket,
    )


def told_of(proposal: Proposal) -> dict[str, object]:
    """Return what the history keeps of a proposal: what it would loosen, and old and new of the role it names."""
    details, _addresses = details_of(proposal.ruling.before, proposal.ruling.after)
    fields = [name for one in proposal.rulings for name in loosened(one.before, one.after)]
    return {"act": str(proposal.act), "loosens": list(dict.fromkeys(fields)), **details}


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
    instead_of: User | None = None,
    settings: EffectiveSettings | None = None,
) -> None:
    """End a pending request without an outcome and record it; its principal is locked.

    `instead_of` is the approver in whose place a deputy decided; `settings` are those that rule it now, where they
    have been read.
    """
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
        details={"action": str(request.action), "why": why} | said_instead_of(instead_of),
        justification=justification,
        instead=named_instead_of(instead_of),
        at_hand=_at_hand(request, settings),
        reason=request.reason,
        ticket=request.ticket,
    )


def _at_hand(request: Request, settings: EffectiveSettings | None) -> tuple[object, ...]:
    return (request, settings) if settings is not None else (request,)


def said_instead_of(approver: User | None) -> dict[str, object]:
    """Return what the details of an event say of the approver in whose place a deputy decided."""
    return {"instead_of": str(approver.pk)} if approver else {}


def named_instead_of(approver: User | None) -> str:
    """Return how that approver was called, for the text of the event; empty for none."""
    return approver.name if approver else ""


def grant_as(request: Request, *, now: datetime, **fields: object) -> None:
    """Write down that a request was granted."""
    request.status, request.decided_at = Status.GRANTED, now
    for name, value in fields.items():
        setattr(request, name, value)
    request.save()
