"""By whose right results are applied: each removal names it, and a series does not outlive its author's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.models import Notification
from reviews.models import ApplyResult, IfUnanswered, Instance, Status
from reviews.services.applying import apply, apply_due
from reviews.services.ending import end_due
from reviews.services.series import change_review, create_review
from reviews.services.wants import wanted_of
from roles import ids
from roles.models import Assignment, Purpose, Resource
from roles.services.assignments import deactivate, remove
from roles.services.elevation import elevate
from roles.services.principals import disable_person
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    at,
    directory,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)
from tests.reviewing import chosen, fresh, manage, turn, wanted

pytestmark = pytest.mark.django_db

END = NOW + 7 * DAY
AUTO = {"auto_apply": True, "if_unanswered": IfUnanswered.REMOVE}


@pytest.fixture
def cast(petra, paul, ines, adam, zoe, nina):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    return {one.username: one for one in (petra, paul, ines, adam, zoe, nina)}


def set_up(author, reviewer, *roles, place: Resource | None = None) -> Instance:
    """A review that applies itself, set up by this person and started."""
    where = place or directory()
    terms = wanted(*(roles or [role(EXCHANGE_ADMINISTRATOR)]), stages=[chosen(reviewer)], **AUTO)
    review = create_review(where.pk, terms, actor=acting(author, Purpose.ASSIGN, where.pk), clock=at(NOW))
    turn()
    return review.instances.get(number=1)


def removals() -> list[Event]:
    """What applying removed, not what the operator did."""
    found = Event.objects.filter(kind=Kind.ASSIGNMENT_REMOVED, outcome=Outcome.DONE).order_by("pk")
    return [one for one in found if one.text.fields["actor"] == "PIM Portal"]


def of(user, pk=ids.PRIVILEGED_ROLE_ADMINISTRATOR) -> Assignment:
    return Assignment.objects.get(principal=user, role=pk, activated_from=None, ended_at=None)


def waits(instance: Instance) -> bool:
    found = fresh(instance)
    told = Event.objects.filter(kind=Kind.REVIEW_WAITS).count() == 1
    return found.status_at(END) == Status.COMPLETED and found.waits_for_somebody and told and not removals()


def test_a_removal_names_the_right_of_the_author(cast):
    instance = set_up(cast["petra"], cast["adam"])
    turn(END)
    assert [one.authority_id for one in removals()] == [of(cast["petra"]).pk]
    assert fresh(instance).status_at(END) == Status.APPLIED


def test_an_author_who_is_eligible_still_stands_for_it(cast):
    zoe = cast["zoe"]
    eligible = make_eligible(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    activation = request_activation(zoe, eligible).outcome
    set_up(zoe, cast["adam"])
    deactivate(activation.pk, actor=acting(zoe, Purpose.ACTIVATE, activation.pk), clock=at(NOW + MINUTE))
    turn(END)
    assert [one.authority_id for one in removals()] == [eligible.pk]


def test_an_author_eligible_through_a_group_still_stands_for_it(cast):
    zoe = cast["zoe"]
    eligible = make_eligible(group("Identity team", zoe), role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    request_activation(zoe, eligible)
    set_up(zoe, cast["adam"])
    turn(END)
    assert [one.authority_id for one in removals()] == [eligible.pk]


def lose_the_role(cast):
    remove(of(cast["petra"]).pk, actor=OPERATOR, clock=at(END - HOUR))


def be_disabled(cast):
    disable_person(cast["petra"].pk, reason="left", actor=OPERATOR, clock=at(END - HOUR))


@pytest.mark.parametrize("lose", [lose_the_role, be_disabled])
def test_without_their_right_the_results_wait_and_an_administrator_applies_them(lose, cast):
    instance = set_up(cast["petra"], cast["adam"])
    lose(cast)
    turn(END)
    turn(END + DAY)
    assert waits(instance)
    asked = Notification.objects.filter(mail="review_waits").values_list("recipient", flat=True)
    assert cast["paul"].pk in asked

    now = END + DAY
    apply(instance.pk, actor=manage(cast["paul"], instance, now), clock=at(now))
    turn(now)
    assert [one.authority_id for one in removals()] == [of(cast["paul"]).pk]
    assert fresh(instance).status_at(now) == Status.APPLIED


def test_the_right_is_asked_before_every_removal(cast):
    for number in range(3):
        make_eligible(person(f"user{number}"), role(EXCHANGE_ADMINISTRATOR))
    instance = set_up(cast["petra"], cast["adam"])
    assert end_due(clock=at(END), limit=50) == 1
    assert apply_due(clock=at(END), limit=2) == 2
    remove(of(cast["petra"]).pk, actor=OPERATOR, clock=at(END))
    assert apply_due(clock=at(END), limit=50) == 0
    assert instance.verdicts.filter(result=ApplyResult.REMOVED).count() == 2
    assert fresh(instance).waits_for_somebody
    now = END + HOUR
    apply(instance.pk, actor=manage(cast["paul"], instance, now), clock=at(now))
    turn(now)
    assert instance.verdicts.filter(result=ApplyResult.REMOVED).count() == 4


def test_whoever_saves_the_series_takes_it_over(cast):
    instance = set_up(cast["petra"], cast["adam"])
    remove(of(cast["petra"]).pk, actor=OPERATOR, clock=at(NOW + DAY))
    now = NOW + 2 * DAY
    new = replace(wanted_of(instance.review), description="taken over")
    actor = acting(cast["paul"], Purpose.ASSIGN, instance.review_id, now=now)
    change_review(instance.review_id, new, actor=actor, clock=at(now))
    turn(END)
    assert [one.authority_id for one in removals()] == [of(cast["paul"]).pk]


def test_what_removes_nothing_needs_nobodys_right(cast):
    instance = set_up(cast["petra"], cast["adam"])
    Instance.objects.filter(pk=instance.pk).update(if_unanswered=IfUnanswered.NO_CHANGE)
    lose_the_role(cast)
    turn(END)
    assert fresh(instance).status_at(END) == Status.APPLIED
    assert not Event.objects.filter(kind=Kind.REVIEW_WAITS).exists()


def test_the_right_of_another_place_does_not_count(cast):
    root = tree("Production")[0]
    zoe = cast["zoe"]
    owner = give(zoe, role(ids.OWNER), root)
    give(cast["nina"], role(ids.READER), root)
    instance = set_up(zoe, cast["adam"], role(ids.READER), place=root)
    remove(owner.pk, actor=OPERATOR, clock=at(NOW + DAY))
    give(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), starts_at=NOW + DAY, now=NOW + DAY)
    turn(END)
    assert waits(instance)


def test_elevated_access_is_over_when_the_review_ends(cast):
    root = tree("Production")[0]
    zoe = cast["zoe"]
    give(zoe, role(ids.GLOBAL_ADMINISTRATOR))
    give(cast["nina"], role(ids.READER), root)
    elevate(reason="needed", actor=acting(zoe, Purpose.ELEVATE, zoe.pk), clock=at(NOW))
    instance = set_up(zoe, cast["adam"], role(ids.READER), place=root)
    turn(END)
    assert waits(instance)


def test_applying_by_hand_names_the_right_of_whoever_pressed_the_button(cast):
    instance = set_up(cast["petra"], cast["adam"])
    Instance.objects.filter(pk=instance.pk).update(auto_apply=False)
    turn(END)
    apply(instance.pk, actor=manage(cast["paul"], instance, END), clock=at(END))
    turn(END)
    assert [one.authority_id for one in removals()] == [of(cast["paul"]).pk]
