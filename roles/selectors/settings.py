"""Which settings rule a role at a resource, and where they come from."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Prefetch

from roles.catalogue import default_settings
from roles.models import ApprovalStage, Assignment, Resource, Role, RoleSettings, SecondFactor, StageApprover


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of approval: the principals named, and how many must agree."""

    number: int
    quorum: int
    approvers: frozenset[uuid.UUID]


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    """The settings that rule a role at a resource, as plain values.

    `source` is the resource that they were set at; None means the role's default.
    """

    role_id: uuid.UUID
    source_id: uuid.UUID | None
    source_name: str
    is_default: bool
    max_activation: timedelta
    second_factor: SecondFactor
    reason_required: bool
    ticket_required: bool
    approval_required: bool
    approval_window: timedelta
    stages: tuple[Stage, ...]
    permanent_eligible_allowed: bool
    expire_eligible_after: timedelta
    permanent_active_allowed: bool
    expire_active_after: timedelta
    second_factor_on_assign: bool
    reason_on_assign: bool

    @property
    def digest(self) -> str:
        """A digest of everything that an activation obeys (hex SHA-256)."""
        form = {
            "max_activation": self.max_activation.total_seconds(),
            "second_factor": str(self.second_factor),
            "reason_required": self.reason_required,
            "ticket_required": self.ticket_required,
            "approval_required": self.approval_required,
            "approval_window": self.approval_window.total_seconds(),
            "stages": [[one.number, one.quorum, sorted(map(str, one.approvers))] for one in self.stages],
        }
        return hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()


def _plain(row: RoleSettings, *, saved: bool) -> EffectiveSettings:
    stages: tuple[Stage, ...] = ()
    if saved:
        stages = tuple(
            Stage(one.number, one.quorum, frozenset(approver.principal_id for approver in one.approvers.all()))
            for one in row.stages.all()
        )
    if row.approval_required and not stages:
        # Nobody named: one stage, decided by the Privileged Role Administrators (DESIGN.md §6).
        stages = (Stage(1, 1, frozenset()),)
    return EffectiveSettings(
        role_id=row.role_id,
        source_id=row.resource_id if saved else None,
        source_name=row.resource.name if saved and row.resource else "",
        is_default=not saved,
        max_activation=row.max_activation,
        second_factor=SecondFactor(row.second_factor),
        reason_required=row.reason_required,
        ticket_required=row.ticket_required,
        approval_required=row.approval_required,
        approval_window=row.approval_window,
        stages=stages if row.approval_required else (),
        permanent_eligible_allowed=row.permanent_eligible_allowed,
        expire_eligible_after=row.expire_eligible_after,
        permanent_active_allowed=row.permanent_active_allowed,
        expire_active_after=row.expire_active_after,
        second_factor_on_assign=row.second_factor_on_assign,
        reason_on_assign=row.reason_on_assign,
    )


class SettingsBook:
    """The settings of several roles, read with a bounded number of queries."""

    def __init__(self, role_ids: Iterable[uuid.UUID]) -> None:
        approvers = Prefetch("approvers", StageApprover.objects.order_by("pk"))
        stages = Prefetch("stages", ApprovalStage.objects.order_by("number").prefetch_related(approvers))
        rows = RoleSettings.objects.filter(role__in=set(role_ids)).select_related("resource", "role")
        self._rows: dict[uuid.UUID, list[RoleSettings]] = {}
        for row in rows.prefetch_related(stages):
            self._rows.setdefault(row.role_id, []).append(row)

    def of(self, role: Role, resource: Resource) -> EffectiveSettings:
        """Return what rules `role` at `resource`: the nearest row there or above, the role's default, the portal's."""
        rows = self._rows.get(role.pk, [])
        above = [row for row in rows if row.resource and row.resource.contains(resource)]
        if above:
            return _plain(max(above, key=lambda row: len(row.resource.path) if row.resource else 0), saved=True)
        for row in rows:
            if row.resource_id is None:
                return _plain(row, saved=True)
        return _plain(default_settings(role), saved=False)


def settings_of(role: Role, resource: Resource) -> EffectiveSettings:
    """Return the settings that rule `role` at `resource` now."""
    return SettingsBook([role.pk]).of(role, resource)


def settings_behind(eligibility: Assignment) -> EffectiveSettings:
    """Return the settings that an activation of this eligibility obeys: those at the eligibility's resource."""
    return settings_of(eligibility.role, eligibility.resource)
