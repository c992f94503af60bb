"""Tickets: their form, and that the services demand the check which the settings demand, and rely on no other."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from approvals.models import Request, Status, Verdict
from approvals.services.requests import digest_of
from approvals.ticket_checks import GOOD_FOR, Finding
from audit.kinds import Kind
from audit.models import Event
from roles import ids
from roles.models import Assignment, Resource, Role, User
from roles.patterns import fits, problem_in
from roles.refusals import Refused
from roles.selectors.settings import settings_of
from roles.services.settings import settings_to_copy
from tests.people import (
    HOUR,
    MINUTE,
    NOW,
    SECURITY_READER,
    configure,
    decide,
    directory,
    make_eligible,
    request_activation,
    request_prolonging,
    role,
    unit,
)
from tests.ticketing import check_of

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)
FORM = "INC[0-9]{7}"
TICKET = "INC0012345"


@pytest.fixture
def formed(eligibility: Assignment) -> Assignment:
    configure(eligibility.role, ticket_required=True, ticket_pattern=FORM)
    return eligibility


@pytest.fixture
def checked(eligibility: Assignment) -> Assignment:
    """Its tickets must be checked."""
    configure(eligibility.role, ticket_required=True, ticket_verified=True)
    return eligibility


class TestPatterns:
    @pytest.mark.parametrize("pattern", ["", FORM, "(?i)chg-\\d+|inc\\d+", "\\p{L}{2,5}-\\d+", "(a+)+", "(a|aa)*c"])
    def test_a_pattern_of_re2_is_taken(self, pattern):
        assert problem_in(pattern) == ""

    @pytest.mark.parametrize("pattern", ["(", "a{1001}", "(?=x)x", "(a)\\1", "[z-a]", "*", "((a{100}){100}){100}"])
    def test_what_re2_cannot_match_in_linear_time_is_said_and_fits_nothing(self, pattern):
        assert problem_in(pattern)
        assert not fits(pattern, "a")

    @pytest.mark.parametrize(
        ("text", "whole"),
        [(TICKET, True), (f"x{TICKET}", False), (f"{TICKET}9", False), (f"{TICKET}\n", False), ("inc0012345", False)],
    )
    def test_the_whole_ticket_fits(self, text, whole):
        assert fits(FORM, text) is whole

    @pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*a){20}", "([a-z]+)*\\d"])
    def test_no_pattern_hangs(self, pattern):
        began = time.perf_counter()
        fits(pattern, "a" * 50_000 + "!")
        assert time.perf_counter() - began < 1


class TestTheSettings:
    @pytest.mark.parametrize("pattern", ["(", "(?=x)x", "x" * 201])
    def test_a_pattern_that_is_none_is_refused_at_its_field(self, eligibility, pattern):
        with pytest.raises(Refused) as refused:
            configure(eligibility.role, ticket_pattern=pattern)
        assert {one.field for one in refused.value.violations} == {"ticket_pattern"}

    def test_only_a_required_ticket_is_checked(self, eligibility):
        with pytest.raises(Refused, match="checked_not_required"):
            configure(eligibility.role, ticket_verified=True)

    def test_no_longer_requiring_it_is_refused_while_it_is_checked(self, checked):
        with pytest.raises(Refused, match="checked_not_required"):
            configure(checked.role, ticket_required=False)

    def test_both_are_part_of_what_was_seen_and_obeyed(self, eligibility):
        first = settings_of(eligibility.role, directory())
        configure(eligibility.role, ticket_pattern=FORM, ticket_required=True)
        second = settings_of(eligibility.role, directory())
        configure(eligibility.role, ticket_verified=True)
        third = settings_of(eligibility.role, directory())
        assert len({one.seen for one in (first, second, third)}) == 3
        assert len({one.digest for one in (first, second, third)}) == 3

    def test_the_history_tells_old_and_new(self, formed):
        configure(formed.role, ticket_pattern="CHG[0-9]+", ticket_verified=True)
        event = Event.objects.filter(kind=Kind.ROLE_SETTINGS_CHANGED).order_by("id").last()
        assert event.details["old"] == {"ticket_pattern": FORM, "ticket_verified": False}
        assert event.details["new"] == {"ticket_pattern": "CHG[0-9]+", "ticket_verified": True}

    def test_copying_takes_both_along(self, checked):
        configure(checked.role, ticket_pattern=FORM)
        values = settings_to_copy(settings_of(checked.role, directory()))["values"]
        assert (values["ticket_pattern"], values["ticket_verified"]) == (FORM, True)


class TestTheForm:
    def test_a_ticket_of_the_form_is_taken(self, ines, formed):
        assert request_activation(ines, formed, ticket=TICKET).status == Status.GRANTED

    @pytest.mark.parametrize("ticket", ["CHG1", f"{TICKET} ", "INC001234", "INC٠٠١٢٣٤٥"])
    def test_another_is_refused_at_its_field(self, ines, formed, ticket):
        if ticket.strip() == TICKET:
            assert request_activation(ines, formed, ticket=ticket).ticket == TICKET
            return
        with pytest.raises(Refused, match="ticket_form") as refused:
            request_activation(ines, formed, ticket=ticket)
        assert [one.field for one in refused.value.violations] == ["ticket"]
        assert not Request.objects.exists()

    def test_a_ticket_that_need_not_be_given_has_the_form_if_it_is(self, ines, eligibility):
        configure(eligibility.role, ticket_pattern=FORM)
        with pytest.raises(Refused, match="ticket_form"):
            request_activation(ines, eligibility, ticket="CHG1")
        assert request_activation(ines, eligibility).status == Status.GRANTED

    def test_prolonging_asks_for_the_form_too(self, ines, formed):
        activation = request_activation(ines, formed, ticket=TICKET).outcome
        later = NOW + 30 * MINUTE
        with pytest.raises(Refused, match="ticket_form"):
            request_prolonging(ines, activation, now=later, ticket="CHG1")
        assert request_prolonging(ines, activation, now=later, ticket=TICKET).status == Status.GRANTED


class TestTheCheck:
    def test_an_accepted_ticket_is_kept_with_who_accepted_it(self, ines, checked):
        request = request_activation(ines, checked, ticket=TICKET, ticket_check=check_of(ines, checked, TICKET))
        assert (request.status, request.ticket_check) == (Status.GRANTED, "tickets.example.org: open")
        made = Event.objects.get(kind=Kind.REQUEST_MADE)
        assert made.details["ticket_checked"] is True
        assert request.digest == digest_of(Request.objects.get(pk=request.pk))

    def test_without_a_check_nobody_gets_in(self, ines, checked):
        with pytest.raises(Refused, match="ticket_unchecked"):
            request_activation(ines, checked, ticket=TICKET)
        assert not Request.objects.exists()

    def test_where_none_is_demanded_none_is_kept(self, ines, eligibility):
        check = check_of(ines, eligibility, TICKET)
        request = request_activation(ines, eligibility, ticket=TICKET, ticket_check=check)
        assert request.ticket_check == ""

    @pytest.mark.parametrize(
        ("finding", "code"), [(Finding.REJECTED, "ticket_rejected"), (Finding.UNKNOWN, "ticket_uncheckable")]
    )
    def test_neither_no_nor_silence_is_yes(self, ines, checked, finding, code):
        check = check_of(ines, checked, TICKET, finding=finding, words="it is closed")
        with pytest.raises(Refused, match=code) as refused:
            request_activation(ines, checked, ticket=TICKET, ticket_check=check)
        assert "it is closed" in refused.value.sentence

    @pytest.mark.parametrize("what", ["ticket", "person", "role", "resource"])
    def test_a_check_of_something_else_counts_for_nothing(self, ines, zoe, checked, what):
        other = {
            "ticket": {},
            "person": {"person_id": zoe.pk},
            "role": {"role_id": SECURITY_READER},
            "resource": {"resource_id": unit("Lyon").pk},
        }[what]
        ticket = "INC9999999" if what == "ticket" else TICKET
        with pytest.raises(Refused, match="ticket_check_of_another"):
            request_activation(ines, checked, ticket=TICKET, ticket_check=check_of(ines, checked, ticket, **other))

    def test_a_check_for_the_whole_does_not_serve_a_smaller_scope(self, ines):
        lyon: Resource = unit("Lyon")
        what: Role = role(ids.USER_ADMINISTRATOR)
        eligible = make_eligible(ines, what)
        configure(what, ticket_required=True, ticket_verified=True)
        check = check_of(ines, eligible, TICKET)
        with pytest.raises(Refused, match="ticket_check_of_another"):
            request_activation(ines, eligible, ticket=TICKET, resource_id=lyon.pk, ticket_check=check)
        check = check_of(ines, eligible, TICKET, resource_id=lyon.pk)
        assert request_activation(ines, eligible, ticket=TICKET, resource_id=lyon.pk, ticket_check=check).outcome

    @pytest.mark.parametrize(
        ("at", "good"),
        [(NOW, True), (NOW - GOOD_FOR + TICK, True), (NOW - GOOD_FOR, False), (NOW + TICK, False)],
        ids=["now", "at the last moment", "too old", "from the future"],
    )
    def test_a_check_is_good_for_minutes(self, ines, checked, at, good):
        check = check_of(ines, checked, TICKET, at=at)
        if good:
            assert request_activation(ines, checked, ticket=TICKET, ticket_check=check).outcome
            return
        with pytest.raises(Refused, match="ticket_check_old"):
            request_activation(ines, checked, ticket=TICKET, ticket_check=check)

    def test_prolonging_demands_a_check_of_its_own(self, ines, checked):
        activation = request_activation(
            ines, checked, ticket=TICKET, ticket_check=check_of(ines, checked, TICKET)
        ).outcome
        later = NOW + 30 * MINUTE
        with pytest.raises(Refused, match="ticket_unchecked"):
            request_prolonging(ines, activation, now=later, ticket=TICKET)
        with pytest.raises(Refused, match="ticket_check_old"):
            request_prolonging(ines, activation, now=later, ticket=TICKET, ticket_check=check_of(ines, checked, TICKET))
        check = check_of(ines, checked, TICKET, at=later)
        request = request_prolonging(ines, activation, now=later, ticket=TICKET, ticket_check=check)
        assert (request.status, request.ticket_check) == (Status.GRANTED, "tickets.example.org: open")


class TestWhatBecameStricter:
    """Rule 4: what waits satisfies the settings when it was asked, and when it is granted."""

    @pytest.fixture
    def waiting(self, ines: User, with_approval: Assignment) -> Request:
        return request_activation(ines, with_approval, ticket=TICKET)

    @pytest.mark.parametrize(
        "changed",
        [
            {"ticket_pattern": "CHG[0-9]+"},
            {"ticket_required": True, "ticket_verified": True},
            {"ticket_required": True, "ticket_pattern": FORM, "ticket_verified": True},
        ],
    )
    def test_it_can_no_longer_be_approved_but_denied(self, adam, waiting, changed):
        configure(waiting.role, **changed)
        with pytest.raises(Refused, match="settings_stricter"):
            decide(Verdict.APPROVE, waiting, adam, now=NOW + MINUTE)
        assert decide(Verdict.DENY, waiting, adam, now=NOW + MINUTE).status == Status.DENIED

    def test_what_fits_the_new_form_is_approved(self, adam, waiting):
        configure(waiting.role, ticket_required=True, ticket_pattern=FORM)
        assert decide(Verdict.APPROVE, waiting, adam, now=NOW + MINUTE).status == Status.GRANTED

    def test_what_was_checked_when_asked_is_approved_hours_later(self, ines, adam, with_approval):
        configure(with_approval.role, ticket_required=True, ticket_verified=True)
        check = check_of(ines, with_approval, TICKET)
        request = request_activation(ines, with_approval, ticket=TICKET, ticket_check=check)
        assert request.status == Status.PENDING
        assert decide(Verdict.APPROVE, request, adam, now=NOW + 5 * HOUR).status == Status.GRANTED

    def test_the_check_is_part_of_what_was_asked(self, ines, adam, with_approval):
        configure(with_approval.role, ticket_required=True, ticket_verified=True)
        check = check_of(ines, with_approval, TICKET)
        request = request_activation(ines, with_approval, ticket=TICKET, ticket_check=check)
        Request.objects.filter(pk=request.pk).update(ticket_check="somebody: else")
        with pytest.raises(Refused, match="changed"):
            decide(Verdict.APPROVE, request, adam, now=NOW + MINUTE)
