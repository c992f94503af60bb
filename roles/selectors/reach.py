"""Who can do what at a place, now or after activation: every person, whichever way they come to it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from django.db.models import Case, CharField, F, Q, QuerySet, UUIDField, Value, When
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from roles.ids import GROUP_MEMBER
from roles.models import Assignment, AssignmentType, Principal, PrincipalKind, Resource, Role, User
from roles.models.assignments import AssignmentQuerySet
from roles.models.planning import planned_anew
from roles.models.prepared import Prepared
from roles.selectors.assignment_lists import NEWEST, first_of
from roles.selectors.keys import FEW_NAMES, is_of, keys_or_query
from roles.selectors.settings import SettingsBook
from roles.selectors.walking import AT_ONCE, in_effect_in_order, newest_of

NOW, AFTER = "now", "after"
WHEN = [(NOW, _("Now")), (AFTER, _("After activation"))]

DIRECT, GROUP, INHERITED = "direct", "group", "inherited"
HOW = [(DIRECT, _("Direct")), (GROUP, _("Through a group")), (INHERITED, _("Inherited"))]

FEW_ROLES: Final = 4  # looked at at once; each is held by many

# From what a group holds to its members: the assignments at the group's own node.
_MEMBERSHIP = "principal__group__resource__assignments"
_OF_USER = Q(principal__kind=PrincipalKind.USER)


def reaching(place: Resource, now: datetime) -> QuerySet[Any]:
    """Return what reaches a place, once for each person: an assignment of a group comes with each of its members.

    A row is an assignment there or above, with `person_id` and `person_key`, `membership_id` where a group brings it,
    and `when`: whether the person has it now, or after activating it or their membership.
    """
    members = Assignment.objects.memberships(now).order_by().values("pk")
    joining = Assignment.objects.in_effect(now).eligible().filter(role=GROUP_MEMBER).order_by().values("pk")
    rows = _each_person(Assignment.objects.in_effect(now).filter(resource__in=place.way_ids))
    return rows.filter(_OF_USER | Q(membership_id__in=members) | Q(membership_id__in=joining))


def _each_person(given: AssignmentQuerySet) -> QuerySet[Any]:
    """Return these assignments, of a group once for each that was ever its member, in the order of the list."""
    held = Q(type=AssignmentType.ACTIVE) & (_OF_USER | Q(membership_type=AssignmentType.ACTIVE))
    rows: QuerySet[Any] = given.annotate(
        membership_id=F(f"{_MEMBERSHIP}__pk"), membership_type=F(f"{_MEMBERSHIP}__type")
    ).annotate(
        person_id=_whose("principal", f"{_MEMBERSHIP}__principal", UUIDField()),
        person_key=_whose("principal__name_key", f"{_MEMBERSHIP}__principal__name_key", CharField()),
        when=Case(When(held, then=Value(NOW)), default=Value(AFTER), output_field=CharField()),
    )
    return rows.order_by("person_key", "role__name_key", "when", "pk", "membership_id")


# A row of the list by its two keys: of the assignment, and of the membership by which a group brings it.
RowKey = tuple[uuid.UUID, uuid.UUID | None]

_HOLDERS = Prepared(
    lambda pks: Assignment.objects.filter(pk__in=pks).order_by().values_list("pk", "type", "principal__group__resource")
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
class Word:
    """A word that is looked for: the people and the roles in whose names it is."""

    people: QuerySet[User]
    roles: QuerySet[Role]


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the list is narrowed to: nothing, where it is empty."""

    when: str = ""
    how: str = ""
    words: tuple[Word, ...] = ()


def first_narrowed(place: Resource, now: datetime, most: int, to: Narrowed) -> list[RowKey]:
    """Return the keys of the first so many rows of `reaching` that are left, those given last first."""
    given = Assignment.objects.open().filter(starts_at__lte=now)
    if to.when == NOW:
        given = given.active()
    elif to.when == AFTER:  # of what is active those alone whose membership in a group is still to be activated
        given = given.filter(Q(type=AssignmentType.ELIGIBLE) | Q(principal__kind=PrincipalKind.GROUP))
    if to.how:
        given = given.filter(by_way(to.how, place))
    for word in to.words:
        given = given.filter(_given_to(word.people) | is_of("role", word.roles))
    walk = newest_of(in_effect_in_order(given.filter(resource=pk), NEWEST, now) for pk in place.way_ids)
    found: list[RowKey] = []
    while len(found) < most and (keys := list(islice(walk, AT_ONCE))):
        found += _about(to.words, _rows_of(keys, now, to.when))
    return found[:most]


