"""Giving, activating and taking away roles."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from audit.kinds import Kind
from audit.recording import Ids
from roles.actors import Actor, Clock
from roles.authority import Authority, Held
from roles.catalogue import Permission
from roles.ids import DIRECTORY, PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import Assignment, AssignmentType, EndReason, Purpose, Resource, Role, RoleKind
from roles.refusals import About, require
from roles.rules.assignments import ASSIGN, DEACTIVATE, REMOVE, AssignFacts, EndFacts
from roles.selectors.duties.clashes import Gift, clashes_of
from roles.selectors.groups import roles_beyond
from roles.selectors.resources import is_retired_place
from roles.selectors.settings import EffectiveSettings, settings_of
from roles.service import record, service
from roles.services import step_ups
from roles.services.administrators import keep_an_administrator
from roles.services.ends import close_slot, end, end_activations
from roles.services.gifts import Given, lock_given
from roles.services.locks import lock_principal, lock_principals
from roles.text import clean


def about(assignment: Assignment) -> About:
    """Say what an attempt on this assignment was about."""
    ids = Ids(assignment.principal_id, assignment.role_id, assignment.resource_id, assignment=assignment.pk)
    names = {"target": assignment.principal.name, "role": assignment.role.name, "resource": assignment.resource.name}
    return About(ids=ids, realm=assignment.resource.realm, text=names)


def is_retired(role: Role, resource: Resource) -> bool:
    """Return whether a role, or a resource with its ancestors, is retired."""
    return role.retired_at is not None or is_retired_place(resource)


@service(Kind.ASSIGNMENT_ADDED)
def assign(
    principal_id: uuid.UUID,
    *,
    role: Role,
    resource: Resource,
    type: AssignmentType,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    reason: str = "",
    actor: Actor,
    clock: Clock,
) -> Assignment:
    """Give a principal a role at a resource; `starts_at` None is now, `ends_at` None is permanent.

    Raises `Refused` with everything that the settings and the actor's authority do not allow.
    """
    principal = lock_given(Given(principal_id, role.pk, resource.pk))[principal_id]
    resource = Resource.objects.get(pk=resource.pk)
    now = clock()
    role = Role.objects.select_related("home").get(pk=role.pk)
    starts = max(starts_at or now, now)
    slot = Q(principal=principal, role=role, resource=resource, type=type, activated_from=None)
    close_slot(slot, now=now)
    held, beyond = authority_over(actor, role, resource, now)
    settings = settings_of(role, resource)
    allowed = actor.user is None or held is not None
    gift = Gift(principal, role, resource, type == AssignmentType.ACTIVE, starts, ends_at)
    facts = AssignFacts(
        principal=principal,
        role=role,
        resource=resource,
        type=type,
        starts_at=starts_at or now,
        ends_at=ends_at,
        now=now,
        reason=clean(reason),
        settings=settings,
        allowed=allowed,
        second_factor=second_factor_given(actor, principal.pk, type, settings, now),
        already_there=Assignment.objects.open().filter(slot).exists(),
        retired=is_retired(role, resource),
        roles_beyond=beyond,
        clashes=clashes_of([gift], now, viewer=actor.user) if allowed else (),
    )
    names = {"target": principal.name, "role": role.name, "resource": resource.name, "reason": facts.reason}
    require(ASSIGN, facts, about=About(Ids(principal.pk, role.pk, resource.pk), resource.realm, names))

    if actor.user is not None:
        step_ups.spend(actor, Purpose.ASSIGN, principal.pk, now=now)
    assignment = Assignment.objects.create(
        principal=principal, role=role, resource=resource, type=type, starts_at=starts, ends_at=ends_at, created_at=now
    )
    record(
        Kind.ASSIGNMENT_ADDED,
        actor=actor,
        at=now,
        assignment=assignment,
        authority_id=held.assignment_id if held else None,
        details=plan(assignment),
        at_hand=(settings,),
        reason=facts.reason,
    )
    return assignment


def second_factor_given(
    actor: Actor, covered: uuid.UUID, type: AssignmentType, settings: EffectiveSettings, now: datetime
) -> bool:
    """Return whether a fresh second factor covers this; of its own where the settings ask for it with an active one."""
    own_code = settings.second_factor_on_assign and type == AssignmentType.ACTIVE
    return actor.user is None or step_ups.serves(actor, Purpose.ASSIGN, covered, now=now, own_code=own_code)


def authority_over(actor: Actor, role: Role, resource: Resource, now: datetime) -> tuple[Held | None, tuple[str, ...]]:
    """Return by what the actor may assign a role there, and the roles that a group carries beyond it."""
    if actor.user is None:
        return None, ()
    authority = Authority(actor.user, now)
    beyond = roles_beyond(resource, authority) if role.kind == RoleKind.GROUP else ()
    return authority.by(Permission.ASSIGN, resource), beyond


def plan(assignment: Assignment) -> dict[str, object]:
    """Return the type and the times of an assignment, for the history."""
    return {
        "type": str(assignment.type),
        "starts_at": assignment.starts_at.isoformat(),
        "ends_at": assignment.ends_at.isoformat() if assignment.ends_at else None,
    }


@service(Kind.ACTIVATION_DEACTIVATED)
def deactivate(assignment_id: uuid.UUID, *, actor: Actor, reason: str = "", clock: Clock) -> Assignment:
    """End one's own activation now. A scheduled one is called off the same way. Raises `Refused`."""
    principal_id = Assignment.objects.values_list("principal_id", flat=True).get(pk=assignment_id)
    lock_principal(principal_id)
    now = clock()
    assignment = Assignment.objects.select_related("principal", "role", "resource").get(pk=assignment_id)
    own = actor.id == assignment.principal_id and assignment.activated_from_id is not None
    require(DEACTIVATE, EndFacts(assignment, now, own, second_factor=True), about=about(assignment))

    end(assignment, EndReason.DEACTIVATED, actor=actor, at=now, authority_id=assignment.pk, reason=clean(reason))
    return assignment


