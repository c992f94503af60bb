"""Who can do what at a place, now or after activation: every person, whichever way they come to it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Case, CharField, F, Q, QuerySet, UUIDField, Value, When
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from roles.ids import GROUP_MEMBER
from roles.models import Assignment, AssignmentType, Principal, PrincipalKind, Resource, Role, User
from roles.models.assignments import AssignmentQuerySet
from roles.models.prepared import Prepared
from roles.selectors.keys import FEW_NAMES, as_many, is_of, is_one_of, keys_or_query
from roles.selectors.settings import SettingsBook

NOW, AFTER = "now", "after"
WHEN = [(NOW, _("Now")), (AFTER, _("After activation"))]

DIRECT, GROUP, INHERITED = "direct", "group", "inherited"
HOW = [(DIRECT, _("Direct")), (GROUP, _("Through a group")), (INHERITED, _("Inherited"))]

# From what a group holds to its members: the assignments at the group's own node.
_MEMBERSHIP = "principal__group__resource__assignments"
OF_USER = Q(principal__kind=PrincipalKind.USER)


def reaching(place: Resource, now: datetime) -> QuerySet[Any]:
    """Return what reaches a place, once for each person: an assignment of a group comes with each of its members.

    A row is an assignment there or above, with `person_id` and `person_key`, `membership_id` where a group brings it,
    and `when`: whether the person has it now, or after activating it or their membership.
    """
    members = Assignment.objects.memberships(now).order_by().values("pk")
    joining = Assignment.objects.in_effect(now).eligible().filter(role=GROUP_MEMBER).order_by().values("pk")
    rows = each_person(Assignment.objects.in_effect(now).filter(resource__in=place.way_ids))
    return rows.filter(OF_USER | Q(membership_id__in=members) | Q(membership_id__in=joining))


def each_person(given: AssignmentQuerySet) -> QuerySet[Any]:
    """Return these assignments, of a group once for each that was ever its member, in the order of the list."""
    held = Q(type=AssignmentType.ACTIVE) & (OF_USER | Q(membership_type=AssignmentType.ACTIVE))
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

_ORDERED = Prepared(
    lambda pks, memberships: (
        each_person(Assignment.objects.filter(pk__in=pks))
        .filter(OF_USER | Q(membership_id__in=memberships))
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
    found = _ORDERED.ask([pk for pk, _membership in keys], memberships) if keys else []
    return those_of(keys, found)


def those_of(keys: Sequence[RowKey], found: Iterable[RowKey]) -> list[RowKey]:
    """Return what is found that these keys name: two of a group's assignments may be in a list with other members."""
    wanted = set(keys)
    return [key for key in found if key in wanted]


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
        return here & oneself & OF_USER
    return (
        through_group
        if how == GROUP
        else ~Q(resource=place.pk) | (Q(activated_from__isnull=False) & ~Q(activated_from__resource=place.pk))
    )


def of_or_through(people: Sequence[uuid.UUID]) -> Q:
    """Return the condition that an assignment is given to one of these, or to a group that one of them was ever in."""
    groups = Assignment.objects.filter(principal__in=as_many(people)).values_list("resource__group", flat=True)
    return Q(principal__in=as_many([*people, *groups.exclude(resource__group=None)]))


@dataclass(frozen=True)
class Word:
    """A word that is looked for: the people and the roles in whose names it is; each is looked up once."""

    text: str

    @cached_property
    def people(self) -> QuerySet[User]:
        return User.objects.filter(search_text__in_names=self.text)

    @cached_property
    def roles(self) -> QuerySet[Role]:
        return Role.objects.filter(name_key__contains=self.text)

    @cached_property
    def _few(self) -> Sequence[uuid.UUID] | QuerySet[Any]:
        return keys_or_query(self.people, FEW_NAMES)

    @cached_property
    def _of_role(self) -> Q:
        return is_of("role", self.roles)

    @cached_property
    def is_about(self) -> Q:
        """The condition that a row of `reaching` is about one of them."""
        if isinstance(self._few, QuerySet):
            return is_one_of("person_id", self._few, self.people) | self._of_role
        # By who was given it, too: of all else that is given nothing need be looked at.
        return Q(of_or_through(self._few), person_id__in=self._few) | self._of_role

    @cached_property
    def may_be_given(self) -> Q:
        """The condition that an assignment may come to such a row: by whom it is given to, or by its role."""
        if isinstance(self._few, QuerySet):
            # Whose name it is stands in the row of whom it is given to, which is read for their kind as well.
            to_any = Q(principal__search_text__in_names=self.text) | Q(principal__kind=PrincipalKind.GROUP)
            return to_any | self._of_role
        return of_or_through(self._few) | self._of_role


def _whose(own: str, member: str, output: UUIDField | CharField) -> Combinable:  # type: ignore[type-arg]
    return Case(When(OF_USER, then=F(own)), default=F(member), output_field=output)


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
