"""What silence does not do: remove what nobody could speak for, or what is perhaps kept for emergencies."""

from __future__ import annotations

import pytest

from reviews.models import ApplyResult, Because, How, IfUnanswered, Opinion, Recommendation, Verdict
from roles import ids
from roles.models import Assignment
from roles.services.principals import disable_person
from tests.people import DAY, EXCHANGE_ADMINISTRATOR, NOW, OPERATOR, at, give, group, make_eligible, role, tree
from tests.reviewing import chosen, managers, row_of, say, started, themselves, turn

pytestmark = pytest.mark.django_db

END = NOW + 7 * DAY
REMOVING = [IfUnanswered.REMOVE, IfUnanswered.RECOMMENDATION]


@pytest.fixture
def cast(petra, paul, ines, adam, berta, zoe):
    return {one.username: one for one in (petra, paul, ines, adam, berta, zoe)}


def held(assignment: Assignment) -> bool:
    return Assignment.objects.in_effect(END).filter(pk=assignment.pk).exists()


def silent(*roles, policy=IfUnanswered.REMOVE, **values):
    return started(*roles, if_unanswered=policy, auto_apply=True, **values)


def told(row: Verdict) -> tuple[str, str, str]:
    return (row.verdict, row.how, row.result)


LEFT_BY_NOBODY = (Opinion.NOT_REVIEWED, How.NOBODY_COULD, ApplyResult.KEPT)
TAKEN = (Opinion.DENY, How.UNANSWERED, ApplyResult.REMOVED)


@pytest.mark.parametrize("policy", IfUnanswered)
def test_a_row_whose_only_reviewer_was_disabled_is_left(policy, cast):
    eligible = make_eligible(cast["ines"], role(EXCHANGE_ADMINISTRATOR))
    instance = silent(role(EXCHANGE_ADMINISTRATOR), policy=policy, stages=[chosen(cast["adam"])])
    disable_person(cast["adam"].pk, reason="left", actor=OPERATOR, clock=at(NOW + DAY))
    turn(END)
    assert told(row_of(instance, cast["ines"])) == LEFT_BY_NOBODY
    assert held(eligible)


@pytest.mark.parametrize("policy", REMOVING)
def test_a_row_that_somebody_could_have_reviewed_is_removed(policy, cast):
    eligible = make_eligible(cast["ines"], role(EXCHANGE_ADMINISTRATOR))
    instance = silent(role(EXCHANGE_ADMINISTRATOR), policy=policy, stages=[chosen(cast["adam"], cast["berta"])])
    disable_person(cast["adam"].pk, reason="left", actor=OPERATOR, clock=at(NOW + DAY))
    turn(END)
    assert told(row_of(instance, cast["ines"])) == TAKEN
    assert not held(eligible)


def test_somebody_who_could_in_one_stage_is_enough(cast):
    make_eligible(cast["ines"], role(EXCHANGE_ADMINISTRATOR))
    stages = [chosen(cast["adam"], days=3), chosen(cast["berta"], days=4)]
    instance = silent(role(EXCHANGE_ADMINISTRATOR), stages=stages)
    disable_person(cast["berta"].pk, reason="left", actor=OPERATOR, clock=at(NOW + DAY))
    turn(END)
    assert told(row_of(instance, cast["ines"])) == TAKEN


def test_the_row_of_the_only_reviewer_is_left_and_the_others_removed(cast):
    adam, ines = cast["adam"], cast["ines"]
    for who in (adam, ines):
        make_eligible(who, role(EXCHANGE_ADMINISTRATOR))
    instance = silent(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam, fallbacks=[cast["berta"]])])
    disable_person(cast["berta"].pk, reason="left", actor=OPERATOR, clock=at(NOW + DAY))
    turn(END)
    assert told(row_of(instance, adam)) == LEFT_BY_NOBODY
    assert told(row_of(instance, ines)) == TAKEN


def test_whoever_has_lost_their_manager_is_left(cast):
    adam, ines = cast["adam"], cast["ines"]
    ines.manager = adam
    ines.save()
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    instance = silent(role(EXCHANGE_ADMINISTRATOR), stages=[managers()])
    disable_person(adam.pk, reason="left", actor=OPERATOR, clock=at(NOW + DAY))
    turn(END)
    assert told(row_of(instance, ines)) == LEFT_BY_NOBODY


