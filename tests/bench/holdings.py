"""Assignments with as many requests, written by COPY as years of use would have left them.

Of a hundred assignments sixty-six are activations (sixty-two over, four running, each by a request that was granted),
the others eligibilities, active assignments and memberships. One request of a hundred still waits. But never are so few
sought, waiting, lately over or in a group that a page of fifty would have less to show at a small size.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from approvals.models import Action, Status
from roles import ids
from roles.models import Group, Role, RoleKind
from tests.bench.copying import copy, without_triggers
from tests.bench.crowd import Crowd
from tests.people import DAY, HOUR, MINUTE

ASSIGNMENTS = (
    "id, principal_id, role_id, resource_id, type, starts_at, ends_at, ended_at, end_reason, activated_from_id,"
    " break_glass, created_at"
)
REQUESTS = (
    "id, action, principal_id, requestor_id, role_id, resource_id, assignment_id, made_at, wanted_duration,"
    " wanted_type, wanted_end, break_glass, reason, ticket, ticket_check, digest, settings_digest, settings_max,"
    " second_factor, status, stage_number, status_reason, decided_at, lapses_at, outcome_id"
)
STAGES = "id, request_id, number, quorum"
ASKED = "stage_id, principal_id, escalation"
DECISIONS = "id, request_id, stage_id, approver_id, verdict, justification, granted_type, decided_at"
TABLES = (
    "roles_assignment",
    "approvals_request",
    "approvals_requeststage",
    "approvals_requestapprover",
    "approvals_decision",
)
KINDS = (RoleKind.DIRECTORY, RoleKind.RESOURCE)
# However large an organisation is, it has but a few of these.
FEW = (ids.PRIVILEGED_ROLE_ADMINISTRATOR, ids.GLOBAL_ADMINISTRATOR, ids.SECURITY_ADMINISTRATOR)
DIGEST = "0" * 64
SPAN = timedelta(days=700)
REASONS = ("Mailbox rules of the finance team", "Disk full on the reporting server", "Change window", "Patch day")
# How requests end, of thirty-two, where no activation came of them; one of thirty-three still waits.
OTHERWISE = ((Status.DENIED, 12), (Status.CANCELLED, 8), (Status.LAPSED, 12))
FEWEST_SOUGHT, FEWEST_WAITING, FEWEST_LATE = 70, 200, 240
MEMBERS = 25  # of a group


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Who may activate what, where."""

    pk: uuid.UUID
    principal: uuid.UUID
    role: uuid.UUID
    place: uuid.UUID


@dataclass(frozen=True, slots=True)
class Around:
    """Whose own lists are to be as long at every size: who asks, and who was asked to decide."""

    asker: uuid.UUID
    approver: uuid.UUID
    each: int = 60  # requests of theirs


def fill(assignments: int, crowd: Crowd, around: Around, *, now: datetime) -> None:
    """Write so many assignments, and as many requests, that end at `now`."""
    dice = random.Random(assignments)
    share = assignments // 100
    common = Role.objects.filter(retired_at=None).exclude(pk__in=FEW).order_by("pk")
    roles = {kind: list(common.filter(kind=kind).values_list("pk", flat=True)) for kind in KINDS}
    holders = Holders(crowd, roles, dice)
    sought = [holders.fresh(RoleKind.DIRECTORY, crowd.sought) for _each in range(FEWEST_SOUGHT)]
    given = [*sought, *(holders.fresh(RoleKind.DIRECTORY) for _each in range(14 * share - FEWEST_SOUGHT))]
    given += [holders.fresh(RoleKind.RESOURCE) for _each in range(10 * share)]
    mine = [Eligibility(_id(dice), around.asker, *holders.what(RoleKind.RESOURCE)) for _each in range(12)]
    activations = list(_activations(given, mine, 62 * share, around, now, dice))
    running = list(_running(dice.sample(given, 4 * share), now, dice))
    with without_triggers(*TABLES):
        copy("roles_assignment", ASSIGNMENTS, (_given(one, "eligible", now, dice) for one in (*given, *mine)))
        copy("roles_assignment", ASSIGNMENTS, _active(holders, 5 * share, now, dice))
        copy("roles_assignment", ASSIGNMENTS, _members(crowd, max(5 * share, MEMBERS * len(crowd.groups)), now, dice))
        copy("roles_assignment", ASSIGNMENTS, (row for row, _eligibility in (*activations, *running)))
        made = [*_granted([*activations, *running], dice), *_others(given, mine, 34 * share, around, now, dice)]
        copy("approvals_request", REQUESTS, made)
        _decided(made, crowd, around, dice)


