"""Requests as their people see them: one's own, those to decide, those decided."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet

from approvals.models import RENEWALS, Decision, Deputy, Request, RequestApprover, RequestQuerySet, Status
from approvals.models.requests import SHOWN, SHOWN_ABOUT, which_wait
from approvals.selectors.deputies import approvers_behind
from approvals.selectors.panels import Waiting, panels_of
from approvals.selectors.settings_changes import settings_changes_awaiting
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Assignment, Resource, Role, User
from roles.models.held import ByRow
from roles.models.planning import planned_anew
from roles.models.prepared import Prepared
from roles.selectors.keys import FEW, AnyOf
from roles.selectors.sight import within_sight


def requests_of(user: User) -> RequestQuerySet:
    """Return what this person asked for, the newest first."""
    return Request.objects.filter(_own(user.pk)).shown().order_by("-made_at", "pk")


_SHOWN = Prepared(lambda pks: Request.objects.filter(pk__in=pks).select_related(*SHOWN))
_SHOWN_WITH_MANAGER = Prepared(
    lambda pks: Request.objects.filter(pk__in=pks).select_related(*SHOWN, "principal__user__manager")
)
_ABOUT = Prepared(lambda pks: Assignment.objects.filter(pk__in=pks).select_related(*SHOWN_ABOUT))
_LASTING = Prepared(lambda pks: Assignment.objects.filter(pk__in=pks))
_SAID = Prepared(lambda pks: Decision.objects.filter(request__in=pks).select_related("approver", "for_approver"))


def shown_request(pk: uuid.UUID) -> Request:
    """Return one request as `RequestQuerySet.shown` fetches it. Raises `Request.DoesNotExist`."""
    return _one(pk, _SHOWN)


def shown_requests(pks: Iterable[uuid.UUID]) -> list[Request]:
    """Return these requests as `RequestQuerySet.shown` fetches them, in no order."""
    return _with_what_they_are_about(_SHOWN.ask(list(pks)))


def decided_requests(pks: Iterable[uuid.UUID]) -> list[Request]:
    """Return these requests with what was said of each, as a list shows them, in no order.

    Of what they are about a list shows no more than until when it lasts, where that was granted.
    """
    rows = _SHOWN.ask(list(pks))
    _with_what_they_are_about(
        [row for row in rows if row.status == Status.GRANTED and row.outcome_id is None], by=_LASTING
    )
    said: dict[uuid.UUID, list[Decision]] = {row.pk: [] for row in rows}
    for one in _SAID.ask(list(said)):
        said[one.request_id].append(one)
    for row in rows:
        row.said = said[row.pk]  # type: ignore[attr-defined]
    return rows


def _one(pk: uuid.UUID, question: Prepared[Request]) -> Request:
    rows = _with_what_they_are_about(question.ask([pk]))
    if not rows:
        raise Request.DoesNotExist(f"No request {pk}.")
    return rows[0]


def _with_what_they_are_about(rows: list[Request], by: Prepared[Assignment] = _ABOUT) -> list[Request]:
    # By a query of its own, as in `RequestQuerySet.shown`.
    wanted = {row.assignment_id for row in rows if row.assignment_id is not None}
    about = {one.pk: one for one in by.ask(wanted)} if wanted else {}
    for row in rows:
        if row.assignment_id is not None:
            row.assignment = about[row.assignment_id]
    return rows


def with_decisions(rows: RequestQuerySet) -> RequestQuerySet:
    """Fetch along what was said of each request, as `said`, with who said it.

    A list, not the relation: of that Django makes a query for each row, if only to leave it unasked.
    """
    said = Decision.objects.select_related("approver", "for_approver")
    return rows.prefetch_related(Prefetch("decisions", said, to_attr="said"))


def status_at(request: Request, now: datetime) -> Status:
    """Return the status as it reads at `now`: a pending request that can no longer be decided has lapsed."""
    return statuses_at([request], now)[request.pk]


def statuses_at(requests: Iterable[Request], now: datetime) -> dict[uuid.UUID, Status]:
    """Return the status of each request as `status_at` does; whether it waits is asked of all that pend at once."""
    found = {one.pk: Status(one.status) for one in requests}
    pending = [pk for pk, status in found.items() if status == Status.PENDING]
    if pending:
        waiting = set(which_wait(pending, now))
        found |= {pk: Status.LAPSED for pk in pending if pk not in waiting}
    return found


def first_that_read(rows: RequestQuerySet, status: Status, *, now: datetime, most: int) -> list[uuid.UUID]:
    """Return the first so many of these requests, in their order, that read as pending, or as lapsed, at `now`.

    Whether one waits still is a dear question: it is not asked of ten thousand for a page of the newest.
    """
    rows = rows.filter(status__in=(Status.PENDING,) if status == Status.PENDING else (Status.PENDING, Status.LAPSED))
    limit = most
    while True:
        with planned_anew():
            looked_at = list(rows.values_list("pk", "status")[:limit])
        waiting = set(which_wait([pk for pk, kept in looked_at if kept == Status.PENDING], now))
        found = [pk for pk, _kept in looked_at if (pk in waiting) == (status == Status.PENDING)]
        if len(found) >= most or len(looked_at) < limit:
            return found[:most]
        limit *= 4


def _asked_of(user_id: uuid.UUID, now: datetime) -> list[uuid.UUID]:
    """Return what still pends and was put to this person, or to an approver in whose place they may decide."""
    # Named by their keys, so that the database knows how often each was asked, and whether to begin there.
    return _ASKED_OF.ask([user_id, *approvers_behind(user_id, now)], user_id, now)


def _asked_in(seats: Iterable[uuid.UUID], user_id: uuid.UUID, now: datetime) -> QuerySet[Request, uuid.UUID]:
    asked = RequestApprover.objects.filter(
        principal__in=seats,
        stage__request__status=Status.PENDING,
        stage__number=F("stage__request__stage_number"),
    ).asked(now)
    decided = Decision.objects.filter(request=OuterRef("pk"), approver=user_id)
    rows = Request.objects.filter(pk__in=asked.order_by().values("stage__request")).pending()
    return rows.exclude(ByRow(decided)).exclude(_own(user_id)).order_by().values_list("pk", flat=True)


_ASKED_OF = Prepared(_asked_in)


def requests_awaiting(authority: Authority) -> list[Request]:
    """Return what this person can decide now, what lapses first first; looked up once for a page and its menu."""
    return list(authority.once(_awaiting))


def panels_awaiting(authority: Authority) -> dict[uuid.UUID, Waiting]:
    """Return who can decide each activation that waits for this person, as far as that was looked up already."""
    return dict(authority.once(_in_stages)[1])


def _awaiting(authority: Authority) -> list[Request]:
    in_stages, _panels = authority.once(_in_stages)
    rows = [*in_stages, *renewals_awaiting(authority), *settings_changes_awaiting(authority)]
    return sorted(rows, key=lambda row: (row.lapses_at, row.pk))


def renewals_awaiting(authority: Authority) -> RequestQuerySet:
    """Return the extensions and renewals that wait where this person administers, but for their own."""
    there = within_sight(authority, Permission.DECIDE_RENEWALS)
    rows = Request.objects.filter(there, action__in=RENEWALS).exclude(_own(authority.user.pk))
    return rows.waiting_among(authority.now).shown()


def _own(user_id: uuid.UUID) -> Q:
    return Q(principal=user_id) | Q(requestor=user_id)


def _in_stages(authority: Authority) -> tuple[list[Request], dict[uuid.UUID, Waiting]]:
    """What waits for this person as an approver, when it was asked and now, or as the deputy of one; and its panels."""
    waiting = which_wait(_asked_of(authority.user.pk, authority.now), authority.now)
    rows = shown_requests(waiting) if waiting else []
    panels = panels_of(rows, authority.now) if rows else {}
    mine = [row for row in rows if row.pk in panels and panels[row.pk].panel.seat_for(authority.user) is not None]
    return mine, panels


def _put_to(user_id: uuid.UUID, now: datetime) -> QuerySet[RequestApprover, Any]:
    return RequestApprover.objects.filter(principal=user_id).asked(now).order_by().values_list("stage__request")


def _decided_by(user_id: uuid.UUID) -> QuerySet[Decision, Any]:
    return Decision.objects.filter(approver=user_id).order_by().values_list("request")


def _put_to_or_decided(user_id: uuid.UUID, now: datetime) -> QuerySet[Decision, Any]:
    return _decided_by(user_id).union(_put_to(user_id, now))


_FEW_OF = Prepared(lambda user_id, now: _put_to_or_decided(user_id, now)[: FEW + 1])
_PENDING_OF = Prepared(
    lambda user_id, now: (
        Request.objects.filter(pk__in=_put_to(user_id, now)).pending().order_by().values_list("pk", flat=True)
    )
)


def requests_decided_by(user: User, now: datetime) -> RequestQuerySet:
    """Return what this person was asked to decide and that is over, or that they decided, the newest first."""
    # As values, since that query is deep; one set to look up by index, as in `AssignmentQuerySet.of`.
    waiting = which_wait(_PENDING_OF.ask(user.pk, now), now)
    few = [pk for (pk,) in _FEW_OF.ask(user.pk, now)]
    known = Q(pk__in=few) if len(few) <= FEW else Q(pk__in=_put_to_or_decided(user.pk, now))
    rows = Request.objects.filter(known).exclude(principal=user.pk)
    rows = rows.filter(Q(pk__in=_decided_by(user.pk)) | ~Q(pk__in=waiting))
    return rows.shown().order_by(F("decided_at").desc(nulls_first=True), "-made_at", "pk")


def requests_visible_to(authority: Authority) -> RequestQuerySet:
    """Return the requests that a person may open: those that they take part in, and those where they may look."""
    seen = _taking_part(authority.user.pk, authority.now) | within_sight(authority)
    return Request.objects.filter(seen).shown()


def request_visible_to(authority: Authority, pk: uuid.UUID) -> Request | None:
    """Return a request that a person may open, as `requests_visible_to` says, and who its principal's manager is."""
    takes_part = _TAKING_PART.ask(pk, authority.user.pk, authority.now)
    if not takes_part and not Request.objects.filter(within_sight(authority), pk=pk).exists():
        return None
    return _one(pk, _SHOWN_WITH_MANAGER)


