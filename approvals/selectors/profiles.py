"""Saved profiles as their owner sees them, and the roles that somebody activates most."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, Max, QuerySet

from approvals.models import Action, Profile, ProfileItem, Request, Status
from approvals.selectors.my_roles import eligible_among
from roles.authority import Authority
from roles.models import Assignment, User
from roles.models.prepared import Prepared

USED_WITHIN: Final = timedelta(days=30)
MOST_USED: Final = 5

Slot = tuple[uuid.UUID, uuid.UUID]  # a role, and the place where one is eligible for it


@dataclass(frozen=True, slots=True)
class Line:
    """One role of a profile; `eligibility` None: its owner is no longer eligible for it there."""

    item: ProfileItem
    eligibility: Assignment | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A profile with its roles as they stand now."""

    profile: Profile
    lines: tuple[Line, ...]

    @property
    def eligibilities(self) -> list[Assignment]:
        return [one.eligibility for one in self.lines if one.eligibility is not None]

    @property
    def gone(self) -> list[ProfileItem]:
        return [one.item for one in self.lines if one.eligibility is None]


@dataclass(frozen=True, slots=True)
class Used:
    """A role that somebody activates often: from which eligibility, how often, and when last."""

    eligibility: Assignment
    times: int
    last_at: datetime


def profiles_of(user: User) -> QuerySet[Profile]:
    """Return what this person keeps, by name."""
    return Profile.objects.filter(owner=user.pk).order_by("name_key", "pk")


def kept_profiles(authority: Authority, profiles: Iterable[Profile]) -> list[Kept]:
    """Say of each of these profiles for which of its roles its owner is eligible now."""
    wanted = list(profiles)
    items: dict[uuid.UUID, list[ProfileItem]] = {}
    for item in ProfileItem.objects.filter(profile__in=wanted).select_related("role", "resource", "scope"):
        items.setdefault(item.profile_id, []).append(item)
    by_slot = _by_slot(_eligible(authority)) if items else {}
    return [
        Kept(
            one,
            tuple(
                Line(item, by_slot.get((item.role_id, item.resource_id)))
                for item in sorted(items.get(one.pk, []), key=lambda item: item.number)
            ),
        )
        for one in wanted
    ]


def _counted(user_id: uuid.UUID, now: datetime) -> QuerySet[Request, Any]:
    asked = Request.objects.filter(
        principal=user_id,
        action=Action.ACTIVATE,
        status=Status.GRANTED,
        made_at__gt=now - USED_WITHIN,
        outcome__starts_at__lte=now,
    ).exclude(outcome__ended_at__lte=F("outcome__starts_at"))
    counted = asked.values_list("role", "assignment__resource").annotate(times=Count("pk"), last=Max("made_at"))
    return counted.order_by("-times", "-last", "role", "assignment__resource")


_COUNTED = Prepared(_counted)


def most_used(authority: Authority) -> list[Used]:
    """Return the roles that this person activated most in the last 30 days and may still activate, most first.

    What was asked for and not granted is no use, nor is what is planned, or was called off before its start.
    """
    found = _COUNTED.ask(authority.user.pk, authority.now)
    if not found:
        return []
    by_slot = _by_slot(_eligible(authority))
    used = [Used(by_slot[role, place], times, last) for role, place, times, last in found if (role, place) in by_slot]
    return used[:MOST_USED]


def _eligible(authority: Authority) -> list[Assignment]:
    rows = eligible_among(authority, [one.assignment_id for one in authority.eligible])
    return sorted(rows, key=lambda row: row.pk)


def last_asked(user: User, eligibilities: Sequence[Assignment]) -> Request | None:
    """Return this person's latest request to activate one of these roles there, whatever became of it."""
    slots = {(one.role_id, one.resource_id) for one in eligibilities}
    rows = Request.objects.filter(principal=user.pk, action=Action.ACTIVATE, role__in={role for role, _ in slots})
    rows = rows.filter(assignment__resource__in={place for _, place in slots}, break_glass=False)
    for row in rows.select_related("assignment").order_by("-made_at", "-pk")[:50]:
        if row.assignment is not None and (row.role_id, row.assignment.resource_id) in slots:
            return row
    return None


def _by_slot(rows: Iterable[Assignment]) -> dict[Slot, Assignment]:
    """Index eligibilities by role and place: of several for the same, the one that lasts longest."""
    found: dict[Slot, Assignment] = {}
    for row in rows:
        slot = (row.role_id, row.resource_id)
        if slot not in found or _lasts_longer(row, found[slot]):
            found[slot] = row
    return found


def _lasts_longer(one: Assignment, other: Assignment) -> bool:
    if other.ends_at is None:
        return False
    return one.ends_at is None or one.ends_at > other.ends_at
