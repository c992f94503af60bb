"""Large reviews: what a step costs does not depend on how many rows or reviewers there are."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from audit.kinds import Kind
from pim_portal.models import Notification
from reviews.models import IfUnanswered, Instance, Opinion, PastVerdict, Status
from reviews.selectors.reviewers import unfinished_reviewers
from reviews.services.applying import apply
from reviews.services.clockwork import keep_reviews_going
from reviews.services.deciding import accept_recommendations, decide_waiting
from reviews.services.long_acts import CHUNK
from reviews.services.running import reset, stop
from roles import ids
from roles.models import Assignment, AssignmentType, Purpose, Role, User
from tests.people import DAY, MINUTE, OPERATOR, acting, at, directory, give, person, role
from tests.reviewing import chosen, fresh, make_review, themselves
from tests.told import done
from tests.visitors import visiting

STEP = 50  # rows between two looks at the watch, as the sweep has it
LONGEST = 5.0  # seconds of the processor for one step; a task may take 20, and a lock of SQLite waits 20
MOST_MEMORY = 64 * 1024  # KiB more than a review of a hundred rows has taken before
MOST_STATEMENTS = 120  # of one step that does not remove anything


@dataclass
class Cost:
    """What something took, in seconds of the processor; `steps`: statements of each step of the sweep."""

    seconds: float = 0.0
    statements: int = 0
    steps: list[int] = field(default_factory=list)
    longest: float = 0.0


@contextmanager
def measured(what: str) -> Iterator[Cost]:
    cost, began = Cost(), time.process_time()

    def counting(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        cost.statements += 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(counting):
        yield cost
    cost.seconds = time.process_time() - began
    longest = f", longest step {cost.longest:.2f} s, most statements {max(cost.steps)}" if cost.steps else ""
    print(f"{what}: {cost.seconds:.1f} s, {cost.statements} statements{longest}")  # noqa: T201 - for whoever measures


def turn(cost: Cost, now: datetime, steps: int | None = None) -> None:
    """Sweep step by step, as one look at the watch after the other allows."""
    while steps is None or len(cost.steps) < steps:
        before, began = cost.statements, time.process_time()
        count = keep_reviews_going(clock=at(now), limit=STEP)
        cost.steps.append(cost.statements - before)
        cost.longest = max(cost.longest, time.process_time() - began)
        if count < STEP:
            return


def eligible_in_bulk(people: int, roles: int, now: datetime) -> list[Role]:
    """Make so many people eligible for so many roles; through the services it takes longer than what is tested."""
    rows = Role.objects.filter(kind="directory", retired_at=None).exclude(pk=ids.PRIVILEGED_ROLE_ADMINISTRATOR)
    found = list(rows.order_by("name_key")[:roles])
    began = now - 100 * DAY
    place = directory()
    for number in range(people):
        who = person(f"p{number}", factor=False, now=now)
        Assignment.objects.bulk_create(
            Assignment(
                principal=who, role=one, resource=place, type=AssignmentType.ELIGIBLE, starts_at=began, created_at=began
            )
            for one in found
        )
    return found


def step_up_of(user: User, instance: Instance, now: datetime) -> dict[str, Any]:
    return {"actor": acting(user, Purpose.DECIDE, instance.pk, now=now), "clock": at(now)}


def page_cost(user: User, path: str) -> Cost:
    client = visiting(user)
    client.get(path)  # what is loaded once is loaded
    with measured(path) as cost:
        assert client.get(path).status_code == 200
    return cost


def whole_life(people: int, roles: int, *, apply_steps: int | None) -> dict[str, Any]:
    """Start, show, decide in bulk, reset, decide again in a second stage, end and apply a review of so many rows.

    Every step is a transaction of its own and is measured. Returns the statements of each page.
    """
    now = timezone.now()
    adam, berta = person("adam", now=now), person("berta", now=now)
    petra = person("petra", now=now)
    give(petra, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), now=now)
    found = eligible_in_bulk(people, roles, now)
    rows = people * roles
    before = peak()

    stages = [chosen(adam), chosen(berta)]
    with measured("save") as saving:
        review = make_review(*found, stages=stages, now=now, if_unanswered=IfUnanswered.REMOVE)
    with measured("start") as starting:
        turn(starting, now)
    instance = review.instances.get(number=1)
    assert (instance.rows_total, instance.status_at(now)) == (rows, Status.IN_PROGRESS)
    assert saving.statements < 60 + rows / 50

    pages = {
        "work": page_cost(adam, f"/tasks/reviews/{instance.pk}/?per_page=200").statements,
        "all": page_cost(adam, f"/tasks/reviews/{instance.pk}/all/").statements,
        "waiting": page_cost(adam, "/tasks/reviews/").statements,
        "series": page_cost(petra, f"/manage/directory/reviews/{review.pk}/").statements,
        "results": page_cost(petra, f"/manage/directory/reviews/{review.pk}/{instance.pk}/?per_page=100").statements,
    }

    costs = [starting]
    with measured("accept recommendations") as accepting:
        assert accept_recommendations(instance.pk, **step_up_of(adam, instance, now)) == rows
        turn(accepting, now)
    assert instance.verdicts.filter(verdict=Opinion.DENY, how="recommended").count() == rows
    with measured("reset, what was said is kept") as resetting:
        reset(instance.pk, actor=OPERATOR, clock=at(now + MINUTE))
        turn(resetting, now + MINUTE)
    assert instance.verdicts.exclude(verdict=Opinion.NOT_REVIEWED).count() == 0
    with measured("deny all") as denying:
        decide_waiting(instance.pk, verdict=Opinion.DENY, **step_up_of(adam, instance, now + 2 * MINUTE))
        turn(denying, now + 2 * MINUTE)
    second = now + 7 * DAY
    with measured("the second stage says the same, what the first said is kept") as again:
        decide_waiting(instance.pk, verdict=Opinion.DENY, **step_up_of(berta, instance, second))
        turn(again, second)
    assert PastVerdict.objects.filter(row__instance=instance).count() == 2 * rows
    assert done(Kind.REVIEW_DECIDED) == 3 * -(-rows // CHUNK)
    with measured("end") as ending:
        stop(instance.pk, actor=OPERATOR, clock=at(second + MINUTE))
        turn(ending, second + MINUTE)
    end = second + 2 * MINUTE
    apply(instance.pk, actor=OPERATOR, clock=at(end))
    with measured("apply") as applying:
        turn(applying, end, steps=apply_steps)
    removed = rows if apply_steps is None else apply_steps * STEP
    assert instance.verdicts.filter(result="removed").count() == removed
    if apply_steps is None:
        assert fresh(instance).status_at(end) == Status.APPLIED
    full = [cost for cost in applying.steps[1:-2] if cost > STEP] or [0]
    assert max(full) - min(full) <= STEP  # a row costs as much at the end as at the start

    for cost in (*costs, accepting, resetting, denying, again, ending):
        assert max(cost.steps) < MOST_STATEMENTS
    for cost in (*costs, accepting, resetting, denying, again, ending, applying):
        assert cost.longest < LONGEST
    grown = peak() - before
    print(f"memory grew by {grown // 1024} MiB")  # noqa: T201 - for whoever measures
    return pages | {"memory": grown}


def peak() -> int:
    """The most memory that this process has had, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_review_of_two_thousand_assignments(db):
    whole_life(100, 20, apply_steps=6)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_review_of_fifty_thousand_assignments_costs_no_more_a_page_and_no_more_memory(db):
    small = {}
    with transaction.atomic():
        small = whole_life(10, 10, apply_steps=1)
        transaction.set_rollback(True)
    large = whole_life(500, 100, apply_steps=20)
    for page in ("work", "all", "waiting", "series", "results"):
        assert abs(large[page] - small[page]) <= 5, page
    assert large["memory"] < MOST_MEMORY


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_silent_review_of_fifty_thousand_assignments_ends_in_chunks_and_is_settled(db):
    now = timezone.now()
    adam = person("adam", now=now)
    found = eligible_in_bulk(500, 100, now)
    review = make_review(*found, stages=[chosen(adam)], now=now, auto_apply=True, if_unanswered=IfUnanswered.APPROVE)
    turn(Cost(), now)
    instance = review.instances.get(number=1)
    end = now + 8 * DAY
    with measured("end and settle") as cost:
        turn(cost, end)
    assert fresh(instance).status_at(end) == Status.APPLIED
    assert instance.verdicts.filter(result="kept", verdict=Opinion.APPROVE, how="unanswered").count() == 50_000
    assert done(Kind.REVIEW_ANSWERED) == 50
    assert max(cost.steps) < MOST_STATEMENTS
    assert cost.longest < LONGEST


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_thousand_people_who_review_themselves_are_each_asked_once(db):
    now = timezone.now()
    found = eligible_in_bulk(10_000, 1, now)
    with measured("start") as cost:
        review = make_review(*found, stages=[themselves()], now=now)
        turn(cost, now)
    asked = Notification.objects.filter(mail="review_begins")
    assert asked.count() == asked.values("recipient").distinct().count() == 10_000
    assert review.instances.get(number=1).rows_total == 10_000
    assert max(cost.steps) < MOST_STATEMENTS
    assert cost.longest < LONGEST


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_stays_is_settled_in_chunks(db):
    now = timezone.now()
    adam = person("adam", now=now)
    roles = eligible_in_bulk(100, 20, now)
    review = make_review(*roles, stages=[chosen(adam)], now=now, auto_apply=True)
    turn(Cost(), now)
    instance = review.instances.get(number=1)
    end = now + 8 * DAY
    with measured("settle 2,000 rows") as cost:
        turn(cost, end)
    assert fresh(instance).status_at(end) == Status.APPLIED
    assert instance.verdicts.filter(result="kept").count() == 2_000
    assert len(cost.steps) >= 4


def test_however_many_reviewers_there_are_they_are_asked_with_as_many_statements(db):
    now = timezone.now()
    [what] = eligible_in_bulk(1, 1, now)
    reviewers = [person(f"reviewer{number}", factor=False, now=now) for number in range(12)]
    counts = []
    for number in (2, 12):
        review = make_review(what, stages=[chosen(*reviewers[:number])], now=now)
        turn(Cost(), now)
        stage = review.instances.get(number=1).stages.get()
        with measured(f"{number} reviewers") as cost:
            assert len(unfinished_reviewers(stage, now)) == number
        counts.append(cost.statements)
    assert counts[0] == counts[1]
