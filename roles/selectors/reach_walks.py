"""The first rows of who can do what, found without the rest: newest first, by person or by role, narrowed or not."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Any, Final

from django.db.models import F, Q, QuerySet

from roles.ids import GROUP_MEMBER
from roles.models import Assignment, AssignmentType, Group, Resource, Role, User
from roles.models.assignments import AssignmentQuerySet
from roles.models.planning import planned_anew
from roles.models.prepared import Prepared
from roles.selectors.assignment_lists import NEWEST, first_of
from roles.selectors.keys import AnyOf, as_many, keys_or_query
from roles.selectors.reach import AFTER, GROUP, NOW, OF_USER, RowKey, Word, by_way, each_person, of_or_through, those_of
from roles.selectors.walking import AT_FIRST, in_effect_in_order, newest_of

# Looked at at once, where the list is put together of them in the order of their names; the more, the less was found.
FEW_PEOPLE, FEW_ROLES, MORE_EACH_TIME = 32, 1, 2


_HOLDERS = Prepared(
    lambda pks: (
        Assignment.objects.filter(pk__in=as_many(pks))
        .order_by()
        .values_list("pk", "type", "principal__group__resource")
    )
)
_ROLES = Prepared(lambda pks: Assignment.objects.filter(pk__in=as_many(pks)).order_by().values_list("pk", "role"))
_PRINCIPALS = Prepared(
    lambda pks: Assignment.objects.filter(pk__in=as_many(pks)).order_by().values_list("pk", "principal")
)
_MEMBERS = Prepared(
    lambda nodes, now: (
        Assignment.objects.memberships(now).filter(resource__in=nodes).order_by("pk").values_list("resource", "pk")
    )
)
_JOINING = Prepared(
    lambda nodes, now: (
        Assignment.objects.in_effect(now)
        .eligible()
        .filter(role=GROUP_MEMBER, resource__in=nodes)
        .order_by("pk")
        .values_list("resource", "pk")
    )
)


def first_reaching(place: Resource, now: datetime, most: int) -> list[RowKey]:
    """Return the keys of the first so many rows of `reaching`, those given last first; composed once."""
    limit = most
    while keys := first_of(("eligible", "active"), place, now, limit):
        rows = _rows_of(keys, now)
        if len(rows) >= most or len(keys) < limit:
            return rows[:most]
        limit *= 2  # some are of groups that nobody belongs to
    return []


def _rows_of(keys: Sequence[uuid.UUID], now: datetime, when: str = "") -> list[RowKey]:
    """Return the rows that these assignments come to, once for each person; had `when` alone, where that is said."""
    given = {pk: (type == AssignmentType.ACTIVE, node) for pk, type, node in _HOLDERS.ask(keys)} if keys else {}
    nodes = {node for _active, node in given.values() if node is not None}
    belonging: dict[uuid.UUID, list[tuple[uuid.UUID, bool]]] = defaultdict(list)
    for question, now_a_member in ((_MEMBERS, True), (_JOINING, False)):
        for node, pk in question.ask(nodes, now) if nodes else []:
            belonging[node].append((pk, now_a_member))
    found: list[RowKey] = []
    for key in keys:
        active, node = given[key]
        ways = sorted(belonging[node]) if node else [(None, True)]
        found += [(key, pk) for pk, a_member in ways if when in ("", NOW if active and a_member else AFTER)]
    return found


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the list is narrowed to: nothing, where it is empty."""

    when: str = ""
    how: str = ""
    words: tuple[Word, ...] = ()


def first_narrowed(place: Resource, now: datetime, most: int, to: Narrowed) -> list[RowKey]:
    """Return the keys of the first so many rows of `reaching` that are left, those given last first."""
    parts = _given(place, now, to)
    walks = [part.filter(resource=pk) for part in parts for pk in place.way_ids]
    wanted = most if len(walks) == 1 else AT_FIRST
    walk = newest_of(in_effect_in_order(rows, NEWEST, now, wanted=wanted) for rows in walks)
    found: list[RowKey] = []
    # No more of a walk than are wanted: it would look at as many again.
    while len(found) < most and (keys := list(islice(walk, max(AT_FIRST, most - len(found))))):
        found += _about(to.words, _rows_of(keys, now, to.when))
    return found[:most]


def _given(place: Resource, now: datetime, to: Narrowed) -> list[AssignmentQuerySet]:
    """Return what the columns say comes to rows that are left, in parts that have nothing in common."""
    given = Assignment.objects.open().filter(resource__in=place.way_ids, starts_at__lte=now)
    for word in to.words:
        given = given.filter(word.may_be_given)
    return [given.filter(when, how) for when in _by_when(to.when) for how in _by_way(to.how, place)]


# One condition after the other: of each PostgreSQL knows better how many there are. Groups are named by their keys.
def _by_when(when: str) -> list[Q]:
    """Return conditions that an assignment comes to rows that are had then."""
    if when == NOW:
        return [Q(type=AssignmentType.ACTIVE)]
    if when == AFTER:
        # Of what is active those alone whose membership in a group is still to be activated.
        return [Q(type=AssignmentType.ELIGIBLE), Q(type=AssignmentType.ACTIVE, principal__in=_groups())]
    return [Q()]


