"""What is proposed where settings are to become looser: data in a request, with a version.

It holds the settings that ruled when it was proposed beside those that would rule, so that whoever decides sees both,
and what has changed since can be said.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from django.db import models
from django.utils.dateparse import parse_duration
from django.utils.duration import duration_iso_string

from approvals.models import Request
from roles.models import Audience, NotifiedAct, RoleSettings
from roles.selectors.settings import RULES, Cell, EffectiveSettings, Stage, effective, rules_of

VERSION: Final = 1


class Act(models.TextChoices):
    """What would be done."""

    CHANGE = "change"
    RESET = "reset"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Ruling:
    """One role whose settings would be others: those that ruled when it was proposed, and those that would."""

    role_id: uuid.UUID
    before: EffectiveSettings
    after: EffectiveSettings
    seen: str  # `EffectiveSettings.seen` of `before`
    values: dict[str, Any]  # the fields that were written down of `after`


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of settings that waits. `everywhere`: of the role's default, not of those at a place.

    A move has a `target`, and the digest of its preview.
    """

    act: Act
    rulings: tuple[Ruling, ...]
    everywhere: bool = False
    target_id: uuid.UUID | None = None
    preview: str = ""

    @property
    def ruling(self) -> Ruling:
        """The settings of the role that the request names."""
        return self.rulings[0]


def ruling_of(before: EffectiveSettings, after: EffectiveSettings) -> Ruling:
    """Return what rules and what would, of one role."""
    return Ruling(before.role_id, before, after, before.seen, rules_of(after))


def as_data(proposal: Proposal) -> dict[str, Any]:
    """Return a proposal as it is kept."""
    return {
        "version": VERSION,
        "act": proposal.act.value,
        "everywhere": proposal.everywhere,
        "target": str(proposal.target_id) if proposal.target_id else None,
        "preview": proposal.preview,
        "rulings": [
            {
                "role": str(one.role_id),
                "seen": one.seen,
                "before": _settings_as_data(one.before),
                "after": _settings_as_data(one.after),
            }
            for one in proposal.rulings
        ],
    }


def proposal_of(request: Request) -> Proposal:
    """Return what a request proposes; raises LookupError for one that proposes nothing, or in another version."""
    data = request.proposal
    if not data or data.get("version") != VERSION:
        raise LookupError("This request proposes no change of settings that this version of the portal knows.")
    return Proposal(
        act=Act(data["act"]),
        rulings=tuple(
            Ruling(
                uuid.UUID(one["role"]),
                _settings_of(uuid.UUID(one["role"]), one["before"]),
                _settings_of(uuid.UUID(one["role"]), one["after"]),
                one["seen"],
                _values_in(one["after"]),
            )
            for one in data["rulings"]
        ),
        everywhere=data["everywhere"],
        target_id=uuid.UUID(data["target"]) if data["target"] else None,
        preview=data["preview"],
    )


def _settings_as_data(settings: EffectiveSettings) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        return duration_iso_string(value) if isinstance(value, timedelta) else value

    return {
        "rules": {name: plain(value) for name, value in rules_of(settings).items()},
        "stages": [one.plain for one in settings.written_stages],
        "cells": [
            [one.act, one.audience, one.default_recipients, list(one.additional), one.critical_only]
            for one in settings.cells
        ],
    }


def _settings_of(role_id: uuid.UUID, data: Mapping[str, Any]) -> EffectiveSettings:
    row = RoleSettings(role_id=role_id, **_values_in(data))
    cells = tuple(
        Cell(NotifiedAct(act), Audience(audience), default, tuple(additional), critical)
        for act, audience, default, additional, critical in data["cells"]
    )
    return replace(effective(row, stages=_stages_in(data), cells=cells), source_name="")


def _values_in(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of settings that were written down; one that came later is left as it is."""
    durations = {one.name for one in RoleSettings._meta.concrete_fields if isinstance(one, models.DurationField)}
    rules = {name: value for name, value in data["rules"].items() if name in RULES}
    return {name: parse_duration(value) if name in durations else value for name, value in rules.items()}


def _stages_in(data: Mapping[str, Any]) -> tuple[Stage, ...]:
    rows = []
    for number, quorum, *named in data["stages"]:
        asked, later = (frozenset(map(uuid.UUID, one)) for one in (*named, [])[:2])
        rows.append(Stage(number, quorum, asked, later))
    return tuple(rows)
