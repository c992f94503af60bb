"""Two at once in a review: one outcome, one set of events, whoever comes second."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from audit.kinds import Kind
from reviews.models import ApplyResult, Frequency, Instance, Opinion, PastVerdict, Status
from reviews.services.applying import apply, apply_due
from reviews.services.ending import end_due
from reviews.services.running import stop
from reviews.services.series import delete_review
from reviews.services.starting import start_due
from reviews.services.telling import tell_due
from roles import ids
from roles.models import Assignment, EndReason, User
from roles.refusals import Refused
from roles.services.assignments import remove
from tests.people import DAY, EXCHANGE_ADMINISTRATOR, MINUTE, NOW, OPERATOR, at, give, make_eligible, person, role
from tests.races import race
from tests.reviewing import chosen, fresh, make_review, row_of, say, started, turn
from tests.told import done

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
END = NOW + 7 * DAY


@pytest.fixture
def cast(transactional_db) -> dict[str, User]:
    people = {name: person(name) for name in ("ines", "adam", "berta", "petra")}
    give(people["petra"], role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    return people


@pytest.fixture
def eligible(cast) -> Assignment:
    return make_eligible(cast["ines"], role(EXCHANGE_ADMINISTRATOR))


def running(*reviewers: User, **values) -> Instance:
    return started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(*reviewers)], **values)


def denied(cast, **values) -> Instance:
    """Completed, Ines denied."""
    instance = running(cast["adam"], **values)
    say(instance, cast["adam"], Opinion.DENY, row_of(instance, cast["ines"]))
    turn_to_the_end()
    return fresh(instance)


def turn_to_the_end() -> None:
    assert end_due(clock=at(END), limit=50) == 1


def no_error(*results) -> None:
    assert [result.error for result in results] == [None] * len(results)


# Two workers


def test_two_workers_take_each_row_once_and_start_once(cast, eligible):
    review = make_review(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(cast["adam"])])
    for _step in range(5):  # begin, take what people hold, open; whoever comes second finds it done or does the next
        no_error(*race(*[lambda: start_due(clock=at(NOW), limit=50)] * 2))
    instance = review.instances.get(number=1)
    assert (instance.filled_at, instance.rows_total, instance.verdicts.count()) == (NOW, 1, 1)
    assert done(Kind.REVIEW_STARTED) == 1


def test_two_workers_remind_once(cast, eligible):
    running(cast["adam"])
    half = at(NOW + 4 * DAY)
    first, second = race(*[lambda: tell_due(clock=half, limit=50)] * 2)
    no_error(first, second)
    assert (first.value, second.value) == (1, 0)
    assert done(Kind.REVIEW_REMINDED) == 1


def test_two_workers_end_once(cast, eligible):
    running(cast["adam"])
    first, second = race(*[lambda: end_due(clock=at(END), limit=50)] * 2)
    no_error(first, second)
    assert (first.value, second.value) == (1, 0)
    assert done(Kind.REVIEW_COMPLETED) == 1


def test_two_workers_apply_each_row_once(cast, eligible):
    instance = denied(cast, auto_apply=True)
    no_error(*race(*[lambda: apply_due(clock=at(END), limit=50)] * 2))
    turn(END)
    assert fresh(instance).status_at(END) == Status.APPLIED
    assert row_of(instance, cast["ines"]).result == ApplyResult.REMOVED
    assert (done(Kind.ASSIGNMENT_REMOVED), done(Kind.REVIEW_APPLIED)) == (1, 1)


# A person and the clock


def test_a_decision_at_the_end_counts_or_is_refused(cast, eligible):
    instance = running(cast["adam"])
    row = row_of(instance, cast["ines"])
    first, second = race(
        lambda: say(instance, cast["adam"], Opinion.DENY, row, now=END - MINUTE),
        lambda: end_due(clock=at(END), limit=50),
    )
    no_error(first, second)
    turn(END)  # PostgreSQL's second worker goes by what is locked, and comes again
    ended = fresh(instance)
    assert (ended.rows_denied, ended.rows_unanswered) == (1, 0)
    assert done(Kind.REVIEW_COMPLETED) == 1


def test_a_decision_behind_the_end_is_refused(cast, eligible):
    instance = running(cast["adam"])
    row = row_of(instance, cast["ines"])
    ending, decision = race(
        lambda: stop(instance.pk, actor=OPERATOR, clock=at(NOW + DAY)),
        lambda: say(instance, cast["adam"], Opinion.DENY, row, now=NOW + DAY),
    )
    assert ending.error is None
    assert isinstance(decision.error, Refused)
    assert decision.error.codes == {"closed"}
    row.refresh_from_db()
    assert row.verdict == Opinion.NOT_REVIEWED


def test_two_reviewers_decide_one_row_and_the_last_one_counts(cast, eligible):
    instance = running(cast["adam"], cast["berta"])
    row = row_of(instance, cast["ines"])
    no_error(
        *race(
            lambda: say(instance, cast["adam"], Opinion.APPROVE, row, reason="needs it"),
            lambda: say(instance, cast["berta"], Opinion.DENY, row, reason="left"),
        )
    )
    row.refresh_from_db()
    assert (row.verdict, row.reviewer_name, row.reason) == (Opinion.DENY, "Berta", "left")
    assert [(one.verdict, one.reviewer_name) for one in PastVerdict.objects.filter(row=row)] == [
        (Opinion.APPROVE, "Adam")
    ]
    assert done(Kind.REVIEW_DECIDED) == 2


# A person and a worker that removes


@pytest.mark.parametrize("worker_first", [True, False])
def test_applying_and_a_removal_by_hand_end_it_once(worker_first, cast, eligible):
    instance = denied(cast, auto_apply=True)
    acts = [
        lambda: apply_due(clock=at(END), limit=50),
        lambda: remove(eligible.pk, actor=OPERATOR, clock=at(END)),
    ]
    by_worker, by_hand = race(*acts) if worker_first else reversed(race(*reversed(acts)))
    turn(END)
    assert by_worker.error is None
    assert (by_hand.error is None) != worker_first
    eligible.refresh_from_db()
    assert eligible.end_reason == EndReason.REMOVED
    assert done(Kind.ASSIGNMENT_REMOVED) == 1
    expected = ApplyResult.REMOVED if worker_first else ApplyResult.GONE
    assert row_of(instance, cast["ines"]).result == expected


def test_stopping_and_applying_at_once(cast, eligible):
    instance = running(cast["adam"])
    say(instance, cast["adam"], Opinion.DENY, row_of(instance, cast["ines"]))
    now = at(NOW + DAY)
    no_error(
        *race(
            lambda: stop(instance.pk, actor=OPERATOR, clock=now),
            lambda: apply(instance.pk, actor=OPERATOR, clock=now),
        )
    )
    turn(NOW + DAY)
    kinds = (Kind.REVIEW_STOPPED, Kind.REVIEW_COMPLETED, Kind.REVIEW_APPLYING, Kind.REVIEW_APPLIED)
    assert [done(kind) for kind in kinds] == [1, 1, 1, 1]


def test_two_who_apply_at_once_begin_it_once(cast, eligible):
    instance = denied(cast)
    first, second = race(*[lambda: apply(instance.pk, actor=OPERATOR, clock=at(END))] * 2)
    assert first.error is None
    assert isinstance(second.error, Refused)
    assert done(Kind.REVIEW_APPLYING) == 1


@pytest.mark.parametrize("delete_first", [True, False])
def test_a_series_is_deleted_while_its_next_instance_starts(delete_first, cast, eligible):
    stages = [chosen(cast["adam"], days=6)]
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=stages, frequency=Frequency.WEEKLY)
    turn(END - MINUTE)  # the first is over, the second begins in a minute
    acts = [
        lambda: delete_review(instance.review_id, actor=OPERATOR, clock=at(END)),
        lambda: start_due(clock=at(END), limit=50),
    ]
    no_error(*race(*(acts if delete_first else reversed(acts))))
    turn(END + DAY)
    later = Instance.objects.filter(review=instance.review_id, number=2)
    assert later.count() == (0 if delete_first else 1)
    assert not later.exclude(filled_at=None).exists()
    assert done(Kind.REVIEW_STARTED) == 1
    assert done(Kind.REVIEW_DELETED) == 1


def test_of_two_who_delete_a_series_at_once_the_second_is_told(cast, eligible):
    review_id = running(cast["adam"]).review_id

    def act() -> object:
        return delete_review(review_id, actor=OPERATOR, clock=at(NOW + MINUTE))

    first, second = race(act, act)
    assert first.error is None
    assert isinstance(second.error, Refused), second
    assert "deleted" in second.error.codes
    assert done(Kind.REVIEW_DELETED) == 1


def test_a_worker_that_finds_an_instance_locked_goes_by(cast, eligible):
    """Ending, reminding and finishing do not queue up behind a long decision on PostgreSQL."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one write lock")
    instance = running(cast["adam"])

    def hold() -> None:
        with transaction.atomic():
            Instance.objects.select_for_update(no_key=True).get(pk=instance.pk)

    _first, second = race(hold, lambda: end_due(clock=at(END), limit=50))
    assert (second.error, second.value) == (None, 0)
    turn(END)
    assert done(Kind.REVIEW_COMPLETED) == 1
