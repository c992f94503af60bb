"""The rows behind the settings of a role: found or begun, written with their stages and cells, told of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet

from roles import ids
from roles.models import ApprovalStage, NotificationCell, Resource, Role, RoleSettings, StageApprover
from roles.selectors.settings import Cell, EffectiveSettings, Stage, rules_of


def row_of(role: Role, resource: Resource | None, before: EffectiveSettings) -> RoleSettings:
    """Return the row to change. A new one starts from what rules there, so that no rule is loosened unasked."""
    row = RoleSettings.objects.filter(role=role, resource=resource).first()
    return row or RoleSettings(role=role, resource=resource, **rules_of(before))


def rows_to_reset(role: Role, resource: Resource) -> QuerySet[RoleSettings]:
    """Return the rows that are a role's own at a resource. The role's default stands at the directory, too."""
    here = Q(resource=resource)
    if resource.pk == ids.DIRECTORY:
        here |= Q(resource=None)
    return RoleSettings.objects.filter(here, role=role)


def write(row: RoleSettings, *, stages: tuple[Stage, ...], cells: tuple[Cell, ...]) -> None:
    """Save a row with its stages and cells as a whole; a cell that is as usual needs none."""
    row.save()
    row.stages.all().delete()
    for stage in stages:
        made = ApprovalStage.objects.create(settings=row, number=stage.number, quorum=stage.quorum)
        StageApprover.objects.bulk_create(
            StageApprover(stage=made, principal_id=pk, escalation=pk in stage.escalation)
            for pk in sorted(stage.approvers | stage.escalation)
        )
    row.cells.all().delete()
    NotificationCell.objects.bulk_create(
        NotificationCell(
            settings=row,
            act=one.act,
            audience=one.audience,
            default_recipients=one.default_recipients,
            additional="; ".join(one.additional),
            critical_only=one.critical_only,
        )
        for one in cells
        if one != Cell(one.act, one.audience)
    )


def details_of(before: EffectiveSettings, after: EffectiveSettings) -> tuple[dict[str, object], tuple[str, str]]:
    """Return what a change of settings tells: old and new of each changed field, and the personal text of both.

    Addresses are personal: the details say how many there are, the text which.
    """
    old, new = _plain(before), _plain(after)
    changed = sorted(name for name in old if old[name] != new[name])
    details: dict[str, object] = {
        "before": before.digest,
        "after": after.digest,
        "old": {name: old[name] for name in changed},
        "new": {name: new[name] for name in changed},
    }
    addresses = (_addresses(before), _addresses(after))
    return details, ("", "") if addresses[0] == addresses[1] else addresses


def _plain(settings: EffectiveSettings) -> dict[str, Any]:
    rules = {name: str(value) if isinstance(value, timedelta) else value for name, value in rules_of(settings).items()}
    stages = [one.plain for one in settings.written_stages]
    cells = {
        f"{one.act}/{one.audience}": {
            "default_recipients": one.default_recipients,
            "additional": len(one.additional),
            "critical_only": one.critical_only,
        }
        for one in settings.cells
    }
    return {**rules, "second_factor": str(settings.second_factor), "stages": stages, "cells": cells}


def _addresses(settings: EffectiveSettings) -> str:
    return "\n".join(
        f"{one.act}/{one.audience}: {'; '.join(one.additional)}" for one in settings.cells if one.additional
    )
