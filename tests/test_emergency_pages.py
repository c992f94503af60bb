"""The pages of emergencies: what is offered to whom, activating, what one sees after, closing the review."""

from __future__ import annotations

import pytest
import time_machine

from approvals.models import EmergencyReview, Request, Status
from audit.kinds import Kind, Outcome
from audit.models import Event
from roles.models import Assignment, User
from tests.deputising import named
from tests.emergencies import break_it, glass_allowed, review
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    NOW,
    SECURITY_READER,
    configure,
    make_eligible,
    request_activation,
    role,
    unit,
)
from tests.stepping import code_of, errors_in, rows_of_everything, verified
from tests.test_approval_pages import html_of
from tests.visitors import visiting

pytestmark = pytest.mark.django_db

OFFER = "Activate now, without waiting for approval (emergency)"
APPROVALS = "/tasks/approvals/"


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def eligible(ines: User, adam: User, petra: User) -> Assignment:
    return glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam)


@pytest.fixture
def emergency(ines: User, eligible: Assignment) -> Request:
    return break_it(ines, eligible, reason="the mail is down")


def panel(eligibility: Assignment) -> str:
    return f"/tasks/roles/activate/?eligibility={eligibility.pk}"


def glass(eligibility: Assignment) -> str:
    return f"/tasks/roles/{eligibility.pk}/emergency/"


def page(request: Request) -> str:
    return f"{APPROVALS}{request.pk}/"


class TestOffer:
    def test_the_panel_offers_it_as_an_act_of_its_own(self, ines, eligible):
        html = html_of(visiting(ines), panel(eligible))
        assert OFFER in html
        assert glass(eligible) in html
        assert "Ask for approval" in html

    def test_not_where_the_settings_do_not_allow_it(self, ines, adam, petra):
        eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
        configure(eligible.role, approvers=[adam])
        assert OFFER not in html_of(visiting(ines), panel(eligible))
        assert "do not allow activating it without approval" in html_of(visiting(ines), glass(eligible))

    def test_also_where_a_request_waits_or_nobody_could_approve(self, ines, adam, eligible):
        request = request_activation(ines, eligible)
        assert OFFER in html_of(visiting(ines), panel(eligible))
        assert OFFER in html_of(visiting(ines), page(request))
        assert OFFER not in html_of(visiting(adam), page(request))
        assert "is cancelled by this" in html_of(visiting(ines), glass(eligible))

    def test_looking_changes_nothing(self, ines, eligible):
        client = visiting(ines)
        before = rows_of_everything()
        client.get(glass(eligible))
        assert rows_of_everything() == before


class TestActivating:
    def send(self, user: User, eligibility: Assignment, **form: str):
        given = {"duration": "30", "reason": "the mail is down"} | code_of(user)
        return verified(user).post(glass(eligibility), given | form)

    def test_with_a_code_of_its_own_the_role_is_active(self, ines, eligible):
        answer = self.send(ines, eligible)
        request = Request.objects.get()
        assert (answer.status_code, answer["Location"]) == (302, page(request))
        assert (request.status, request.break_glass, request.reason) == (Status.GRANTED, True, "the mail is down")

    def test_the_second_factor_of_the_sign_in_is_not_enough(self, ines, eligible):
        html = html_of(verified(ines), glass(eligible))
        assert 'name="code"' in html
        answer = self.send(ines, eligible, code="")
        assert answer.status_code == 422
        assert not EmergencyReview.objects.exists()

    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            ({"reason": ""}, "Say what the emergency is."),
            ({"duration": "61"}, "at most 1 h"),
            ({"duration": "soon"}, "Write a number of minutes"),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_activated(self, ines, eligible, wrong, told):
        answer = self.send(ines, eligible, **wrong)
        assert answer.status_code == 422
        assert told in " ".join(errors_in(answer.content.decode()))
        assert not Assignment.objects.filter(activated_from=eligible).exists()

    def test_a_double_click_leads_to_what_was_made(self, ines, eligible):
        self.send(ines, eligible)
        answer = self.send(ines, eligible)
        assert (answer.status_code, answer["Location"]) == (302, page(Request.objects.get()))
        assert EmergencyReview.objects.count() == 1

    def test_so_does_one_for_less_than_the_role_reaches(self, ines, eligible):
        less = {"resource": str(unit("North").pk)}
        self.send(ines, eligible, **less)
        answer = self.send(ines, eligible, **less)
        assert (answer.status_code, answer["Location"]) == (302, page(Request.objects.get()))

    def test_somebody_else_finds_nothing(self, zoe, eligible):
        assert visiting(zoe).get(glass(eligible)).status_code == 404
        assert visiting(zoe).post(glass(eligible), {}).status_code == 404


