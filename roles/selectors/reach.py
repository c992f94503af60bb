"""Who can do what at a place, now or after activation: every person, whichever way they come to it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, F, OuterRef, Q, QuerySet, UUIDField, Value, When
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from roles.ids import GROUP_MEMBER
from roles.models import Assignment, AssignmentType, Principal, PrincipalKind, Resource, User
from roles.models.assignments import AssignmentQuerySet
from roles.models.held import ByRow
from roles.models.prepared import Prepared
from roles.selectors.assignment_lists import first_of
from roles.selectors.keys import FEW_NAMES, is_of, keys_or_query
from roles.selectors.settings import SettingsBook

NOW, AFTER = "now", "after"
WHEN = [(NOW, _("Now")), (AFTER, _("After activation"))]

DIRECT, GROUP, INHERITED = "direct", "group", "inherited"
HOW = [(DIRECT, _("Direct")), (GROUP, _("Through a group")), (INHERITED, _("Inherited"))]

# From what a group holds to its members: the assignments at the group's own node.
_MEMBERSHIP = "principal__group__resource__assignments"
_OF_USER = Q(principal__kind=PrincipalKind.USER)


def reaching(place: Resource, now: datetime) -> QuerySet[Any]:
    """Return what reaches a place, once for each person: an assignment of a group comes with each of its members.

    A row is an assignment there or above, with `person_id` and `person_key`, `membership_id` where a group brings it,
    and `when`: whether the person has it now, or after activating it or their membership.
    """
    rows: QuerySet[Any] = _each_person(Assignment.objects.filter(resource__in=place.way_ids), now)
    held = Q(type=AssignmentType.ACTIVE) & (_OF_USER | Q(membership_type=AssignmentType.ACTIVE))
    through_group = Q(principal__kind=PrincipalKind.GROUP) | Q(activated_from__principal__kind=PrincipalKind.GROUP)
    elsewhere = ~Q(resource=place.pk) | Q(activated_from__isnull=False) & ~Q(activated_from__resource=place.pk)
    told: QuerySet[Any] = (
        rows.annotate(
            when=Case(When(held, then=Value(NOW)), default=Value(AFTER), output_field=CharField()),
            grouped=Case(When(through_group, then=Value(GROUP)), default=Value(""), output_field=CharField()),
            inherited=Case(When(elsewhere, then=Value(INHERITED)), default=Value(""), output_field=CharField()),
        )
        .select_related("role", "resource", "principal", "activated_from__principal", "activated_from__resource")
        .order_by("person_key", "role__name_key", "when", "pk", "membership_id")
    )
    return told


def _each_person(given: AssignmentQuerySet, now: datetime) -> QuerySet[Any]:
    """Return those in effect, of a group once for each member; asked of these, not looked up among those of all."""
    members = Assignment.objects.memberships(now).filter(pk=OuterRef("membership_id"))
    joining = Assignment.objects.in_effect(now).eligible().filter(role=GROUP_MEMBER, pk=OuterRef("membership_id"))
    return (
        given.in_effect(now)
        .annotate(membership_id=F(f"{_MEMBERSHIP}__pk"), membership_type=F(f"{_MEMBERSHIP}__type"))
        .annotate(
            person_id=_whose("principal", f"{_MEMBERSHIP}__principal", UUIDField()),
            person_key=_whose("principal__name_key", f"{_MEMBERSHIP}__principal__name_key", CharField()),
        )
        .filter(_OF_USER | Q(ByRow(members)) | Q(ByRow(joining)))
    )


# The order in which a long list stands, and what of it an index has in this order.
WALKING: Sequence[str] = ("-starts_at", "pk", "membership_id")


def parts_at(place: Resource) -> list[Q]:
    """Return conditions that share out what reaches a place, so that an index has the order of `WALKING` of each."""
    return [Q(resource=pk, type=type) for pk in place.way_ids for type in AssignmentType.values]


def _those_of(keys: Collection[uuid.UUID], now: datetime, most: int) -> QuerySet[Assignment, Any]:
    rows = _each_person(Assignment.objects.filter(pk__in=keys), now)
    return rows.order_by(*WALKING).values_list("pk", "membership_id")[:most]


_THOSE_OF = Prepared(_those_of)


def first_reaching(place: Resource, now: datetime, most: int) -> list[tuple[uuid.UUID, uuid.UUID | None]]:
    """Return the first so many of `reaching` in the order of `WALKING`, each by its two keys; composed once."""
    limit = most
    while keys := first_of(("eligible", "active"), place, now, limit):
        rows = _THOSE_OF.ask(keys, now, most)
        if len(rows) >= most or len(keys) < limit:
            return rows
        limit *= 2  # some are of groups that nobody belongs to
    return []


def of_people(named: QuerySet[User]) -> Q:
    """Return the condition that a row of `reaching` is about one of these people."""
    few = keys_or_query(named, FEW_NAMES)
    if isinstance(few, QuerySet):
        return is_of("person_id", named)
    # By who was given it, too: of all else that is given nothing need be looked at.
    groups = Assignment.objects.filter(principal__in=few).values_list("resource__group", flat=True)
    return Q(principal__in=[*few, *groups.exclude(resource__group=None)], person_id__in=few)


def _whose(own: str, member: str, output: UUIDField | CharField) -> Combinable:  # type: ignore[type-arg]
    return Case(When(_OF_USER, then=F(own)), default=F(member), output_field=output)


def way_to(place: Resource) -> list[str]:
    """Return the tree paths from the root to a place, itself included."""
    return [place.path[:length] for length in range(Resource.steplen, len(place.path) + 1, Resource.steplen)]


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
        approval=_needs_approval(row, membership, book),
    )


def _needs_approval(row: Assignment, membership: Assignment | None, book: SettingsBook) -> bool:
    """Whether somebody must agree before the role is activated."""
    return row.type == AssignmentType.ELIGIBLE and book.of(row.role, row.resource).approval_required


def _of(row: Assignment, name: str) -> object:
    return getattr(row, name)
