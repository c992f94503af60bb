"""Which settings rule a role at a resource, and where they come from."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any

from roles.catalogue import default_settings
from roles.ids import DIRECTORY
from roles.models import (
    ApprovalStage,
    Assignment,
    Audience,
    NotificationCell,
    NotifiedAct,
    Resource,
    Role,
    RoleSettings,
    SecondFactor,
)
from roles.models.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of approval: the principals named, how many must agree, and who may decide as well from half-way on.

    Whoever is an approver anyway is no escalation.
    """

    number: int
    quorum: int
    approvers: frozenset[uuid.UUID]
    escalation: frozenset[uuid.UUID] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "escalation", self.escalation - self.approvers)

    @property
    def plain(self) -> list[Any]:
        """As it is kept in digests, in the history and in proposals; an escalation stands there where there is one."""
        escalation = [sorted(map(str, self.escalation))] if self.escalation else []
        return [self.number, self.quorum, sorted(map(str, self.approvers)), *escalation]


@dataclass(frozen=True, slots=True)
class Cell:
    """Whether and to whom besides the usual recipients a mail goes: one cell of the matrix of notifications."""

    act: NotifiedAct
    audience: Audience
    default_recipients: bool = True
    additional: tuple[str, ...] = ()
    critical_only: bool = False

    @property
    def informs(self) -> bool:
        """Whether a mail that asks for nothing goes to the usual recipients."""
        return self.default_recipients and not self.critical_only


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    """The settings that rule a role at a resource, as plain values.

    `source` is the resource that they were set at; None means the role's default. `stages` are those that an activation
    goes through; `written_stages` those that were written down, which wait while no approval is asked for.
    """

    role_id: uuid.UUID
    source_id: uuid.UUID | None
    source_name: str
    is_default: bool
    max_activation: timedelta
    second_factor: SecondFactor
    reason_required: bool
    ticket_required: bool
    ticket_pattern: str
    ticket_verified: bool
    approval_required: bool
    approval_window: timedelta
    break_glass_allowed: bool
    break_glass_max: timedelta
    break_glass_review_within: timedelta
    stages: tuple[Stage, ...]
    permanent_eligible_allowed: bool
    expire_eligible_after: timedelta
    permanent_active_allowed: bool
    expire_active_after: timedelta
    second_factor_on_assign: bool
    reason_on_assign: bool
    cells: tuple[Cell, ...] = ()
    written_stages: tuple[Stage, ...] = ()
    changed_at: datetime | None = None
    changed_by: str = ""

    def cell(self, act: NotifiedAct, audience: Audience) -> Cell:
        """Return what is set for one cell; everything on, and nobody besides, where nothing is."""
        return next((one for one in self.cells if (one.act, one.audience) == (act, audience)), Cell(act, audience))

    @property
    def seen(self) -> str:
        """A digest of all that a page shows of the settings (hex SHA-256): whoever changes them has seen these."""
        shown = [
            str(self.source_id),
            self.is_default,
            self.digest,
            self.permanent_eligible_allowed,
            self.expire_eligible_after.total_seconds(),
            self.permanent_active_allowed,
            self.expire_active_after.total_seconds(),
            self.second_factor_on_assign,
            self.reason_on_assign,
            [[one.act, one.audience, one.default_recipients, one.additional, one.critical_only] for one in self.cells],
            [one.plain for one in self.written_stages],
        ]
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest()

    @property
    def digest(self) -> str:
        """A digest of everything that an activation obeys (hex SHA-256)."""
        form = {
            "max_activation": self.max_activation.total_seconds(),
            "second_factor": str(self.second_factor),
            "reason_required": self.reason_required,
            "ticket_required": self.ticket_required,
            "ticket_pattern": self.ticket_pattern,
            "ticket_verified": self.ticket_verified,
            "approval_required": self.approval_required,
            "approval_window": self.approval_window.total_seconds(),
            "break_glass_allowed": self.break_glass_allowed,
            "break_glass_max": self.break_glass_max.total_seconds(),
            "break_glass_review_within": self.break_glass_review_within.total_seconds(),
            "stages": [one.plain for one in self.stages],
        }
        return hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()


