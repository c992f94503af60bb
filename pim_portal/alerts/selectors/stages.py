"""How many people can decide in the stages of approval that are set in a tree, by a bounded number of queries."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, Q

from roles.models import ApprovalStage, Assignment, Resource, RoleSettings, User
from roles.selectors.approvers import people_of_stage
from roles.selectors.settings import BY_ADMINISTRATORS


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
        Q(resource__path__startswith=root.path, resource__retired_at=None) | default, role__retired_at=None
    )
    stages = Prefetch("stages", ApprovalStage.objects.order_by("number").prefetch_related("approvers"))
    found = list(rows.select_related("resource").prefetch_related(stages).order_by("pk"))
    at_root = {row.role_id for row in found if row.resource_id == root.pk}
    # A role's default rules nothing where the root has settings of its own.
    found = [row for row in found if row.approval_required and (row.resource_id or row.role_id not in at_root)]
    enabled, members = _people(found, now)
    administrators: frozenset[uuid.UUID] | None = None
    for row in found:
        place = row.resource or root
        for stage in row.stages.all():
            seats = list(stage.approvers.all())
            people = {one for seat in seats for one in _behind(seat.principal_id, enabled, members)}
            # Nobody named but as an escalation: the administrators decide as well.
            if all(seat.escalation for seat in seats):
                administrators = administrators if administrators is not None else _administrators(now)
                people |= administrators
            yield StageThere(row.role_id, place, stage.number, stage.quorum, frozenset(people))
        if not row.stages.all():
            administrators = administrators if administrators is not None else _administrators(now)
            yield StageThere(row.role_id, place, 1, 1, administrators)


def _behind(principal: uuid.UUID, enabled: set[uuid.UUID], members: dict[uuid.UUID, set[uuid.UUID]]) -> set[uuid.UUID]:
    return {principal} if principal in enabled else members.get(principal, set())


def _administrators(now: datetime) -> frozenset[uuid.UUID]:
    return frozenset(one.pk for one in people_of_stage(BY_ADMINISTRATORS[0], now, excluding=[], may_become=True))


def _people(rows: Iterable[RoleSettings], now: datetime) -> tuple[set[uuid.UUID], dict[uuid.UUID, set[uuid.UUID]]]:
    """Return which of the named people are enabled, and the members of the named groups that are."""
    named = {one.principal_id for row in rows for stage in row.stages.all() for one in stage.approvers.all()}
    enabled = set(User.objects.filter(pk__in=named, enabled=True).values_list("pk", flat=True))
    members: dict[uuid.UUID, set[uuid.UUID]] = {}
    memberships = Assignment.objects.memberships(now).filter(resource__group__in=named, resource__group__enabled=True)
    for group, person in memberships.order_by().values_list("resource__group", "principal"):
        members.setdefault(group, set()).add(person)
    return enabled, members
