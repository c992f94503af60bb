"""New resource roots, after the one of set-up.

A root hangs from nothing: no authority above it could be asked. Whoever owns one already, or has elevated their access,
may make another, and names its first Owner with it: there is no root that nobody owns.
"""

from __future__ import annotations

import uuid
from dataclasses import fields
from datetime import datetime

from audit.kinds import Kind, Realm
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.ids import OWNER
from roles.models import Assignment, AssignmentType, Principal, Resource, ResourceKind, Role
from roles.refusals import About, require
from roles.rules.elevation import ADD_ROOT, RootFacts
from roles.selectors.settings import settings_of
from roles.service import record, service
from roles.services.assignments import plan
from roles.services.locks import lock_principal
from roles.services.resources import adding, lock_root_above, plant, record_added, serves, spend


@service(Kind.RESOURCE_ADDED)
def add_root(*, name: str, owner_id: uuid.UUID, reason: str = "", actor: Actor, clock: Clock) -> Resource:
    """Make a resource root and its first Owner; its maker gets nothing by it. Raises `Refused`."""
    owner = lock_principal(owner_id)
    lock_root_above(None)
    now = clock()
    held = Authority(actor.user, now).roots_by if actor.user else None
    covered = actor.user.pk if actor.user else None
    known = adding(
        ResourceKind.ROOT,
        name=name,
        parent=None,
        type="",
        reason=reason,
        allowed=actor.user is None or held is not None,
        second_factor=serves(actor, covered, now),
    )
    facts = RootFacts(owner=owner, **{one.name: getattr(known, one.name) for one in fields(known)})
    require(ADD_ROOT, facts, about=About(realm=Realm.RESOURCE, text={"resource": facts.name[:200]}))

    spend(actor, covered, now)
    root = plant(ResourceKind.ROOT, name=facts.name)
    authority_id = held.assignment_id if held else None
    record_added(root, None, actor=actor, authority_id=authority_id, facts=facts, now=now)
    _give(owner, root, actor=actor, authority_id=authority_id, reason=facts.reason, now=now)
    return root


def _give(
    owner: Principal, root: Resource, *, actor: Actor, authority_id: uuid.UUID | None, reason: str, now: datetime
) -> None:
    """Make the first Owner, permanently where the settings of the role allow it."""
    role = Role.objects.get(pk=OWNER)
    settings = settings_of(role, root)
    assignment = Assignment.objects.create(
        principal=owner,
        role=role,
        resource=root,
        type=AssignmentType.ACTIVE,
        starts_at=now,
        ends_at=None if settings.permanent_active_allowed else now + settings.expire_active_after,
        created_at=now,
    )
    record(
        Kind.ASSIGNMENT_ADDED,
        actor=actor,
        at=now,
        assignment=assignment,
        authority_id=authority_id,
        details=plan(assignment),
        reason=reason,
    )
