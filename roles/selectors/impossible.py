"""Settings that have become impossible: too few people are left who could approve, for everybody or for one person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from roles.models import Resource, Role, RoleSettings
from roles.selectors.settings import SettingsBook
from roles.selectors.settings_use import Gap, gaps_in


@dataclass(frozen=True, slots=True)
class Impossible:
    """Settings under which nobody, or one eligible person (`gap.person`), can be approved. `place` None: the default
    of the role, wherever it has no settings of its own."""

    role: Role
    place: Resource | None
    gap: Gap


def impossible_settings(now: datetime) -> Iterator[Impossible]:
    """Yield what has become impossible in all settings that ask for an approval, by role and place.

    People, groups and memberships change after settings were made: somebody is disabled or leaves a group, a group is
    emptied or disabled, a membership ends. Nobody approves their own request, so a stage must hold its quorum without
    each person who is eligible. Who approves only as an escalation comes too late to count.
    """
    rows = RoleSettings.objects.filter(approval_required=True, role__retired_at=None)
    rows = rows.select_related("role", "resource").order_by("role__name_key", "role", "resource__path", "pk")
    found = list(rows)
    book = SettingsBook(row.role_id for row in found)
    for row in found:
        settings = book.of(row.role, row.resource) if row.resource else book.default_of(row.role)
        for gap in gaps_in(settings, role=row.role, place=row.resource, now=now):
            yield Impossible(row.role, row.resource, gap)
