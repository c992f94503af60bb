"""The life of an instance: every act from every status, every step at its moment and once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.kinds import Kind
from audit.models import Event
from pim_portal.models import Notification
from reviews.models import ApplyResult, Frequency, IfUnanswered, Instance, Opinion, PastVerdict, Status
from reviews.services import applying, running
from reviews.services import starting as starting_service
from reviews.services.applying import apply_due
from reviews.services.deciding import accept_recommendations
from reviews.services.ending import end_due
from reviews.services.series import change_review, delete_review
from reviews.services.starting import start_due
from reviews.services.telling import tell_due
from reviews.services.wants import wanted_of
from roles import ids
from roles.models import Assignment, EndReason, Purpose
from roles.refusals import Refused
from roles.services.assignments import remove
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    at,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)
from tests.reviewing import chosen, fresh, make_review, manage, managers, row_of, say, started, themselves, turn
from tests.told import done

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)
END = NOW + 7 * DAY


@pytest.fixture
def cast(petra, paul, ines, adam, berta, zoe, nina):
    return {one.username: one for one in (petra, paul, ines, adam, berta, zoe, nina)}


@pytest.fixture
def eligible(ines) -> Assignment:
    return make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))


def exchange(**values):
    return started(role(EXCHANGE_ADMINISTRATOR), **values)


# Each status, and how an instance comes to it


def scheduled(adam):
    review = make_review(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)], starts_at=NOW + DAY)
    return review.instances.get(), NOW


def starting(adam):
    review = make_review(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)])
    start_due(clock=at(NOW), limit=50)
    return review.instances.get(), NOW


def in_progress(adam):
    instance = exchange(stages=[chosen(adam)])
    say(instance, adam, Opinion.DENY, *instance.verdicts.all())
    return instance, NOW + DAY


def untouched(adam):
    return exchange(stages=[chosen(adam)]), NOW + DAY


def completing(adam):
    instance, _now = in_progress(adam)
    return instance, END


def completed(adam):
    instance, _now = in_progress(adam)
    turn(END)
    return instance, END


def being_applied(adam):
    instance, now = completed(adam)
    applying.apply(instance.pk, actor=OPERATOR, clock=at(now))
    return instance, now


def applied(adam):
    instance, now = being_applied(adam)
    turn(now)
    return instance, now


def deleted(adam):
    instance, now = in_progress(adam)
    delete_review(instance.review_id, actor=OPERATOR, clock=at(now))
    return instance, now


STAGES = {
    Status.SCHEDULED: scheduled,
    Status.STARTING: starting,
    Status.IN_PROGRESS: in_progress,
    Status.COMPLETING: completing,
    Status.COMPLETED: completed,
    Status.APPLYING: being_applied,
    Status.APPLIED: applied,
    Status.DELETED: deleted,
}
ACTS = {
    "stop": (lambda one, actor, now: running.stop(one.pk, actor=actor, clock=at(now)), {Status.IN_PROGRESS}),
    "reset": (lambda one, actor, now: running.reset(one.pk, actor=actor, clock=at(now)), {Status.IN_PROGRESS}),
    "remind": (lambda one, actor, now: running.remind(one.pk, actor=actor, clock=at(now)), {Status.IN_PROGRESS}),
    "apply": (lambda one, actor, now: applying.apply(one.pk, actor=actor, clock=at(now)), {Status.COMPLETED}),
    "delete": (
        lambda one, actor, now: delete_review(one.review_id, actor=actor, clock=at(now)),
        set(Status) - {Status.DELETED},
    ),
    "decide": (
        lambda one, actor, now: say(one, actor.user, Opinion.APPROVE, *one.verdicts.all(), now=now),
        {Status.IN_PROGRESS},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("act", ACTS)
def test_every_act_from_every_status(act, status, cast, eligible):
    # Whoever has said everything is not reminded.
    come_to = untouched if (act, status) == ("remind", Status.IN_PROGRESS) else STAGES[status]
    instance, now = come_to(cast["adam"])
    assert fresh(instance).status_at(now) == status
    do, allowed = ACTS[act]
    about = instance.review_id if act == "delete" else instance.pk
    actor = acting(cast["adam" if act == "decide" else "petra"], Purpose.ASSIGN, about, now=now)
    before = Instance.objects.filter(pk=instance.pk).values().get()
    if status in allowed:
        do(instance, actor, now)
        return
    with pytest.raises(Refused) as refused:
        do(instance, actor, now)
    assert refused.value.codes & {
        "not_in_progress",
        "not_completed",
        "applied",
        "deleted",
        "closed",
        "nothing_said",
    }, refused.value
    assert Instance.objects.filter(pk=instance.pk).values().get() == before


# The moments


def test_it_starts_at_its_moment_and_not_a_microsecond_before(cast, eligible):
    review = make_review(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(cast["adam"])], starts_at=NOW + DAY)
    assert start_due(clock=at(NOW + DAY - MICROSECOND), limit=50) == 0
    assert review.instances.get().taken_at is None
    turn(NOW + DAY)
    instance = review.instances.get()
    assert (instance.filled_at, instance.rows_total) == (NOW + DAY, 1)


def test_the_last_moment_to_decide_is_the_microsecond_before_the_end(cast, eligible):
    instance = exchange(stages=[chosen(cast["adam"])])
    row = row_of(instance, cast["ines"])
    assert say(instance, cast["adam"], Opinion.DENY, row, now=END - MICROSECOND) == 1
    with pytest.raises(Refused) as refused:
        say(instance, cast["adam"], Opinion.APPROVE, row, now=END)
    assert "closed" in refused.value.codes
    assert end_due(clock=at(END - MICROSECOND), limit=50) == 0
    assert end_due(clock=at(END), limit=50) == 1
    assert end_due(clock=at(END), limit=50) == 0
    assert done(Kind.REVIEW_COMPLETED) == 1


def test_half_time_reminds_once_however_late(cast, eligible):
    instance = exchange(stages=[chosen(cast["adam"])])
    half = NOW + 3.5 * DAY
    assert tell_due(clock=at(half - MICROSECOND), limit=50) == 0
    assert tell_due(clock=at(half), limit=50) == 1
    assert tell_due(clock=at(half + DAY), limit=50) == 0
    assert done(Kind.REVIEW_REMINDED) == 1
    assert instance.stages.get().reminded_at == half


def test_without_reminders_nobody_is_reminded(cast, eligible):
    exchange(stages=[chosen(cast["adam"])], reminders=False)
    turn(NOW + 5 * DAY)
    assert done(Kind.REVIEW_REMINDED) == 0


@pytest.mark.parametrize("mails", [True, False])
def test_a_reminder_is_a_mail_of_its_own_whether_the_start_is_told_or_not(mails, cast, eligible):
    instance = exchange(stages=[chosen(cast["adam"], cast["berta"])], mails=mails)
    assert mailed("review_begins") == (["Adam", "Berta"] if mails else [])
    running.remind(instance.pk, actor=manage(cast["petra"], instance), clock=at(NOW))
    assert mailed("review_reminder") == ["Adam", "Berta"]
    turn(NOW + 4 * DAY)
    assert mailed("review_reminder") == ["Adam", "Adam", "Berta", "Berta"]


def test_nobody_is_reminded_of_what_is_said(cast, eligible):
    instance, now = in_progress(cast["adam"])
    with pytest.raises(Refused) as refused:
        running.remind(instance.pk, actor=manage(cast["petra"], instance, now), clock=at(now))
    assert refused.value.codes == {"everybody_finished"}
    turn(NOW + 4 * DAY)
    assert done(Kind.REVIEW_REMINDED) == 0


def mailed(mail: str) -> list[str]:
    rows = Notification.objects.filter(mail=mail).order_by("recipient__name")
    return list(rows.values_list("recipient__name", flat=True))


def test_a_late_start_gives_reviewers_all_their_days(cast, eligible):
    review = make_review(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(cast["adam"])], starts_at=NOW + DAY)
    late = NOW + 30 * DAY
    turn(late)
    instance = review.instances.get()
    assert instance.status_at(late) == Status.IN_PROGRESS
    assert instance.ends_at == late + 7 * DAY


def test_a_start_within_the_hour_counts_from_its_plan(cast, eligible):
    review = make_review(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(cast["adam"])], starts_at=NOW + DAY)
    turn(NOW + DAY + HOUR)
    assert review.instances.get().ends_at == NOW + 8 * DAY


# Series


def test_a_series_goes_on_by_calendar_and_ends_after_its_number(cast, eligible):
    review = make_review(
        role(EXCHANGE_ADMINISTRATOR), stages=[chosen(cast["adam"])], frequency=Frequency.MONTHLY, occurrences=3
    )
    turn()
    for month in (12, 1, 2, 3, 4):
        turn(NOW.replace(month=month, year=2026 if month == 12 else 2027))
    starts = list(review.instances.order_by("number").values_list("number", "starts_at"))
    assert starts == [(1, NOW), (2, NOW.replace(month=12)), (3, NOW.replace(year=2027, month=1))]


def test_missed_occurrences_are_made_up_for_by_one(cast, eligible):
    review = make_review(
        role(EXCHANGE_ADMINISTRATOR), stages=[chosen(cast["adam"], days=6)], frequency=Frequency.WEEKLY
    )
    late = NOW + 45 * DAY
    turn(late)
    first, second = review.instances.order_by("number")
    assert first.ends_at == late + 6 * DAY
    assert (second.number, second.starts_at) == (2, NOW + 49 * DAY)
    turn(late + 5 * DAY)  # the second is due, the first still runs
    assert review.instances.get(number=2).taken_at is None
    turn(late + 6 * DAY)
    assert review.instances.get(number=2).filled_at == late + 6 * DAY


def test_a_change_moves_what_is_planned_and_leaves_what_runs(cast, eligible):
    adam, berta = cast["adam"], cast["berta"]
    instance = exchange(stages=[chosen(adam)], frequency=Frequency.MONTHLY)
    now = NOW + DAY
    new = replace(
        wanted_of(instance.review), frequency=Frequency.QUARTERLY, auto_apply=True, stages=(chosen(berta, days=14),)
    )
    actor = acting(cast["petra"], Purpose.ASSIGN, instance.review_id, now=now)
    change_review(instance.review_id, new, actor=actor, clock=at(now))
    running_one = fresh(instance)
    assert (running_one.auto_apply, running_one.ends_at) == (False, END)
    assert running_one.review.instances.get(number=2).starts_at == NOW.replace(year=2027, month=2)
    # People change at once: Adam no longer reviews, Berta does.
    row = row_of(instance, cast["ines"])
    with pytest.raises(Refused, match="not_yours"):
        say(instance, adam, Opinion.DENY, row, now=now)
    assert say(instance, berta, Opinion.DENY, row, now=now) == 1


def test_a_change_takes_no_occurrence_away_that_is_due(cast, eligible):
    review = make_review(
        role(EXCHANGE_ADMINISTRATOR), stages=[chosen(cast["adam"], days=6)], frequency=Frequency.WEEKLY
    )
    turn()
    turn(NOW + 6 * DAY)
    due = NOW + 7 * DAY  # the worker has not come yet
    new = replace(wanted_of(review), mail_text="Look at the tickets.")
    change_review(review.pk, new, actor=OPERATOR, clock=at(due + MINUTE))
    turn(due + 2 * MINUTE)
    starts = list(review.instances.order_by("number").values_list("number", "starts_at"))
    assert starts == [(1, NOW), (2, due), (3, NOW + 14 * DAY)]
    # What is due can still be left out: by a series that ends before it.
    third = NOW + 14 * DAY
    turn(third - DAY)
    change_review(review.pk, replace(new, occurrences=2), actor=OPERATOR, clock=at(third + MINUTE))
    assert review.instances.count() == 2


def test_the_roles_stay_while_the_rows_are_taken(cast, eligible, monkeypatch):
    other = role(ids.GLOBAL_READER)
    for one in (cast["ines"], cast["zoe"]):
        make_eligible(one, other)
    monkeypatch.setattr(starting_service, "CHUNK", 1)
    review = make_review(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(cast["adam"])])
    new = replace(wanted_of(review), roles=frozenset([other.pk]))
    for _step in ("begin", "take"):
        start_due(clock=at(NOW), limit=50)
    with pytest.raises(Refused, match="starting"):
        change_review(review.pk, new, actor=OPERATOR, clock=at(NOW))
    turn()
    assert {row.role_id for row in review.instances.get().verdicts.all()} == {EXCHANGE_ADMINISTRATOR}
    change_review(review.pk, new, actor=OPERATOR, clock=at(NOW))


def test_the_kind_of_reviewers_stays_while_it_runs(cast, eligible):
    instance = exchange(stages=[chosen(cast["adam"])])
    new = replace(wanted_of(instance.review), stages=(managers(cast["adam"]),))
    with pytest.raises(Refused, match="running"):
        change_review(instance.review_id, new, actor=OPERATOR, clock=at(NOW))


def test_a_deleted_review_takes_no_further_step_and_keeps_everything(cast, eligible):
    instance = exchange(stages=[chosen(cast["adam"])], frequency=Frequency.MONTHLY, if_unanswered=IfUnanswered.REMOVE)
    say(instance, cast["adam"], Opinion.APPROVE, row_of(instance, cast["ines"]))
    delete_review(instance.review_id, actor=OPERATOR, clock=at(NOW + DAY))
    turn(NOW + 90 * DAY)
    assert fresh(instance).completed_at is None
    assert instance.review.instances.count() == 1
    assert row_of(instance, cast["ines"]).verdict == Opinion.APPROVE


# Who reviews


def test_nobody_reviews_themselves_not_through_a_group_either(cast):
    adam, ines = cast["adam"], cast["ines"]
    team = group("Team", ines)
    for who in (adam, team):
        make_eligible(who, role(EXCHANGE_ADMINISTRATOR))
    instance = exchange(stages=[chosen(adam, ines)])
    own, teams = row_of(instance, adam), row_of(instance, team)
    for reviewer, row in ((adam, own), (ines, teams)):
        with pytest.raises(Refused, match="not_yours"):
            say(instance, reviewer, Opinion.APPROVE, row)
    assert say(instance, adam, Opinion.DENY, teams) == 1
    assert say(instance, ines, Opinion.APPROVE, own) == 1


def test_a_row_of_the_only_reviewer_falls_to_the_fallback(cast):
    adam, berta = cast["adam"], cast["berta"]
    make_eligible(adam, role(EXCHANGE_ADMINISTRATOR))
    with pytest.raises(Refused, match="uncovered"):
        exchange(stages=[chosen(adam)])
    instance = exchange(stages=[chosen(adam, fallbacks=[berta])])
    assert say(instance, berta, Opinion.DENY, row_of(instance, adam)) == 1


def test_managers_review_their_people_and_the_fallback_the_rest(cast):
    adam, berta, ines = cast["adam"], cast["berta"], cast["ines"]
    ines.manager = adam
    ines.save()
    for who in (ines, cast["zoe"]):
        make_eligible(who, role(EXCHANGE_ADMINISTRATOR))
    with pytest.raises(Refused, match="uncovered"):
        exchange(stages=[managers()])
    instance = exchange(stages=[managers(berta)])
    hers, zoes = row_of(instance, ines), row_of(instance, cast["zoe"])
    with pytest.raises(Refused, match="not_yours"):
        say(instance, adam, Opinion.DENY, zoes)
    with pytest.raises(Refused, match="not_yours"):
        say(instance, berta, Opinion.DENY, hers)
    assert say(instance, adam, Opinion.DENY, hers) == 1
    assert say(instance, berta, Opinion.DENY, zoes) == 1


def test_a_self_review_is_about_oneself_only(cast, eligible):
    make_eligible(cast["zoe"], role(EXCHANGE_ADMINISTRATOR))
    instance = exchange(stages=[themselves()])
    assert say(instance, cast["ines"], Opinion.APPROVE, row_of(instance, cast["ines"])) == 1
    with pytest.raises(Refused, match="not_yours"):
        say(instance, cast["ines"], Opinion.DENY, row_of(instance, cast["zoe"]))


def test_a_member_of_a_reviewing_group_reviews_if_they_were_one_then_and_are_now(cast, eligible):
    adam, berta, zoe = cast["adam"], cast["berta"], cast["zoe"]
    board = group("Board", adam, berta)
    instance = exchange(stages=[chosen(board)])
    row = row_of(instance, cast["ines"])
    later = NOW + HOUR
    give(zoe, role(ids.GROUP_MEMBER), board.resource, starts_at=later, now=later)
    left = Assignment.objects.get(principal=berta, resource=board.resource)
    remove(left.pk, actor=OPERATOR, clock=at(later))
    for who in (zoe, berta):
        with pytest.raises(Refused, match="not_yours"):
            say(instance, who, Opinion.DENY, row, now=later + MINUTE)
    assert say(instance, adam, Opinion.DENY, row, now=later + MINUTE) == 1


def test_the_second_stage_has_the_last_word(cast, eligible):
    adam, berta = cast["adam"], cast["berta"]
    instance = exchange(stages=[chosen(adam, days=3), chosen(berta, days=4)])
    row = row_of(instance, cast["ines"])
    with pytest.raises(Refused, match="not_yours"):
        say(instance, berta, Opinion.DENY, row)
    say(instance, adam, Opinion.DENY, row)
    second = NOW + 3 * DAY
    turn(second)
    assert done(Kind.REVIEW_STAGE_STARTED) == 1
    with pytest.raises(Refused, match="not_yours"):
        say(instance, adam, Opinion.APPROVE, row, now=second)
    say(instance, berta, Opinion.APPROVE, row, reason="she does", now=second)
    row.refresh_from_db()
    assert (row.verdict, row.stage, row.reviewer) == (Opinion.APPROVE, 2, cast["berta"].principal_ptr)
    past = PastVerdict.objects.get(row=row)
    assert (past.verdict, past.stage, past.reviewer_name) == (Opinion.DENY, 1, "Adam")


def test_a_mind_is_changed_and_the_earlier_one_kept(cast, eligible):
    instance = exchange(stages=[chosen(cast["adam"])])
    row = row_of(instance, cast["ines"])
    assert say(instance, cast["adam"], Opinion.DENY, row) == 1
    assert say(instance, cast["adam"], Opinion.DENY, row) == 0  # the same again changes nothing
    assert say(instance, cast["adam"], Opinion.APPROVE, row, now=NOW + HOUR) == 1
    assert [one.verdict for one in row.past.all()] == [Opinion.DENY]
    assert done(Kind.REVIEW_DECIDED) == 2


def test_a_reason_is_asked_for_with_approvals_only(cast, eligible):
    instance = exchange(stages=[chosen(cast["adam"])], reason_required=True)
    row = row_of(instance, cast["ines"])
    with pytest.raises(Refused, match="reason_missing"):
        say(instance, cast["adam"], Opinion.APPROVE, row, reason=" \u200b")
    assert say(instance, cast["adam"], Opinion.DENY, row, reason="") == 1


def test_a_reset_starts_over_and_loses_nothing(cast, eligible):
    instance, now = in_progress(cast["adam"])
    running.reset(instance.pk, actor=manage(cast["petra"], instance, now), clock=at(now))
    row = row_of(instance, cast["ines"])
    assert (row.verdict, row.reason, row.reviewer) == (Opinion.NOT_REVIEWED, "", None)
    assert row.past.get().verdict == Opinion.DENY
    with pytest.raises(Refused, match="nothing_decided"):
        running.reset(instance.pk, actor=manage(cast["petra"], instance, now), clock=at(now))


@pytest.mark.parametrize("who", ["nina", "zoe", "adam"])
@pytest.mark.parametrize("act", ["stop", "reset", "remind", "apply", "delete"])
def test_only_administrators_of_the_place_act(act, who, cast, eligible):
    status = Status.COMPLETED if act == "apply" else Status.IN_PROGRESS
    instance, now = STAGES[status](cast["adam"])
    about = instance.review_id if act == "delete" else instance.pk
    with pytest.raises(Refused, match="not_allowed"):
        ACTS[act][0](instance, acting(cast[who], Purpose.ASSIGN, about, now=now), now)
    assert fresh(instance).status_at(now) == status


# What follows

UNANSWERED = {
    IfUnanswered.NO_CHANGE: (Opinion.NOT_REVIEWED, True),
    IfUnanswered.REMOVE: (Opinion.DENY, False),
    IfUnanswered.APPROVE: (Opinion.APPROVE, True),
    IfUnanswered.RECOMMENDATION: (Opinion.DENY, False),
}


@pytest.mark.parametrize("policy", IfUnanswered)
def test_what_happens_when_nobody_answers(policy, cast, eligible):
    instance = exchange(stages=[chosen(cast["adam"])], if_unanswered=policy, auto_apply=True)
    turn(END)
    verdict, held = UNANSWERED[policy]
    assert row_of(instance, cast["ines"]).verdict == verdict
    assert Assignment.objects.in_effect(END).filter(pk=eligible.pk).exists() == held
    assert fresh(instance).status_at(END) == Status.APPLIED


def test_do_not_know_changes_nothing(cast, eligible):
    instance = exchange(stages=[chosen(cast["adam"])], if_unanswered=IfUnanswered.REMOVE, auto_apply=True)
    say(instance, cast["adam"], Opinion.DONT_KNOW, row_of(instance, cast["ines"]))
    turn(END)
    assert row_of(instance, cast["ines"]).result == ApplyResult.KEPT
    assert Assignment.objects.in_effect(END).filter(pk=eligible.pk).exists()


def test_what_was_denied_ends_with_its_activations_and_says_why(cast, eligible):
    instance = exchange(stages=[chosen(cast["adam"])], auto_apply=True)
    say(instance, cast["adam"], Opinion.DENY, row_of(instance, cast["ines"]), reason="left the team")
    activation = request_activation(cast["ines"], eligible, now=END - HOUR, hours=8).outcome
    turn(END)
    eligible.refresh_from_db()
    activation.refresh_from_db()
    assert eligible.end_reason == EndReason.REMOVED
    assert activation.end_reason == EndReason.ELIGIBILITY_ENDED
    event = Event.objects.get(kind=Kind.ASSIGNMENT_REMOVED, assignment_id=eligible.pk)
    assert event.text.fields["reason"] == "Access review “Quarterly check”: denied by Adam. left the team"


REMOVED_BECAUSE = {
    "a reviewer took the recommendation": "denied by Adam, as recommended. Not activated in the last 30 days.",
    "nobody answered, and it was recommended": "nobody answered. Not activated in the last 30 days.",
    "nobody answered": "nobody answered.",
}


@pytest.mark.parametrize("how", REMOVED_BECAUSE)
def test_whoever_loses_access_is_told_what_spoke_against_it(how, cast, eligible):
    policy = IfUnanswered.REMOVE if how == "nobody answered" else IfUnanswered.RECOMMENDATION
    instance = exchange(stages=[chosen(cast["adam"])], auto_apply=True, if_unanswered=policy, now=NOW + 60 * DAY)
    end = NOW + 67 * DAY
    if "reviewer" in how:
        then = NOW + 61 * DAY
        actor = acting(cast["adam"], Purpose.DECIDE, instance.pk, now=then)
        accept_recommendations(instance.pk, actor=actor, clock=at(then))
    turn(end)
    event = Event.objects.get(kind=Kind.ASSIGNMENT_REMOVED, assignment_id=eligible.pk)
    assert event.text.fields["reason"] == f"Access review “Quarterly check”: {REMOVED_BECAUSE[how]}"


def test_without_auto_apply_nothing_is_removed_before_somebody_applies(cast, eligible):
    instance, now = completed(cast["adam"])
    turn(now + 30 * DAY)
    assert Assignment.objects.in_effect(now).filter(pk=eligible.pk).exists()
    applying.apply(instance.pk, actor=manage(cast["petra"], instance, now), clock=at(now))
    turn(now)
    assert not Assignment.objects.in_effect(now).filter(pk=eligible.pk).exists()
    assert fresh(instance).applied_by_name == "Petra"


def test_the_last_administrator_stays_and_applying_again_tries_again(cast):
    admins = role(ids.PRIVILEGED_ROLE_ADMINISTRATOR)
    instance = started(admins, stages=[chosen(cast["adam"])], auto_apply=True)
    say(instance, cast["adam"], Opinion.DENY, *instance.verdicts.all())
    turn(END)
    results = sorted(instance.verdicts.values_list("result", flat=True))
    assert results == [ApplyResult.REFUSED, ApplyResult.REMOVED]
    stays = instance.verdicts.get(result=ApplyResult.REFUSED)
    assert "Privileged Role Administrator" in stays.result_detail
    assert {one.applied_by_name for one in instance.verdicts.all()} == {"PIM Portal"}
    give(cast["zoe"], admins, starts_at=END + HOUR, now=END + HOUR)
    applying.apply(instance.pk, actor=manage(cast["zoe"], instance, END + 2 * HOUR), clock=at(END + 2 * HOUR))
    turn(END + 2 * HOUR)
    stays.refresh_from_db()
    assert (stays.result, stays.result_detail, stays.applied_by_name) == (ApplyResult.REMOVED, "", "Zoe")
    assert instance.verdicts.exclude(pk=stays.pk).get().applied_by_name == "PIM Portal"  # who did it, did it
    with pytest.raises(Refused, match="applied"):
        applying.apply(instance.pk, actor=OPERATOR, clock=at(END + 2 * HOUR))


def test_applying_compares_with_the_assignment_as_it_is_now(cast):
    ines, zoe, berta = cast["ines"], cast["zoe"], cast["berta"]
    exchange_role = role(EXCHANGE_ADMINISTRATOR)
    gone, replaced = make_eligible(ines, exchange_role), make_eligible(zoe, exchange_role)
    ends_soon = make_eligible(berta, exchange_role, ends_at=END)
    instance = exchange(stages=[chosen(cast["adam"])], auto_apply=True)
    say(instance, cast["adam"], Opinion.DENY, *instance.verdicts.all())
    for one in (gone, replaced):
        remove(one.pk, actor=OPERATOR, clock=at(NOW + DAY))
    again = make_eligible(zoe, exchange_role, starts_at=NOW + 2 * DAY, now=NOW + 2 * DAY)
    turn(END)
    assert row_of(instance, ines).result == ApplyResult.GONE
    assert row_of(instance, zoe).result == ApplyResult.REPLACED
    assert row_of(instance, berta).result == ApplyResult.GONE
    assert Assignment.objects.in_effect(END).filter(pk=again.pk).exists()
    assert Assignment.objects.get(pk=ends_soon.pk).end_reason != EndReason.REMOVED


def test_what_was_there_beside_it_all_along_was_not_given_anew(cast):
    ines, adam, exchange_role = cast["ines"], cast["adam"], role(EXCHANGE_ADMINISTRATOR)
    denied = make_eligible(ines, exchange_role)
    give(ines, exchange_role)
    instance = exchange(stages=[chosen(adam)], auto_apply=True)
    say(instance, adam, Opinion.DENY, row_of(instance, ines, type="eligible"))
    remove(denied.pk, actor=OPERATOR, clock=at(NOW + DAY))
    turn(END)
    assert row_of(instance, ines, type="eligible").result == ApplyResult.GONE


def test_what_was_given_anew_and_is_over_as_well_does_not_stay(cast):
    ines, adam, exchange_role = cast["ines"], cast["adam"], role(EXCHANGE_ADMINISTRATOR)
    denied = make_eligible(ines, exchange_role)
    instance = exchange(stages=[chosen(adam)], auto_apply=True)
    say(instance, adam, Opinion.DENY, row_of(instance, ines))
    remove(denied.pk, actor=OPERATOR, clock=at(NOW + DAY))
    make_eligible(ines, exchange_role, starts_at=NOW + 2 * DAY, ends_at=NOW + 3 * DAY, now=NOW + 2 * DAY)
    turn(END)
    assert row_of(instance, ines).result == ApplyResult.GONE


@pytest.mark.parametrize("ended", ["assignments", "membership"])
def test_what_is_over_is_not_said_to_be_held_through_a_group_or_from_above(ended, cast):
    root, below = tree("Root", "Production")
    ines, zoe, adam, reader = cast["ines"], cast["zoe"], cast["adam"], role(ids.READER)
    team = group("Operators", ines)
    above, through = give(zoe, reader, root), give(team, reader, below)
    instance = started(reader, stages=[chosen(adam)], place=below, inherited=True, auto_apply=True)
    say(instance, adam, Opinion.DENY, *instance.verdicts.all())
    membership = Assignment.objects.get(principal=ines, role=ids.GROUP_MEMBER)
    for one in [above, through] if ended == "assignments" else [above, membership]:
        remove(one.pk, actor=OPERATOR, clock=at(NOW + DAY))
    turn(END)
    assert {row.result for row in instance.verdicts.all()} == {ApplyResult.GONE}
    assert not Notification.objects.filter(mail="review_left").exists()


def test_what_is_held_through_a_group_or_from_above_is_said_and_not_removed(cast):
    root, below = tree("Root", "Production")
    ines, zoe, adam = cast["ines"], cast["zoe"], cast["adam"]
    team = group("Operators", ines)
    reader = role(ids.READER)
    give(team, reader, below)
    give(zoe, reader, root)
    instance = started(reader, stages=[chosen(adam)], place=below, inherited=True, auto_apply=True)
    assert {one.principal_name: one.through_name for one in instance.verdicts.all()} == {"Ines": "Operators", "Zoe": ""}
    say(instance, adam, Opinion.DENY, *instance.verdicts.all())
    turn(END)
    assert row_of(instance, ines).result == ApplyResult.THROUGH_GROUP
    assert row_of(instance, zoe).result == ApplyResult.INHERITED
    assert Assignment.objects.in_effect(END).filter(role=reader).count() == 2


def test_in_the_directory_a_group_is_one_row_and_loses_the_role(cast):
    team = group("Operators", cast["ines"], cast["zoe"])
    held = give(team, role(EXCHANGE_ADMINISTRATOR))
    instance = exchange(stages=[chosen(cast["adam"])], auto_apply=True)
    say(instance, cast["adam"], Opinion.DENY, row_of(instance, team))
    turn(END)
    assert not Assignment.objects.in_effect(END).filter(pk=held.pk).exists()


def test_a_stopped_worker_goes_on_where_it_was(cast, monkeypatch):
    for number in range(5):
        make_eligible(person(f"user{number}"), role(EXCHANGE_ADMINISTRATOR))
    monkeypatch.setattr("reviews.services.starting.CHUNK", 2)
    review = make_review(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(cast["adam"])])
    for _step in range(3):  # begun, two chunks
        start_due(clock=at(NOW), limit=50)
    instance = review.instances.get()
    assert (instance.verdicts.count(), instance.filled_at) == (4, None)
    late = make_eligible(cast["zoe"], role(EXCHANGE_ADMINISTRATOR), starts_at=NOW + MINUTE, now=NOW + MINUTE)
    turn(NOW + HOUR)
    assert fresh(instance).rows_total == 5
    assert not instance.verdicts.filter(assignment=late).exists()

    say(instance, cast["adam"], Opinion.DENY, *instance.verdicts.all(), now=NOW + HOUR)
    running.stop(instance.pk, actor=OPERATOR, clock=at(NOW + DAY))
    applying.apply(instance.pk, actor=OPERATOR, clock=at(NOW + DAY))
    assert apply_due(clock=at(NOW + DAY), limit=2) == 2
    assert instance.verdicts.filter(result=ApplyResult.REMOVED).count() == 2
    turn(NOW + 2 * DAY)
    assert done(Kind.ASSIGNMENT_REMOVED) == 5
    assert done(Kind.REVIEW_APPLIED) == 1


def test_a_worker_that_stood_still_past_half_time_and_end_takes_each_step_once(cast, eligible):
    adam = cast["adam"]
    instance = exchange(stages=[chosen(adam)], auto_apply=True, frequency=Frequency.MONTHLY)
    say(instance, adam, Opinion.DENY, row_of(instance, cast["ines"]))
    late = NOW.replace(month=12) + DAY  # the end has passed, and the next start
    for now in (late, late, late + HOUR):
        turn(now)
    counts = {kind: done(kind) for kind in (Kind.REVIEW_REMINDED, Kind.REVIEW_COMPLETED, Kind.REVIEW_APPLIED)}
    assert counts == {Kind.REVIEW_REMINDED: 0, Kind.REVIEW_COMPLETED: 1, Kind.REVIEW_APPLIED: 1}
    assert row_of(instance, cast["ines"]).result == ApplyResult.REMOVED
    assert done(Kind.ASSIGNMENT_REMOVED) == 1
    second = instance.review.instances.get(number=2)
    assert (second.filled_at, second.rows_total) == (late, 0)  # what the first removed is not there any more
    assert second.ends_at == late + 7 * DAY
    assert done(Kind.REVIEW_STARTED) == 2
