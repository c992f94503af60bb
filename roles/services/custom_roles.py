"""Custom roles: made, changed, retired and restored at their home; they can be assigned there and below."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from django.db.models import Q

from audit.kinds import Kind, Realm
from audit.recording import Ids
from roles.actors import Actor, Clock
from roles.authority import Held
from roles.models import Assignment, EndReason, Resource, Role
from roles.refusals import About, require
from roles.rules.custom_roles import DEFINE, RESTORE, RETIRE, DefineFacts, Definition, RetireFacts
from roles.service import record, service
from roles.services.assignments import is_retired
from roles.services.ends import end_unless_over
from roles.services.locks import lock_principals, root_of
from roles.services.resources import define_by, serves, spend
from roles.text import clean, is_visible


def definition_of(
    *, name: str, description: str = "", category: str = "", privileged: bool = False, permissions: str = ""
) -> Definition:
    """Bring what was typed to one form; `permissions` is one a line, each kept once and in its order."""
    lines = [clean(line) for line in permissions.splitlines()]
    return Definition(
        name=clean(name),
        description=clean(description),
        category=clean(category),
        privileged=privileged,
        permissions=tuple(dict.fromkeys(line for line in lines if is_visible(line))),
    )


@service(Kind.ROLE_ADDED)
def add_role(home: Resource, definition: Definition, *, actor: Actor, clock: Clock) -> Role:
    """Make a custom role at `home`. Raises `Refused`."""
    home = _lock_names(home)
    now = clock()
    held = define_by(actor, home, now)
    covered = actor.user.pk if actor.user else None
    facts = _facts(home, definition, None, actor=actor, held=held, covered=covered, now=now)
    text = {"role": definition.name[:200], "resource": home.name}
    require(DEFINE, facts, about=About(Ids(resource=home.pk), home.realm, text))

    spend(actor, covered, now)
    role = Role(kind=home.realm.value, home=home)
    _write(role, definition)
    _record(Kind.ROLE_ADDED, role, home, actor=actor, held=held, now=now, details={"new": asdict(definition)})
    return role


@service(Kind.ROLE_CHANGED)
def change_role(role_id: uuid.UUID, definition: Definition, *, actor: Actor, clock: Clock) -> Role:
    """Change what a custom role is called and says of itself. Raises `Refused`."""
    role, home = _lock_role(role_id)
    now = clock()
    held = define_by(actor, home, now)
    facts = _facts(home, definition, role, actor=actor, held=held, covered=role.pk, now=now)
    require(DEFINE, facts, about=_about(role, home))

    spend(actor, role.pk, now)
    details = {"old": asdict(defined_as(role)), "new": asdict(definition)}
    _write(role, definition)
    _record(Kind.ROLE_CHANGED, role, home, actor=actor, held=held, now=now, details=details)
    return role


@service(Kind.ROLE_RETIRED)
def retire_role(role_id: uuid.UUID, *, reason: str = "", actor: Actor, clock: Clock) -> Role:
    """Retire a custom role: every open assignment of it ends, for good. Raises `Refused`."""
    lock_principals(_holders_of(role_id))
    role, home = _lock_role(role_id)
    now = clock()
    held = define_by(actor, home, now)
    facts = RetireFacts(role, allowed=_allowed(actor, held), second_factor=serves(actor, role.pk, now))
    require(RETIRE, facts, about=_about(role, home))

    spend(actor, role.pk, now)
    ended = _end_all(role, actor=actor, held=held, now=now)
    role.retired_at = now
    role.save(update_fields=["retired_at"])
    details = {"old": {"retired_at": None}, "new": {"retired_at": now.isoformat()}, "ended": ended}
    _record(Kind.ROLE_RETIRED, role, home, actor=actor, held=held, now=now, details=details, reason=clean(reason))
    return role


@service(Kind.ROLE_RESTORED)
def restore_role(role_id: uuid.UUID, *, reason: str = "", actor: Actor, clock: Clock) -> Role:
    """Let a retired role be assigned again; nobody gets back what they had. Raises `Refused`."""
    lock_principals(_holders_of(role_id))
    role, home = _lock_role(role_id)
    now = clock()
    held = define_by(actor, home, now)
    facts = RetireFacts(
        role,
        allowed=_allowed(actor, held),
        second_factor=serves(actor, role.pk, now),
        home_retired=home is not None and is_retired(role=Role(), resource=home),
    )
    require(RESTORE, facts, about=_about(role, home))

    spend(actor, role.pk, now)
    # What was given while the role was being retired is open still, and must not come to life.
    ended = _end_all(role, actor=actor, held=held, now=now)
    before = role.retired_at.isoformat() if role.retired_at else None
    role.retired_at = None
    role.save(update_fields=["retired_at"])
    details = {"old": {"retired_at": before}, "new": {"retired_at": None}, "ended": ended}
    _record(Kind.ROLE_RESTORED, role, home, actor=actor, held=held, now=now, details=details, reason=clean(reason))
    return role


def defined_as(role: Role) -> Definition:
    """Return what a custom role is now."""
    lines = tuple(role.permissions.splitlines())
    return Definition(role.name, role.description, role.category, role.privileged, lines)


def _holders_of(role_id: uuid.UUID) -> set[uuid.UUID]:
    return set(Assignment.objects.open().filter(role=role_id).values_list("principal_id", flat=True))


def _lock_names(home: Resource) -> Resource:
    """Serialise the changes of roles in one tree: a name must stay free on the whole branch."""
    Resource.objects.select_for_update(no_key=True).get(path=root_of(home))
    found: Resource = Resource.objects.get(pk=home.pk)
    return found


def _lock_role(role_id: uuid.UUID) -> tuple[Role, Resource | None]:
    """Lock the tree of the role's home, then the role; a built-in role has no home."""
    home = Role.objects.select_related("home").get(pk=role_id).home
    if home is not None:
        home = _lock_names(home)
    return Role.objects.select_for_update(no_key=True).get(pk=role_id), home


