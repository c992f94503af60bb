"""The built-in roles and the directory, which every installation starts with."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.kinds import Kind, Realm
from audit.recording import Ids
from roles import ids
from roles.actors import Actor, Clock
from roles.authority import Authority, Held
from roles.catalogue import Permission, default_settings
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
from roles.rules.assignments import beyond
from roles.selectors.groups import roles_beyond
from roles.selectors.settings import Stage, settings_of
from roles.service import record, service
from roles.services import step_ups
from roles.services.administrators import keep_an_administrator
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
    role = Role.objects.select_related("home").select_for_update(no_key=True, of=("self",)).get(pk=role.pk)
    now = clock()
    place = Resource.objects.get(pk=resource.pk if resource else ids.DIRECTORY)
    realm = place.realm if resource else Realm(role.kind)
    about = About(
        ids=Ids(role=role.pk, resource=resource.pk if resource else None),
        realm=realm,
        text={"role": role.name, "resource": resource.name if resource else ""},
    )
    held, violations = _may_change(actor, role, place, realm, now)
    elsewhere = role.home is not None and not role.home.contains(place)
    if resource is not None and (elsewhere or not RoleKind(role.kind).may_stand_at(ResourceKind(resource.kind))):
        sentence = _("This role cannot be assigned at %(resource)s, so it has no settings there.")
        violations.append(Violation("wrong_place", sentence % {"resource": resource.name}))
    if any(stage.quorum < 1 for stage in stages or ()):
        violations.append(Violation("quorum", _("At least one approver must agree in each stage."), "quorum"))
    if [stage.number for stage in stages or ()] != list(range(1, len(stages or ()) + 1)):
        violations.append(Violation("stages", _("The stages are numbered from 1 on."), "stages"))
    if violations:
        raise Refused(violations, about=about)

    if actor.user is not None:
        step_ups.spend(actor, Purpose.SETTINGS, role.pk, now=now)
    before = settings_of(role, place)
    row = _row_of(role, resource)
    for name, value in values.items():
        setattr(row, name, value)
    row.changed_at, row.changed_by = now, actor.user
    try:
        row.full_clean(exclude=["role", "resource", "changed_by"])
    except ValidationError as error:
        raise Refused([Violation("invalid", message) for message in error.messages], about=about) from error
    row.save()
    if stages is not None:
        _replace_stages(row, stages)
    if row.approval_required and role.kind != RoleKind.DIRECTORY and not _all_named(row):
        sentence = _("Name at least one approver in every stage of this role.")
        raise Refused([Violation("approvers_missing", sentence, "approvers")], about=about)
    details: dict[str, object] = {"before": before.digest, "after": settings_of(role, place).digest}
    details |= {name: str(value) for name, value in sorted(values.items())}
    if stages is not None:
        details["stages"] = [[one.number, one.quorum, sorted(map(str, one.approvers))] for one in stages]
    record(
        Kind.ROLE_SETTINGS_CHANGED,
        actor=actor,
        at=now,
        role=role,
        resource=resource,
        realm=realm,
        authority_id=held.assignment_id if held else None,
        details=details,
    )
    if role.pk == ids.PRIVILEGED_ROLE_ADMINISTRATOR and row.approval_required:
        keep_an_administrator(now, about=about)
    return row


def _may_change(
    actor: Actor, role: Role, place: Resource, realm: Realm, now: datetime
) -> tuple[Held | None, list[Violation]]:
    if actor.user is None:
        return None, []
    authority = Authority(actor.user, now)
    held = authority.by(Permission.CHANGE_SETTINGS, place)
    violations = []
    # The default of a resource role reaches every resource root: nobody's role does.
    if held is None or (realm == Realm.RESOURCE and place.realm != Realm.RESOURCE):
        violations.append(Violation("not_allowed", _("You may not change the settings of this role.")))
    if not step_ups.serves(actor, Purpose.SETTINGS, role.pk, now=now):
        violations.append(step_ups.needed())
    # How somebody becomes a member of a group is how they come to its roles.
    if place.realm == Realm.GROUP and (more := beyond(roles_beyond(place, authority))):
        violations.append(more)
    return held, violations


def _row_of(role: Role, resource: Resource | None) -> RoleSettings:
    """Return the row to change. A new one starts from what rules there, so that no rule is loosened unasked."""
    row = RoleSettings.objects.filter(role=role, resource=resource).first()
    if row is not None:
        return row
    above = settings_of(role, resource) if resource else None
    fields = {field.name for field in RoleSettings._meta.concrete_fields} - {
        "id",
        "role",
        "resource",
        "changed_at",
        "changed_by",
    }
    source = above or default_settings(role)
    row = RoleSettings.objects.create(role=role, resource=resource, **{name: getattr(source, name) for name in fields})
    if above and any(stage.approvers for stage in above.stages):
        _replace_stages(row, above.stages)
    return row


def _all_named(row: RoleSettings) -> bool:
    counts = [stage.approvers.count() for stage in row.stages.all()]
    return bool(counts) and all(counts)


def _replace_stages(row: RoleSettings, stages: tuple[Stage, ...]) -> None:
    row.stages.all().delete()
    for stage in stages:
        made = ApprovalStage.objects.create(settings=row, number=stage.number, quorum=stage.quorum)
        StageApprover.objects.bulk_create(
            StageApprover(stage=made, principal_id=principal_id) for principal_id in sorted(stage.approvers)
        )
