"""Everything that somebody has, for whoever ends it: within sight, and what of it the viewer may end."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from approvals.models import Request, RequestApprover
from approvals.selectors.requests import requests_of
from pim_portal.people.selectors.people import not_over, visible_to
from reviews.models import AccessReview
from reviews.selectors.places import named_in
from roles import wording
from roles.authority import Authority
from roles.catalogue import Permission
from roles.ids import DIRECTORY
from roles.models import Assignment, AssignmentType, Resource, RoleKind, RoleSettings, User
from roles.selectors.groups import gives, roles_beyond
from roles.selectors.sight import within_sight


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that somebody has. `key` names it in the form; where it cannot be ended, `why_not` says why."""

    key: uuid.UUID
    name: str
    sub: str
    state: str
    why_not: str = ""
    comes_with: tuple[str, ...] = ()
    role_id: uuid.UUID | None = None  # of a seat: the role whose settings name the person


@dataclass(frozen=True, slots=True)
class Everything:
    """All that the viewer may know of: activations first, since those of an eligibility end with it."""

    activations: list[Item] = field(default_factory=list)
    roles: list[Item] = field(default_factory=list)
    groups: list[Item] = field(default_factory=list)
    seats: list[Item] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    to_decide: list[Request] = field(default_factory=list)
    reviews: list[AccessReview] = field(default_factory=list)
    reports: list[User] = field(default_factory=list)

    @property
    def items(self) -> Iterator[Item]:
        yield from (*self.activations, *self.roles, *self.groups, *self.seats)

    @property
    def anything(self) -> bool:
        """Whether there is anything at all that the viewer may know of."""
        return any((*self.items, self.asked, self.to_decide, self.reviews, self.reports))

    @property
    def endable(self) -> set[uuid.UUID]:
        return {one.key for one in self.items if not one.why_not}

    def roles_of(self, chosen: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """Return the roles whose settings are changed when these are ended."""
        return {one.role_id for one in self.seats if one.key in chosen and one.role_id is not None}


def everything_of(user: User, *, viewer: Authority, now: datetime, within: Resource | None = None) -> Everything:
    """Return what somebody holds, may activate, is to get, belongs to, approves, reviews, and what waits.

    `within`: only what is at that place or below it, also what reaches them there through a group.
    """
    below = Q(resource__path__startswith=within.path) if within else Q()
    found = Everything(
        asked=list(requests_of(user).waiting(now).filter(within_sight(viewer), below)),
        to_decide=_to_decide(user, below, viewer=viewer, now=now),
        reviews=list(named_in(user.pk).filter(within_sight(viewer), below)),
        reports=[] if within else list(user.reports.filter(enabled=True).order_by("name_key", "pk")),
        seats=list(_seats(user, below, viewer=viewer)),
    )
    if within is not None:
        found.groups.extend(_through_groups(user, below, viewer=viewer, now=now))
    rows = not_over(user, now).filter(visible_to(viewer), below).select_related("role", "resource__group")
    for row in rows.order_by("role__name_key", "resource__path", "pk"):
        if row.activated_from_id is not None:
            found.activations.append(_item(row, viewer, now))
        elif row.role.kind == RoleKind.GROUP:
            found.groups.append(_item(row, viewer, now))
        else:
            found.roles.append(_item(row, viewer, now))
    return found


def _item(row: Assignment, viewer: Authority, now: datetime) -> Item:
    of_group = row.role.kind == RoleKind.GROUP
    why_not = ""
    if not viewer.allows(Permission.ASSIGN, row.resource):
        why_not = _("You may not end this.")
    elif of_group and (more := roles_beyond(row.resource, viewer)):
        why_not = _("This group holds roles that you may not assign: {roles}.").format(roles=", ".join(more))
    return Item(
        key=row.pk,
        name=row.role.name,
        sub=row.resource.name,
        state=_state(row, now),
        why_not=why_not,
        comes_with=tuple(gives(row.resource, viewer)) if of_group else (),
    )


def _state(row: Assignment, now: datetime) -> str:
    if row.starts_at > now:
        return _("Begins {when}").format(when=wording.relative(row.starts_at, now))
    if row.activated_from_id is not None:
        return _("Activated")
    return _("Eligible") if row.type == AssignmentType.ELIGIBLE else _("Assigned")


def _through_groups(user: User, below: Q, *, viewer: Authority, now: datetime) -> Iterator[Item]:
    """Yield what a group brings to somebody: it ends with the group's assignment, or when they leave the group."""
    for reach in (Assignment.objects.held_by(user.pk, now), Assignment.objects.eligible_for(user.pk, now)):
        rows = reach.filter(within_sight(viewer), below).exclude(principal=user.pk)
        for row in rows.select_related("role", "resource", "principal").order_by("role__name_key", "pk"):
            yield Item(
                key=row.pk,
                name=row.role.name,
                sub=row.resource.name,
                state=_state(row, now),
                why_not=_("Through the group {group}.").format(group=row.principal.name),
            )


def _seats(user: User, below: Q, *, viewer: Authority) -> Iterator[Item]:
    """Yield the settings that name this person as an approver; those of a role's default stand in the directory."""
    sight = within_sight(viewer)
    if viewer.allows(Permission.SEE):
        sight |= Q(resource=None, role__kind=RoleKind.DIRECTORY)
    rows = RoleSettings.objects.filter(sight, below, stages__approvers__principal=user).distinct()
    directory = Resource.objects.get(pk=DIRECTORY)
    for row in rows.select_related("role", "resource").order_by("role__name_key", "pk"):
        allowed = viewer.allows(Permission.CHANGE_SETTINGS, row.resource or directory)
        yield Item(
            key=row.pk,
            name=_("Approves {role}").format(role=row.role.name),
            sub=(row.resource or directory).name,
            state=_("Approver"),
            why_not="" if allowed else _("You may not change these settings."),
            role_id=row.role_id,
        )


def _to_decide(user: User, below: Q, *, viewer: Authority, now: datetime) -> list[Request]:
    """Return what waits for this person's decision among others'."""
    asked = RequestApprover.objects.filter(
        stage__request=OuterRef("pk"), stage__number=OuterRef("stage_number"), principal=user
    ).asked(now)
    rows = Request.objects.waiting(now).filter(Exists(asked), within_sight(viewer), below).exclude(principal=user.pk)
    return list(rows.shown().order_by("lapses_at", "pk"))
