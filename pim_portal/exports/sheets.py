"""The columns of what has no list of its own that could be brought in again: roles and their settings."""

from __future__ import annotations

from typing import Final

from django.db.models import Model

from roles.downloads import Column
from roles.models import ApprovalStage, RoleSettings

ROLES: Final[tuple[Column, ...]] = (
    ("Role Name", lambda row: row.name),
    ("Role Kind", lambda row: row.kind),
    ("Description", lambda row: row.description),
    ("Category", lambda row: row.category),
    ("Privileged", lambda row: _yes(row.privileged)),
    ("Built-in", lambda row: _yes(row.built_in)),
    ("Made At", lambda row: row.home.scope_path if row.home else ""),
    ("Permissions", lambda row: row.permissions),
    ("Retired", lambda row: row.retired_at),
    ("Role Id", lambda row: row.pk),
)


def _yes(value: bool) -> str:
    return "Yes" if value else "No"


def _stages(row: RoleSettings) -> str:
    """Say who is asked: "1 of Adam; Berta, then 2 of Security (escalation: Paul)"."""
    stages = row.stages.order_by("number").prefetch_related("approvers__principal")
    return ", then ".join(map(_stage, stages))


def _stage(stage: ApprovalStage) -> str:
    seats = list(stage.approvers.all())
    asked, later = ("; ".join(one.principal.name for one in seats if one.escalation is late) for late in (False, True))
    return f"{stage.quorum} of {asked}" + (f" (escalation: {later})" if later else "")


def _value(row: Model, name: str) -> object:
    value = getattr(row, name)
    return _yes(value) if isinstance(value, bool) else value


_ABOUT_THE_ROW = {"id", "role", "resource", "changed_at", "changed_by"}
_RULES = [field for field in RoleSettings._meta.concrete_fields if field.name not in _ABOUT_THE_ROW]


def _rule(name: str) -> Column:
    return name.replace("_", " ").title(), lambda row: _value(row, name)


SETTINGS: Final[tuple[Column, ...]] = (
    ("Role Name", lambda row: row.role.name),
    ("Role Kind", lambda row: row.role.kind),
    ("Scope Path", lambda row: row.resource.scope_path if row.resource else ""),
    *(_rule(field.name) for field in _RULES),
    ("Approval Stages", _stages),
    ("Changed", lambda row: row.changed_at),
    ("Role Id", lambda row: row.role_id),
)
