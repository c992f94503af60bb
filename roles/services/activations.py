"""Making activations and letting them last longer: the part of granting that belongs to roles.

Called by approvals only, inside its transaction: the holder is locked and the rules have been asked.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from audit.kinds import Kind
from roles.actors import Actor
from roles.models import Assignment, AssignmentType, Principal, Resource
from roles.service import record
from roles.services.assignments import plan
from roles.services.ends import close_slot


def start_activation(
    eligibility: Assignment,
    *,
    holder: Principal,
    resource: Resource,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
    actor: Actor,
    request_id: uuid.UUID,
    reason: str,
    ticket: str,
    break_glass: bool = False,
    at_hand: Iterable[object] = (),
) -> Assignment:
    """Make the activation that was asked for and granted; with `break_glass` in an emergency, without waiting.

    `at_hand` is what was just read of it: see `roles.service.record`.
    """
    close_slot(Q(principal=holder, activated_from=eligibility, resource=resource), now=now)
    activation = Assignment.objects.create(
        principal=holder,
        role=eligibility.role,
        resource=resource,
        type=AssignmentType.ACTIVE,
        starts_at=starts_at,
        ends_at=ends_at,
        activated_from=eligibility,
        break_glass=break_glass,
        created_at=now,
    )
    record(
        Kind.ACTIVATION_STARTED,
        actor=actor,
        at=now,
        assignment=activation,
        request_id=request_id,
        authority_id=eligibility.pk,
        details=plan(activation) | ({"break_glass": True} if break_glass else {}),
        at_hand=at_hand,
        reason=reason,
        ticket=ticket,
    )
    return activation


def prolong_activation(
    activation: Assignment,
    *,
    ends_at: datetime,
    now: datetime,
    actor: Actor,
    request_id: uuid.UUID,
    reason: str,
    ticket: str,
    at_hand: Iterable[object] = (),
) -> None:
    """Move the end of a running activation to a later moment; the same row goes on, without a gap."""
    old = plan(activation)
    activation.ends_at = ends_at
    activation.save(update_fields=["ends_at"])
    record(
        Kind.ACTIVATION_PROLONGED,
        actor=actor,
        at=now,
        assignment=activation,
        request_id=request_id,
        authority_id=activation.activated_from_id,
        details=plan(activation) | {"old_ends_at": old["ends_at"]},
        at_hand=at_hand,
        reason=reason,
        ticket=ticket,
    )
