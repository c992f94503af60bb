"""Who may decide in many stages of approval, read with a bounded number of queries.

It answers what `roles.selectors.approvers` answers of one stage: `tests/test_impossible_settings.py` holds them
together.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cached_property

from roles.models import Assignment, User
from roles.selectors.approvers import people_of_stage
from roles.selectors.seats import People
from roles.selectors.settings import BY_ADMINISTRATORS, Stage


class PanelBook:
    """The enabled people behind what these stages name: users, and the members of groups."""

    def __init__(self, stages: Iterable[Stage], now: datetime) -> None:
        self._now = now
        named = {one for stage in stages for one in stage.approvers | stage.escalation}
        self._enabled = set(User.objects.filter(pk__in=named, enabled=True).values_list("pk", flat=True))
        self._members = members_of(named, now)

    def of(self, stage: Stage) -> People:
        """Return who may decide from the start; nobody named: the administrators, who may become one among them."""
        return self._behind(stage.approvers) if stage.approvers else self._administrators

    def of_escalation(self, stage: Stage) -> People:
        """Return who may decide as well from half-way on."""
        return self._behind(stage.escalation)

    def _behind(self, named: Collection[uuid.UUID]) -> People:
        people = {one for one in named if one in self._enabled}
        return frozenset(people.union(*(self._members.get(one, set()) for one in named)))

    @cached_property
    def _administrators(self) -> People:
        found = people_of_stage(BY_ADMINISTRATORS[0], self._now, excluding=[], may_become=True)
        return frozenset(one.pk for one in found)


def members_of(groups: Collection[uuid.UUID], now: datetime) -> Mapping[uuid.UUID, set[uuid.UUID]]:
    """Return the enabled members of each of these groups that is enabled; what is no group has none."""
    rows = Assignment.objects.memberships(now).filter(
        resource__group__in=groups, resource__group__enabled=True, principal__enabled=True
    )
    members: dict[uuid.UUID, set[uuid.UUID]] = {}
    for group, person in rows.order_by().values_list("resource__group", "principal"):
        members.setdefault(group, set()).add(person)
    return members
