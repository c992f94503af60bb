"""Who may decide in a stage of approval, as the settings name it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from roles.ids import DIRECTORY, PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import Assignment, AssignmentType, User
from roles.selectors.named import named, with_members
from roles.selectors.settings import Stage


def _people_of(assignments: Q, now: datetime) -> Q:
    return with_members(Assignment.objects.in_effect(now).filter(assignments).values_list("principal"), now)


def _administrators(now: datetime, *, types: Iterable[AssignmentType]) -> Q:
    role = Q(role=PRIVILEGED_ROLE_ADMINISTRATOR, resource=DIRECTORY, type__in=list(types))
    return _people_of(role, now)


def people_of_escalation(stage: Stage, now: datetime, *, excluding: Iterable[uuid.UUID]) -> list[User]:
    """Return the enabled people who may decide in a stage as well from half-way on, but for `excluding`."""
    if not stage.escalation:
        return []
    who = User.objects.filter(named(stage.escalation, now), enabled=True).exclude(pk__in=list(excluding))
    return list(who.distinct().order_by("name_key", "pk"))


def people_of_stage(
    stage: Stage, now: datetime, *, excluding: Iterable[uuid.UUID], may_become: bool = False
) -> list[User]:
    """Return the enabled people who may decide in a stage as the settings name it now, but for `excluding`.

    Nobody named: whoever holds Privileged Role Administrator now; with `may_become` also who is eligible for it.
    """
    types = [AssignmentType.ACTIVE, *([AssignmentType.ELIGIBLE] if may_become else [])]
    who = named(stage.approvers, now) if stage.approvers else _administrators(now, types=types)
    return list(
        User.objects.filter(who, enabled=True).exclude(pk__in=list(excluding)).distinct().order_by("name_key", "pk")
    )
