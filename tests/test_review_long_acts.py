"""What is too long for one transaction goes on in chunks: nothing is lost or doubled, whatever breaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.models import Notification
from reviews.models import Doing, IfUnanswered, LongAct, Opinion, PastVerdict, Status, Verdict
from reviews.services import answering, deciding, ending, long_acts, running, telling
from reviews.services.clockwork import go_on_with_long_acts, keep_reviews_going
from reviews.services.deciding import accept_recommendations, decide_waiting
from reviews.services.ending import end_due
from reviews.services.running import remind, reset, stop
from reviews.services.series import change_review, delete_review
from reviews.services.wants import wanted_of
from roles.models import Purpose, User
from roles.refusals import Refused
from roles.services.principals import disable_person
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    at,
    make_eligible,
    person,
    role,
)
from tests.races import race
from tests.reviewing import chosen, fresh, managers, row_of, say, started, themselves, turn
from tests.stepping import code_of
from tests.visitors import visiting

FEW = 2  # rows of a chunk here
MICROSECOND = timedelta(microseconds=1)
END = NOW + 7 * DAY


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch):
    for module in (long_acts, deciding, running, ending, telling):
        monkeypatch.setattr(module, "CHUNK", FEW)


def five(now=NOW) -> list[User]:
    people = [person(f"eligible{number}", now=now) for number in range(5)]
    for one in people:
        make_eligible(one, role(EXCHANGE_ADMINISTRATOR), now=now)
    return people


def exchange(*reviewers: User, **values):
    return started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(*reviewers)], **values)


def deny_all(instance, reviewer, now=NOW) -> int:
    actor = acting(reviewer, Purpose.DECIDE, instance.pk, now=now)
    return decide_waiting(instance.pk, verdict=Opinion.DENY, reason="all over", actor=actor, clock=at(now))


def go_on(now=NOW) -> int:
    return go_on_with_long_acts(clock=at(now), limit=50)


def denied(instance) -> int:
    return int(instance.verdicts.filter(verdict=Opinion.DENY).count())


def done(kind: Kind) -> list[Event]:
    return list(Event.objects.filter(kind=kind, outcome=Outcome.DONE).order_by("id"))


def code(call) -> frozenset[str]:
    with pytest.raises(Refused) as refused:
        call()
    return frozenset(refused.value.codes)


# Saying the same of all


def test_the_first_rows_are_said_at_once_and_the_rest_by_the_worker_as_of_that_moment(db, adam):
    five()
    instance = exchange(adam)
    assert deny_all(instance, adam) == 5
    assert denied(instance) == FEW
    turn(NOW + MINUTE)
    assert set(instance.verdicts.values_list("verdict", "reviewer", "decided_at", "reason")) == {
        (Opinion.DENY, adam.pk, NOW, "all over")
    }
    act = LongAct.objects.get()
    assert (act.total, act.done, act.finished_at) == (5, 5, NOW + MINUTE)
    told = done(Kind.REVIEW_DECIDED)
    assert [event.details["deny"] for event in told] == [2, 2, 1]
    assert {event.actor_id for event in told} == {adam.pk}
    assert [event.text.fields["justification"] for event in told] == ["all over"] * 3


def test_recommendations_are_accepted_in_chunks_and_what_has_none_still_waits(db, adam):
    people = five()
    young = person("young")
    make_eligible(young, role(EXCHANGE_ADMINISTRATOR), starts_at=NOW - DAY)
    instance = exchange(adam)
    actor = acting(adam, Purpose.DECIDE, instance.pk)
    assert accept_recommendations(instance.pk, actor=actor, clock=at(NOW)) == len(people)
    turn()
    assert (denied(instance), row_of(instance, young).verdict) == (5, Opinion.NOT_REVIEWED)


def test_a_worker_killed_in_a_chunk_leaves_nothing_of_it_and_the_next_goes_on(db, adam, monkeypatch):
    five()
    instance = exchange(adam)
    deny_all(instance, adam)
    with monkeypatch.context() as broken:
        broken.setattr(LongAct, "save", lambda *_args, **_kwargs: (_ for _ in ()).throw(RuntimeError("killed")))
        with pytest.raises(RuntimeError):
            go_on()
    assert denied(instance) == FEW
    assert len(done(Kind.REVIEW_DECIDED)) == 1
    turn()
    assert denied(instance) == 5
    assert len(done(Kind.REVIEW_DECIDED)) == 3


def test_what_somebody_says_of_one_row_meanwhile_stays(db, adam, berta):
    five()
    instance = exchange(adam, berta)
    deny_all(instance, adam)
    row = instance.verdicts.filter(verdict=Opinion.NOT_REVIEWED).first()
    say(instance, berta, Opinion.APPROVE, row, now=NOW + MINUTE)
    turn(NOW + 2 * MINUTE)
    row.refresh_from_db()
    assert (row.verdict, row.reviewer, denied(instance)) == (Opinion.APPROVE, berta.principal_ptr, 4)


def test_all_is_said_once_at_a_time(db, adam):
    five()
    instance = exchange(adam)
    deny_all(instance, adam)
    assert "still_saying" in code(lambda: deny_all(instance, adam, NOW + MINUTE))
    assert LongAct.objects.count() == 1


def test_whoever_is_taken_out_meanwhile_says_nothing_more(db, adam, berta):
    five()
    instance = exchange(adam)
    deny_all(instance, adam)
    new = replace(wanted_of(instance.review), stages=(chosen(berta),))
    change_review(instance.review_id, new, actor=OPERATOR, clock=at(NOW + MINUTE))
    turn(NOW + 2 * MINUTE)
    assert denied(instance) == FEW
    assert not LongAct.objects.going_on().exists()
    assert say(instance, berta, Opinion.APPROVE, *instance.verdicts.all(), now=NOW + 3 * MINUTE) == 5


@pytest.mark.parametrize("kind", ["chosen", "managers"])
def test_whoever_is_disabled_meanwhile_says_nothing_more(db, adam, petra, kind):
    people = five()
    User.objects.filter(pk__in=[one.pk for one in people]).update(manager=adam)
    stage = chosen(adam, *people) if kind == "chosen" else managers(petra)
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[stage])
    deny_all(instance, adam)
    disable_person(adam.pk, reason="gone", actor=OPERATOR, clock=at(NOW + MINUTE))
    turn(NOW + 2 * MINUTE)
    assert denied(instance) == FEW


def test_what_was_said_in_time_counts_however_late_it_is_saved(db, adam):
    five()
    instance = exchange(adam, if_unanswered=IfUnanswered.APPROVE)
    said = END - MICROSECOND
    deny_all(instance, adam, said)
    assert end_due(clock=at(END + DAY), limit=50) == 0  # it is still to be saved
    turn(END + DAY)
    assert (denied(instance), fresh(instance).completed_at) == (5, END + DAY)
    assert set(instance.verdicts.values_list("decided_at", flat=True)) == {said}


def test_nothing_is_said_of_a_review_that_was_deleted(db, adam):
    five()
    instance = exchange(adam)
    deny_all(instance, adam)
    delete_review(instance.review_id, actor=OPERATOR, clock=at(NOW + MINUTE))
    turn(NOW + 2 * MINUTE)
    assert denied(instance) == FEW


def test_a_later_stage_is_not_overwritten_by_what_comes_late_of_the_first(db, adam, berta):
    five()
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam), chosen(berta)])
    deny_all(instance, adam, END - MICROSECOND)
    row = instance.verdicts.filter(verdict=Opinion.NOT_REVIEWED).first()
    say(instance, berta, Opinion.APPROVE, row, now=END)
    turn(END + MINUTE)
    row.refresh_from_db()
    assert (row.verdict, row.stage, denied(instance)) == (Opinion.APPROVE, 2, 4)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_workers_say_each_row_once(transactional_db, adam):
    five()
    instance = exchange(adam)
    deny_all(instance, adam)
    for _chunk in range(2):
        results = race(go_on, go_on)
        assert [result.error for result in results] == [None, None]
    turn()
    assert denied(instance) == 5
    assert [event.details["deny"] for event in done(Kind.REVIEW_DECIDED)] == [2, 2, 1]


# Resetting


def test_a_reset_goes_on_in_chunks_keeps_what_was_said_and_says_so(db, adam, petra):
    five()
    instance = exchange(adam)
    deny_all(instance, adam)
    turn()
    actor = acting(petra, Purpose.ASSIGN, instance.pk, now=NOW + MINUTE)
    reset(instance.pk, actor=actor, reason="wrong list", clock=at(NOW + MINUTE))
    assert denied(instance) == 3
    turn(NOW + 2 * MINUTE)
    assert (denied(instance), PastVerdict.objects.count()) == (0, 5)
    told = done(Kind.REVIEW_RESET)
    assert [event.details["rows"] for event in told] == [2, 2, 1]
    assert {(event.actor_id, event.authority_id is None, event.text.fields["reason"]) for event in told} == {
        (petra.pk, False, "wrong list")
    }


def test_a_reset_takes_back_what_is_still_being_said(db, adam):
    five()
    instance = exchange(adam)
    deny_all(instance, adam)
    reset(instance.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
    turn(NOW + 2 * MINUTE)
    assert denied(instance) == 0
    assert not LongAct.objects.going_on().exists()


def test_nobody_says_anything_while_it_is_reset(db, adam):
    five()
    instance = exchange(adam)
    deny_all(instance, adam)
    turn()
    reset(instance.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
    later = NOW + 2 * MINUTE
    assert "resetting" in code(lambda: say(instance, adam, Opinion.APPROVE, *instance.verdicts.all(), now=later))
    assert "resetting" in code(lambda: deny_all(instance, adam, later))
    assert "resetting" in code(lambda: reset(instance.pk, actor=OPERATOR, clock=at(later)))
    turn(later)
    assert say(instance, adam, Opinion.APPROVE, *instance.verdicts.all(), now=later) == 5


# The end


@pytest.mark.parametrize("policy", IfUnanswered)
def test_silence_is_answered_in_chunks_before_the_review_is_completed(policy, db, adam):
    five()
    instance = exchange(adam, if_unanswered=policy)
    assert end_due(clock=at(END), limit=50) == 1
    assert (fresh(instance).status_at(END), end_due(clock=at(END), limit=50)) == (Status.COMPLETING, 0)
    turn(END)
    expected = {
        IfUnanswered.NO_CHANGE: Opinion.NOT_REVIEWED,
        IfUnanswered.REMOVE: Opinion.DENY,
        IfUnanswered.APPROVE: Opinion.APPROVE,
        IfUnanswered.RECOMMENDATION: Opinion.DENY,
    }[policy]
    assert set(instance.verdicts.values_list("verdict", flat=True)) == {expected}
    assert fresh(instance).status_at(END) == Status.COMPLETED
    assert len(done(Kind.REVIEW_COMPLETED)) == 1
    assert [event.details["rows"] for event in done(Kind.REVIEW_ANSWERED)] == [2, 2, 1]


def test_a_worker_killed_while_it_ends_leaves_nothing_half(db, adam, monkeypatch):
    five()
    instance = exchange(adam, if_unanswered=IfUnanswered.REMOVE)
    end_due(clock=at(END), limit=50)
    with monkeypatch.context() as broken:
        broken.setattr(answering, "record_review", lambda *_args, **_kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            keep_reviews_going(clock=at(END), limit=50)
    assert denied(instance) == FEW
    turn(END)
    assert denied(instance) == 5
    assert len(done(Kind.REVIEW_COMPLETED)) == 1


def test_stopping_a_large_review_ends_it_at_once_and_completes_it_in_chunks(db, adam):
    five()
    instance = exchange(adam, if_unanswered=IfUnanswered.REMOVE)
    stop(instance.pk, actor=OPERATOR, clock=at(NOW + DAY))
    assert fresh(instance).status_at(NOW + DAY) == Status.COMPLETING
    assert "closed" in code(lambda: say(instance, adam, Opinion.APPROVE, *instance.verdicts.all(), now=NOW + DAY))
    turn(NOW + DAY)
    assert (denied(instance), fresh(instance).completed_at) == (5, NOW + DAY)


# Telling


def asked(mail: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in Notification.objects.filter(mail=mail).values_list("recipient__name", flat=True):
        found[name] = found.get(name, 0) + 1
    return found


def test_many_who_review_themselves_are_asked_and_reminded_in_parts_each_once(db, monkeypatch):
    people = {one.name: 1 for one in five()}
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[themselves()])
    assert asked("review_begins") == people
    assert [event.details["people"] for event in done(Kind.REVIEW_ASKED)] == [2, 2, 1]
    with monkeypatch.context() as broken:
        broken.setattr(LongAct, "save", lambda *_args, **_kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            turn(NOW + 4 * DAY)
    assert asked("review_reminder") == {}
    turn(NOW + 4 * DAY)
    assert asked("review_reminder") == people
    remind(instance.pk, actor=OPERATOR, clock=at(NOW + 5 * DAY))
    assert "reminding" in code(lambda: remind(instance.pk, actor=OPERATOR, clock=at(NOW + 5 * DAY)))
    turn(NOW + 5 * DAY)
    assert asked("review_reminder") == dict.fromkeys(people, 2)


def test_nobody_is_reminded_of_what_is_over(db):
    five()
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[themselves()])
    remind(instance.pk, actor=OPERATOR, clock=at(NOW + DAY))
    stop(instance.pk, actor=OPERATOR, clock=at(NOW + DAY))
    turn(NOW + DAY)
    assert sum(asked("review_reminder").values()) == FEW
    assert not LongAct.objects.going_on().exists()


# The pages


def test_pages_show_how_far_it_has_come(db, adam, petra):
    now = timezone.now()
    five(now)
    instance = exchange(adam, now=now)
    deny_all(instance, adam, now)
    work = visiting(adam).get(f"/tasks/reviews/{instance.pk}/").content.decode()
    assert "2 of 5 are saved." in work
    page = f"/manage/directory/reviews/{instance.review_id}/{instance.pk}/"
    shown = visiting(petra).get(page).content.decode()
    assert "Saying the same of all" in shown
    assert "data-reload" in shown
    turn(now)
    assert "data-reload" not in visiting(petra).get(page).content.decode()


def test_the_form_tells_that_it_is_being_saved(db, adam):
    now = timezone.now()
    five(now)
    instance = exchange(adam, now=now)
    sent = {"verdict": "deny", "reason": "over", **code_of(adam)}
    answer = visiting(adam).post(f"/tasks/reviews/{instance.pk}/all/", sent, follow=True)
    assert "5 verdicts are being saved." in answer.content.decode()
    assert Verdict.objects.filter(verdict=Opinion.DENY).count() == FEW
    assert LongAct.objects.get().doing == Doing.SAY
