"""A quorum is never larger than the approvers without the requestor: checked again when people or groups change."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from roles import ids
from roles.models import Assignment, User
from roles.refusals import Refused
from roles.selectors.approvers import people_of_escalation, people_of_stage
from roles.selectors.impossible import Impossible, impossible_settings
from roles.selectors.panels import PanelBook
from roles.selectors.settings import Stage, settings_of
from roles.selectors.settings_use import gaps_in
from roles.services.assignments import remove
from roles.services.groups import disable_group, enable_group
from roles.services.principals import disable_person, enable_person
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    at,
    configure,
    directory,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    unit,
)
from tests.visitors import visiting

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """The portal is set up: Petra administers it."""


def told(now: Any = NOW) -> list[tuple[str, str, int, int, str]]:
    """Role, place, stage, people and for whom."""
    return [
        (
            one.role.name,
            one.place.name if one.place else "everywhere",
            one.gap.stage,
            one.gap.people,
            one.gap.person.name if one.gap.person else "everybody",
        )
        for one in impossible_settings(now)
    ]


FOR_EVERYBODY = [("Exchange Administrator", "everywhere", 1, 0, "everybody")]


def membership(user: User) -> Assignment:
    return Assignment.objects.get(principal=user, role=ids.GROUP_MEMBER)


def disable(user: User, now: Any = NOW) -> None:
    disable_person(user.pk, reason="left", actor=OPERATOR, clock=at(now))


def test_settings_that_can_be_met_are_not_told(with_approval):
    assert told() == []


def test_settings_without_approval_are_not_told(with_approval, adam, berta):
    for one in (adam, berta):
        disable(one)
    configure(with_approval.role, approval_required=False)
    assert told() == []


def test_the_last_approver_is_disabled_and_enabled_again(with_approval, adam, berta):
    disable(adam)
    assert told() == []
    disable(berta)
    assert told() == FOR_EVERYBODY
    enable_person(adam.pk, actor=OPERATOR, clock=at(NOW))
    assert told() == []


class TestGroups:
    """Adam, alone in the group Deciders, approves."""

    @pytest.fixture
    def deciders(self, eligibility: Assignment, adam: User) -> Any:
        made = group("Deciders", adam)
        configure(eligibility.role, approvers=[made])
        return made

    def test_a_member_is_removed(self, deciders, adam):
        assert told() == []
        remove(membership(adam).pk, reason="moved on", actor=OPERATOR, clock=at(NOW))
        assert told() == FOR_EVERYBODY

    def test_a_member_is_disabled(self, deciders, adam):
        disable(adam)
        assert told() == FOR_EVERYBODY

    def test_the_group_is_disabled_and_enabled_again(self, deciders):
        disable_group(deciders.pk, reason="reorganised", actor=OPERATOR, clock=at(NOW))
        assert told() == FOR_EVERYBODY
        enable_group(deciders.pk, actor=OPERATOR, clock=at(NOW))
        assert told() == []

    def test_a_membership_ends_by_the_clock_to_the_microsecond(self, eligibility, berta):
        made = group("Deciders")
        end = NOW + DAY
        give(berta, role(ids.GROUP_MEMBER), made.resource, ends_at=end)
        configure(eligibility.role, approvers=[made])
        assert told(end - MICROSECOND) == []
        assert told(end) == FOR_EVERYBODY


class TestForOnePerson:
    def test_an_eligible_approver_is_left_out_of_their_own_quorum(self, with_approval, adam, berta):
        make_eligible(adam, with_approval.role)
        assert told() == []
        disable(berta)
        assert told() == [("Exchange Administrator", "everywhere", 1, 0, "Adam")]

    def test_a_larger_quorum_counts_everybody_else(self, eligibility, adam, berta, zoe):
        configure(eligibility.role, approvers=[adam, berta, zoe], quorum=2)
        make_eligible(adam, eligibility.role)
        assert told() == []
        disable(zoe)
        assert told() == [("Exchange Administrator", "everywhere", 1, 1, "Adam")]

    def test_an_eligibility_that_is_over_concerns_nobody(self, with_approval, adam, berta):
        make_eligible(adam, with_approval.role, ends_at=NOW + HOUR)
        disable(berta)
        assert len(told(NOW + HOUR - MICROSECOND)) == 1
        assert told(NOW + HOUR) == []


def test_a_later_stage_counts_for_itself(eligibility, adam, berta):
    configure(eligibility.role, approvers=[[adam], [berta]])
    disable(berta)
    assert told() == [("Exchange Administrator", "everywhere", 2, 0, "everybody")]


class TestNobodyDecidesInTwoStages:
    """Each stage by itself has people enough; both together have not."""

    @pytest.fixture(autouse=True)
    def _shared(self, eligibility, adam, berta):
        configure(eligibility.role, approvers=[[adam], [adam, berta]])

    def test_both_together_are_told_once_and_the_service_refuses(self, eligibility, ines, berta):
        assert told() == []
        disable(berta)
        assert told() == [("Exchange Administrator", "everywhere", 2, 0, "everybody")]
        with pytest.raises(Refused, match="nobody_to_approve"):
            request_activation(ines, eligibility)

    def test_one_of_them_who_may_activate_it_has_too_few_others(self, eligibility, berta):
        mine = make_eligible(berta, eligibility.role)
        assert told() == [("Exchange Administrator", "everywhere", 2, 0, "Berta")]
        with pytest.raises(Refused, match="nobody_to_approve"):
            request_activation(berta, mine)

    def test_the_page_of_the_settings_says_the_same(self, eligibility, berta):
        disable(berta)
        (gap,) = gaps_in(settings_of(eligibility.role, directory()), role=eligibility.role, place=directory(), now=NOW)
        assert (gap.stage, gap.quorum, gap.people, gap.person) == (2, 1, 0, None)


def test_each_place_with_settings_of_its_own_is_told_by_itself(eligibility, adam, berta):
    berlin = unit("Berlin")
    configure(eligibility.role, berlin, approvers=[berta])
    configure(eligibility.role, directory(), approvers=[adam])
    make_eligible(adam, eligibility.role, berlin)
    disable(berta)
    assert told() == [("Exchange Administrator", "Berlin", 1, 0, "everybody")]
    disable(adam)
    assert [one[1] for one in told()] == [directory().name, "Berlin"]


def test_where_nobody_is_named_the_administrators_count_those_who_may_become_one_too(eligibility, petra):
    configure(eligibility.role, approval_required=True)
    assert told() == []
    pia = person("pia")
    give(pia, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), ends_at=NOW + DAY)
    assert told(NOW + 2 * DAY) == []
    make_eligible(petra, eligibility.role)
    assert told(NOW + 2 * DAY) == [("Exchange Administrator", "everywhere", 1, 0, "Petra")]


def test_the_activation_panel_says_so_and_the_service_refuses(with_approval, ines, adam, berta):
    for one in (adam, berta):
        disable(one)
    (impossible,) = impossible_settings(NOW)
    assert isinstance(impossible, Impossible)
    with pytest.raises(Refused, match="nobody_to_approve"):
        request_activation(ines, with_approval)
    with time_machine.travel(NOW + MINUTE, tick=False):
        page = reverse("approvals:activate") + f"?eligibility={with_approval.pk}"
        html = visiting(ines).get(page).content.decode()
    assert "Nobody but you could approve this now, or too few people." in html


def test_many_stages_at_once_are_answered_as_one_is(adam, berta, zoe, ines, petra):
    """The book of panels is the selector of one stage, for whoever is there, away, or in a group."""
    some, empty, off = group("Some", adam, zoe), group("Empty"), group("Off", berta)
    make_eligible(ines, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    disable(zoe)
    disable_group(off.pk, reason="reorganised", actor=OPERATOR, clock=at(NOW))
    named = [adam, berta, zoe, some, empty, off]
    stages = [
        Stage(1, 1, frozenset(one.pk for one in approvers), frozenset({later.pk}))
        for count in range(4)
        for approvers in itertools.combinations(named, count)
        for later in named
    ]
    book = PanelBook(stages, NOW)
    for stage in stages:
        expected = people_of_stage(stage, NOW, excluding=[], may_become=True)
        assert book.of(stage) == {one.pk for one in expected}
    for stage in stages[: len(named)]:
        assert book.of_escalation(stage) == {one.pk for one in people_of_escalation(stage, NOW, excluding=[])}


@pytest.mark.parametrize("count", [1, 6])
def test_as_many_questions_for_many_settings_as_for_one(eligibility, adam, berta, count, django_assert_num_queries):
    for number in range(count):
        place = unit(f"Unit {number}")
        configure(role(EXCHANGE_ADMINISTRATOR), place, approvers=[[adam], [berta]])
        make_eligible(adam, role(EXCHANGE_ADMINISTRATOR), place)
    with django_assert_num_queries(10):
        assert len(list(impossible_settings(NOW))) == count
