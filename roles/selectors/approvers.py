"""Who may decide in a stage of approval, as the settings name it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from roles.ids import DIRECTORY, PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import Assignment, AssignmentType, User
from roles.models.prepared import Prepared
from roles.selectors.named import named, with_members
from roles.selectors.settings import Stage


def _named(principals: Iterable[uuid.UUID], now: datetime, but: Iterable[uuid.UUID]) -> QuerySet[User]:
    return _enabled(named(principals, now), but)


def _administering(now: datetime, but: Iterable[uuid.UUID], may_become: bool) -> QuerySet[User]:
    types = [AssignmentType.ACTIVE, *([AssignmentType.ELIGIBLE] if may_become else [])]
    role = Q(role=PRIVILEGED_ROLE_ADMINISTRATOR, resource=DIRECTORY, type__in=types)
    held = Assignment.objects.in_effect(now).filter(role).values_list("principal")
    return _enabled(with_members(held, now), but)


def _enabled(who: Q, but: Iterable[uuid.UUID]) -> QuerySet[User]:
    return User.objects.filter(who, enabled=True).exclude(pk__in=but).distinct().order_by("name_key", "pk")


_NAMED = Prepared(_named)
_ADMINISTERING = Prepared(_administering)


def people_of_escalation(stage: Stage, now: datetime, *, excluding: Iterable[uuid.UUID]) -> list[User]:
    """Return the enabled people who may decide in a stage as well from half-way on, but for `excluding`."""
    if not stage.escalation:
        return []
    return _NAMED.ask(stage.escalation, now, list(excluding))


def people_of_stage(
    stage: Stage, now: datetime, *, excluding: Iterable[uuid.UUID], may_become: bool = False
) -> list[User]:
    """Return the enabled people who may decide in a stage as the settings name it now, but for `excluding`.

    Nobody named: whoever holds Privileged Role Administrator now; with `may_become` also who is eligible for it.
    """
    but = list(excluding)
    return _NAMED.ask(stage.approvers, now, but) if stage.approvers else _ADMINISTERING.ask(now, but, may_become)