def _given_to(named: QuerySet[User]) -> Q:
    """Return the condition that an assignment may reach one of these people: it is given to them, or to a group."""
    few = keys_or_query(named, FEW_NAMES)
    if isinstance(few, QuerySet):
        return is_of("principal", named) | Q(principal__kind=PrincipalKind.GROUP)
    return _of_or_through(few)


def _of_or_through(people: Sequence[uuid.UUID]) -> Q:
    """Return the condition that an assignment is given to one of these, or to a group that one of them was ever in."""
    groups = Assignment.objects.filter(principal__in=people).values_list("resource__group", flat=True)
    return Q(principal__in=[*people, *groups.exclude(resource__group=None)])


def _about(words: Sequence[Word], rows: list[RowKey]) -> list[RowKey]:
    """Return those of these rows in whose person or role each word is."""
    if not words or not rows:
        return rows
    given = Assignment.objects.filter(pk__in={pk for pk, _membership in rows}).order_by()
    said = {pk: (role, holder) for pk, role, holder in given.values_list("pk", "role", "principal")}
    through = Assignment.objects.filter(pk__in={pk for _given, pk in rows if pk is not None}).order_by()
    members = dict(through.values_list("pk", "principal"))
    people = {row: members[row[1]] if row[1] is not None else said[row[0]][1] for row in rows}
    for word in words:
        named = set(word.people.filter(pk__in=set(people.values())).values_list("pk", flat=True))
        roles = set(word.roles.filter(pk__in={role for role, _holder in said.values()}).values_list("pk", flat=True))
        rows = [row for row in rows if people[row] in named or said[row[0]][0] in roles]
    return rows


_ORDERED = Prepared(
    lambda pks, memberships: (
        _each_person(Assignment.objects.filter(pk__in=pks))
        .filter(_OF_USER | Q(membership_id__in=memberships))
        .values_list("pk", "membership_id")
    )
)
_GIVEN = Prepared(
    lambda pks: Assignment.objects.filter(pk__in=pks).select_related(
        "role", "resource", "principal", "activated_from__principal", "activated_from__resource"
    )
)
_OF_GROUPS = Prepared(lambda pks: Assignment.objects.filter(pk__in=pks))


def in_order_of_names(keys: Sequence[RowKey]) -> list[RowKey]:
    """Return the keys of rows in the order of `reaching`."""
    memberships = [membership for _pk, membership in keys if membership is not None]
    return _ORDERED.ask([pk for pk, _membership in keys], memberships) if keys else []


def rows_by(keys: Sequence[RowKey]) -> list[Assignment]:
    """Return rows as `reaching` does, by their keys."""
    given = {one.pk: one for one in _GIVEN.ask([pk for pk, _membership in keys])} if keys else {}
    known = [membership for _pk, membership in keys if membership is not None]
    memberships = {one.pk: one for one in _OF_GROUPS.ask(known)} if known else {}
    rows = []
    for pk, key in keys:
        row, membership = copy(given[pk]), memberships[key] if key is not None else None
        held = row.type == AssignmentType.ACTIVE and (not membership or membership.type == AssignmentType.ACTIVE)
        row.membership_id = key  # type: ignore[attr-defined]
        row.person_id = membership.principal_id if membership else row.principal_id  # type: ignore[attr-defined]
        row.when = NOW if held else AFTER  # type: ignore[attr-defined]
        rows.append(row)
    return rows


def by_way(how: str, place: Resource) -> Q:
    """Return the condition that a row of `reaching` comes to its person in this way: see `HOW`.

    Of columns, of which PostgreSQL knows how often they have a value, and not of what is reckoned from them.
    """
    through_group = Q(principal__kind=PrincipalKind.GROUP) | Q(activated_from__principal__kind=PrincipalKind.GROUP)
    here = Q(resource=place.pk) & (Q(activated_from=None) | Q(activated_from__resource=place.pk))
    if how == DIRECT:
        oneself = Q(activated_from=None) | Q(activated_from__principal__kind=PrincipalKind.USER)
        return here & oneself & _OF_USER
    return (
        through_group
        if how == GROUP
        else ~Q(resource=place.pk) | (Q(activated_from__isnull=False) & ~Q(activated_from__resource=place.pk))
    )