class Holders:
    """Chooses who holds what, where; nobody the same twice."""

    def __init__(self, crowd: Crowd, roles: dict[RoleKind, list[uuid.UUID]], dice: random.Random) -> None:
        self.crowd, self.roles, self.dice = crowd, roles, dice
        self._seen: set[tuple[uuid.UUID, ...]] = set()

    def what(self, kind: RoleKind) -> tuple[uuid.UUID, uuid.UUID]:
        place = ids.DIRECTORY if kind == RoleKind.DIRECTORY else self.dice.choice(self.crowd.places)
        return self.dice.choice(self.roles[kind]), place

    def fresh(self, kind: RoleKind, among: Sequence[uuid.UUID] = ()) -> Eligibility:
        dice = self.dice
        while True:
            group = not among and dice.random() < 0.03
            principal = dice.choice(self.crowd.groups)[0] if group else dice.choice(among or self.crowd.people)
            what = self.what(kind)
            if (slot := (principal, *what)) not in self._seen:
                self._seen.add(slot)
                return Eligibility(_id(dice), principal, *what)


def _given(one: Eligibility, type: str, now: datetime, dice: random.Random) -> tuple[object, ...]:
    began = now - SPAN - DAY * dice.randrange(1, 90)
    ends = now + timedelta(minutes=dice.randrange(60, 400_000)) if dice.random() < 0.5 else None
    return (one.pk, one.principal, one.role, one.place, type, began, ends, None, "", None, False, began)


def _active(holders: Holders, number: int, now: datetime, dice: random.Random) -> Iterator[tuple[object, ...]]:
    for each in range(number):
        kind = RoleKind.DIRECTORY if each % 2 else RoleKind.RESOURCE
        yield _given(holders.fresh(kind), "active", now, dice)


def _members(crowd: Crowd, number: int, now: datetime, dice: random.Random) -> Iterator[tuple[object, ...]]:
    seen: set[tuple[int, int]] = set()
    while len(seen) < number:
        slot = dice.randrange(len(crowd.groups)), dice.randrange(len(crowd.people))
        if slot not in seen:
            seen.add(slot)
            node = crowd.groups[slot[0]][1]
            yield _given(Eligibility(_id(dice), crowd.people[slot[1]], ids.GROUP_MEMBER, node), "active", now, dice)


Activation = tuple[tuple[object, ...], Eligibility]


def _activations(
    given: Sequence[Eligibility],
    mine: Sequence[Eligibility],
    number: int,
    around: Around,
    now: datetime,
    dice: random.Random,
) -> Iterator[Activation]:
    """Yield activations that are over, the last of them lately; a person's own where a group is eligible."""
    groups = set(Group.objects.values_list("pk", flat=True))
    own = [one for one in given if one.principal not in groups]
    for each in range(number):
        eligibility = dice.choice(mine) if each < around.each else dice.choice(own)
        span = 20 * DAY if each < FEWEST_LATE else SPAN
        began = now - timedelta(seconds=span.total_seconds() * dice.random() ** 1.5) - 10 * HOUR
        ends = began + HOUR * dice.randrange(1, 9)
        early = dice.random() < 0.4
        ended, why = (began + (ends - began) / 2, "deactivated") if early else (ends, "expired")
        yield _activation(eligibility, began, ends, (ended, why), dice)


