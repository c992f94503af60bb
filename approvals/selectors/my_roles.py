"""What somebody's own roles page asks: what they may activate, what they hold, what has ended."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import BooleanField, ExpressionWrapper, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from approvals.models import Action, Request
from approvals.models.requests import which_wait
from approvals.selectors.requests import shown_requests
from roles.authority import Authority
from roles.ids import GROUP_MEMBER
from roles.models import Assignment, Resource, RoleKind, User
from roles.models.assignments import AssignmentQuerySet
from roles.models.held import ByRow
from roles.models.prepared import Prepared
from roles.models.principals import search_key
from roles.selectors.keys import rows_of
from roles.selectors.resources import below, places_of
from roles.selectors.settings import EffectiveSettings, SettingsBook

ENDS_SOON = timedelta(days=14)
EXPIRED_SINCE = timedelta(days=30)
MOST_SCOPES = 50  # listed at once; beyond that one searches
FOR_EVER = datetime.max.replace(tzinfo=UTC)


def eligible_roles(authority: Authority) -> AssignmentQuerySet:
    """Return what this person may activate from, by role.

    `ready` says that it is neither active nor planned nor waiting for approval where it is.
    """
    rows = rows_of(authority.eligible).select_related(*_SHOWN)
    ready = ExpressionWrapper(~Q(pk__in=authority.once(_busy)), output_field=BooleanField())
    return rows.annotate(ready=ready).order_by(*_BY_NAME)


_SHOWN = ("role", "resource", "principal")
_ELIGIBLE = Prepared(lambda pks: Assignment.objects.filter(pk__in=pks).select_related(*_SHOWN).order_by())


def eligible_among(authority: Authority, pks: Iterable[uuid.UUID]) -> list[Assignment]:
    """Return those of `eligible_roles` that have these keys, in no order."""
    mine = {one.assignment_id for one in authority.eligible}
    busy = authority.once(_busy)
    rows = _ELIGIBLE.ask([pk for pk in pks if pk in mine])
    for row in rows:
        row.ready = row.pk not in busy  # type: ignore[attr-defined]
    return rows


_BY_NAME = ("role__name_key", "resource__name_key", "pk")
_ORDERED = Prepared(
    lambda pks, most: Assignment.objects.filter(pk__in=pks).order_by(*_BY_NAME).values_list("pk", flat=True)[:most]
)


def first_eligible(authority: Authority, most: int) -> list[uuid.UUID]:
    """Return the keys of the first so many of `eligible_roles`, composed once."""
    mine = {one.assignment_id for one in authority.eligible}
    return _ORDERED.ask(mine, most) if mine else []


def _busy(authority: Authority) -> set[uuid.UUID | None]:
    """The eligibilities that are active, planned or waiting; as values, since the query of what is held is deep."""
    user, now = authority.user, authority.now
    running = _activations(user, now)
    busy = {*running.filter(resource=F("activated_from__resource")).values_list("activated_from", flat=True)}
    asked = dict(_ASKED_HERE.ask(user.pk))
    return busy | {asked[pk] for pk in which_wait(asked, now)}


_ASKED_HERE = Prepared(
    lambda user_id: (
        Request.objects.pending()
        .filter(principal=user_id, action=Action.ACTIVATE, resource=F("assignment__resource"))
        .order_by()
        .values_list("pk", "assignment")
    )
)


def held_roles(authority: Authority) -> AssignmentQuerySet:
    """Return the roles that this person holds now, what ends first first.

    Plain membership of a group is no role that somebody holds with care; one that was activated, or that ends and can
    be extended, is.
    """
    rows = rows_of(authority.held)
    rows = rows.exclude(role__kind=RoleKind.GROUP, activated_from=None, ends_at=None)
    return _with_source(rows).order_by(F("ends_at").asc(nulls_last=True), "role__name_key", "pk")


def ended_roles(authority: Authority) -> AssignmentQuerySet:
    """Return what this person had, directly or through a group of theirs, and that ended in the last 30 days.

    What a group had before they joined it they never had.
    """
    user, now = authority.user, authority.now
    since = now - EXPIRED_SINCE
    over = Q(ended_at__gt=since) | Q(ended_at=None, ends_at__gt=since, ends_at__lte=now)
    rows = Assignment.objects.of(user.pk, now).filter(over).annotate(over=Coalesce("ended_at", "ends_at"))
    # By any membership that they had: it may have been activated, or given, anew since.
    joined = Assignment.objects.begun(now).active().filter(role=GROUP_MEMBER, principal=user.pk)
    there = joined.filter(resource__group=OuterRef("principal"), starts_at__lt=OuterRef("over"))
    rows = rows.filter(Q(principal=user.pk) | Q(ByRow(there.order_by())))
    return _with_source(rows).order_by(F("over").desc(), "pk")


def _with_source(rows: AssignmentQuerySet) -> AssignmentQuerySet:
    source = ("activated_from__principal", "activated_from__resource")
    return rows.select_related("role", "resource", "principal", "granted_by_request", *source)


_OPEN_NOW = Prepared(
    lambda user_id, now: (
        Assignment.objects.open()
        .filter(principal=user_id, activated_from__isnull=False, ends_at__gt=now)
        .order_by()
        .values_list("pk", flat=True)
    )
)


def _activations(user: User, now: datetime) -> AssignmentQuerySet:
    """This person's activations that run or are planned; lost ones as values, since that query is deep."""
    if not (open_now := _OPEN_NOW.ask(user.pk, now)):
        return Assignment.objects.none()
    lost = Assignment.objects.orphaned(now).filter(principal=user.pk).values_list("pk", flat=True)
    return Assignment.objects.filter(pk__in={*open_now} - {*lost})


