"""Resources in a file: their columns, for what is downloaded and what is brought in alike."""

from __future__ import annotations

from typing import Final

from roles.downloads import Column
from roles.models import Resource

NAME, KIND, TYPE, SCOPE, PARENT = "Name", "Kind", "Type", "Scope Path", "Parent Path"


def _parent(row: Resource) -> str:
    above = Resource.objects.filter(path=row.path[: -Resource.steplen]).values_list("scope_path", flat=True)
    return above.first() or ""


COLUMNS: Final[tuple[Column, ...]] = (
    (NAME, lambda row: row.name),
    (KIND, lambda row: row.kind),
    (TYPE, lambda row: row.type),
    (SCOPE, lambda row: row.scope_path),
    (PARENT, _parent),
    ("Id", lambda row: row.pk),
)
