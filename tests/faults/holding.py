"""Who holds what, computed a second time from the raw rows (DESIGN.md §4), by loops instead of SQL."""

from __future__ import annotations

from datetime import datetime

from tests.faults.raw import Row

MEMBER = "6d9f4c6e00014a3e9a0b5d1f2c3b4a01"  # the group role "Member"


def held(rows: dict[str, list[Row]], now: datetime) -> dict[str, set[str]]:
    """Return the active assignments in effect for each person, their own and those of their groups."""
    return Holding(rows, now).by_person()


class Holding:
    def __init__(self, rows: dict[str, list[Row]], now: datetime) -> None:
        self.now = now
        self.assignments = {row["id"]: row for row in rows["roles_assignment"]}
        self.enabled = {row["id"] for row in rows["roles_principal"] if row["enabled"]}
        self.people = [row["id"] for row in rows["roles_principal"] if row["kind"] == "user"]
        self.roles = {row["id"] for row in rows["roles_role"] if row["retired_at"] is None}
        self.path = {row["id"]: row["path"] for row in rows["roles_resource"]}
        self.retired = [row["path"] for row in rows["roles_resource"] if row["retired_at"]]
        self.node = {row["principal_ptr_id"]: row["resource_id"] for row in rows["roles_group"]}

    def by_person(self) -> dict[str, set[str]]:
        active = [row for row in self.assignments.values() if row["type"] == "active" and self.in_effect(row)]
        return {who: {row["id"] for row in active if self.reaches(row["principal_id"], who)} for who in self.people}

    def in_effect(self, row: Row) -> bool:
        if not self.stands(row):
            return False
        if row["activated_from_id"] and not self.lives(row["activated_from_id"], row, "eligible"):
            return False
        return not row["elevated_from_id"] or self.lives(row["elevated_from_id"], row, "active")

    def stands(self, row: Row) -> bool:
        began, over = row["starts_at"] <= self.now, row["ends_at"] is not None and row["ends_at"] <= self.now
        where = self.path[row["resource_id"]]
        there = not any(where.startswith(path) for path in self.retired) and row["role_id"] in self.roles
        return began and not over and row["ended_at"] is None and row["principal_id"] in self.enabled and there

    def lives(self, source_id: str, row: Row, type: str) -> bool:
        """Whether what an assignment came from is there still, for the same person, at its place or above."""
        source = self.assignments[source_id]
        if source["type"] != type or not self.in_effect(source):
            return False
        if type == "eligible":
            below = self.path[row["resource_id"]].startswith(self.path[source["resource_id"]])
            if not below or source["role_id"] != row["role_id"]:
                return False
        return self.reaches(source["principal_id"], row["principal_id"], since=row["created_at"])

    def reaches(self, given_to: str, who: str, *, since: datetime | None = None) -> bool:
        """Whether what was given to this principal is there for this person: themselves, or a group of theirs."""
        if given_to == who:
            return True
        node = self.node.get(given_to)
        return node is not None and any(
            row["resource_id"] == node
            and row["role_id"] == MEMBER
            and row["type"] == "active"
            and row["principal_id"] == who
            and (since is None or row["starts_at"] <= since)
            and self.in_effect(row)
            for row in self.assignments.values()
        )