_ELIGIBILITIES = Prepared(
    lambda user_id, now, pks: Assignment.objects.eligible().of(user_id, now).filter(pk__in=pks).select_related(*_SHOWN)
)


def eligibilities_among(user: User, ids: Iterable[uuid.UUID], now: datetime) -> list[Assignment]:
    """Return those of these assignments that are, or were, eligibilities of this person, in the order of the ids."""
    found = {row.pk: row for row in _ELIGIBILITIES.ask(user.pk, now, list(ids))}
    return [found[one] for one in ids if one in found]


def activations_of(user: User) -> AssignmentQuerySet:
    """Return this person's own activations, running or over."""
    return _with_source(Assignment.objects.filter(principal=user.pk, activated_from__isnull=False))


def request_behind(user: User, eligibility: Assignment, resource_id: uuid.UUID, now: datetime) -> Request | None:
    """Return the request by which this role is waiting, active or planned there; None when it is none of them."""
    slot = Request.objects.filter(
        action=Action.ACTIVATE, principal=user.pk, assignment=eligibility, resource=resource_id
    )
    running = _activations(user, now).filter(activated_from=eligibility, resource=resource_id)
    waiting = slot.waiting_among(now).first()
    return waiting or slot.filter(outcome__in=running).first()


def through(assignment: Assignment, user_id: uuid.UUID) -> str:
    """Say how it is held: "Direct", "Group: Blue team", "Inherited from prod-weu"."""
    source = assignment.activated_from or assignment
    parts = []
    if source.principal_id != user_id:
        parts.append(_("Group: {name}").format(name=source.principal.name))
    if source.resource_id != assignment.resource_id:
        parts.append(_("Inherited from {name}").format(name=source.resource.name))
    return " · ".join(parts) or _("Direct")


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with an eligibility now: its rules, and what its holder has made of it."""

    settings: EffectiveSettings
    place: str
    through: str
    ends_at: datetime | None
    ends_soon: bool
    active: Assignment | None
    planned: Assignment | None
    waiting: Request | None
    others: int

    @property
    def activation(self) -> Assignment | None:
        return self.active or self.planned


_PENDING_FOR = Prepared(
    lambda user_id, pks: (
        Request.objects.pending()
        .filter(action=Action.ACTIVATE, principal=user_id, assignment__in=pks)
        .order_by()
        .values_list("pk", flat=True)
    )
)
_MEMBERSHIPS = Prepared(
    lambda user_id, now: (
        Assignment.objects.memberships(now)
        .filter(principal=user_id)
        .order_by()
        .values_list("resource__group", "ends_at")
    )
)


def standings_of(user: User, rows: Sequence[Assignment], now: datetime) -> dict[uuid.UUID, Standing]:
    """Say how it stands with each of these eligibilities, with as many queries for fifty as for one."""
    activations: dict[uuid.UUID | None, list[Assignment]] = {}
    for one in _activations(user, now).filter(activated_from__in=rows).select_related("resource").order_by("ends_at"):
        activations.setdefault(one.activated_from_id, []).append(one)
    waiting: dict[uuid.UUID, list[Request]] = {}
    pending = _PENDING_FOR.ask(user.pk, [row.pk for row in rows]) if rows else []
    for request in shown_requests(which_wait(pending, now)) if pending else ():
        waiting.setdefault(request.about.pk, []).append(request)
    book = SettingsBook(row.role_id for row in rows)
    ends = _ends(user, rows, now)
    places = places_of(row.resource for row in rows)
    return {
        row.pk: _standing(
            row,
            book.of(row.role, row.resource),
            places[row.resource_id],
            activations.get(row.pk, []),
            waiting.get(row.pk, []),
            ends_at=ends[row.pk],
            user=user,
            now=now,
        )
        for row in rows
    }


def _ends(user: User, rows: Sequence[Assignment], now: datetime) -> dict[uuid.UUID, datetime | None]:
    """Say when each eligibility ends for this person: the answer of `ends_for`, for a list."""
    last: dict[uuid.UUID, datetime] = {}
    for group_id, end in _MEMBERSHIPS.ask(user.pk, now):
        last[group_id] = max(last.get(group_id, now), end or FOR_EVER)
    ends = {}
    for row in rows:
        mine = FOR_EVER if row.principal_id == user.pk else last.get(row.principal_id, now)
        end = min(mine, row.ends_at or FOR_EVER)
        ends[row.pk] = None if end == FOR_EVER else end
    return ends


def _standing(
    row: Assignment,
    settings: EffectiveSettings,
    place: str,
    activations: list[Assignment],
    waiting: list[Request],
    *,
    ends_at: datetime | None,
    user: User,
    now: datetime,
) -> Standing:
    active = [one for one in activations if one.starts_at <= now]
    planned = [one for one in activations if one.starts_at > now]
    return Standing(
        settings=settings,
        place=place,
        through=through(row, user.pk),
        ends_at=ends_at,
        ends_soon=ends_at is not None and ends_at - now <= ENDS_SOON,
        active=_at_home_first(active, row),
        planned=_at_home_first(planned, row),
        waiting=next(iter(sorted(waiting, key=lambda one: one.resource_id != row.resource_id)), None),
        others=max(0, len(activations) + len(waiting) - 1),
    )


def _at_home_first(activations: list[Assignment], row: Assignment) -> Assignment | None:
    return next(iter(sorted(activations, key=lambda one: one.resource_id != row.resource_id)), None)


@dataclass(frozen=True, slots=True)
class Scopes:
    """Where below its resource an eligibility can be activated, as far as the form lists it.

    `many`: there are more than a list can hold, so that one searches; `more`: more are found than listed.
    """

    nodes: tuple[Resource, ...]
    many: bool
    more: bool


def scopes_below(eligibility: Assignment, *, text: str = "", chosen: uuid.UUID | None = None) -> Scopes:
    """Return the resources below an eligibility's in whose name every word is found.

    The one chosen stands first. What is retired, or lies below something retired, is left out.
    """
    if eligibility.resource.numchild == 0:
        return Scopes((), many=False, more=False)
    rows = below(eligibility.resource)
    for path in rows.filter(retired_at__isnull=False).values_list("path", flat=True):
        rows = rows.exclude(path__startswith=path)
    kept = list(rows.filter(pk=chosen)) if chosen else []
    many = rows.count() > MOST_SCOPES
    words = search_key(text).split()
    if many and not words:
        return Scopes(tuple(kept), many=True, more=False)
    for word in words:
        rows = rows.filter(name_key__contains=word)
    found = list((rows.exclude(pk=chosen) if chosen else rows)[: MOST_SCOPES + 1])
    return Scopes((*kept, *found[:MOST_SCOPES]), many=many, more=len(found) > MOST_SCOPES)
