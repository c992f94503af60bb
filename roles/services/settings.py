"""The settings of roles: changed at a place, taken from above again, or copied from another role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError

from audit.kinds import Kind, Realm
from audit.recording import Ids
from roles import ids
from roles.actors import Actor, Clock
from roles.authority import Authority, Held
from roles.catalogue import Permission
from roles.models import Principal, Purpose, Resource, ResourceKind, Role, RoleKind, RoleSettings, User
from roles.refusals import About, Refused, Violation, require
from roles.rules.looser import loosened
from roles.rules.settings import CHANGE, RESET, SettingsFacts, StageFacts
from roles.selectors.approvers import people_of_stage
from roles.selectors.groups import roles_beyond
from roles.selectors.settings import Cell, EffectiveSettings, SettingsBook, Stage, effective, rules_of
from roles.selectors.stakes import has_a_stake, others_who_may
from roles.service import record, service
from roles.services import step_ups
from roles.services.administrators import keep_an_administrator
from roles.services.agreed import Agreed
from roles.services.settings_rows import details_of, row_of, rows_to_reset, write
from roles.text import clean


@service(Kind.ROLE_SETTINGS_CHANGED)
def change_settings(
    role: Role,
    *,
    resource: Resource | None,
    values: Mapping[str, Any],
    stages: tuple[Stage, ...] | None = None,
    cells: tuple[Cell, ...] | None = None,
    seen: str = "",
    reason: str = "",
    agreed: Agreed | None = None,
    actor: Actor,
    clock: Clock,
) -> RoleSettings:
    """Set the rules of a role at a resource (None: the role's default), with stages and notifications as a whole.

    `values` are fields of `RoleSettings`; `stages` and `cells` None leave them as they are. `seen` is the digest of
    the settings that were looked at (`EffectiveSettings.seen`): other settings are not changed. `agreed` is the request
    that a second administrator agreed to. Raises `Refused`.
    """
    ground = _ground(role, resource, agreed=agreed, actor=actor, clock=clock)
    before = ground.ruling()
    row = row_of(ground.role, resource, before)
    for name, value in values.items():
        setattr(row, name, value)
    try:
        row.clean_fields(exclude=["role", "resource", "changed_by"])
    except ValidationError as error:
        raise Refused(_invalid(error), about=ground.about) from error
    stages = before.written_stages if stages is None else stages
    cells = before.cells if cells is None else cells
    wanted = effective(row, stages=stages, cells=cells)
    facts = ground.facts(before, wanted, stages or wanted.stages, stale=bool(seen) and seen != before.seen)
    require(CHANGE, facts, about=ground.about)

    ground.spend()
    row.changed_at, row.changed_by = ground.now, actor.user
    write(row, stages=stages, cells=cells)
    ground.record(Kind.ROLE_SETTINGS_CHANGED, before, reason=reason)
    return row


@service(Kind.ROLE_SETTINGS_RESET)
def reset_settings(
    role: Role,
    *,
    resource: Resource,
    seen: str = "",
    reason: str = "",
    agreed: Agreed | None = None,
    actor: Actor,
    clock: Clock,
) -> EffectiveSettings:
    """Let the settings of a role at a resource come from above again; at the directory, from the portal's default.

    Returns what rules then. Raises `Refused`.
    """
    ground = _ground(role, resource, agreed=agreed, actor=actor, clock=clock)
    before = ground.ruling()
    rows = rows_to_reset(ground.role, resource)
    own = rows.exists()
    if own:
        # Undone with the transaction where the rules refuse what would rule then.
        rows.delete()
    after = ground.ruling()
    facts = ground.facts(before, after, after.stages, stale=bool(seen) and seen != before.seen, own=own)
    require(RESET, facts, about=ground.about)

    ground.spend()
    ground.record(Kind.ROLE_SETTINGS_RESET, before, reason=reason)
    return after


@dataclass(frozen=True, slots=True)
class _Ground:
    """What both acts stand on, read after the lock."""

    role: Role
    resource: Resource | None
    place: Resource
    actor: Actor
    now: datetime
    held: Held | None
    authority: Authority | None
    agreed: Agreed | None

    @property
    def realm(self) -> Realm:
        return self.place.realm if self.resource else Realm(self.role.kind)

    @property
    def about(self) -> About:
        return About(
            ids=Ids(role=self.role.pk, resource=self.resource.pk if self.resource else None),
            realm=self.realm,
            text={"role": self.role.name, "resource": self.resource.name if self.resource else ""},
        )

    def ruling(self) -> EffectiveSettings:
        """Read the settings that are changed: those that rule at the resource, or the role's default."""
        book = SettingsBook([self.role.pk])
        return book.of(self.role, self.place) if self.resource else book.default_of(self.role)

    def facts(
        self,
        before: EffectiveSettings,
        wanted: EffectiveSettings,
        stages: tuple[Stage, ...],
        *,
        stale: bool,
        own: bool = True,
    ) -> SettingsFacts:
        named = {one for stage in stages for one in stage.approvers | stage.escalation}
        known = Principal.objects.filter(pk__in=named).count()
        return SettingsFacts(
            role=self.role,
            place_name=self.place.name,
            allowed=self._allowed,
            second_factor=self.authority is None
            or self.agreed is not None
            or step_ups.serves(self.actor, Purpose.SETTINGS, self.role.pk, now=self.now),
            misplaced=self._misplaced,
            changed_meanwhile=stale,
            beyond=self._beyond,
            max_activation=wanted.max_activation,
            approval_window=wanted.approval_window,
            expire_eligible_after=wanted.expire_eligible_after,
            expire_active_after=wanted.expire_active_after,
            approval_required=wanted.approval_required,
            stages=tuple(self._stage(one) for one in stages),
            ticket_required=wanted.ticket_required,
            ticket_pattern=wanted.ticket_pattern,
            ticket_verified=wanted.ticket_verified,
            break_glass_max=wanted.break_glass_max,
            break_glass_review_within=wanted.break_glass_review_within,
            unknown_approvers=known < len(named),
            cells=wanted.cells,
            own=own,
            loosens=self._loosens(before, wanted),
        )

    def _loosens(self, before: EffectiveSettings, wanted: EffectiveSettings) -> tuple[str, ...]:
        """Return what a change loosens that its author may not make alone; nothing where they may."""
        if self.actor.user is None or self.agreed is not None:
            return ()
        fields = loosened(before, wanted)
        return fields if fields and second_needed(self.actor.user, self.role, self.resource, self.now) else ()

    def _stage(self, stage: Stage) -> StageFacts:
        people = people_of_stage(stage, self.now, excluding=[], may_become=True)
        return StageFacts(stage.number, stage.quorum, bool(stage.approvers), frozenset(one.pk for one in people))

    @property
    def _allowed(self) -> bool:
        # The default of a resource role reaches every resource root, that of Member every group: nobody's role does.
        reaches_all = self.resource is None and self.realm != Realm.DIRECTORY
        return self.authority is None or (self.held is not None and not reaches_all)

    @property
    def _misplaced(self) -> bool:
        if self.resource is None:
            return False
        elsewhere = self.role.home is not None and not self.role.home.contains(self.place)
        return elsewhere or not RoleKind(self.role.kind).may_stand_at(ResourceKind(self.place.kind))

    @property
    def _beyond(self) -> tuple[str, ...]:
        # How somebody becomes a member of a group is how they come to its roles.
        if self.authority is None or self.place.realm != Realm.GROUP:
            return ()
        return roles_beyond(self.place, self.authority)

    def spend(self) -> None:
        if self.authority is not None and self.agreed is None:
            step_ups.spend(self.actor, Purpose.SETTINGS, self.role.pk, now=self.now)

    def record(self, kind: Kind, before: EffectiveSettings, *, reason: str) -> None:
        after = self.ruling()
        details, addresses = details_of(before, after)
        record(
            kind,
            actor=self.actor,
            at=self.now,
            role=self.role,
            resource=self.resource,
            realm=self.realm,
            authority_id=self.held.assignment_id if self.held else None,
            request_id=self.agreed.request_id if self.agreed else None,
            details=details | (self.agreed.told if self.agreed else {}),
            addresses_before=addresses[0],
            addresses_after=addresses[1],
            reason=clean(reason),
        )
        if self.role.pk == ids.PRIVILEGED_ROLE_ADMINISTRATOR and after.approval_required:
            keep_an_administrator(self.now, about=self.about)


def _ground(role: Role, resource: Resource | None, *, agreed: Agreed | None, actor: Actor, clock: Clock) -> _Ground:
    role = Role.objects.select_related("home").select_for_update(no_key=True, of=("self",)).get(pk=role.pk)
    now = clock()
    place = Resource.objects.get(pk=resource.pk if resource else ids.DIRECTORY)
    authority = Authority(actor.user, now) if actor.user else None
    held = authority.by(Permission.CHANGE_SETTINGS, place) if authority else None
    return _Ground(role, resource, place, actor, now, held, authority, agreed)


def second_needed(author: User, role: Role, resource: Resource | None, now: datetime) -> list[User]:
    """Return the administrators, others than the author, one of whom must agree to looser settings; none: nobody must.

    Where the author is concerned by them, as soon as somebody else may change them, too.
    """
    place = resource or Resource.objects.get(pk=ids.DIRECTORY)
    if not has_a_stake(author.pk, role, resource, now):
        return []
    return others_who_may(Permission.CHANGE_SETTINGS, [place], now, but=author.pk)


def settings_to_copy(settings: EffectiveSettings) -> dict[str, Any]:
    """Return what `change_settings` takes to set another role to the same."""
    return {"values": rules_of(settings), "stages": settings.written_stages, "cells": settings.cells}


def _invalid(error: ValidationError) -> list[Violation]:
    return [Violation("invalid", said, name) for name, sentences in error.message_dict.items() for said in sentences]
