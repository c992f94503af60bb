"""Large reviews: what a step costs does not depend on how many rows or reviewers there are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from reviews.models import Status
from reviews.selectors.reviewers import unfinished_reviewers
from reviews.services.clockwork import keep_reviews_going
from roles.models import Assignment, AssignmentType, Role
from tests.people import DAY, at, directory, person
from tests.reviewing import chosen, fresh, make_review

STEP = 50  # rows between two looks at the watch, as the sweep has it


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
    found = list(Role.objects.filter(kind="directory", retired_at=None).order_by("name_key")[:roles])
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
