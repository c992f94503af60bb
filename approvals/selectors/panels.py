"""Who can decide each of several requests: the answer of `approvers_of`, for a list."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from approvals.models import TIMED, Action, Decision, Request, RequestApprover, RequestStage, Verdict
from approvals.selectors.approvers import Panel, approvers_of, as_asked, listed_in, renewal_panel, seated
from approvals.selectors.deputies import deputies_of
from roles.catalogue import Permission
from roles.ids import DIRECTORY, PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import Assignment, User
from roles.models.prepared import Prepared
from roles.selectors.holding import people_holding
from roles.selectors.settings import SettingsBook, Stage


@dataclass(frozen=True, slots=True)
class Waiting:
    """The stage that a request waits in: who can still decide, and how many have agreed."""

    panel: Panel
    agreed: int


_STAGES = Prepared(lambda pks: RequestStage.objects.filter(request__in=pks))
_APPROVERS = Prepared(lambda pks: RequestApprover.objects.filter(stage__request__in=pks))
_DECISIONS = Prepared(lambda pks: Decision.objects.filter(request__in=pks))
_PEOPLE = Prepared(lambda pks: User.objects.filter(pk__in=pks, enabled=True).order_by("name_key", "pk"))
_MEMBERSHIPS = Prepared(
    lambda people, now: (
        Assignment.objects.memberships(now)
        .filter(principal__in=people)
        .order_by()
        .values_list("resource__group", "resource__group__enabled", "principal")
    )
)
_ADMINISTERING = Prepared(
    lambda now: (
        Assignment.objects.in_effect(now)
        .active()
        .filter(role=PRIVILEGED_ROLE_ADMINISTRATOR, resource=DIRECTORY)
        .order_by()
        .values_list("principal", flat=True)
    )
)


def panels_of(requests: Sequence[Request], now: datetime) -> dict[uuid.UUID, Waiting]:
    """Say who can decide each request now; they should be fetched by `shown`.

    The same as `approvers_of`, with as many queries for fifty requests as for one.
    """
    renewals = [one for one in requests if one.is_renewal]
    places = {one.resource for one in renewals}
    administering = people_holding(Permission.DECIDE_RENEWALS, places, now) if places else {}
    answer = {one.pk: Waiting(renewal_panel(one, administering[one.resource_id]), 0) for one in renewals}
    for one in requests:
        # Few wait at a time, and each for somebody else.
        if one.action == Action.CHANGE_SETTINGS:
            answer[one.pk] = Waiting(approvers_of(one, now), 0)
    requests = [one for one in requests if one.action in TIMED]
    if not requests:
        return answer
    then = {(one.request_id, one.number): one for one in _STAGES.ask([one.pk for one in requests])}
    asked_then: dict[Any, dict[uuid.UUID, bool]] = {stage.pk: {} for stage in then.values()}
    for row in _APPROVERS.ask([one.pk for one in requests]):
        asked_then[row.stage_id][row.principal_id] = row.escalation
    decisions: dict[uuid.UUID, list[Decision]] = {}
    for decision in _DECISIONS.ask([one.pk for one in requests]):
        decisions.setdefault(decision.request_id, []).append(decision)
    book = SettingsBook(one.role_id for one in requests)
    today = {one.pk: _today(one, book) for one in requests}
    asked = set().union(*asked_then.values())
    people = {user.pk: user for user in _PEOPLE.ask(asked)}
    deputies = deputies_of(people, now)
    reach = _Reach.of((stage for stage in today.values() if stage is not None), asked, now)
    for request in requests:
        stage = then.get((request.pk, request.stage_number))
        if stage is None:
            continue
        said = decisions.get(request.pk, [])
        settings = today[request.pk]
        settings = settings or as_asked(stage.number, 1, asked_then[stage.pk])
        approvers, escalation = reach.people_of(settings), reach.named(settings.escalation)
        listed, later = listed_in(
            asked_then[stage.pk],
            [user for pk, user in people.items() if pk in approvers],
            [user for pk, user in people.items() if pk in escalation],
            escalated=request.escalates_at <= now,
        )
        panel = seated(
            stage.number,
            max(stage.quorum, settings.quorum),
            listed,
            decisions=said,
            own=(request.principal_id, request.requestor_id),
            deputies=deputies,
            later=later,
        )
        agreed = sum(one.verdict == Verdict.APPROVE and one.stage_id == stage.pk for one in said)
        answer[request.pk] = Waiting(panel, agreed)
    return answer


def _today(request: Request, book: SettingsBook) -> Stage | None:
    stages = book.stages_of(request.behind.role, request.behind.resource)
    return next((one for one in stages if one.number == request.stage_number), None)


@dataclass(frozen=True, slots=True)
class _Reach:
    """Whom the principals that today's settings name stand for, among the people who were asked."""

    members: dict[uuid.UUID, set[uuid.UUID]]
    administrators: set[uuid.UUID]

    @classmethod
    def of(cls, stages: Iterable[Stage], asked: set[uuid.UUID], now: datetime) -> _Reach:
        stages = list(stages)
        members: dict[uuid.UUID, set[uuid.UUID]] = {}
        for group_id, enabled, person_id in _MEMBERSHIPS.ask(asked, now):
            members.setdefault(group_id, set())
            if enabled:
                members[group_id].add(person_id)
        administrators: set[uuid.UUID] = set()
        if not all(stage.approvers for stage in stages):
            holders = set(_ADMINISTERING.ask(now))
            administrators = holders.union(*(members.get(one, set()) for one in holders))
        return cls(members, administrators)

    def people_of(self, stage: Stage) -> set[uuid.UUID]:
        if not stage.approvers:
            return self.administrators
        return self.named(stage.approvers)

    def named(self, principals: Iterable[uuid.UUID]) -> set[uuid.UUID]:
        principals = set(principals)
        return principals.union(*(self.members.get(one, set()) for one in principals))