# Nobody named: one stage, decided by the Privileged Role Administrators (DESIGN.md §6).
BY_ADMINISTRATORS = (Stage(1, 1, frozenset()),)


RULES = (
    "max_activation",
    "second_factor",
    "reason_required",
    "ticket_required",
    "ticket_pattern",
    "ticket_verified",
    "approval_required",
    "approval_window",
    "break_glass_allowed",
    "break_glass_max",
    "break_glass_review_within",
    "permanent_eligible_allowed",
    "expire_eligible_after",
    "permanent_active_allowed",
    "expire_active_after",
    "second_factor_on_assign",
    "reason_on_assign",
)


def rules_of(settings: EffectiveSettings) -> dict[str, Any]:
    """Return the fields of `RoleSettings` that make these settings, but for stages and cells."""
    return {name: getattr(settings, name) for name in RULES}


def differ(one: EffectiveSettings, other: EffectiveSettings) -> bool:
    """Return whether two settings rule differently, wherever they come from."""
    return _ruling(one) != _ruling(other)


def _ruling(settings: EffectiveSettings) -> tuple[object, ...]:
    told = {cell for cell in settings.cells if cell != Cell(cell.act, cell.audience)}
    return rules_of(settings), settings.stages, told


def effective(row: RoleSettings, *, stages: tuple[Stage, ...], cells: tuple[Cell, ...]) -> EffectiveSettings:
    """Return the settings that this row, saved or not, makes with these stages and cells."""
    return EffectiveSettings(
        role_id=row.role_id,
        source_id=row.resource_id,
        source_name=row.resource.name if row.resource else "",
        is_default=False,
        stages=_in_force(row, stages),
        cells=cells,
        written_stages=stages,
        changed_at=row.changed_at,
        changed_by=row.changed_by.name if row.changed_by else "",
        **{name: getattr(row, name) for name in RULES if name != "second_factor"},
        second_factor=SecondFactor(row.second_factor),
    )