def test_a_group_in_a_self_review_that_nobody_stands_in_for_is_left(cast):
    team = group("Operators", cast["zoe"])
    for who in (team, cast["ines"]):
        make_eligible(who, role(EXCHANGE_ADMINISTRATOR))
    instance = silent(role(EXCHANGE_ADMINISTRATOR), stages=[themselves(cast["berta"])])
    disable_person(cast["berta"].pk, reason="left", actor=OPERATOR, clock=at(NOW + DAY))
    turn(END)
    assert told(row_of(instance, team)) == LEFT_BY_NOBODY
    assert told(row_of(instance, cast["ines"])) == TAKEN


def test_somebody_disabled_who_was_to_review_themselves_is_left_or_falls_to_whoever_stands_in(cast):
    ines, berta = cast["ines"], cast["berta"]
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    alone = silent(role(EXCHANGE_ADMINISTRATOR), stages=[themselves()])
    helped = silent(role(EXCHANGE_ADMINISTRATOR), stages=[themselves(berta)])
    later = NOW + DAY
    disable_person(ines.pk, reason="on leave", actor=OPERATOR, clock=at(later))
    assert say(helped, berta, Opinion.APPROVE, row_of(helped, ines), now=later) == 1
    turn(END)
    assert told(row_of(alone, ines)) == LEFT_BY_NOBODY
    assert row_of(helped, ines).verdict == Opinion.APPROVE


# Emergency accounts


@pytest.fixture
def emergency(cast) -> Assignment:
    return give(cast["zoe"], role(ids.GLOBAL_ADMINISTRATOR))


def test_use_recommends_nothing_of_an_emergency_account(cast, emergency):
    eligible = make_eligible(cast["ines"], role(ids.GLOBAL_ADMINISTRATOR))
    instance = silent(role(ids.GLOBAL_ADMINISTRATOR), stages=[chosen(cast["adam"])])
    row = Verdict.objects.get(instance=instance, assignment=emergency)
    assert (row.recommendation, row.because) == (Recommendation.NONE, Because.EMERGENCY)
    assert Verdict.objects.get(instance=instance, assignment=eligible).recommendation == Recommendation.DENY


@pytest.mark.parametrize("policy", REMOVING)
def test_silence_leaves_an_emergency_account_and_removes_the_eligible_beside_it(policy, cast, emergency):
    eligible = make_eligible(cast["ines"], role(ids.GLOBAL_ADMINISTRATOR))
    ends = give(cast["berta"], role(ids.GLOBAL_ADMINISTRATOR), ends_at=NOW + 30 * DAY)
    instance = silent(role(ids.GLOBAL_ADMINISTRATOR), policy=policy, stages=[chosen(cast["adam"])])
    turn(END)
    left = row_of(instance, cast["zoe"])
    assert (left.verdict, left.result) == (Opinion.NOT_REVIEWED, ApplyResult.KEPT)
    assert left.how == (How.LEFT if policy == IfUnanswered.REMOVE else "")
    assert [held(one) for one in (emergency, eligible, ends)] == [True, False, False]


def test_a_person_may_deny_an_emergency_account(cast, emergency):
    instance = silent(role(ids.GLOBAL_ADMINISTRATOR), stages=[chosen(cast["adam"])])
    say(instance, cast["adam"], Opinion.DENY, row_of(instance, cast["zoe"]))
    turn(END)
    assert not held(emergency)


def test_silence_leaves_every_permanent_active_administrator(cast):
    admins = role(ids.PRIVILEGED_ROLE_ADMINISTRATOR)
    silent(admins, stages=[chosen(cast["adam"])])
    turn(END)
    assert Assignment.objects.in_effect(END).filter(role=admins).count() == 2


def test_silence_leaves_the_permanent_owner_of_a_root_and_takes_one_below(cast):
    root, below = tree("Root", "Production")
    owner = role(ids.OWNER)
    kept, gone = give(cast["zoe"], owner, root), give(cast["ines"], owner, below)
    for place in (root, below):
        silent(owner, stages=[chosen(cast["adam"])], place=place)
    turn(END)
    assert [held(kept), held(gone)] == [True, False]


def test_another_role_is_none_of_an_emergency_account(cast):
    give(cast["zoe"], role(EXCHANGE_ADMINISTRATOR))
    instance = silent(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(cast["adam"])])
    turn(END)
    assert told(row_of(instance, cast["zoe"])) == TAKEN
