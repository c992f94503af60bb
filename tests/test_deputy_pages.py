"""The pages of deputies: naming somebody, what one sees, ending it, deciding in somebody's place."""

from __future__ import annotations

import pytest
import time_machine

from approvals.models import Decision, Deputy, Request, Status
from audit.kinds import Kind, Outcome
from audit.models import Event
from tests.deputising import named
from tests.people import NOW, request_activation
from tests.stepping import errors_in, verified
from tests.test_approval_pages import decide, html_of, page_of, status_of
from tests.visitors import visiting

pytestmark = pytest.mark.django_db

DEPUTIES = "/tasks/approvals/deputies/"
FORM = {"deputy": "zoe", "ends_at": "2026-11-27T12:00", "reason": "on leave"}


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def pending(ines, with_approval) -> Request:
    return request_activation(ines, with_approval)


def test_somebody_is_named_and_both_see_it(adam, zoe):
    answer = verified(adam).post(f"{DEPUTIES}add/", FORM)
    assert answer.status_code == 302
    row = Deputy.objects.get()
    assert (row.approver_id, row.deputy_id, row.reason) == (adam.pk, zoe.pk, "on leave")
    assert "They decide in your place" in html_of(visiting(adam), DEPUTIES)
    assert "You decide in their place" in html_of(visiting(zoe), DEPUTIES)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"deputy": "no-such"}, "Nobody who can sign in has this user name"),
        ({"deputy": "adam"}, "Name somebody else"),
        ({"ends_at": "2027-11-27T12:00"}, "at most 90 days"),
        ({"ends_at": ""}, "Choose a date and a time."),
        ({"reason": " "}, "Say why somebody stands in for you."),
    ],
)
def test_what_is_wrong_is_said_and_nobody_named(adam, zoe, wrong, told):
    answer = verified(adam).post(f"{DEPUTIES}add/", FORM | wrong)
    assert answer.status_code == 422
    assert told in " ".join(errors_in(answer.content.decode()))
    assert not Deputy.objects.exists()


def test_a_deputy_is_told_for_whom_they_decide_and_the_page_says_it_after(adam, zoe, ines, pending):
    named(adam, zoe)
    client = verified(zoe)
    assert "You decide in place of Adam, who named you a deputy." in html_of(client, page_of(pending))
    decide(client, pending)
    assert status_of(pending) == Status.GRANTED
    assert "Zoe, in place of Adam" in html_of(visiting(ines), page_of(pending))
    assert Decision.objects.get().for_approver_id == adam.pk


def test_only_the_two_end_it(adam, zoe, berta):
    row = named(adam, zoe)
    address = f"{DEPUTIES}{row.pk}/end/"
    assert visiting(berta).post(address).status_code == 404
    assert visiting(zoe).get(address).status_code == 405
    assert visiting(zoe).post(address).status_code == 302
    assert Deputy.objects.get().ended_at == NOW


def test_whoever_ends_it_twice_is_told_that_it_has_ended(adam, zoe):
    row = named(adam, zoe)
    client = visiting(adam)
    client.post(f"{DEPUTIES}{row.pk}/end/")
    assert "This has already ended." in client.post(f"{DEPUTIES}{row.pk}/end/", follow=True).content.decode()
    assert Event.objects.filter(kind=Kind.DEPUTY_ENDED, outcome=Outcome.DONE).count() == 1
