"""Growing the scope forest and naming its nodes: with `moves` the one place that writes tree columns and scope paths.

Both happen under the lock of the root.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db.models import F, Max, Value
from django.db.models.functions import Concat, Length, Substr

from audit.kinds import Kind
from audit.recording import Ids
from roles.actors import Actor, Clock
from roles.authority import Authority, Held
from roles.catalogue import Permission
from roles.ids import DIRECTORY
from roles.models import Purpose, Resource, ResourceKind
from roles.refusals import About, require
from roles.rules.resources import ADD, NAMED_BY_PATH, RENAME, AddFacts, NameFacts
from roles.selectors.resources import is_retired_place, name_is_taken, parent_of
from roles.service import record, service
from roles.services import step_ups
from roles.services.locks import lock_trees, root_of
from roles.text import clean


def scope_path_of(kind: ResourceKind, *, name: str, type: str, pk: uuid.UUID, parent: Resource | None) -> str:
    """Return the path that names a node, in the style of ARM."""
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


def lock_root_above(parent: Resource | None) -> Resource | None:
    """Serialise what grows below one root, and return the parent as it is now; new roots wait for each other.

    Siblings' paths are numbered, so two new nodes below one parent must wait for each other.
    """
    lock = Resource.objects.select_for_update(no_key=True)
    if parent is None:
        lock.filter(pk=DIRECTORY).first()
        return None
    while True:
        lock.get(path=root_of(parent))
        found: Resource = Resource.objects.get(pk=parent.pk)
        if root_of(found) == root_of(parent):
            return found
        parent = found  # it was moved to another tree while this waited


def plant(
    kind: ResourceKind, *, name: str, parent: Resource | None = None, type: str = "", pk: uuid.UUID | None = None
) -> Resource:
    """Put a new node into the forest; the caller has asked the rules. Must run in a transaction."""
    pk = pk or uuid.uuid4()
    parent = lock_root_above(parent)
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
    kind: ResourceKind,
    *,
    name: str,
    parent: Resource | None,
    type: str = "",
    reason: str = "",
    pk: uuid.UUID | None = None,
    actor: Actor,
    clock: Clock,
) -> Resource:
    """Add a node below `parent`; a new resource root (parent None) only as the operator, see `roots`.

    `pk` keeps an id from elsewhere. Raises `Refused`.
    """
    parent = lock_root_above(parent)
    now = clock()
    held = define_by(actor, parent, now)
    covered = actor.user.pk if actor.user else None
    facts = adding(
        kind,
        name=name,
        parent=parent,
        type=type,
        reason=reason,
        allowed=actor.user is None or held is not None,
        second_factor=serves(actor, covered, now),
    )
    about = About(Ids(resource=parent.pk if parent else None), kind.realm, {"resource": facts.name[:200]})
    require(ADD, facts, about=about)

    spend(actor, covered, now)
    resource = plant(kind, name=facts.name, parent=parent, type=facts.type, pk=pk)
    record_added(resource, parent, actor=actor, authority_id=held.assignment_id if held else None, facts=facts, now=now)
    return resource


def adding(
    kind: ResourceKind,
    *,
    name: str,
    parent: Resource | None,
    type: str,
    reason: str,
    allowed: bool,
    second_factor: bool,
) -> AddFacts:
    """Gather what is known about a new node."""
    name, type = clean(name), clean(type)
    path = scope_path_of(kind, name=name, type=type, pk=uuid.UUID(int=0), parent=parent)
    return AddFacts(
        place=None,
        kind=kind,
        allowed=allowed,
        second_factor=second_factor,
        reason=clean(reason),
        name=name,
        longest_path=len(path),
        taken=name_is_taken(name, kind=kind, type=type, parent=parent),
        parent=parent,
        type=type,
        retired=parent is not None and is_retired_place(parent),
    )


def record_added(
    resource: Resource,
    parent: Resource | None,
    *,
    actor: Actor,
    authority_id: uuid.UUID | None,
    facts: AddFacts,
    now: datetime,
) -> None:
    """Write a new node into the history."""
    record(
        Kind.RESOURCE_ADDED,
        actor=actor,
        at=now,
        resource=resource,
        authority_id=authority_id,
        details={"kind": str(facts.kind), "parent": str(parent.pk) if parent else None},
        reason=facts.reason,
    )


@service(Kind.RESOURCE_RENAMED)
def rename_resource(resource_id: uuid.UUID, *, name: str, reason: str = "", actor: Actor, clock: Clock) -> Resource:
    """Give a place another name; the scope paths that contain it are rewritten here and below. Raises `Refused`."""
    lock_trees(lambda: (set(), {root_of(Resource.objects.get(pk=resource_id))}))
    now = clock()
    place: Resource = Resource.objects.get(pk=resource_id)
    kind, parent, name = ResourceKind(place.kind), parent_of(place), clean(name)
    held = define_by(actor, place, now)
    path = scope_path_of(kind, name=name, type=place.type, pk=place.pk, parent=parent)
    facts = NameFacts(
        place=place,
        kind=kind,
        allowed=actor.user is None or held is not None,
        second_factor=serves(actor, place.pk, now),
        reason=clean(reason),
        name=name,
        longest_path=longest_path(place, path),
        taken=name_is_taken(name, kind=kind, type=place.type, parent=parent, but=place.pk),
    )
    require(RENAME, facts, about=about_place(place))

    spend(actor, place.pk, now)
    details = {"old": {"name": place.name, "scope": place.scope_path}, "new": {"name": name, "scope": path}}
    place.name = name
    place.save(update_fields=["name", "name_key"])
    rewrite_scope_paths(place, path)
    authority_id = held.assignment_id if held else None
    record_place(
        Kind.RESOURCE_RENAMED, place, actor=actor, by=authority_id, now=now, details=details, reason=facts.reason
    )
    place.refresh_from_db()
    return place


def longest_path(place: Resource, path: str) -> int:
    """Return the length of the longest scope path at a place and below, if the place's own became `path`."""
    rows = Resource.objects.filter(path__startswith=place.path, scope_path__startswith=place.scope_path)
    longest = rows.aggregate(longest=Max(Length("scope_path")))["longest"] or 0
    return int(longest) - len(place.scope_path) + len(path)


