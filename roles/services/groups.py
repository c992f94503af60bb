"""Groups, each with a resource node of its own: adding, changing, disabling, enabling."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.utils.translation import gettext as _

from audit.kinds import Kind
from audit.recording import Ids
from roles.actors import Actor, Clock
from roles.authority import Authority, Held
from roles.catalogue import Permission
from roles.ids import GROUP_MEMBER
from roles.models import Assignment, EndReason, Group, Purpose, ResourceKind, Role
from roles.models.principals import search_key
from roles.refusals import About, Refused, Violation
from roles.rules.groups import beyond
from roles.selectors.groups import roles_beyond
from roles.service import record, service
from roles.services import step_ups
from roles.services.administrators import keep_an_administrator
from roles.services.ends import end_unless_over
from roles.services.gifts import Given, lock_all_given
from roles.services.locks import lock_principal, lock_principals
from roles.services.principals import apart_when_enabled
from roles.services.resources import plant
from roles.text import MAX_NAME, MAX_REASON, clean, is_visible

MAX_DESCRIPTION = 500


@service(Kind.GROUP_ADDED)
def add_group(
    name: str,
    *,
    description: str = "",
    permission: Permission = Permission.MANAGE_GROUPS,
    actor: Actor,
    clock: Clock,
) -> Group:
    """Add a group, with a resource node of its own for its members and owners. Raises `Refused`.

    `permission` is the right by which it is added: an import has its own (DESIGN.md §6).
    """
    lock_names()
    now = clock()
    name, description = clean(name), clean(description)
    held = Authority(actor.user, now).by(permission) if actor.user else None
    violations = []
    if actor.user is not None and held is None:
        violations.append(Violation("not_allowed", _("You may not add groups.")))
    violations += _without_factor(actor, now) + _broken_fields(name, description)
    if violations:
        raise Refused(violations, about=About(text={"target": name}))
    _spend(actor, now)
    resource = plant(ResourceKind.GROUP, name=name)
    group = Group(id=uuid.uuid4(), name=name, description=description, resource=resource, created_at=now)
    group.save(force_insert=True)
    _record(Kind.GROUP_ADDED, group, actor=actor, held=held, now=now)
    return group


@service(Kind.GROUP_CHANGED)
def change_group(group_id: uuid.UUID, *, name: str, description: str, actor: Actor, clock: Clock) -> Group:
    """Change the name and the description of a group. Raises `Refused`."""
    lock_principal(group_id)
    lock_names()
    now = clock()
    group = Group.objects.select_related("resource").get(pk=group_id)
    about = _about(group)
    values = {"name": clean(name), "description": clean(description)}
    changed = [field for field, value in values.items() if getattr(group, field) != value]
    held, violations = _may(actor, group, now)
    tells = actor.user is None or Authority(actor.user, now).allows(Permission.SEE_PEOPLE)
    violations += _broken_fields(values["name"], values["description"], group, tells=tells)
    if not changed:
        violations.append(Violation("no_change", _("This is what the portal knows already. Change something.")))
    if violations:
        raise Refused(violations, about=about)
    _spend(actor, now)
    group.name, group.description = values["name"], values["description"]
    group.save(update_fields=["name", "description"])
    group.resource.name = group.name
    group.resource.save(update_fields=["name", "name_key"])
    _record(Kind.GROUP_CHANGED, group, actor=actor, held=held, now=now, details={"changed": changed})
    return group


@service(Kind.GROUP_DISABLED)
def disable_group(group_id: uuid.UUID, *, reason: str, actor: Actor, clock: Clock) -> Group:
    """Disable a group: what it holds, and what its members activated from it, ends at once.

    What it may activate and who belongs to it is kept, and counts for nothing until the group is enabled. Raises
    `Refused`.
    """
    lock_principals({group_id, *_who_activated(group_id)})
    now = clock()
    group = Group.objects.select_related("resource").get(pk=group_id)
    about = _about(group, reason=clean(reason))
    held, violations = _may(actor, group, now)
    if not group.enabled:
        violations.append(Violation("already_disabled", _("This group is already disabled.")))
    if not is_visible(reason) or len(clean(reason)) > MAX_REASON:
        sentence = _("Say why, in at most {limit} characters.").format(limit=MAX_REASON)
        violations.append(Violation("reason_missing", sentence, "reason"))
    if violations:
        raise Refused(violations, about=about)
    _spend(actor, now)
    group.enabled = False
    group.save(update_fields=["enabled"])
    _record(Kind.GROUP_DISABLED, group, actor=actor, held=held, now=now, reason=clean(reason))
    _end_all(group, actor=actor, held=held, now=now)
    keep_an_administrator(now, about=about)
    return group


@service(Kind.GROUP_ENABLED)
def enable_group(group_id: uuid.UUID, *, actor: Actor, clock: Clock) -> Group:
    """Enable a group again: its eligibilities and members count again, nothing that ended does. Raises `Refused`."""
    lock_all_given(lambda: _carried(group_id), also={group_id, *_who_activated(group_id)})
    now = clock()
    group = Group.objects.select_related("resource").get(pk=group_id)
    held, violations = _may(actor, group, now)
    violations += apart_when_enabled(group, actor, now) if not violations and not group.enabled else []
    if group.enabled:
        violations.append(Violation("already_enabled", _("This group is already enabled.")))
    if violations:
        raise Refused(violations, about=_about(group))
    _spend(actor, now)
    # What was begun while the group was being disabled is open still, and must not come to life.
    _end_all(group, actor=actor, held=held, now=now)
    group.enabled = True
    group.save(update_fields=["enabled"])
    _record(Kind.GROUP_ENABLED, group, actor=actor, held=held, now=now)
    return group


def lock_names() -> None:
    """Let changes of names wait for each other: each group has a name of its own."""
    Role.objects.select_for_update(no_key=True).get(pk=GROUP_MEMBER)


def _who_activated(group_id: uuid.UUID) -> set[uuid.UUID]:
    rows = Assignment.objects.open().filter(activated_from__principal=group_id)
    return set(rows.values_list("principal_id", flat=True))


def _carried(group_id: uuid.UUID) -> list[Given]:
    rows = Assignment.objects.open().filter(principal=group_id)
    return [Given(*row) for row in rows.values_list("principal_id", "role_id", "resource_id")]


def _end_all(group: Group, *, actor: Actor, held: Held | None, now: datetime) -> None:
    """End what the group holds, and what was activated from what it may activate."""
    authority_id = held.assignment_id if held else None
    own = Assignment.objects.open().active().filter(principal=group)
    made = Assignment.objects.open().filter(activated_from__principal=group)
    for rows, why in ((own, EndReason.GROUP_DISABLED), (made, EndReason.ELIGIBILITY_ENDED)):
        for row in rows.select_related("principal", "role", "resource").order_by("principal_id", "pk"):
            end_unless_over(row, why, actor=actor, at=now, authority_id=authority_id)


def _may(actor: Actor, group: Group, now: datetime) -> tuple[Held | None, list[Violation]]:
    """By what somebody may change a group, and what keeps them from it; as for its members."""
    if actor.user is None:
        return None, []
    authority = Authority(actor.user, now)
    held = authority.by(Permission.ASSIGN, group.resource)
    violations = []
    if held is None:
        violations.append(Violation("not_allowed", _("You may not change this group.")))
    elif (more := beyond(roles_beyond(group.resource, authority))) is not None:
        violations.append(more)
    return held, violations + _without_factor(actor, now)


def _without_factor(actor: Actor, now: datetime) -> list[Violation]:
    if actor.user is None or step_ups.serves(actor, Purpose.PEOPLE, actor.user.pk, now=now):
        return []
    return [step_ups.needed()]


def _spend(actor: Actor, now: datetime) -> None:
    if actor.user is not None:
        step_ups.spend(actor, Purpose.PEOPLE, actor.user.pk, now=now)


def _broken_fields(name: str, description: str, group: Group | None = None, *, tells: bool = True) -> list[Violation]:
    """Return what is wrong with a name and a description; whoever sees no other group is not told of one."""
    violations = []
    if not is_visible(name):
        violations.append(Violation("name_missing", _("Give the group a name."), "name"))
    if len(name) > MAX_NAME:
        violations.append(Violation("name_too_long", _("The name is too long."), "name"))
    if len(description) > MAX_DESCRIPTION:
        violations.append(Violation("description_too_long", _("The description is too long."), "description"))
    others = Group.objects.exclude(pk=group.pk) if group else Group.objects.all()
    if others.filter(name_key=search_key(name)[:400]).exists():
        sentence = _("Another group has this name.") if tells else _("This name cannot be used. Choose another one.")
        violations.append(Violation("name_taken" if tells else "name_refused", sentence, "name"))
    return violations


def _about(group: Group, **text: str) -> About:
    ids = Ids(target=group.pk, resource=group.resource_id)
    return About(ids, group.resource.realm, {"target": group.name, "resource": group.resource.name} | text)


def _record(
    kind: Kind,
    group: Group,
    *,
    actor: Actor,
    held: Held | None,
    now: datetime,
    details: dict[str, object] | None = None,
    reason: str = "",
) -> None:
    record(
        kind,
        actor=actor,
        at=now,
        target=group,
        resource=group.resource,
        authority_id=held.assignment_id if held else None,
        details=details,
        reason=reason,
    )