def _allowed(actor: Actor, held: Held | None) -> bool:
    return actor.user is None or held is not None


def _facts(
    home: Resource | None,
    definition: Definition,
    before: Role | None,
    *,
    actor: Actor,
    held: Held | None,
    covered: uuid.UUID | None,
    now: datetime,
) -> DefineFacts:
    return DefineFacts(
        home=home,
        definition=definition,
        before=before,
        allowed=_allowed(actor, held),
        second_factor=serves(actor, covered, now),
        home_retired=home is not None and is_retired(Role(), home),
        name_taken=home is not None and _is_taken(definition.key, home, before),
    )


def _is_taken(key: str, home: Resource, before: Role | None) -> bool:
    """Return whether a role of this name is built in, or was made at the home, above or below it."""
    branch = Q(home=None) | Q(home__path__in=home.way[:-1]) | Q(home__path__startswith=home.path)
    rows = Role.objects.filter(branch, kind=home.realm.value, name_key=key)
    return rows.exclude(pk=before.pk).exists() if before else rows.exists()


def _write(role: Role, definition: Definition) -> None:
    role.name, role.description, role.category = definition.name, definition.description, definition.category
    role.privileged, role.permissions = definition.privileged, "\n".join(definition.permissions)
    role.save()


def _end_all(role: Role, *, actor: Actor, held: Held | None, now: datetime) -> int:
    """End every open assignment of a role; return how many there were. What was over by the clock stays expired."""
    rows = Assignment.objects.open().filter(role=role).order_by("principal_id", "pk")
    authority_id = held.assignment_id if held else None
    ended = 0
    for row in rows.select_related("principal", "role", "resource"):
        ended += end_unless_over(row, EndReason.RETIRED, actor=actor, at=now, authority_id=authority_id)
    return ended


def _about(role: Role, home: Resource | None) -> About:
    ids = Ids(role=role.pk, resource=home.pk if home else None)
    text = {"role": role.name, "resource": home.name if home else ""}
    return About(ids, home.realm if home else Realm(role.kind), text)


def _record(
    kind: Kind,
    role: Role,
    home: Resource | None,
    *,
    actor: Actor,
    held: Held | None,
    now: datetime,
    details: Mapping[str, object],
    reason: str = "",
) -> None:
    authority_id = held.assignment_id if held else None
    record(
        kind, actor=actor, at=now, role=role, resource=home, authority_id=authority_id, details=details, reason=reason
    )
