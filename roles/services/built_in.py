"""The built-in roles and the directory, which every installation starts with."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from django.db import connection

from audit.covering import unrecorded
from roles import ids
from roles.models import Resource, ResourceKind, Role, RoleKind
from roles.models.principals import search_key
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
    with unrecorded(connection):
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
