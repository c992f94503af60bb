"""How many people can decide in the stages of approval that are set in a tree, by a bounded number of queries."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from roles.models import Resource, RoleSettings
from roles.selectors.panels import PanelBook
from roles.selectors.resources import under_retirement
from roles.selectors.settings import SettingsBook


@dataclass(frozen=True, slots=True)
class StageThere:
    """A stage of approval as it rules a role at a place and below, and who could decide in it, now or as escalation."""

    role_id: uuid.UUID
    place: Resource
    number: int
    quorum: int
    people: frozenset[uuid.UUID]


def stages_in(root: Resource, now: datetime) -> Iterator[StageThere]:
    """Yield every stage that an activation in this tree may go through."""
    default = Q(resource=None, role__kind=root.realm.value)
    rows = RoleSettings.objects.filter(
        Q(~under_retirement("resource__path"), resource__path__startswith=root.path) | default, role__retired_at=None
    )
    found = list(rows.select_related("resource", "role").order_by("pk"))
    at_root = {row.role_id for row in found if row.resource_id == root.pk}
    # A role's default rules nothing where the root has settings of its own.
    found = [row for row in found if row.approval_required and (row.resource_id or row.role_id not in at_root)]
    book = SettingsBook(row.role_id for row in found)
    settings = [book.of(row.role, row.resource) if row.resource else book.default_of(row.role) for row in found]
    panels = PanelBook((stage for one in settings for stage in one.stages), now)
    for row, one in zip(found, settings, strict=True):
        for stage in one.stages:
            people = panels.of(stage) | panels.of_escalation(stage)
            yield StageThere(row.role_id, row.resource or root, stage.number, stage.quorum, people)
