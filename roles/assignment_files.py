"""Assignments in a file: the columns of the hosted product first, then ours: by them a row finds its place again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from roles.downloads import Column
from roles.models import Assignment, AssignmentType, PrincipalKind, Resource

PERMANENT: Final = "Permanent"
STATE, HOLDER, ROLE = "Assignment State", "User Group Name", "Role Name"
NAME, MEMBER = "PrincipalName", "Member Type"
START, END = "Assignment Start Time (UTC)", "Assignment End Time (UTC)"
SCOPE, KIND = "Scope Path", "Role Kind"
PRINCIPAL_ID, ROLE_ID = "Principal Id", "Role Id"


def _state(row: Assignment) -> str:
    if row.activated_from_id is not None:
        return "Activated"
    return "Eligible" if row.type == AssignmentType.ELIGIBLE else "Active"


def _member(row: Any) -> str:
    """A role that a group holds is the group's own; through it came only what was activated from that."""
    if getattr(row, "membership", "") == "inherited":
        return "Inherited"
    through = row.activated_from is not None and row.activated_from.principal_id != row.principal_id
    return "Group" if through else "Direct"


def _name(row: Assignment) -> str:
    return row.principal.user.username if row.principal.kind == PrincipalKind.USER else ""


COLUMNS: Final[tuple[Column, ...]] = (
    (STATE, _state),
    (HOLDER, lambda row: row.principal.name),
    (ROLE, lambda row: row.role.name),
    (NAME, _name),
    (MEMBER, _member),
    (START, lambda row: row.starts_at),
    (END, lambda row: row.ends_at or PERMANENT),
    (SCOPE, lambda row: row.resource.scope_path),
    (KIND, lambda row: row.role.kind),
    ("Assignment Id", lambda row: row.pk),
    (PRINCIPAL_ID, lambda row: row.principal_id),
    (ROLE_ID, lambda row: row.role_id),
)


def columns_for(sees: Callable[[Resource], bool]) -> tuple[Column, ...]:
    """Return the columns for somebody who does not see every place: one above their sight has no path for them."""

    def scope(row: Assignment) -> str:
        return row.resource.scope_path if sees(row.resource) else ""

    return tuple((label, scope if label == SCOPE else value) for label, value in COLUMNS)