def first_sorted(rows: QuerySet[Any], order: Sequence[str], most: int) -> list[RowKey]:
    """Return the keys of the first so many rows of `reaching`, narrowed or not, by person or by role (`SORTED`).

    So many people, or roles, at a time as are needed, in the order of their names: all rows at once would have to be
    found before they could be put in order.
    """
    found: list[RowKey] = []
    for part in SORTED[order[0].lstrip("-")](order[0].startswith("-")):
        with planned_anew():
            found += rows.filter(part).order_by(*order).values_list("pk", "membership_id")[: most - len(found)]
        if len(found) >= most:
            break
    return found


def _person_after_person(last_first: bool) -> Iterator[Q]:
    for people in _names_at_a_time(User.objects.order_by(), last_first, AT_ONCE):
        yield Q(_of_or_through(people), person_id__in=people)


def _role_after_role(last_first: bool) -> Iterator[Q]:
    for roles in _names_at_a_time(Role.objects.order_by(), last_first, FEW_ROLES):
        yield Q(role__in=roles)


# What the list is sorted by in parts, by the first of the columns that it is put in order by.
SORTED: Final[dict[str, Callable[[bool], Iterator[Q]]]] = {
    "person_key": _person_after_person,
    "role__name_key": _role_after_role,
}


def _names_at_a_time(named: QuerySet[Any], last_first: bool, most: int) -> Iterator[list[uuid.UUID]]:
    """Yield the keys of what is named, in the order of names, about so many at a time; all of one name at once."""
    sign, beyond, up_to = ("-", "lt", "gte") if last_first else ("", "gt", "lte")
    rows = named
    while True:
        with planned_anew():
            last = list(rows.order_by(f"{sign}name_key").values_list("name_key", flat=True)[:most])
            if not last:
                return
            yield list(rows.filter(**{f"name_key__{up_to}": last[-1]}).values_list("pk", flat=True))
        rows = named.filter(**{f"name_key__{beyond}": last[-1]})


def of_people(named: QuerySet[User]) -> Q:
    """Return the condition that a row of `reaching` is about one of these people."""
    few = keys_or_query(named, FEW_NAMES)
    if isinstance(few, QuerySet):
        return is_of("person_id", named)
    # By who was given it, too: of all else that is given nothing need be looked at.
    return Q(_of_or_through(few), person_id__in=few)


def _whose(own: str, member: str, output: UUIDField | CharField) -> Combinable:  # type: ignore[type-arg]
    return Case(When(_OF_USER, then=F(own)), default=F(member), output_field=output)


@dataclass(frozen=True, slots=True)
class Reach:
    """One row of the list in full: who, through which group, from which place above, since and until when."""

    person: User
    group: Principal | None
    above: Resource | None
    since: datetime
    until: datetime | None
    now: bool
    approval: bool


def reaches(rows: Sequence[Assignment], place: Resource) -> list[Reach]:
    """Return the rows of a page in full, with as many queries for fifty as for one."""
    people = User.objects.in_bulk({_of(row, "person_id") for row in rows})
    memberships = Assignment.objects.in_bulk({_of(row, "membership_id") for row in rows} - {None})
    book = SettingsBook(row.role_id for row in rows)
    return [_reach(row, people, memberships, book, place) for row in rows]


def _reach(
    row: Assignment,
    people: dict[object, User],
    memberships: dict[object, Assignment],
    book: SettingsBook,
    place: Resource,
) -> Reach:
    membership = memberships.get(_of(row, "membership_id"))
    source = row.activated_from or row
    ends = [end for end in (row.ends_at, membership.ends_at if membership else None) if end is not None]
    return Reach(
        person=people[_of(row, "person_id")],
        group=source.principal if source.principal.kind == PrincipalKind.GROUP else None,
        above=source.resource if source.resource_id != place.pk else None,
        since=max(row.starts_at, membership.starts_at) if membership else row.starts_at,
        until=min(ends, default=None),
        now=_of(row, "when") == NOW,
        approval=_needs_approval(row, book),
    )


def _needs_approval(row: Assignment, book: SettingsBook) -> bool:
    """Whether somebody must agree before the role is activated."""
    return row.type == AssignmentType.ELIGIBLE and book.of(row.role, row.resource).approval_required


def _of(row: Assignment, name: str) -> object:
    return getattr(row, name)
