"""What stands against the rules of separation of duties now: for pages, alerts, and previews of a rule or a move."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from roles.models import DutyReach, DutyRule, Resource, Role, User
from roles.selectors.duties.clashes import Clash, Pair, Rule, as_asked, named, pairs_among
from roles.selectors.duties.holdings import Holding, holdings_everywhere

MOVED = "~" * Resource.steplen  # stands for the step that a moved place would get: no other has it


def rules_at(place: Resource) -> QuerySet[DutyRule]:
    """Return the rules in force that reach into a place: made there, above or below."""
    below = Q(resource__path__startswith=place.path)
    return DutyRule.objects.in_force().filter(below | Q(resource__path__in=place.way))


def conflicts(now: datetime, within: Resource, *, viewer: User | None = None) -> list[Clash]:
    """Return what stands against the rules at a place and below, now or later; what concerns other places is left out.

    As `viewer` may see it (None: the portal itself). As many queries for a thousand people as for one.
    """
    found = [
        pair
        for pair in pairs(as_asked(rules_at(within)), now)
        if any(_concerns(one, within) for one in pair[1:]) or pair[0].path.startswith(within.path)
    ]
    return _sorted(named(found, viewer=viewer, now=now))


def conflicts_of(rule: DutyRule, now: datetime, *, viewer: User | None = None) -> list[Clash]:
    """Return what stands against one rule, whether it is in force or not."""
    found = pairs(as_asked(DutyRule.objects.filter(pk=rule.pk)), now)
    return _sorted(named(found, viewer=viewer, now=now))


def conflicts_if(
    place: Resource, roles: Iterable[Role], reach: DutyReach, now: datetime, *, viewer: User | None = None
) -> list[Clash]:
    """Return what would stand against a rule that is not made yet."""
    asked = Rule(DutyRule(reach=reach, resource=place), frozenset(role.pk for role in roles), place.path)
    return _sorted(named(pairs([asked], now), viewer=viewer, now=now))


def conflicts_by_move(
    place: Resource, target: Resource, now: datetime, *, viewer: User | None = None
) -> tuple[Clash, ...]:
    """Return what would stand against a rule only because `place` is moved below `target`."""
    roots = {place.way[0], target.way[0]}
    there = Q()
    for root in roots:
        there |= Q(resource__path__startswith=root)
    rules = as_asked(DutyRule.objects.in_force().filter(there))
    parent = len(place.path) - Resource.steplen

    def moved(path: str) -> str:
        if not path.startswith(place.path):
            return path
        return f"{target.path}{MOVED}{path[parent + Resource.steplen :]}"

    held = _held(rules, now)
    before = {_key(pair) for pair in pairs_among(rules, held)}
    after = pairs_among([replace(rule, path=moved(rule.path)) for rule in rules], _with_paths(held, moved))
    return named([pair for pair in after if _key(pair) not in before], viewer=viewer, now=now)


def pairs(rules: Sequence[Rule], now: datetime) -> list[Pair]:
    """Return every two assignments that one person has and one of these rules keeps apart."""
    return list(pairs_among(rules, _held(rules, now)))


def digest_of(clashes: Iterable[Clash]) -> str:
    """Return the digest of what somebody was shown (hex SHA-256)."""
    lines = sorted(f"{one.person.pk} {one.one.assignment_id} {one.other.assignment_id}" for one in clashes)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _held(rules: Sequence[Rule], now: datetime) -> Mapping[UUID, Sequence[Holding]]:
    roles = frozenset().union(*(rule.roles for rule in rules))
    return holdings_everywhere(roles, now) if roles else {}


def _with_paths(
    held: Mapping[UUID, Sequence[Holding]], moved: Callable[[str], str]
) -> Mapping[UUID, Sequence[Holding]]:
    return {pk: [replace(one, path=moved(one.path)) for one in rows] for pk, rows in held.items()}


def _key(pair: Pair) -> tuple[object, ...]:
    rule, one, other = pair
    return rule.row.pk, one.person_id, one.assignment_id, one.group_id, other.assignment_id, other.group_id


def _concerns(one: Holding, within: Resource) -> bool:
    return one.path.startswith(within.path)


def _sorted(clashes: Iterable[Clash]) -> list[Clash]:
    def order(one: Clash) -> tuple[object, ...]:
        return one.person.name_key, str(one.person.pk), one.rule.name_key, one.starts_at, str(one.one.assignment_id)

    return sorted(clashes, key=order)
