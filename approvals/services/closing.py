"""Requests that end without a decision: cancelled by who asked or by an administrator, or lapsed by the clock."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction

from approvals.models import Action, Request, Status
from approvals.rules.closing import CANCEL, CANCEL_FOR, CancelFacts
from approvals.services.requests import about_request, close, lock_request
from audit.kinds import Kind
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Purpose
from roles.refusals import require
from roles.service import service
from roles.services import step_ups
from roles.sweeping import one_by_one
from roles.text import clean


@service(Kind.REQUEST_CANCELLED)
def cancel(request_id: uuid.UUID, *, actor: Actor, clock: Clock) -> Request:
    """Cancel one's own request while it waits. Raises `Refused`."""
    request = lock_request(request_id)
    now = clock()
    own = actor.id in (request.principal_id, request.requestor_id)
    require(CANCEL, CancelFacts(allowed=own, waits=_waits(request, now)), about=about_request(request))

    close(request, Status.CANCELLED, actor=actor, now=now)
    return request


@service(Kind.REQUEST_CANCELLED)
def cancel_for(request_id: uuid.UUID, *, reason: str, actor: Actor, clock: Clock) -> Request:
    """Cancel somebody's request as an administrator of its place, with a reason (pim-behaviour.md §3.3).

    Raises `Refused`.
    """
    request = lock_request(request_id)
    now = clock()
    held = Authority(actor.user, now).by(Permission.ASSIGN, request.resource) if actor.user else None
    facts = CancelFacts(
        allowed=held is not None,
        waits=_waits(request, now),
        reason=clean(reason),
        second_factor=step_ups.serves(actor, Purpose.DECIDE, request.pk, now=now),
    )
    require(CANCEL_FOR, facts, about=about_request(request, justification=facts.reason))

    step_ups.spend(actor, Purpose.DECIDE, request.pk, now=now)
    close(
        request,
        Status.CANCELLED,
        actor=actor,
        now=now,
        why="An administrator cancelled it.",
        justification=facts.reason,
        authority_id=held.assignment_id if held else None,
    )
    return request


def _waits(request: Request, now: datetime) -> bool:
    return Request.objects.waiting(now).filter(pk=request.pk).exists()


def cancel_requests_of(user_id: uuid.UUID, *, actor: Actor, now: datetime, why: str) -> int:
    """Cancel all that waits for a person who was disabled; inside the transaction that disables them.

    Returns how many there were. What nobody decided in time is written down as that: nobody cancelled it.
    """
    waiting = 0
    for request in Request.objects.pending().filter(principal=user_id).shown():
        if request.lapses_at <= now:
            lapse(request, now=now)
        else:
            close(request, Status.CANCELLED, actor=actor, now=now, why=why)
            waiting += 1
    return waiting


# Why a request reads as lapsed before its window is over: what it is about is not as it was.
_LOST = {
    Action.ACTIVATE: "The eligibility behind it ended.",
    Action.PROLONG: "The activation ended.",
    Action.EXTEND: "The assignment ended, or was changed otherwise.",
    Action.RENEW: "It was renewed otherwise, or cannot be renewed any more.",
}


def lapse(request: Request, *, now: datetime) -> None:
    """Write down that a request can no longer be decided; its principal is locked."""
    by_clock = request.lapses_at <= now
    why = "Nobody decided in time." if by_clock else _LOST.get(Action(request.action), "What it is about ended.")
    close(request, Status.LAPSED, actor=Actor.portal(), now=min(now, request.lapses_at), why=why)


def close_lapsed(*, now: datetime, **slot: Any) -> None:
    """Write down a request that lapsed in a slot, so that it can be asked anew; its principal is locked."""
    pending = list(Request.objects.pending().filter(**slot).order_by().values_list("pk", flat=True))
    for request in Request.objects.lapsed_unwritten(now).filter(pk__in=pending).shown() if pending else ():
        lapse(request, now=now)


def lapse_overdue(*, clock: Clock, limit: int = 500) -> int:
    """Write down the requests that lapsed, a small transaction each; return how many there were.

    One that cannot be written keeps no other waiting; see `one_by_one`.
    """
    due = list(
        Request.objects.lapsed_unwritten(clock()).order_by("lapses_at", "pk").values_list("pk", flat=True)[:limit]
    )

    def write(pk: uuid.UUID) -> bool:
        with transaction.atomic():
            request = lock_request(pk)
            now = clock()
            lapsed = Request.objects.lapsed_unwritten(now).filter(pk=pk).exists()
            if lapsed:
                lapse(request, now=now)
        return lapsed

    return one_by_one(due, write)
