"""Growing the scope forest: the one service that writes tree columns, under the root's lock."""

from __future__ import annotations

import uuid

from django.utils.translation import gettext as _

from audit.kinds import Kind
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.ids import DIRECTORY
from roles.models import Purpose, Resource, ResourceKind
from roles.models.resources import CHILDREN
from roles.refusals import About, Refused, Violation
from roles.service import record, service
from roles.services import step_ups
from roles.text import MAX_NAME, clean


def scope_path_of(kind: ResourceKind, *, name: str, type: str, pk: uuid.UUID, parent: Resource | None) -> str:
    """Return the path that names a new node, in the style of ARM."""
    above = parent.scope_path.rstrip("/") if parent else ""
    if kind in (ResourceKind.ROOT, ResourceKind.MANAGEMENT_GROUP):
        # A management group's path does not show where it stands, so that moving it changes no path below.
        return f"/providers/Microsoft.Management/managementGroups/{pk}"
    shapes = {
        ResourceKind.DIRECTORY: "/",
        ResourceKind.ADMINISTRATIVE_UNIT: f"/administrativeUnits/{pk}",
        ResourceKind.SUBSCRIPTION: f"/subscriptions/{pk}",
        ResourceKind.RESOURCE_GROUP: f"{above}/resourceGroups/{name}",
        ResourceKind.RESOURCE: f"{above}/providers/{type}/{name}",
        ResourceKind.GROUP: f"/groups/{pk}",
    }
    return shapes[kind]


def plant(
    kind: ResourceKind, *, name: str, parent: Resource | None = None, type: str = "", pk: uuid.UUID | None = None
) -> Resource:
    """Put a new node into the forest; the caller has asked the rules. Must run in a transaction."""
    pk = pk or uuid.uuid4()
    # Siblings' paths are numbered, so two new nodes below one parent must wait for each other.
    lock = Resource.objects.select_for_update(no_key=True)
    if parent is None:
        lock.filter(pk=DIRECTORY).first()
    else:
        root = parent.path[: Resource.steplen]
        lock.get(path=root)
        parent = Resource.objects.get(pk=parent.pk)
    node = Resource(
        id=pk,
        kind=kind,
        name=name,
        type=type,
        scope_path=scope_path_of(kind, name=name, type=type, pk=pk, parent=parent),
    )
    if parent is None:
        Resource.objects.add_root(instance=node)
    else:
        Resource.objects.add_child(parent, instance=node)
    planted: Resource = Resource.objects.get(pk=pk)
    return planted


@service(Kind.RESOURCE_ADDED)
def add_resource(
    kind: ResourceKind, *, name: str, parent: Resource | None, type: str = "", actor: Actor, clock: Clock
) -> Resource:
    """Add a node below `parent`, or a new resource root (parent None). Raises `Refused`."""
    now = clock()
    name = clean(name)
    held = None
    violations = []
    if actor.user is not None:
        held = Authority(actor.user, now).by(Permission.DEFINE, parent) if parent else None
        if held is None:
            violations.append(Violation("not_allowed", _("You may not add a resource here.")))
        if not step_ups.serves(actor, Purpose.ASSIGN, actor.user.pk, now=now):
            violations.append(step_ups.needed())
    allowed = CHILDREN[ResourceKind(parent.kind)] if parent else {ResourceKind.ROOT}
    if kind not in allowed:
        violations.append(Violation("wrong_place", _("A resource of this kind cannot stand here."), "kind"))
    if not name:
        violations.append(Violation("name_missing", _("Give the resource a name."), "name"))
    if len(name) > MAX_NAME:
        violations.append(Violation("name_too_long", _("The name is too long."), "name"))
    if violations:
        raise Refused(violations, about=About(realm=kind.realm, text={"resource": name}))
    if actor.user is not None:
        step_ups.spend(actor, Purpose.ASSIGN, actor.user.pk, now=now)
    resource = plant(kind, name=name, parent=parent, type=type)
    record(
        Kind.RESOURCE_ADDED,
        actor=actor,
        at=now,
        resource=resource,
        authority_id=held.assignment_id if held else None,
        details={"kind": str(kind), "parent": str(parent.pk) if parent else None},
    )
    return resource