class TestTags:
    def test_on_my_roles_the_request_and_the_lists_of_administrators(self, ines, petra, emergency):
        for user, path in (
            (ines, "/tasks/roles/"),
            (ines, "/tasks/roles/?tab=active"),
            (ines, "/tasks/requests/"),
            (ines, page(emergency)),
            (petra, page(emergency)),
            (petra, "/manage/directory/assignments/?tab=active"),
            (petra, "/manage/directory/requests/"),
        ):
            assert "Emergency" in html_of(visiting(user), path), path

    def test_an_ordinary_activation_has_none(self, ines, petra):
        request_activation(ines, make_eligible(ines, role(SECURITY_READER)))
        assert "Emergency" not in html_of(visiting(ines), "/tasks/roles/?tab=active")
        assert "Emergency" not in html_of(visiting(petra), "/manage/directory/assignments/?tab=active")


class TestReviewing:
    def test_it_waits_under_approve_requests_and_is_counted(self, adam, petra, ines, emergency):
        for user in (adam, petra):
            html = html_of(visiting(user), APPROVALS)
            assert "Emergencies to review" in html
            assert "the mail is down" in html
            assert visiting(user).get("/").context["shell"].waiting == 1
        assert "Emergencies to review" not in html_of(visiting(ines), APPROVALS)

    def test_overdue_is_said_loudly(self, adam, emergency):
        with time_machine.travel(NOW + DAY, tick=False):
            assert "Overdue" in html_of(visiting(adam), APPROVALS)
            assert "This review is overdue." in html_of(visiting(adam), page(emergency))
            assert "This review is overdue." in html_of(visiting(adam), f"{page(emergency)}emergency/")

    def close(self, user: User, emergency: Request, **form: str):
        return verified(user).post(f"{page(emergency)}emergency/", form)

    def test_closing_it(self, adam, ines, emergency):
        answer = self.close(adam, emergency, justified="no", finding="it could wait", end_now="on")
        assert (answer.status_code, answer["Location"]) == (302, page(emergency))
        row = EmergencyReview.objects.get()
        assert (row.closed_by_id, row.justified, row.finding) == (adam.pk, False, "it could wait")
        assert not Assignment.objects.in_effect(NOW).filter(pk=emergency.outcome_id).exists()
        html = html_of(visiting(ines), page(emergency))
        assert "Not justified" in html
        assert "it could wait" in html

    def test_what_is_missing_is_said(self, adam, emergency):
        answer = self.close(adam, emergency)
        assert answer.status_code == 422
        told = " ".join(errors_in(answer.content.decode()))
        assert "Say whether it was justified." in told
        assert "Say what you found." in told
        assert EmergencyReview.objects.open().exists()

    def test_what_is_over_is_not_offered_to_be_ended(self, adam, emergency):
        assert 'name="end_now"' in html_of(visiting(adam), f"{page(emergency)}emergency/")
        with time_machine.travel(NOW + HOUR, tick=False):
            assert 'name="end_now"' not in html_of(visiting(adam), f"{page(emergency)}emergency/")

    @pytest.mark.parametrize("who", ["ines", "nina"])
    def test_who_may_look_and_not_close_is_led_to_the_request(self, who, emergency, request):
        user = request.getfixturevalue(who)
        path = f"{page(emergency)}emergency/"
        assert visiting(user).get(path)["Location"] == page(emergency)
        assert self.close(user, emergency, justified="yes", finding="mine").status_code == 302
        assert EmergencyReview.objects.open().exists()
        event = Event.objects.get(kind=Kind.EMERGENCY_REVIEWED)
        assert (event.outcome, event.actor_id) == (Outcome.REFUSED, user.pk)

    def test_the_deputy_of_the_holder_is_led_there_as_well(self, ines, adam, emergency):
        named(ines, adam)
        assert self.close(adam, emergency, justified="yes", finding="fine").status_code == 302
        assert EmergencyReview.objects.open().exists()

    def test_a_stranger_finds_nothing_and_an_ordinary_request_has_no_such_page(self, zoe, adam, ines, emergency):
        assert visiting(zoe).get(f"{page(emergency)}emergency/").status_code == 404
        other = request_activation(ines, glass_allowed(ines, SECURITY_READER, adam))
        assert visiting(adam).get(f"{page(other)}emergency/").status_code == 404

    def test_whoever_comes_second_is_told(self, adam, petra, emergency):
        review(adam, emergency)
        answer = self.close(petra, emergency, justified="no", finding="late")
        assert answer["Location"] == page(emergency)
        assert EmergencyReview.objects.get().closed_by_id == adam.pk