def _taking_part(user_id: uuid.UUID, now: datetime) -> Q:
    """Return the condition that a request is somebody's own, was put to them, or was decided by them."""
    asked = RequestApprover.objects.filter(_in_a_seat_of(user_id, now), stage__request=OuterRef("pk")).asked(now)
    decided = Decision.objects.filter(request=OuterRef("pk"), approver=user_id)
    return _own(user_id) | Exists(asked) | Exists(decided)


def _in_a_seat_of(user_id: uuid.UUID, now: datetime) -> Q:
    """Return the condition that an approver is this person, or somebody in whose place they may decide."""
    behind = Deputy.objects.in_effect(now).filter(deputy=user_id)
    return Q(principal=user_id) | Q(principal__in=behind.values("approver"))


def was_put_to(request: Request, user_id: uuid.UUID, now: datetime) -> bool:
    """Whether a request was put to this person by `now`, or would have been but for an emergency."""
    return bool(_PUT_TO.ask(request.pk, user_id, now))


_PUT_TO = Prepared(
    lambda request_id, user_id, now: (
        RequestApprover.objects.filter(_in_a_seat_of(user_id, now), stage__request=request_id)
        .asked(now)
        .order_by()
        .values_list("pk", flat=True)[:1]
    )
)
_TAKING_PART = Prepared(
    lambda pk, user_id, now: (
        Request.objects.filter(_taking_part(user_id, now), pk=pk).order_by().values_list("pk", flat=True)
    )
)


FEW_PLACES = 200


def requests_at(place: Resource) -> RequestQuerySet:
    """Return what was asked at a place and below it, the newest first."""
    return Request.objects.filter(_below(place)).shown().order_by("-made_at", "pk")


def _below(place: Resource) -> Q:
    """Return the condition that a request is about this place or one below, as a database best walks to the newest.

    It knows how much is asked at each of a few places, and for each role: so it knows whether to begin at the newest
    request of all, or at the place. Of paths it knows nothing.
    """
    there = Resource.objects.filter(path__startswith=place.path)
    few = list(there.order_by().values_list("pk", flat=True)[: FEW_PLACES + 1])
    if len(few) <= FEW_PLACES:
        return Q(AnyOf(F("resource"), few))
    return Q(ByRow(there.filter(pk=OuterRef("resource")))) & Q(AnyOf(F("role"), _ROLES_OF.ask(place.realm.value)))


_ROLES_OF = Prepared(lambda kind: Role.objects.filter(kind=kind).order_by().values_list("pk", flat=True))
