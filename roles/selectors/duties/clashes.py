"""What must not be held together: the one definition of a clash, for whoever is about to give something.

A rule counts what reaches into its place: what was given at or below it, or above it. Two roles of a rule clash when
one person has both, at any two such places, at one moment. What has to be activated first counts for a rule about
holding only. Which of two clashing roles was there first is of no account.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from django.db.models import QuerySet

from roles.authority import Authority
from roles.catalogue import Permission
from roles.ids import GROUP_MEMBER
from roles.models import DutyReach, DutyRule, Principal, PrincipalKind, Resource, ResourceKind, Role, User
from roles.models.prepared import Prepared
from roles.selectors.duties.holdings import Holding, Ids, Membership, carried_by, holdings_of, members_of, through


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it is asked: which roles, below which tree path."""

    row: DutyRule
    roles: frozenset[uuid.UUID]
    path: str

    def counts(self, one: Holding) -> bool:
        """Return whether it counts what somebody has."""
        reaches = one.path.startswith(self.path) or self.path.startswith(one.path)
        return one.role_id in self.roles and reaches and (one.active or self.row.reach == DutyReach.HOLD)

    def parts(self, one: Holding, other: Holding) -> bool:
        """Return whether one person may not have both; asked of what it counts."""
        return one.role_id != other.role_id and one.overlaps(other)


@dataclass(frozen=True, slots=True)
class Gift:
    """What a principal is about to get: directly, or for each member where the principal is a group."""

    principal: Principal
    role: Role
    resource: Resource
    active: bool
    starts_at: datetime
    ends_at: datetime | None

    @property
    def joins(self) -> bool:
        """Whether it lets somebody into a group."""
        return self.role.pk == GROUP_MEMBER and self.resource.kind == ResourceKind.GROUP

    def holding(self) -> Holding:
        place = self.resource
        return Holding(self.principal.pk, self.role.pk, place.pk, place.path, self.active, self.starts_at, self.ends_at)


@dataclass(frozen=True, slots=True)
class Side:
    """One of two roles that clash, for people to read. Without a place where its reader may not look."""

    role: Role
    resource: Resource
    group: Principal | None
    active: bool
    starts_at: datetime
    ends_at: datetime | None
    assignment_id: uuid.UUID | None
    begun: bool
    seen: bool


@dataclass(frozen=True, slots=True)
class Clash:
    """One person, two roles, and the rule that keeps them apart; `own` where its reader is that person."""

    rule: DutyRule
    person: Principal
    one: Side
    other: Side
    own: bool = False

    @property
    def starts_at(self) -> datetime:
        """From when on both are there."""
        return max(self.one.starts_at, self.other.starts_at)

    @property
    def begun(self) -> bool:
        """Whether both are there now."""
        return self.one.begun and self.other.begun


Pair = tuple[Rule, Holding, Holding]


_NAMING = Prepared(lambda roles: DutyRule.objects.naming(roles).order_by().values_list("pk", flat=True))


def rules_naming(roles: Ids) -> list[Rule]:
    """Return the rules in force that name one of these roles; one query, and one more where there are any."""
    named = _NAMING.ask(roles)
    return as_asked(DutyRule.objects.filter(pk__in=named)) if named else []


def as_asked(rows: QuerySet[DutyRule]) -> list[Rule]:
    """Return rules in the shape in which they are asked."""
    rows = rows.select_related("resource").prefetch_related("roles").order_by("name_key", "pk")
    return [Rule(row, frozenset(role.pk for role in row.roles.all()), row.resource.path) for row in rows]


def pairs_among(rules: Iterable[Rule], held: Mapping[uuid.UUID, Sequence[Holding]]) -> Iterator[Pair]:
    """Yield every two of what each person has that a rule keeps apart."""
    for rule in rules:
        for had in held.values():
            counted = [one for one in had if rule.counts(one)]
            yield from ((rule, one, other) for one, other in combinations(counted, 2) if rule.parts(one, other))


class ClashBook:
    """What clashes with what is about to be given; for any number of gifts, in seven queries at most.

    Good for one `now`. What was planned by `plan` counts as if it were given. `as_enabled` count as enabled.
    """

    def __init__(self, now: datetime, *, as_enabled: Ids = ()) -> None:
        self.now, self.as_enabled = now, as_enabled
        self._planned: dict[uuid.UUID, list[Holding]] = defaultdict(list)

    def look(self, gifts: Sequence[Gift]) -> list[Prospect]:
        """Return what each of these gifts would bring, to be asked one after the other."""
        joined = {one.resource.group.pk: None for one in gifts if one.joins}
        carried = carried_by(joined, self.now, as_enabled=self.as_enabled) if joined else {}
        roles = {one.role.pk for one in gifts} | {row.role_id for rows in carried.values() for row in rows}
        rules = rules_naming(roles)
        if not rules:
            return [Prospect(self, [], [], {}) for _gift in gifts]
        named = frozenset().union(*(rule.roles for rule in rules))
        brought = list(self._brought(gifts, named, carried))
        people = {row.person_id for rows in brought for row in rows}
        held = holdings_of(people, named, self.now, as_enabled=self.as_enabled) if people else {}
        return [Prospect(self, rules, rows, held) for rows in brought]

    def _brought(
        self, gifts: Sequence[Gift], named: frozenset[uuid.UUID], carried: Mapping[uuid.UUID, list[Holding]]
    ) -> Iterator[list[Holding]]:
        """Yield what each gift brings to whom, of the roles that a rule names."""
        groups = {
            one.principal.pk for one in gifts if one.principal.kind == PrincipalKind.GROUP and one.role.pk in named
        }
        members = members_of(groups, self.now, as_enabled=self.as_enabled) if groups else {}
        for gift in gifts:
            held = gift.holding()
            if gift.joins:
                joining = _membership(gift)
                rows = [through(joining, row) for row in carried.get(joining.group_id, ()) if row.role_id in named]
            elif gift.role.pk not in named:
                rows = []
            elif gift.principal.kind == PrincipalKind.GROUP:
                rows = [through(one, held) for one in members.get(gift.principal.pk, ())]
            else:
                rows = [held]
            yield [row for row in rows if row is not None]

    def plan(self, rows: Iterable[Holding]) -> None:
        for row in rows:
            self._planned[row.person_id].append(row)

    def planned(self, person_id: uuid.UUID) -> Sequence[Holding]:
        return self._planned.get(person_id, ())