def _running(given: Sequence[Eligibility], now: datetime, dice: random.Random) -> Iterator[Activation]:
    groups = set(Group.objects.values_list("pk", flat=True))
    for one in given:
        if one.principal not in groups:
            began = now - MINUTE * dice.randrange(1, 50)
            yield _activation(one, began, began + 8 * HOUR, (None, ""), dice)


def _activation(
    one: Eligibility, began: datetime, ends: datetime, end: tuple[datetime | None, str], dice: random.Random
) -> Activation:
    row = (_id(dice), one.principal, one.role, one.place, "active", began, ends, *end, one.pk, False, began)
    return row, one


def _granted(activations: Sequence[Activation], dice: random.Random) -> Iterator[tuple[object, ...]]:
    for row, eligibility in activations:
        began = row[5]
        assert isinstance(began, datetime)
        yield _request(eligibility, Status.GRANTED, began - 5 * MINUTE, began, row[0], dice)


def _others(
    given: Sequence[Eligibility],
    mine: Sequence[Eligibility],
    number: int,
    around: Around,
    now: datetime,
    dice: random.Random,
) -> Iterator[tuple[object, ...]]:
    statuses = [status for status, often in OTHERWISE for _each in range(often)]
    waiting = max(number // (len(statuses) + 1), min(FEWEST_WAITING, number // 2, len(given)))
    for eligibility in dice.sample(given, waiting):
        yield _request(eligibility, Status.PENDING, now - HOUR * dice.randrange(1, 20), None, None, dice)
    for each in range(number - waiting):
        eligibility = dice.choice(mine) if each < 10 else dice.choice(given)
        made = now - timedelta(seconds=SPAN.total_seconds() * dice.random() ** 1.5) - DAY
        status = statuses[each % len(statuses)]
        yield _request(eligibility, status, made, made + HOUR * dice.randrange(1, 20), None, dice)


def _request(
    one: Eligibility,
    status: Status,
    made: datetime,
    decided: datetime | None,
    outcome: object,
    dice: random.Random,
) -> tuple[object, ...]:
    reason = f"{dice.choice(REASONS)} {dice.randrange(10_000)}"
    return (
        _id(dice), Action.ACTIVATE.value, one.principal, one.principal, one.role, one.place, one.pk, made,
        2 * HOUR, "", None, False, reason, f"INC-{dice.randrange(100_000)}", "", DIGEST, DIGEST, 8 * HOUR,
        "fresh", status.value, 1, "", decided, made + DAY, outcome,
    )  # fmt: skip


def _decided(requests: Sequence[tuple[object, ...]], crowd: Crowd, around: Around, dice: random.Random) -> None:
    """Put half of the requests to two approvers each, and have one of them decide what was decided."""
    put = [row for row in requests if row[19] != Status.CANCELLED.value and dice.random() < 0.5]
    numbers = count(1_000_000)
    stages = [(next(numbers), row[0], 1, 1) for row in put]
    panels = [
        (around.approver, dice.choice(crowd.people)) if each < around.each else tuple(dice.sample(crowd.people, 2))
        for each in range(len(put))
    ]
    copy("approvals_requeststage", STAGES, stages)
    asked = ((stage[0], one, False) for stage, panel in zip(stages, panels, strict=True) for one in panel)
    copy("approvals_requestapprover", ASKED, asked)
    verdicts = {Status.GRANTED.value: "approve", Status.DENIED.value: "deny"}
    said = (
        (_id(dice), row[0], stage[0], panel[0], verdicts[str(row[19])], "Agreed", "", row[22])
        for row, stage, panel in zip(put, stages, panels, strict=True)
        if row[19] in verdicts
    )
    copy("approvals_decision", DECISIONS, said)


def _id(dice: random.Random) -> uuid.UUID:
    return uuid.UUID(int=dice.getrandbits(128))
