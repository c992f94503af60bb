"""Who reviews an emergency, and which wait for somebody."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q

from approvals.models import Deputy, EmergencyReview, Request, RequestApprover
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import User
from roles.selectors.approvers import people_of_stage
from roles.selectors.holding import people_holding
from roles.selectors.settings import SettingsBook, Stage
from roles.selectors.sight import within_sight

_ALONG = (
    "request__principal",
    "request__role",
    "request__resource",
    "request__assignment__role",
    "request__assignment__resource",
    "request__outcome",
    "closed_by",
)


def reviewers_of(request: Request, now: datetime, *, may_become: bool = False) -> list[User]:
    """Return who can close the review of an emergency, by name; with `may_become` also who could after activating.

    Whoever would have approved it then and would now, and whoever administers the place: never whoever activated it,
    nor anybody who stood in for them as a deputy since.
    """
    never = {request.principal_id, request.requestor_id, *stood_in_for(request, now)}
    approvers = _Approvers([request], now, may_become=may_become).of(request)
    administer = people_holding(Permission.ASSIGN, [request.resource], now, may_become=may_become)
    found = {user.pk for user in administer[request.resource_id]} | approvers
    return list(User.objects.filter(pk__in=found - never, enabled=True).order_by("name_key", "pk"))


def stood_in_for(request: Request, now: datetime) -> set[uuid.UUID]:
    """Return who was a deputy of the person behind an emergency at any moment from then until `now`."""
    people = [request.principal_id, request.requestor_id]
    rows = Deputy.objects.filter(approver__in=people, starts_at__lte=now, ends_at__gt=request.made_at)
    # Who was called off before the start never stood in.
    lasted = rows.exclude(ended_at__lte=F("starts_at")).filter(Q(ended_at=None) | Q(ended_at__gt=request.made_at))
    return set(lasted.values_list("deputy", flat=True))


class _Approvers:
    """Who would have approved each of several emergencies, then and now."""

    def __init__(self, requests: Iterable[Request], now: datetime, *, may_become: bool = False) -> None:
        requests = list(requests)
        self._now, self._may_become = now, may_become
        self._book = SettingsBook(one.role_id for one in requests)
        self._then: dict[uuid.UUID, set[uuid.UUID]] = {}
        for request_id, person_id in RequestApprover.objects.filter(stage__request__in=requests).values_list(
            "stage__request", "principal"
        ):
            self._then.setdefault(request_id, set()).add(person_id)
        self._people: dict[Stage, set[uuid.UUID]] = {}

    def of(self, request: Request) -> set[uuid.UUID]:
        then = self._then.get(request.pk, set())
        stages = self._book.of(request.behind.role, request.behind.resource).stages
        # Where the settings ask for no approval any more, those who would have approved still review.
        return then & set().union(*map(self._listed, stages)) if stages else then

    def _listed(self, stage: Stage) -> set[uuid.UUID]:
        if stage not in self._people:
            people = people_of_stage(stage, self._now, excluding=[], may_become=self._may_become)
            self._people[stage] = {user.pk for user in people}
        return self._people[stage]


def emergencies_awaiting(authority: Authority) -> list[EmergencyReview]:
    """Return the reviews that this person can close now, what is due first first; looked up once for a page."""
    return list(authority.once(_emergencies_awaiting))


def _emergencies_awaiting(authority: Authority) -> list[EmergencyReview]:
    # Mostly there is none, and whose it would be is a dear question.
    if not EmergencyReview.objects.open().exists():
        return []
    user_id, now = authority.user.pk, authority.now
    would_approve = RequestApprover.objects.filter(stage__request=OuterRef("request"), principal=user_id)
    administers = within_sight(authority, Permission.ASSIGN, at="request__resource__")
    rows = EmergencyReview.objects.open().filter(Exists(would_approve) | administers)
    rows = rows.exclude(Q(request__principal=user_id) | Q(request__requestor=user_id)).select_related(*_ALONG)
    found = list(rows.order_by("due_at", "pk"))
    if not found:
        return []
    approvers = _Approvers([one.request for one in found], now)
    return [
        one
        for one in found
        if (authority.allows(Permission.ASSIGN, one.request.resource) or user_id in approvers.of(one.request))
        and user_id not in stood_in_for(one.request, now)
    ]


def review_of(request: Request) -> EmergencyReview | None:
    """Return the review of a request that was an emergency; None for any other."""
    return EmergencyReview.objects.filter(request=request).select_related(*_ALONG).first()
