"""Whom principals stand for: people for themselves, groups for their members."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from roles.models import Assignment, Group


def people_behind(principals: Collection[uuid.UUID], now: datetime) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Return the people behind each of these principals, with two queries."""
    groups = set(Group.objects.values_list("pk", flat=True)) & set(principals)
    found = {one: set[uuid.UUID]() if one in groups else {one} for one in principals}
    if groups:
        rows = Assignment.objects.memberships(now).filter(resource__group__isnull=False).order_by()
        for group, person in rows.values_list("resource__group", "principal").iterator(2000):
            if group in groups:
                found[group].add(person)
    return found