@service(Kind.ASSIGNMENT_REMOVED)
def remove(
    assignment_id: uuid.UUID,
    *,
    actor: Actor,
    reason: str = "",
    authority_id: uuid.UUID | None = None,
    clock: Clock,
) -> Assignment:
    """Take an assignment away now; removing an eligibility ends the activations made from it. Raises `Refused`.

    Where the portal does what somebody ordered, `authority_id` is the assignment by which they did, for the history;
    the caller has established it.
    """
    row = Assignment.objects.get(pk=assignment_id)
    holders = Assignment.objects.open().filter(activated_from=row).values_list("principal_id", flat=True)
    lock_principals({row.principal_id, *holders})
    now = clock()
    assignment = Assignment.objects.select_related("principal", "role", "resource").get(pk=assignment_id)
    held, beyond = authority_over(actor, assignment.role, assignment.resource, now)
    facts = EndFacts(
        assignment=assignment,
        now=now,
        allowed=actor.user is None or held is not None,
        second_factor=actor.user is None or step_ups.serves(actor, Purpose.ASSIGN, assignment.pk, now=now),
        roles_beyond=beyond,
    )
    require(REMOVE, facts, about=about(assignment))

    if actor.user is not None:
        step_ups.spend(actor, Purpose.ASSIGN, assignment.pk, now=now)
    by = held.assignment_id if held else authority_id if actor.user is None else None
    end(assignment, EndReason.REMOVED, actor=actor, at=now, authority_id=by, reason=clean(reason))
    end_activations(assignment, actor=actor, at=now)
    if could_be_the_last_administrator(assignment):
        keep_an_administrator(now, about=about(assignment))
    return assignment


def could_be_the_last_administrator(assignment: Assignment) -> bool:
    """Whether taking this away touches who administers: the role itself, or membership of a group that holds it."""
    if assignment.role_id == PRIVILEGED_ROLE_ADMINISTRATOR:
        return bool(assignment.resource_id == DIRECTORY)
    holding = Assignment.objects.open().filter(
        principal__group__resource=OuterRef("pk"), role=PRIVILEGED_ROLE_ADMINISTRATOR, resource=DIRECTORY
    )
    return bool(Resource.objects.filter(Exists(holding), pk=assignment.resource_id).exists())
