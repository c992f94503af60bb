"""Groups, each with a resource node of its own."""

from __future__ import annotations

import uuid

from django.utils.translation import gettext as _

from audit.kinds import Kind
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Group, Purpose, ResourceKind
from roles.models.principals import search_key
from roles.refusals import About, Refused, Violation
from roles.service import record, service
from roles.services import step_ups
from roles.services.resources import plant
from roles.text import MAX_NAME, clean, is_visible


@service(Kind.GROUP_ADDED)
def add_group(name: str, *, description: str = "", actor: Actor, clock: Clock) -> Group:
    """Add a group, with a resource node of its own for its members and owners. Raises `Refused`."""
    now = clock()
    name = clean(name)
    held = Authority(actor.user, now).by(Permission.MANAGE_GROUPS) if actor.user else None
    violations = []
    if actor.user is not None and held is None:
        violations.append(Violation("not_allowed", _("You may not add groups.")))
    if actor.user is not None and not step_ups.serves(actor, Purpose.PEOPLE, actor.user.pk, now=now):
        violations.append(step_ups.needed())
    if not is_visible(name):
        violations.append(Violation("name_missing", _("Give the group a name."), "name"))
    if len(name) > MAX_NAME:
        violations.append(Violation("name_too_long", _("The name is too long."), "name"))
    if Group.objects.filter(name_key=search_key(name)).exists():
        violations.append(Violation("name_taken", _("Another group has this name."), "name"))
    if violations:
        raise Refused(violations, about=About(text={"target": name}))
    if actor.user is not None:
        step_ups.spend(actor, Purpose.PEOPLE, actor.user.pk, now=now)
    pk = uuid.uuid4()
    resource = plant(ResourceKind.GROUP, name=name, pk=pk)
    group = Group(id=uuid.uuid4(), name=name, description=clean(description), resource=resource, created_at=now)
    group.save(force_insert=True)
    record(
        Kind.GROUP_ADDED,
        actor=actor,
        at=now,
        target=group,
        resource=resource,
        authority_id=held.assignment_id if held else None,
    )
    return group
