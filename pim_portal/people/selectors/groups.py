"""Groups: who belongs to them, and what they hold, as far as the viewer may know."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from pim_portal.people.selectors.people import not_over
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Assignment, Group, PrincipalKind
from roles.models.assignments import AssignmentQuerySet
from roles.models.prepared import Prepared
from roles.selectors.sight import within_sight


def groups(viewer: Authority) -> QuerySet[Group]:
    """Return the groups that the viewer may see: all to whoever sees people, else those that they own."""
    # By their kind, too: an index has the groups of all principals in the order of their names.
    rows = Group.objects.filter(kind=PrincipalKind.GROUP).select_related("resource").order_by("name_key", "pk")
    return rows if viewer.anywhere(Permission.SEE_PEOPLE) else rows.filter(within_sight(viewer))


def counted(rows: QuerySet[Group], *, viewer: Authority, now: datetime) -> QuerySet[Group]:
    """Add the number of `members` now, and of the roles that a group `holds` or may activate within sight."""
    members = Assignment.objects.memberships(now).filter(resource=OuterRef("resource"))
    holds = Assignment.objects.in_effect(now).filter(within_sight(viewer), principal=OuterRef("pk"))
    return rows.annotate(
        members=_number(members, "resource", "principal"), holds=_number(holds, "principal", "pk")
    ).order_by("name_key", "pk")


def _number(rows: AssignmentQuerySet, by: str, what: str) -> Coalesce:
    number = rows.order_by().values(by).annotate(number=Count(what, distinct=True)).values("number")
    return Coalesce(Subquery(number, output_field=IntegerField()), 0)


def given_to(group: Group, *, viewer: Authority, now: datetime) -> AssignmentQuerySet:
    """Return what every member of a group holds, may activate or is to get, as far as the viewer may know.

    Also while the group is disabled: then as what it would give.
    """
    rows = not_over(group, now).filter(within_sight(viewer))
    rows = rows.select_related("role", "resource__group", "principal", "activated_from__resource")
    return rows.order_by("role__name_key", "resource__path", "pk")


def people_of(group: Group, now: datetime) -> AssignmentQuerySet:
    """Return who is member or owner of a group now, or may become so by activating; owners first."""
    rows = Assignment.objects.in_effect(now).filter(resource=group.resource)
    rows = rows.select_related("role", "principal__user", "resource__group")
    return rows.order_by("-role__name_key", "principal__name_key", "type", "pk")


def members_now(group: Group, now: datetime) -> int:
    """Return how many people are members of a group now."""
    rows = Assignment.objects.memberships(now).filter(resource=group.resource)
    return rows.values("principal").distinct().count()


def planned_members(group: Group, now: datetime) -> int:
    """Return how many are to become members or owners later."""
    return Assignment.objects.open().filter(resource=group.resource, starts_at__gt=now).count()


_GROUPS_OF = Prepared(
    lambda user_id, now: (
        Assignment.objects.in_effect(now)
        .filter(principal=user_id, resource__group__isnull=False)
        .select_related("role", "resource__group")
        .order_by("resource__name_key", "role__name_key", "pk")
    )
)


def groups_of(user_id: uuid.UUID, now: datetime) -> list[Assignment]:
    """Return the memberships and ownerships of groups that somebody has now, or may activate."""
    return _GROUPS_OF.ask(user_id, now)