def _in_force(row: RoleSettings, written: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Return the stages that a request goes through: those written, while the role asks for approval at all."""
    return (written or BY_ADMINISTRATORS) if row.approval_required else ()


def portal_default(role: Role) -> EffectiveSettings:
    """Return the settings of a role that nobody has set anywhere: the same for all of its kind."""
    return replace(_default_of_kind(role.kind), role_id=role.pk)


@cache
def _default_of_kind(kind: str) -> EffectiveSettings:
    return replace(effective(default_settings(Role(kind=kind)), stages=(), cells=()), is_default=True)


_SETTINGS = Prepared(
    lambda roles: RoleSettings.objects.filter(role__in=roles).select_related("resource", "role", "changed_by")
)
_STAGES = Prepared(
    lambda settings: (
        ApprovalStage.objects.filter(settings__in=settings)
        .order_by("number", "approvers__pk")
        .values_list("settings", "number", "quorum", "approvers__principal", "approvers__escalation")
    )
)
_CELLS = Prepared(lambda settings: NotificationCell.objects.filter(settings__in=settings).order_by("act", "audience"))


def _stages_of(rows: Sequence[RoleSettings]) -> dict[Any, tuple[Stage, ...]]:
    """Return the stages of each of these settings, in their order; one query for all."""
    found: dict[Any, dict[int, _Named]] = {}
    for settings_id, number, quorum, principal, escalation in _STAGES.ask([row.pk for row in rows]):
        stage = found.setdefault(settings_id, {}).setdefault(number, _Named(quorum))
        if principal is not None:
            (stage.escalation if escalation else stage.approvers).add(principal)
    return {pk: tuple(one.as_stage(number) for number, one in stages.items()) for pk, stages in found.items()}


@dataclass(frozen=True, slots=True)
class _Named:
    """A stage that is read line by line."""

    quorum: int
    approvers: set[uuid.UUID] = field(default_factory=set)
    escalation: set[uuid.UUID] = field(default_factory=set)

    def as_stage(self, number: int) -> Stage:
        return Stage(number, self.quorum, frozenset(self.approvers), frozenset(self.escalation))


def _cells_of(rows: Sequence[RoleSettings]) -> dict[Any, tuple[Cell, ...]]:
    """Return what each of these settings say of mails; one query for all."""
    found: dict[Any, tuple[Cell, ...]] = {}
    for one in _CELLS.ask([row.pk for row in rows]):
        found[one.settings_id] = (*found.get(one.settings_id, ()), _cell(one))
    return found


def _cell(row: NotificationCell) -> Cell:
    additional = tuple(row.additional.split("; ")) if row.additional else ()
    return Cell(
        NotifiedAct(row.act),
        Audience(row.audience),
        row.default_recipients,
        additional,
        critical_only=row.critical_only,
    )


class SettingsBook:
    """The settings of several roles, read with a bounded number of queries."""

    def __init__(self, role_ids: Iterable[uuid.UUID]) -> None:
        written = _SETTINGS.ask(set(role_ids))
        self._rows: dict[uuid.UUID, list[RoleSettings]] = {}
        for row in written:
            self._rows.setdefault(row.role_id, []).append(row)
        self._stages = _stages_of(written) if written else {}

    @cached_property
    def _cells(self) -> dict[Any, tuple[Cell, ...]]:
        # Whoever asks for the stages alone, as the list of what waits does, has no use for them.
        written = [row for rows in self._rows.values() for row in rows]
        return _cells_of(written) if written else {}

    def of(self, role: Role, resource: Resource) -> EffectiveSettings:
        """Return what rules `role` at `resource`: the nearest row there or above, the role's default, the portal's."""
        return self._nearest(role, self._rows_above(role, resource))

    def stages_of(self, role: Role, resource: Resource) -> tuple[Stage, ...]:
        """Return the stages alone of what rules `role` at `resource`."""
        rows = self._rows_above(role, resource)
        if not rows:
            return portal_default(role).stages
        row = _nearest_of(rows)
        return _in_force(row, self._stages.get(row.pk, ()))

    def without_own(self, role: Role, resource: Resource) -> EffectiveSettings:
        """Return what would rule `role` at `resource` had it no settings of its own there.

        The role's default stands at the directory, too: there the portal's default would rule.
        """
        others = [row for row in self._rows_above(role, resource) if row.resource_id != resource.pk]
        if resource.pk == DIRECTORY:
            others = [row for row in others if row.resource_id is not None]
        return self._nearest(role, others)

    def default_of(self, role: Role) -> EffectiveSettings:
        """Return the role's default, whatever is set anywhere."""
        return self._nearest(role, [row for row in self._rows.get(role.pk, []) if row.resource_id is None])

    def _rows_above(self, role: Role, resource: Resource) -> list[RoleSettings]:
        rows = self._rows.get(role.pk, [])
        return [row for row in rows if row.resource is None or row.resource.contains(resource)]

    def _nearest(self, role: Role, rows: list[RoleSettings]) -> EffectiveSettings:
        if not rows:
            return portal_default(role)
        row = _nearest_of(rows)
        return effective(row, stages=self._stages.get(row.pk, ()), cells=self._cells.get(row.pk, ()))


def _nearest_of(rows: list[RoleSettings]) -> RoleSettings:
    return max(rows, key=lambda row: len(row.resource.path) if row.resource else 0)


def settings_of(role: Role, resource: Resource) -> EffectiveSettings:
    """Return the settings that rule `role` at `resource` now."""
    return SettingsBook([role.pk]).of(role, resource)


def settings_behind(eligibility: Assignment) -> EffectiveSettings:
    """Return the settings that an activation of this eligibility obeys: those at the eligibility's resource."""
    return settings_of(eligibility.role, eligibility.resource)
