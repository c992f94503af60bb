"""Who can do what at a place, now or after activation: every person, whichever way they come to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, CharField, F, Q, UUIDField, Value, When
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from roles.ids import GROUP_MEMBER
from roles.models import Assignment, AssignmentType, Principal, PrincipalKind, Resource, User
from roles.models.assignments import AssignmentQuerySet
from roles.selectors.settings import SettingsBook

NOW, AFTER = "now", "after"
WHEN = [(NOW, _("Now")), (AFTER, _("After activation"))]

DIRECT, GROUP, INHERITED = "direct", "group", "inherited"
HOW = [(DIRECT, _("Direct")), (GROUP, _("Through a group")), (INHERITED, _("Inherited"))]

# From what a group holds to its members: the assignments at the group's own node.
_MEMBERSHIP = "principal__group__resource__assignments"


def reaching(place: Resource, now: datetime) -> AssignmentQuerySet:
    """Return what reaches a place, once for each person: an assignment of a group comes with each of its members.

    A row is an assignment there or above, with `person_id` and `person_key`, `membership_id` where a group brings it,
    and `when`: whether the person has it now, or after activating it or their membership.
    """
    nodes = [node.pk for node in Resource.objects.filter(path__in=place.way)]
    of_user = Q(principal__kind=PrincipalKind.USER)
    members = Assignment.objects.memberships(now).order_by().values("pk")
    joining = Assignment.objects.in_effect(now).eligible().filter(role=GROUP_MEMBER).order_by().values("pk")
    rows = (
        Assignment.objects.in_effect(now)
        .filter(resource__in=nodes)
        .annotate(membership_id=F(f"{_MEMBERSHIP}__pk"), membership_type=F(f"{_MEMBERSHIP}__type"))
        .annotate(
            person_id=_whose(of_user, "principal", f"{_MEMBERSHIP}__principal", UUIDField()),
            person_key=_whose(of_user, "principal__name_key", f"{_MEMBERSHIP}__principal__name_key", CharField()),
        )
        .filter(of_user | Q(membership_id__in=members) | Q(membership_id__in=joining))
    )
    held = Q(type=AssignmentType.ACTIVE) & (of_user | Q(membership_type=AssignmentType.ACTIVE))
    through_group = Q(principal__kind=PrincipalKind.GROUP) | Q(activated_from__principal__kind=PrincipalKind.GROUP)
    elsewhere = ~Q(resource=place.pk) | Q(activated_from__isnull=False) & ~Q(activated_from__resource=place.pk)
    return (
        rows.annotate(
            when=Case(When(held, then=Value(NOW)), default=Value(AFTER), output_field=CharField()),
            grouped=Case(When(through_group, then=Value(GROUP)), default=Value(""), output_field=CharField()),
            inherited=Case(When(elsewhere, then=Value(INHERITED)), default=Value(""), output_field=CharField()),
        )
        .select_related("role", "resource", "principal", "activated_from__principal", "activated_from__resource")
        .order_by("person_key", "role__name_key", "when", "pk", "membership_id")
    )


def _whose(of_user: Q, own: str, member: str, output: UUIDField | CharField) -> Combinable:  # type: ignore[type-arg]
    return Case(When(of_user, then=F(own)), default=F(member), output_field=output)


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