def rewrite_scope_paths(place: Resource, path: str) -> None:
    """Give a place and all below whose scope path begins with the place's own the path that follows from `path`."""
    old = place.scope_path
    if ResourceKind(place.kind) not in NAMED_BY_PATH or old == path:
        return
    rest = Substr(F("scope_path"), len(old) + 1)
    Resource.objects.filter(path__startswith=place.path).update(scope_path=Concat(Value(path), rest))


def define_by(actor: Actor, place: Resource | None, now: datetime) -> Held | None:
    """Return by what a person may change the tree, or define roles, at a place, or None."""
    if actor.user is None or place is None:
        return None
    return Authority(actor.user, now).by(Permission.DEFINE, place)


def serves(actor: Actor, covered: uuid.UUID | None, now: datetime) -> bool:
    """Return whether a fresh second factor covers the change of a place or role; an operator has the shell."""
    return actor.user is None or covered is None or step_ups.serves(actor, Purpose.ASSIGN, covered, now=now)


def spend(actor: Actor, covered: uuid.UUID | None, now: datetime) -> None:
    """Spend the step-up on this change of a place or role."""
    if actor.user is not None and covered is not None:
        step_ups.spend(actor, Purpose.ASSIGN, covered, now=now)


def about_place(place: Resource) -> About:
    """Say what an attempt on a place was about."""
    return About(Ids(resource=place.pk), place.realm, {"resource": place.name})


def record_place(
    kind: Kind,
    place: Resource,
    *,
    actor: Actor,
    by: uuid.UUID | None,
    now: datetime,
    details: Mapping[str, object],
    reason: str,
    request_id: uuid.UUID | None = None,
) -> None:
    """Write a change of a place into the history."""
    record(
        kind,
        actor=actor,
        at=now,
        resource=place,
        authority_id=by,
        request_id=request_id,
        details=details,
        reason=reason,
    )
