"""Nobody waits for somebody who cannot come: a request says when too few are left to grant it."""

from __future__ import annotations

import pytest
import time_machine

from approvals.models import Request, Verdict
from approvals.selectors.shortfalls import Shortfall, shortfall_of
from roles import ids
from roles.models import Assignment
from roles.services.principals import disable_person
from tests.people import (
    MINUTE,
    NOW,
    OPERATOR,
    at,
    configure,
    decide,
    give,
    make_eligible,
    person,
    request_activation,
    role,
)
from tests.test_approval_pages import html_of, page_of
from tests.visitors import visiting

pytestmark = pytest.mark.django_db

SOON = NOW + 2 * MINUTE


@pytest.fixture
def both(ines, adam, berta, petra, with_approval) -> Request:
    configure(with_approval.role, approvers=[adam, berta], quorum=2)
    return request_activation(ines, with_approval)


def gone(user) -> None:
    disable_person(user.pk, reason="left", actor=OPERATOR, clock=at(NOW + MINUTE))


def test_while_enough_are_there_nothing_is_lacking(both, adam):
    assert shortfall_of(both, SOON) is None
    decide(Verdict.APPROVE, both, adam, now=SOON)
    assert shortfall_of(both, SOON) is None


def test_an_approver_who_left_is_lacking(both, adam):
    gone(adam)
    assert shortfall_of(both, SOON) == Shortfall(stage=1, lacking=2, people=1)


def test_who_agreed_and_left_counts_on(both, adam):
    decide(Verdict.APPROVE, both, adam, now=NOW)
    gone(adam)
    assert shortfall_of(both, SOON) is None


def test_a_later_stage_that_lost_its_people_is_told_at_once(ines, adam, berta, petra, with_approval):
    configure(with_approval.role, approvers=[[adam], [berta]])
    request = request_activation(ines, with_approval)
    gone(berta)
    assert shortfall_of(request, SOON) == Shortfall(stage=2, lacking=1, people=0)


def test_two_stages_that_are_left_with_one_person_for_both(ines, adam, berta, petra, with_approval):
    configure(with_approval.role, approvers=[[adam], [adam, berta]])
    request = request_activation(ines, with_approval)
    assert shortfall_of(request, SOON) is None
    gone(berta)
    assert shortfall_of(request, SOON) == Shortfall(stage=2, lacking=1, people=0)


def test_who_may_become_an_administrator_counts_where_nobody_is_named(ines, eligibility):
    paula = person("paula")
    give(person("last"), role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    make_eligible(paula, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    configure(eligibility.role, approval_required=True)
    request = request_activation(ines, eligibility)
    Assignment.objects.filter(principal__name="Last").update(ended_at=NOW, end_reason="removed")
    assert shortfall_of(request, SOON) is None


def test_its_page_says_so_to_who_asked(both, adam, ines):
    sentence = "This can no longer be granted"
    with time_machine.travel(SOON, tick=False):
        assert sentence not in html_of(visiting(ines), page_of(both))
        gone(adam)
        assert sentence in html_of(visiting(ines), page_of(both))
