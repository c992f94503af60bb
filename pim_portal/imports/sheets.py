"""People and groups in files: their columns, for what is downloaded and what is brought in alike."""

from __future__ import annotations

from typing import Any, Final

from roles.downloads import Column
from roles.ids import GROUP_MEMBER, GROUP_OWNER
from roles.models import Assignment, AssignmentType, Group

NAME, EMAIL, USERNAME = "Name", "E-mail", "User Name"
JOB, DEPARTMENT, MANAGER = "Job Title", "Department", "Manager"
GROUP, DESCRIPTION, MEMBERS, OWNERS = "Group", "Description", "Members", "Owners"
SEPARATOR: Final = "; "  # between the user names in one cell

PEOPLE: Final[tuple[Column, ...]] = (
    (NAME, lambda row: row.name),
    (EMAIL, lambda row: row.email),
    (USERNAME, lambda row: row.username),
    (JOB, lambda row: row.job_title),
    (DEPARTMENT, lambda row: row.department),
    (MANAGER, lambda row: row.manager.username if row.manager else ""),
    ("State", lambda row: "Enabled" if row.enabled else "Disabled"),
    ("Id", lambda row: row.pk),
)


def _given(group: Group, role: Any) -> str:
    """Return who was given a role in a group for good, by an administrator: what a file can give again."""
    rows = Assignment.objects.open().filter(
        resource=group.resource_id, role=role, type=AssignmentType.ACTIVE, activated_from=None, ends_at=None
    )
    names = rows.order_by("principal__user__username_key").values_list("principal__user__username", flat=True)
    return SEPARATOR.join(name for name in names if name)


GROUPS: Final[tuple[Column, ...]] = (
    (GROUP, lambda row: row.name),
    (DESCRIPTION, lambda row: row.description),
    (MEMBERS, lambda row: _given(row, GROUP_MEMBER)),
    (OWNERS, lambda row: _given(row, GROUP_OWNER)),
    ("State", lambda row: "Enabled" if row.enabled else "Disabled"),
    ("Id", lambda row: row.pk),
)
