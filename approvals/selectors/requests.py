"""Requests as their people see them: one's own, those to decide, those decided."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q

from approvals.models import RENEWALS, Decision, Request, RequestApprover, RequestQuerySet, Status
from roles.authority import Authority
from roles.catalogue import Permission
from roles.ids import DIRECTORY, PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import Assignment, Resource, User
from roles.selectors.settings import SettingsBook
from roles.selectors.sight import within_sight


def requests_of(user: User, now: datetime) -> RequestQuerySet:
    """Return what this person asked for, the newest first."""
    return Request.objects.filter(_own(user.pk)).shown().with_waits(now).order_by("-made_at", "pk")


def status_at(request: Request, now: datetime) -> Status:
    """Return the status as it reads at `now`: a pending request that can no longer be decided has lapsed."""
    if request.status != Status.PENDING:
        return Status(request.status)
    waits = getattr(request, "waits", None)
    if waits is None:
        waits = Request.objects.waiting(now).filter(pk=request.pk).exists()
    return Status.PENDING if waits else Status.LAPSED


def _asked_of(user_id: uuid.UUID) -> RequestQuerySet:
    asked = RequestApprover.objects.filter(
        stage__request=OuterRef("pk"), stage__number=OuterRef("stage_number"), principal=user_id
    )
    decided = Decision.objects.filter(request=OuterRef("pk"), approver=user_id)
    return Request.objects.filter(Exists(asked)).exclude(Exists(decided)).exclude(_own(user_id))


def requests_awaiting(authority: Authority) -> list[Request]:
    """Return what this person can decide now, what lapses first first."""
    rows = [*_in_stages(authority), *renewals_awaiting(authority)]
    return sorted(rows, key=lambda row: (row.lapses_at, row.pk))


def renewals_awaiting(authority: Authority) -> RequestQuerySet:
    """Return the extensions and renewals that wait where this person administers, but for their own."""
    there = within_sight(authority, Permission.DECIDE_RENEWALS)
    rows = Request.objects.filter(there, action__in=RENEWALS).exclude(_own(authority.user.pk))
    return rows.waiting(authority.now).shown()


def _own(user_id: uuid.UUID) -> Q:
    return Q(principal=user_id) | Q(requestor=user_id)


def _in_stages(authority: Authority) -> list[Request]:
    """What waits for this person as an approver, when it was asked and now."""
    now = authority.now
    user_id = authority.user.pk
    rows = list(_asked_of(user_id).waiting(now).shown())
    if not rows:
        return []
    groups = Assignment.objects.memberships(now).filter(principal=user_id, resource__group__enabled=True)
    mine = {user_id, *groups.values_list("resource__group", flat=True)}
    administers = any(
        one.role_id == PRIVILEGED_ROLE_ADMINISTRATOR and one.resource_id == DIRECTORY for one in authority.held
    )
    book = SettingsBook(row.role_id for row in rows)
    return [row for row in rows if _still_approver(row, book, mine, administers=administers)]


def _still_approver(request: Request, book: SettingsBook, mine: set[uuid.UUID], *, administers: bool) -> bool:
    stages = book.of(request.behind.role, request.behind.resource).stages
    today = next((one for one in stages if one.number == request.stage_number), None)
    if today is None:
        return True
    return bool(mine & today.approvers) if today.approvers else administers


def requests_decided_by(user: User, now: datetime) -> RequestQuerySet:
    """Return what this person was asked to decide and that is over, or that they decided, the newest first."""
    asked = RequestApprover.objects.filter(stage__request=OuterRef("pk"), principal=user.pk)
    decided = Exists(Decision.objects.filter(request=OuterRef("pk"), approver=user.pk))
    over = ~Q(pk__in=Request.objects.waiting(now).values("pk"))
    rows = Request.objects.filter(decided | (Exists(asked) & over)).exclude(principal=user.pk)
    return rows.shown().with_waits(now).order_by(F("decided_at").desc(nulls_first=True), "-made_at", "pk")


def requests_visible_to(authority: Authority) -> RequestQuerySet:
    """Return the requests that a person may open: their own, those put to them, and those where they may look."""
    user_id = authority.user.pk
    asked = RequestApprover.objects.filter(stage__request=OuterRef("pk"), principal=user_id)
    decided = Decision.objects.filter(request=OuterRef("pk"), approver=user_id)
    seen = _own(user_id) | Exists(asked) | Exists(decided) | within_sight(authority)
    return Request.objects.filter(seen).shown().with_waits(authority.now)


def requests_at(place: Resource, now: datetime) -> RequestQuerySet:
    """Return what was asked at a place and below it, the newest first."""
    rows = Request.objects.filter(resource__path__startswith=place.path).shown().with_waits(now)
    return rows.order_by("-made_at", "pk")
