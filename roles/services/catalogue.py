"""The built-in roles and the directory, which every installation starts with."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audit.kinds import Kind
from roles import ids
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import (
    ApprovalStage,
    Purpose,
    Resource,
    ResourceKind,
    Role,
    RoleKind,
    RoleSettings,
    StageApprover,
)
from roles.models.principals import search_key
from roles.refusals import About, Refused, Violation
from roles.selectors.settings import Stage, settings_of
from roles.service import record, service
from roles.services import step_ups
from roles.services.resources import plant

DATA = Path(__file__).resolve().parent.parent / "data"


def _built_in() -> list[Role]:
    directory = json.loads((DATA / "directory_roles.json").read_text(encoding="utf-8"))
    resource = json.loads((DATA / "resource_roles.json").read_text(encoding="utf-8"))
    roles = [_role(row, RoleKind.DIRECTORY, category=row["service"]) for row in directory]
    roles += [_role(row, RoleKind.RESOURCE, category=row["category"]) for row in resource]
    member = {"id": str(ids.GROUP_MEMBER), "name": "Member", "privileged": False}
    owner = {"id": str(ids.GROUP_OWNER), "name": "Owner", "privileged": False}
    member["description"] = "Belongs to the group, and holds what the group holds."
    owner["description"] = "Manages the group and its members."
    return [*roles, *(_role(row, RoleKind.GROUP, category="Groups") for row in (member, owner))]


def _role(row: dict[str, Any], kind: RoleKind, *, category: str) -> Role:
    return Role(
        id=uuid.UUID(row["id"]),
        kind=kind,
        name=row["name"],
        name_key=search_key(row["name"]),
        description=row["description"],
        category=category,
        privileged=row["privileged"],
        built_in=True,
    )


def install_built_in() -> int:
    """Make sure that the directory and every built-in role exist and are called as this version calls them.

    Runs after every migration; part of the product, not a change that somebody makes. Returns how many roles there are.
    """
    with transaction.atomic():
        if not Resource.objects.filter(pk=ids.DIRECTORY).exists():
            plant(ResourceKind.DIRECTORY, name="Directory", pk=ids.DIRECTORY)
        roles = _built_in()
        Role.objects.bulk_create(
            roles,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["name", "name_key", "description", "category", "privileged"],
            batch_size=200,
        )
    return len(roles)


@service(Kind.ROLE_SETTINGS_CHANGED)
def change_settings(
    role: Role,
    *,
    resource: Resource | None,
    values: dict[str, Any],
    stages: tuple[Stage, ...] | None = None,
    actor: Actor,
    clock: Clock,
) -> RoleSettings:
    """Set the rules of a role at a resource (None: the role's default), with the approval stages as a whole.

    `values` are fields of `RoleSettings`; `stages` None leaves the stages as they are. Raises `Refused`.
    """
    role = Role.objects.select_for_update(no_key=True).get(pk=role.pk)
    now = clock()
    directory = Resource.objects.get(pk=ids.DIRECTORY)
    place = resource or directory
    held = Authority(actor.user, now).by(Permission.CHANGE_SETTINGS, place) if actor.user else None
    approval = values.get("approval_required", settings_of(role, place).approval_required)
    violations = []
    if actor.user is not None and held is None:
        violations.append(Violation("not_allowed", _("You may not change the settings of this role.")))
    if actor.user is not None and not step_ups.serves(actor, Purpose.SETTINGS, role.pk, now=now):
        violations.append(step_ups.needed())
    if approval and role.kind != RoleKind.DIRECTORY and stages is not None and not all(s.approvers for s in stages):
        violations.append(
            Violation("approvers_missing", _("Name at least one approver in every stage of this role."), "approvers")
        )
    if any(len(stage.approvers) > 0 and stage.quorum < 1 for stage in stages or ()):
        violations.append(Violation("quorum", _("At least one approver must agree in each stage."), "quorum"))
    if violations:
        raise Refused(violations, about=About(realm=place.realm, text={"role": role.name, "resource": place.name}))

    if actor.user is not None:
        step_ups.spend(actor, Purpose.SETTINGS, role.pk, now=now)
    before = settings_of(role, place)
    row, _created = RoleSettings.objects.get_or_create(role=role, resource=resource)
    for name, value in values.items():
        setattr(row, name, value)
    row.changed_at, row.changed_by = now, actor.user
    row.full_clean(exclude=["role", "resource", "changed_by"])
    row.save()
    if stages is not None:
        _replace_stages(row, stages)
    record(
        Kind.ROLE_SETTINGS_CHANGED,
        actor=actor,
        at=now,
        role=role,
        resource=resource,
        realm=place.realm,
        authority_id=held.assignment_id if held else None,
        details={"before": before.digest, "after": settings_of(role, place).digest}
        | {name: str(value) for name, value in sorted(values.items())},
    )
    return row


def _replace_stages(row: RoleSettings, stages: tuple[Stage, ...]) -> None:
    row.stages.all().delete()
    for stage in stages:
        made = ApprovalStage.objects.create(settings=row, number=stage.number, quorum=stage.quorum)
        StageApprover.objects.bulk_create(
            StageApprover(stage=made, principal_id=principal_id) for principal_id in sorted(stage.approvers)
        )