def _membership(gift: Gift) -> Membership:
    return Membership(gift.principal.pk, gift.resource.group.pk, gift.active, gift.starts_at, gift.ends_at)


class Prospect:
    """What a gift would bring to whom, and with what it would clash."""

    def __init__(
        self,
        book: ClashBook,
        rules: Sequence[Rule],
        brings: Sequence[Holding],
        held: Mapping[uuid.UUID, Sequence[Holding]],
    ) -> None:
        self._book, self._rules, self._brings, self._held = book, rules, brings, held

    def pairs(self) -> list[Pair]:
        """Return what clashes: what it brings first, then what is there or comes with it."""
        found: list[Pair] = []
        for rule in self._rules:
            for place, brought in enumerate(self._brings):
                if not rule.counts(brought):
                    continue
                with_it = [one for one in self._brings[place + 1 :] if one.person_id == brought.person_id]
                there = [*self._held.get(brought.person_id, ()), *self._book.planned(brought.person_id), *with_it]
                found += [
                    (rule, brought, other) for other in there if rule.counts(other) and rule.parts(brought, other)
                ]
        return found

    def take(self) -> None:
        """Let what comes after count this as given."""
        self._book.plan(self._brings)


def clashes_of(gifts: Sequence[Gift], now: datetime, *, viewer: User | None, as_enabled: Ids = ()) -> tuple[Clash, ...]:
    """Return what clashes with what is about to be given, as `viewer` may see it (None: the operator)."""
    prospects = ClashBook(now, as_enabled=as_enabled).look(gifts)
    return named([pair for one in prospects for pair in one.pairs()], viewer=viewer, now=now)


def clashes_when_enabled(principal: Principal, now: datetime, *, viewer: User | None) -> tuple[Clash, ...]:
    """Return what would stand against the rules as soon as somebody, or a group with its members, is enabled."""
    enabled = {principal.pk}
    people = {principal.pk: None}
    if principal.kind == PrincipalKind.GROUP:
        joined = members_of(enabled, now, as_enabled=enabled)
        people = {one.person_id: None for rows in joined.values() for one in rows}
    rules = as_asked(DutyRule.objects.in_force())
    roles = frozenset().union(*(rule.roles for rule in rules))
    held = holdings_of(people, roles, now, as_enabled=enabled) if rules and people else {}
    came = [pair for pair in pairs_among(rules, held) if _comes(principal, pair)]
    return named(came, viewer=viewer, now=now)


def _comes(principal: Principal, pair: Pair) -> bool:
    """Whether it is there only because this principal is enabled: all of a person's, what comes through a group."""
    _rule, one, other = pair
    return principal.kind == PrincipalKind.USER or principal.pk in (one.group_id, other.group_id)


def named(pairs: Sequence[Pair], *, viewer: User | None, now: datetime) -> tuple[Clash, ...]:
    """Return clashes with the names of what they are about, as `viewer` may see them; no query where there are none."""
    if not pairs:
        return ()
    sides = [one for _rule, *two in pairs for one in two]
    principals = Principal.objects.in_bulk({pk for one in sides for pk in (one.person_id, one.group_id) if pk})
    roles = Role.objects.in_bulk({one.role_id for one in sides})
    places = Resource.objects.in_bulk({one.resource_id for one in sides})
    authority = Authority(viewer, now) if viewer else None

    def side(one: Holding, own: bool) -> Side:
        place = places[one.resource_id]
        seen = own or one.assignment_id is None or authority is None or authority.allows(Permission.SEE, place)
        group = principals[one.group_id] if one.group_id else None
        times = (one.starts_at, one.ends_at)
        return Side(roles[one.role_id], place, group, one.active, *times, one.assignment_id, one.starts_at <= now, seen)

    def clash(rule: Rule, one: Holding, other: Holding) -> Clash:
        own = viewer is not None and viewer.pk == one.person_id
        return Clash(rule.row, principals[one.person_id], side(one, own), side(other, own), own)

    return tuple(clash(*pair) for pair in pairs)
