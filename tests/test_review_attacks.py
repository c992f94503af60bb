"""A review as each kind of person meets it, and as somebody attacks it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from reviews.models import ApplyResult, How, IfUnanswered, Opinion, Verdict
from reviews.selectors.earlier import earlier_of
from reviews.selectors.places import unreviewable
from reviews.selectors.reviewers import still_reviewing
from reviews.services.applying import apply
from reviews.services.deciding import Saying, accept_recommendations, decide, decide_waiting
from reviews.services.running import stop
from reviews.services.series import change_review, delete_review
from reviews.services.wants import wanted_of
from roles import ids, wording
from roles.models import Assignment, Purpose
from roles.refusals import Refused
from roles.services.assignments import remove
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    at,
    give,
    group,
    make_eligible,
    role,
    tree,
)
from tests.reviewing import chosen, fresh, managers, row_of, say, started, turn
from tests.stepping import code_of
from tests.visitors import visiting

pytestmark = pytest.mark.django_db
MICROSECOND = timedelta(microseconds=1)
END = NOW + 7 * DAY


def exchange(*reviewers, **values):
    return started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(*reviewers)], **values)


def codes(call) -> set[str]:
    with pytest.raises(Refused) as refused:
        call()
    return set(refused.value.codes)


# Ids that are not one's own


def test_a_row_of_another_review_cannot_be_said_through_ones_own(ines, adam, berta):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    mine, theirs = exchange(adam), exchange(berta)
    assert "not_yours" in codes(lambda: say(mine, adam, Opinion.DENY, row_of(theirs, ines)))
    assert row_of(theirs, ines).verdict == Opinion.NOT_REVIEWED


def test_an_unknown_row_reads_like_somebody_elses(ines, adam, berta):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    mine, theirs = exchange(adam), exchange(berta)

    def said(row: uuid.UUID) -> str:
        actor = acting(adam, Purpose.DECIDE, mine.pk)
        with pytest.raises(Refused) as refused:
            decide(mine.pk, [Saying(row, Opinion.DENY)], actor=actor, clock=at(NOW))
        return refused.value.sentence

    assert said(uuid.UUID(int=7)) == said(row_of(theirs, ines).pk)


def test_one_row_that_is_not_ones_own_refuses_all_of_them(ines, zoe, adam):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    make_eligible(adam, role(EXCHANGE_ADMINISTRATOR))
    instance = exchange(adam, zoe)
    assert "not_yours" in codes(lambda: say(instance, adam, Opinion.APPROVE, *instance.verdicts.all()))
    assert not instance.verdicts.exclude(verdict=Opinion.NOT_REVIEWED).exists()


# The second factor


@pytest.mark.parametrize("act", ["decide", "say all", "accept"])
def test_a_second_factor_for_one_review_opens_no_other(act, ines, adam):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    first, second = exchange(adam), exchange(adam)
    actor = acting(adam, Purpose.DECIDE, first.pk)
    decide(first.pk, [Saying(row_of(first, ines).pk, Opinion.DENY)], actor=actor, clock=at(NOW))
    assert actor.presented is not None
    again = replace(actor, presented=replace(actor.presented, objects=frozenset({second.pk}), form=uuid.UUID(int=1)))
    acts = {
        "decide": lambda who: decide(
            second.pk, [Saying(row_of(second, ines).pk, Opinion.DENY)], actor=who, clock=at(NOW)
        ),
        "say all": lambda who: decide_waiting(second.pk, verdict=Opinion.DENY, actor=who, clock=at(NOW)),
        "accept": lambda who: accept_recommendations(second.pk, actor=who, clock=at(NOW)),
    }
    for who in (actor, again):
        assert "second_factor" in codes(lambda who=who: acts[act](who))
    assert row_of(second, ines).verdict == Opinion.NOT_REVIEWED


def test_a_reviewers_second_factor_manages_nothing(ines, petra):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    instance = exchange(petra)
    actor = acting(petra, Purpose.DECIDE, instance.pk)
    assert "second_factor" in codes(lambda: stop(instance.pk, actor=actor, clock=at(NOW)))


# Whoever lost the right meanwhile


def test_what_a_reviewer_said_stays_when_they_are_no_reviewer_any_more(ines, adam, berta):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    instance = exchange(adam, auto_apply=True)
    row = row_of(instance, ines)
    say(instance, adam, Opinion.DENY, row)
    new = replace(wanted_of(instance.review), stages=(chosen(berta),))
    change_review(instance.review_id, new, actor=OPERATOR, clock=at(NOW + DAY))
    assert "not_yours" in codes(lambda: say(instance, adam, Opinion.APPROVE, row, now=NOW + 2 * DAY))
    turn(END)
    row.refresh_from_db()
    assert (row.verdict, row.reviewer_name, row.result) == (Opinion.DENY, "Adam", ApplyResult.REMOVED)


def test_a_member_who_left_the_reviewing_group_says_nothing_more(ines, adam, berta):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    team = group("Reviewers", adam, berta)
    instance = exchange(team)
    membership = Assignment.objects.get(principal=adam, role=ids.GROUP_MEMBER)
    remove(membership.pk, actor=OPERATOR, clock=at(NOW + DAY))
    later = NOW + DAY
    assert "not_yours" in codes(lambda: say(instance, adam, Opinion.DENY, row_of(instance, ines), now=later))
    assert say(instance, berta, Opinion.DENY, row_of(instance, ines), now=later) == 1


def test_who_was_taken_in_by_the_group_they_review_does_not_review_it(ines, adam, berta):
    team = group("Operators", ines)
    give(team, role(EXCHANGE_ADMINISTRATOR))
    instance = exchange(adam, berta)
    row = row_of(instance, team)
    give(adam, role(ids.GROUP_MEMBER), team.resource, starts_at=NOW + DAY, now=NOW + DAY)
    assert "not_yours" in codes(lambda: say(instance, adam, Opinion.APPROVE, row, now=NOW + DAY))
    assert say(instance, berta, Opinion.APPROVE, row, now=NOW + DAY) == 1


def test_who_will_belong_to_the_group_tomorrow_does_not_review_it_today(ines, adam, berta):
    team = group("Operators", ines)
    give(team, role(EXCHANGE_ADMINISTRATOR))
    give(adam, role(ids.GROUP_MEMBER), team.resource, starts_at=NOW + DAY, now=NOW - DAY)
    instance = exchange(adam, berta)
    row = row_of(instance, team)
    assert "not_yours" in codes(lambda: say(instance, adam, Opinion.APPROVE, row))
    assert say(instance, berta, Opinion.APPROVE, row) == 1


def test_whoever_is_not_the_manager_any_more_does_not_review_and_who_stands_in_does(ines, adam, berta, zoe):
    type(ines).objects.filter(pk=ines.pk).update(manager=adam)
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[managers(zoe)])
    row = row_of(instance, ines)
    assert still_reviewing(instance, NOW).names == ("Adam",)
    for manager in (berta, None):
        type(ines).objects.filter(pk=ines.pk).update(manager=manager)
        for who in (adam, berta):
            assert "not_yours" in codes(lambda who=who: say(instance, who, Opinion.APPROVE, row))
        assert still_reviewing(instance, NOW).names == ("Zoe",)
    assert say(instance, zoe, Opinion.APPROVE, row) == 1


def test_a_row_whose_manager_changed_and_for_whom_nobody_stands_in_is_left(ines, adam, berta):
    type(ines).objects.filter(pk=ines.pk).update(manager=adam)
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    instance = started(
        role(EXCHANGE_ADMINISTRATOR), stages=[managers()], if_unanswered=IfUnanswered.REMOVE, auto_apply=True
    )
    type(ines).objects.filter(pk=ines.pk).update(manager=berta)
    assert [count for _stage, count in unreviewable(instance, NOW)] == [1]
    turn(END)
    row = row_of(instance, ines)
    assert (row.how, row.verdict, row.result) == (How.NOBODY_COULD, Opinion.NOT_REVIEWED, ApplyResult.KEPT)


def test_a_manager_who_reports_to_themselves_does_not_review_themselves(adam, berta):
    type(adam).objects.filter(pk=adam.pk).update(manager=adam)
    make_eligible(adam, role(EXCHANGE_ADMINISTRATOR))
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[managers(berta)])
    row = row_of(instance, adam)
    assert "not_yours" in codes(lambda: say(instance, adam, Opinion.APPROVE, row))
    assert say(instance, berta, Opinion.APPROVE, row) == 1


def test_whoever_stands_in_does_not_review_themselves(adam, berta):
    make_eligible(berta, role(EXCHANGE_ADMINISTRATOR))
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[managers(adam, berta)])
    row = row_of(instance, berta)
    assert "not_yours" in codes(lambda: say(instance, berta, Opinion.APPROVE, row))
    assert say(instance, adam, Opinion.APPROVE, row) == 1


# Whoever has nothing to review now


def test_whoever_has_nothing_to_review_now_reads_why(ines, adam, berta, petra):
    now = timezone.now()
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), now=now)
    begun = now - DAY

    def two_stages():
        stages = [chosen(adam, days=3), chosen(berta, days=4)]
        return started(role(EXCHANGE_ADMINISTRATOR), stages=stages, now=begun)

    def read(who, instance) -> str:
        answer = visiting(who).get(f"/tasks/reviews/{instance.pk}/")
        assert answer.status_code == 200
        return answer.content.decode()

    waiting, stopped, gone = two_stages(), two_stages(), two_stages()
    stop(stopped.pk, actor=OPERATOR, clock=at(now - MINUTE))
    delete_review(gone.review_id, actor=OPERATOR, clock=at(now - MINUTE))
    assert "Your turn has not come yet" in read(berta, waiting)
    assert wording.exact(begun + 3 * DAY) in read(berta, waiting)
    assert "This review is over" in read(berta, stopped)
    assert "This review was deleted" in read(adam, gone)
    new = replace(wanted_of(waiting.review), stages=(chosen(petra, days=3), chosen(berta, days=4)))
    change_review(waiting.review_id, new, actor=OPERATOR, clock=at(now - MINUTE))
    assert "There is nothing for you to review here now" in read(adam, waiting)


# The clock alone, without a worker


def test_a_stage_begins_and_ends_by_the_clock_while_the_worker_stands_still(ines, adam, berta):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam), chosen(berta)])
    row = row_of(instance, ines)
    last = END - MICROSECOND
    assert "not_yours" in codes(lambda: say(instance, berta, Opinion.APPROVE, row, now=last))
    assert say(instance, adam, Opinion.DENY, row, now=last) == 1
    assert "not_yours" in codes(lambda: say(instance, adam, Opinion.APPROVE, row, now=END))
    assert say(instance, berta, Opinion.APPROVE, row, now=END) == 1
    over = END + 7 * DAY
    assert "closed" in codes(lambda: say(instance, berta, Opinion.DENY, row, now=over))
    turn(over + DAY)
    row.refresh_from_db()
    assert (row.verdict, fresh(instance).completed_at) == (Opinion.APPROVE, over + DAY)


# The last administrator


def test_a_group_of_the_last_administrators_keeps_the_role(petra, adam):
    admins = role(ids.PRIVILEGED_ROLE_ADMINISTRATOR)
    team = group("Administrators", petra)
    held = give(team, admins)
    remove(Assignment.objects.get(principal=petra, role=admins).pk, actor=OPERATOR, clock=at(NOW - DAY))
    instance = started(admins, stages=[chosen(adam)], auto_apply=True)
    say(instance, adam, Opinion.DENY, *instance.verdicts.all())
    turn(END)
    assert row_of(instance, team).result == ApplyResult.REFUSED
    assert Assignment.objects.in_effect(END).filter(pk=held.pk).exists()


def test_applying_twice_at_once_and_again_removes_once_and_changes_nothing_more(petra, paul, ines, adam):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    instance = exchange(adam)
    say(instance, adam, Opinion.DENY, *instance.verdicts.all())
    turn(END)
    apply(instance.pk, actor=OPERATOR, clock=at(END))
    turn(END)
    before = Verdict.objects.filter(instance=instance).values().get()
    turn(END + DAY)
    assert "applied" in codes(lambda: apply(instance.pk, actor=OPERATOR, clock=at(END + DAY)))
    assert Verdict.objects.filter(instance=instance).values().get() == before


# What stands with a row


def test_a_row_shows_what_earlier_instances_of_the_series_said(ines, adam, petra):
    now = timezone.now()
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), now=now - 60 * DAY)
    first = exchange(adam, frequency="monthly", now=now - 40 * DAY)
    say(first, adam, Opinion.APPROVE, *first.verdicts.all(), reason="Still on call", now=now - 39 * DAY)
    turn(now - 30 * DAY)
    turn(now - MINUTE)
    second = first.review.instances.get(number=2)
    row = row_of(second, ines)
    assert [one.reason for one in earlier_of(second, [row])[row.pk]] == ["Still on call"]
    page = f"/manage/directory/reviews/{second.review_id}/{second.pk}/"
    for who, path in ((petra, page), (adam, f"/tasks/reviews/{second.pk}/")):
        shown = visiting(who).get(path).content.decode()
        assert "In earlier instances: 1" in shown
        assert "Still on call" in shown


def test_what_cannot_be_removed_here_says_where_and_leads_there(berta, ines, zoe, adam):
    now = timezone.now()
    root, below = tree("Root", "Production")
    reader = role(ids.READER)
    team = group("Operators", ines, now=now)
    held = give(team, reader, below, now=now)
    above = give(zoe, reader, root, now=now)
    give(berta, role(ids.OWNER), root, now=now)
    instance = started(reader, stages=[chosen(adam)], place=below, inherited=True, now=now - 2 * DAY)
    say(instance, adam, Opinion.DENY, *instance.verdicts.all(), now=now - DAY)
    stop(instance.pk, actor=OPERATOR, clock=at(now - DAY))
    apply(instance.pk, actor=OPERATOR, clock=at(now - DAY))
    turn(now - MINUTE)
    page = f"/manage/resources/{below.pk}/reviews/{instance.review_id}/{instance.pk}/"
    shown = visiting(berta).get(page).content.decode()
    assert "Remove the membership of Operators instead, or what the group holds." in shown
    assert f"/manage/resources/{below.pk}/assignments/{held.pk}/" in shown
    assert f"/manage/groups/{team.pk}/" not in shown  # she may not look at it
    give(berta, role(ids.GROUP_OWNER), team.resource, now=now)
    assert f"/manage/groups/{team.pk}/" in visiting(berta).get(page).content.decode()
    assert "It comes from above; remove it where it was given." in shown
    assert f"/manage/resources/{root.pk}/assignments/{above.pk}/" in shown


# The people


def test_a_fallback_reviews_what_none_of_the_chosen_may_and_nothing_else(adam, berta, ines, zoe):
    for one in (adam, ines):
        make_eligible(one, role(EXCHANGE_ADMINISTRATOR))
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam, zoe, fallbacks=[berta])])
    for about in (adam, ines):
        with pytest.raises(Refused):
            say(instance, berta, Opinion.DENY, row_of(instance, about))
        assert say(instance, zoe, Opinion.DENY, row_of(instance, about)) == 1
    assert not unreviewable(instance, NOW)

    alone = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam, fallbacks=[berta])])
    assert not unreviewable(alone, NOW)
    assert say(alone, berta, Opinion.DENY, row_of(alone, adam)) == 1


def test_what_is_said_of_all_that_waits_is_not_said_of_what_somebody_answered(adam, berta, ines, zoe):
    for one in (zoe, ines):
        make_eligible(one, role(EXCHANGE_ADMINISTRATOR))
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam, berta)])
    say(instance, berta, Opinion.DENY, row_of(instance, ines))
    actor = acting(adam, Purpose.DECIDE, instance.pk)
    assert decide_waiting(instance.pk, verdict=Opinion.APPROVE, reason="fine", actor=actor, clock=at(NOW)) == 1
    assert [row_of(instance, one).verdict for one in (ines, zoe)] == [Opinion.DENY, Opinion.APPROVE]


def test_the_pages_of_a_review_answer_each_kind_of_person(petra, nina, adam, berta, ines, zoe):
    now = timezone.now()
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), now=now)
    make_eligible(adam, role(EXCHANGE_ADMINISTRATOR), now=now)
    stages = [chosen(adam, fallbacks=[berta])]
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=stages, now=now)
    work, results = f"/tasks/reviews/{instance.pk}/", f"/manage/directory/reviews/{instance.review_id}/{instance.pk}/"
    expected = {  # the work, the results, stopping it
        petra: (404, 200, 200),  # creator
        adam: (200, 404, 404),  # reviewer
        berta: (200, 404, 404),  # fallback reviewer
        ines: (404, 404, 404),  # reviewed person
        nina: (404, 200, 404),  # auditor
        zoe: (404, 404, 404),  # stranger
    }
    for who, statuses in expected.items():
        client = visiting(who)
        answers = tuple(client.get(path).status_code for path in (work, results, f"{results}stop/"))
        assert answers == statuses, who.name
    posted = visiting(nina).post(f"{results}stop/", code_of(nina))
    assert posted.status_code == 404
    mine = visiting(berta).get(work).content.decode()
    assert "Adam" in mine
    assert "Ines" not in mine