def _by_way(how: str, place: Resource) -> list[Q]:
    """Return conditions that an assignment comes to its people in this way."""
    if how == GROUP:
        groups = _groups()
        eligible = keys_or_query(Assignment.objects.open().eligible().filter(principal__in=groups))
        return [Q(principal__in=groups), Q(activated_from__in=eligible) & OF_USER]
    return [by_way(how, place) if how else Q()]


def _groups() -> Sequence[uuid.UUID] | QuerySet[Any]:
    return keys_or_query(Group.objects.order_by())


def _about(words: Sequence[Word], rows: list[RowKey]) -> list[RowKey]:
    """Return those of these rows in whose person or role each word is."""
    if not words or not rows:
        return rows
    people, roles = _people_of(rows), dict(_ROLES.ask({pk for pk, _membership in rows}))
    for word in words:
        named = set(word.people.filter(AnyOf(F("pk"), set(people.values()))).values_list("pk", flat=True))
        held = set(word.roles.filter(AnyOf(F("pk"), set(roles.values()))).values_list("pk", flat=True))
        rows = [row for row in rows if people[row] in named or roles[row[0]] in held]
    return rows


def _people_of(rows: Sequence[RowKey]) -> dict[RowKey, uuid.UUID]:
    """Return whom each row is about: the member, where a group brings it."""
    holders = dict(_PRINCIPALS.ask({pk if membership is None else membership for pk, membership in rows}))
    return {(pk, membership): holders[pk if membership is None else membership] for pk, membership in rows}


def first_sorted(place: Resource, now: datetime, most: int, to: Narrowed, order: Sequence[str]) -> list[RowKey]:
    """Return the keys of the first so many rows of `reaching` that are left, by person or by role (`SORTED`).

    So many people, or roles, at a time as are needed, in the order of their names: all rows at once would have to be
    found before they could be put in order.
    """
    parts, found = _given(place, now, to), list[RowKey]()
    for chosen in SORTED[order[0].lstrip("-")](to, order[0].startswith("-")):
        with planned_anew():
            given = [list(part.filter(chosen.given).values_list("pk", flat=True)) for part in parts]
            held = Assignment.objects.in_effect_of(as_many(list(chain(*given))), now).order_by()
            keys = list(held.values_list("pk", flat=True))
        rows = _about(to.words, _rows_of(keys, now, to.when))
        if chosen.people is not None:
            people = _people_of(rows)
            rows = [row for row in rows if people[row] in chosen.people]
        found += _in_order(rows, order)
        if len(found) >= most:
            break
    return found[:most]


def _in_order(rows: Sequence[RowKey], order: Sequence[str]) -> list[RowKey]:
    memberships = [membership for _pk, membership in rows if membership is not None]
    named = each_person(Assignment.objects.filter(pk__in=as_many({pk for pk, _membership in rows})))
    named = named.filter(OF_USER | Q(membership_id__in=as_many(memberships)))
    return those_of(rows, named.order_by(*order).values_list("pk", "membership_id"))


@dataclass(frozen=True, slots=True)
class Chosen:
    """The next of the people or roles by which a list is sorted: what may be given to them, and who they are."""

    given: Q
    people: frozenset[uuid.UUID] | None = None


def _person_after_person(to: Narrowed, last_first: bool) -> Iterator[Chosen]:
    rows = User.objects.order_by()
    for word in to.words:
        if not word.roles.exists():  # else it may be in the name of a role that anybody has
            rows = rows & word.people
    for people in _names_at_a_time(rows, last_first, FEW_PEOPLE):
        yield Chosen(of_or_through(people), frozenset(people))


def _role_after_role(to: Narrowed, last_first: bool) -> Iterator[Chosen]:
    for roles in _names_at_a_time(Role.objects.order_by(), last_first, FEW_ROLES):
        yield Chosen(Q(role__in=roles))


# What the list is sorted by in parts, by the first of the columns that it is put in order by.
SORTED: Final[dict[str, Callable[[Narrowed, bool], Iterator[Chosen]]]] = {
    "person_key": _person_after_person,
    "role__name_key": _role_after_role,
}


def _names_at_a_time(named: QuerySet[Any], last_first: bool, most: int) -> Iterator[list[uuid.UUID]]:
    """Yield the keys of what is named, in the order of names, about so many at first; all of one name at once."""
    sign, beyond, up_to = ("-", "lt", "gte") if last_first else ("", "gt", "lte")
    rows = named
    while True:
        with planned_anew():
            last = list(rows.order_by(f"{sign}name_key").values_list("name_key", flat=True)[:most])
            if not last:
                return
            keys = list(rows.filter(**{f"name_key__{up_to}": last[-1]}).values_list("pk", flat=True))
        yield keys
        rows, most = named.filter(**{f"name_key__{beyond}": last[-1]}), most * MORE_EACH_TIME
