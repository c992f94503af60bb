"""My roles: the tabs, the panel that activates, and ending what one holds."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from approvals.models import Request, Status
from approvals.selectors.my_roles import ended_roles
from audit.kinds import Kind, Outcome
from audit.models import Event
from roles import ids
from roles.authority import Authority
from roles.forms.fields import DurationField, LocalDateTimeField
from roles.models import Assignment, Role, RoleKind, SecondFactor, User
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    configure,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
    unit,
)
from tests.stepping import body_without, code_of, errors_in, rows_of_everything, verified
from tests.visitors import visiting

SHORTEST_END = 31 * MINUTE
MY_ROLES = "/tasks/roles/"
ACTIVATE = "/tasks/roles/activate/"


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def client(ines: User) -> Client:
    return verified(ines)


def html_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def panel_of(client: Client, *eligibilities: Assignment) -> str:
    return html_of(client, ACTIVATE + "?" + "&".join(f"eligibility={one.pk}" for one in eligibilities))


def ask_for(client: Client, *eligibilities: Assignment, **typed: Any):
    fields = {"when": "now", "duration": "1", "reason": "needed", "ticket": "", **typed}
    return client.post(ACTIVATE, {"eligibility": [str(one.pk) for one in eligibilities], **fields})


def held(user: User, now: datetime = NOW) -> set[uuid.UUID]:
    return set(Assignment.objects.held_by(user.pk, now).values_list("role_id", flat=True))


# The tabs


def test_the_eligible_tab_says_where_how_and_under_which_rules(client, ines, with_approval):
    make_eligible(group("Blue team", ines), role(ids.SECURITY_READER))
    _root, subscription = tree("Contoso", "prod-weu")
    make_eligible(ines, role(ids.OWNER), subscription)
    html = html_of(client, MY_ROLES)
    for words in (
        "Exchange Administrator",
        "up to 8 h · MFA · approval",
        "Group: Blue team",
        "Subscription in Contoso",
    ):
        assert words in html
    assert "1–3 of 3" in html


def test_what_ends_within_two_weeks_is_marked(client, ines):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + 13 * DAY)
    assert "Ends soon" in html_of(client, MY_ROLES)


def test_a_waiting_role_leads_to_its_request_and_cannot_be_chosen(client, ines, with_approval):
    request = request_activation(ines, with_approval)
    html = html_of(client, MY_ROLES)
    assert reverse("approvals:request", args=[request.pk]) in html
    assert f'value="{with_approval.pk}"' not in html


def test_an_active_role_can_be_deactivated_from_the_list(client, ines, eligibility):
    activation = request_activation(ines, eligibility).outcome
    assert reverse("approvals:deactivate", args=[activation.pk]) in html_of(client, MY_ROLES)
    assert reverse("approvals:deactivate", args=[activation.pk]) in html_of(client, MY_ROLES + "?tab=active")


def test_a_planned_activation_can_be_called_off(client, ines, eligibility):
    request_activation(ines, eligibility, start=NOW + DAY)
    html = html_of(client, MY_ROLES)
    assert "Planned" in html
    assert "Call off" in html


def test_the_active_tab_shows_assigned_roles_without_a_way_to_end_them(client, ines):
    give(ines, role(ids.SECURITY_READER))
    html = html_of(client, MY_ROLES + "?tab=active")
    assert "Assigned" in html
    assert "Deactivate" not in html


def test_an_activation_below_its_eligibility_says_that_it_is_inherited(client, ines):
    nodes = tree("Contoso", "prod-weu", "rg-ledger")
    eligible = make_eligible(ines, role(ids.OWNER), nodes[1])
    request_activation(ines, eligible, resource_id=nodes[2].pk)
    assert "Inherited from prod-weu" in html_of(client, MY_ROLES + "?tab=active")


def test_the_expired_tab_shows_thirty_days_without_the_worker(client, ines, eligibility):
    request_activation(ines, eligibility, now=NOW - 2 * DAY)
    assert "Its time was over" in html_of(client, MY_ROLES + "?tab=expired")
    with time_machine.travel(NOW + 29 * DAY, tick=False):
        assert "Its time was over" not in html_of(verified(ines), MY_ROLES + "?tab=expired")


def test_the_list_is_searched_and_narrowed(client, ines, eligibility):
    _root, subscription = tree("Contoso", "prod-weu")
    make_eligible(ines, role(ids.OWNER), subscription)
    found = html_of(client, MY_ROLES + "?q=PROD")
    assert "Owner" in found
    assert "Exchange Administrator" not in found
    narrowed = html_of(client, MY_ROLES + "?kind=directory")
    assert "prod-weu" not in narrowed


@pytest.mark.parametrize(
    "query",
    ["tab=%00", "q=%00", "q=%ED%A0%80", "kind=x", "at=%00", "page=-1", "page=x", "sort=x", "sort=%00", "per_page=x"],
)
def test_no_query_string_breaks_the_lists(client, eligibility, query):
    for path in (MY_ROLES, f"{MY_ROLES}?tab=active", "/tasks/requests/", "/tasks/approvals/"):
        joint = "&" if "?" in path else "?"
        assert client.get(f"{path}{joint}{query}").status_code in (200, 404)


def _many(user: User, count: int) -> None:
    for one in Role.objects.filter(kind=RoleKind.DIRECTORY).exclude(pk=EXCHANGE_ADMINISTRATOR).order_by("pk")[:count]:
        if not Assignment.objects.filter(principal=user, role=one).exists():
            make_eligible(user, one)


@pytest.mark.parametrize("tab", ["eligible", "active", "expired"])
def test_the_number_of_queries_does_not_grow_with_the_list(client, ines, tab):
    def queries() -> int:
        html_of(client, MY_ROLES)  # what is done once a minute is done by now
        with CaptureQueriesContext(connection) as caught:
            html_of(client, f"{MY_ROLES}?tab={tab}&per_page=100")
        return len(caught)

    def ask(most: int) -> None:
        # Whoever holds a privileged role is told more in the menu.
        rows = Assignment.objects.filter(principal=ines, requests=None, activated_from=None, role__privileged=False)
        for one in rows.order_by("role__pk")[:most]:
            request_activation(ines, one)

    # Of each sort there is something: of what there is nothing of, nothing more is asked.
    configure(role(EXCHANGE_ADMINISTRATOR), approvers=[person("approver")])
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    _many(ines, 5)
    ask(6)
    few = queries()
    _many(ines, 50)
    ask(20)
    assert queries() == few


# The panel


def test_the_panel_says_beforehand_what_is_asked_and_who_approves(client, ines, with_approval):
    configure(with_approval.role, approvers=User.objects.filter(username__in=["adam", "berta"]), ticket_required=True)
    html = panel_of(client, with_approval)
    assert "Adam or Berta approves." in html
    assert "lapses on 24 Nov 2026, 12:00" in html
    assert "Second factor: given when you signed in," in html
    assert "Ask for approval" in html
    assert "At most 8 h." in html


def test_without_approval_the_button_activates(client, eligibility):
    html = panel_of(client, eligibility)
    assert ">Activate</button>" in html
    assert "Active at once" in html


def test_a_short_maximum_is_asked_for_in_minutes(client, ines, eligibility):
    configure(eligibility.role, max_activation=5 * MINUTE)
    html = panel_of(client, eligibility)
    assert 'value="5"' in html
    assert "<span>minutes</span>" in html


def test_the_duration_offered_stops_at_the_end_of_the_eligibility(client, ines):
    eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + 3 * HOUR + 17 * MINUTE)
    assert 'value="3:17"' in panel_of(client, eligible)


def test_that_nobody_could_approve_is_said_instead_of_the_form(client, ines, eligibility):
    configure(eligibility.role, approvers=[ines])
    html = panel_of(client, eligibility)
    assert "Nobody but you could approve this now" in html
    assert "id_reason" not in html


def test_somebody_elses_eligibility_is_as_unknown_as_a_random_id(client, zoe):
    theirs = make_eligible(zoe, role(ids.SECURITY_READER))
    random = uuid.uuid4()
    pages = {}
    for pk in (theirs.pk, random):
        for response in (client.get(f"{ACTIVATE}?eligibility={pk}"), client.post(ACTIVATE, {"eligibility": pk})):
            assert response.status_code == 404
            pages[pk] = body_without(response.content.decode(), str(pk))
    assert pages[theirs.pk] == pages[random]


def test_what_a_group_had_before_one_joined_it_is_nothing_that_one_had(ines, adam):
    now = timezone.now()
    team = group("Blue team", now=now)
    for user, joined in ((adam, now - 20 * DAY), (ines, now - 5 * DAY)):
        give(user, role(ids.GROUP_MEMBER), team.resource, starts_at=joined, now=joined)
    lost = give(team, role(ids.SECURITY_READER), starts_at=now - 40 * DAY, ends_at=now - 10 * DAY, now=now - 40 * DAY)
    assert [row.pk for row in ended_roles(Authority(adam, now))] == [lost.pk]
    assert not ended_roles(Authority(ines, now)).exists()


def test_an_ended_eligibility_gets_its_sentence(client, ines):
    eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + SHORTEST_END)
    with time_machine.travel(NOW + HOUR, tick=False):
        client = verified(ines)
        assert "You are not eligible for this role now." in panel_of(client, eligible)
        assert ask_for(client, eligible).status_code == 422


def test_looking_changes_nothing(client, ines, with_approval):
    request = request_activation(ines, with_approval)
    before = rows_of_everything()
    for path in (MY_ROLES, f"{MY_ROLES}?tab=active", f"{MY_ROLES}?tab=expired", "/tasks/requests/"):
        html_of(client, path)
    panel_of(client, with_approval)
    html_of(client, reverse("approvals:request", args=[request.pk]))
    assert rows_of_everything() == before


# Activating


def test_without_approval_the_next_page_says_until_when_and_how_to_end_it(client, ines, eligibility):
    response = ask_for(client, eligibility, duration="2")
    assert response.status_code == 302
    assert held(ines) == {EXCHANGE_ADMINISTRATOR}
    html = html_of(client, response.url)
    assert "23 Nov 2026, 14:00" in html
    assert "Deactivate" in html


def test_with_approval_the_next_page_says_who_decides_and_when_it_lapses(client, ines, with_approval):
    response = ask_for(client, with_approval)
    assert held(ines) == set()
    html = html_of(client, response.url)
    assert "Adam or Berta" in html
    assert "24 Nov 2026, 12:00" in html
    assert "Cancel request" in html


def test_a_later_start_is_on_the_viewers_clock(client, ines, eligibility):
    User.objects.filter(pk=ines.pk).update(time_zone="Europe/Paris")
    ask_for(client, eligibility, when="later", start="2026-11-24T09:00")
    assert Assignment.objects.get(activated_from=eligibility).starts_at == datetime(2026, 11, 24, 8, tzinfo=UTC)


def test_every_refusal_is_told_at_once_and_nothing_typed_is_lost(client, ines, eligibility):
    configure(eligibility.role, max_activation=2 * HOUR, ticket_required=True)
    response = ask_for(client, eligibility, duration="9", reason="​ ", when="later", start="2026-11-20T10:00")
    html = response.content.decode()
    assert response.status_code == 422
    assert {
        "This role can be active for at most 2 h.",
        "Enter the ticket that this is for.",
        "The start lies in the past. Choose now, or a later time.",
        "Say why you need this role.",
    } <= set(errors_in(html))
    assert 'value="9"' in html
    assert 'value="2026-11-20T10:00"' in html
    assert held(ines) == set()


def test_what_cannot_be_read_does_not_hide_what_the_rules_say(client, eligibility):
    configure(eligibility.role, ticket_required=True)
    html = ask_for(client, eligibility, duration="long", reason="", ticket="x" * 101).content.decode()
    told = errors_in(html)
    assert any("Write a number of hours" in one for one in told)
    assert "The ticket is too long: at most 100 characters." in told
    assert "Say why you need this role." in told
    assert 'value="long"' in html


def test_a_refused_attempt_is_in_the_history(client, ines, eligibility):
    ask_for(client, eligibility, duration="23")
    event = Event.objects.get(kind=Kind.REQUEST_MADE, outcome=Outcome.REFUSED)
    assert event.details["refused"] == ["duration_too_long"]


@pytest.mark.parametrize(
    "duration", ["1e309", "nan", "inf", "-1", "0", "", "9" * 30, "1e9", "\0", "PT5H", "5 parsecs", "٣", "0.0001"]
)
def test_an_absurd_duration_gets_a_sentence(client, ines, eligibility, duration):
    response = ask_for(client, eligibility, duration=duration)
    assert response.status_code == 422
    assert errors_in(response.content.decode())
    assert held(ines) == set()


@pytest.mark.parametrize(
    "start",
    ["", "soon", "\0", "9999-12-31T23:59", "0001-01-01T00:00", "2026-13-40T99:99", "2027-03-28T02:30", "1" * 99],
)
def test_an_absurd_start_gets_a_sentence(client, ines, eligibility, start):
    User.objects.filter(pk=ines.pk).update(time_zone="Europe/Paris")
    response = ask_for(client, eligibility, when="later", start=start)
    assert response.status_code == 422
    assert errors_in(response.content.decode())


@pytest.mark.parametrize(
    "typed", [{"when": "never"}, {"reason": "\0"}, {"reason": "x" * 3000}, {"ticket": "\0"}, {"resource": "x"}]
)
def test_forged_fields_never_break_the_page(client, ines, typed):
    unit("Lyon")
    response = ask_for(client, make_eligible(ines, role(EXCHANGE_ADMINISTRATOR)), **typed)
    assert response.status_code == 422
    assert errors_in(response.content.decode())


@pytest.mark.parametrize("value", ["", "1", "\0", "../..", "x" * 500, "00000000-0000-0000-0000-00000000000g"])
def test_what_is_no_id_is_not_found(client, value):
    assert client.get(ACTIVATE, {"eligibility": value}).status_code == 404
    assert client.post(ACTIVATE, {"eligibility": value}).status_code == 404


def test_thousands_of_ids_are_too_many(client):
    many = [str(uuid.uuid4()) for _ in range(10_000)]
    assert client.get(ACTIVATE, {"eligibility": many}).status_code == 400
    assert client.post(ACTIVATE, {"eligibility": many}).status_code == 400
    assert client.post(ACTIVATE, {"eligibility": many[:30]}).url == MY_ROLES


def test_nothing_chosen_leads_back_with_a_sentence(client):
    response = client.get(ACTIVATE, follow=True)
    assert "Choose one role" in response.content.decode()


def test_a_double_click_leads_to_the_request_with_its_sentence(client, ines, with_approval):
    first = ask_for(client, with_approval)
    second = client.post(ACTIVATE, {"eligibility": with_approval.pk, "duration": "1", "reason": "needed"}, follow=True)
    assert second.redirect_chain[0][0] == first.url
    assert "already waiting for approval" in second.content.decode()
    assert Request.objects.count() == 1


def test_the_role_can_be_taken_for_less_than_the_whole(client, ines):
    lyon = unit("Lyon")
    eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    assert "Lyon (Administrative unit)" in panel_of(client, eligible)
    ask_for(client, eligible, resource=lyon.pk)
    assert Assignment.objects.get(activated_from=eligible).resource_id == lyon.pk


def test_a_double_click_on_less_than_the_whole_leads_to_the_request_also_where_it_repeats_a_code(ines, petra):
    lyon = unit("Lyon")
    eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    client = visiting(ines)
    first, second = (ask_for(client, eligible, resource=lyon.pk, **code_of(ines)) for _click in range(2))
    assert (first.status_code, second.status_code, second.url) == (302, 302, first.url)


def test_that_more_places_are_found_than_listed_is_said_also_once_one_is_chosen(client, ines):
    nodes = [unit(f"North {number:03}") for number in range(52)]
    eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    for chosen in ("", str(nodes[0].pk)):
        page = client.post(ACTIVATE, {"eligibility": eligible.pk, "find": "", "scope": "north", "resource": chosen})
        assert "The first 50 are listed." in page.content.decode()


def test_a_forged_scope_is_refused_beside_its_field(client, ines):
    nodes = tree("Contoso", "prod-weu", "rg-ledger")
    eligible = make_eligible(ines, role(ids.OWNER), nodes[1])
    for place in (nodes[0].pk, uuid.uuid4()):
        response = ask_for(client, eligible, resource=place)
        assert response.status_code == 422
        assert any("at or below" in one for one in errors_in(response.content.decode()))


# The second factor


def test_a_code_is_asked_for_where_none_is_fresh(ines, eligibility):
    client = visiting(ines)
    assert "id_code" in panel_of(client, eligibility)
    assert ask_for(client, eligibility, **code_of(ines)).status_code == 302
    assert held(ines) == {EXCHANGE_ADMINISTRATOR}


def test_a_missing_or_wrong_code_is_told_with_the_rest(ines, eligibility):
    client = visiting(ines)
    told = errors_in(ask_for(client, eligibility, reason="").content.decode())
    assert "Enter a current code from your second factor." in told
    assert "Say why you need this role." in told
    wrong = {**code_of(ines), "code": "000000"}
    told = errors_in(ask_for(client, eligibility, reason="", **wrong).content.decode())
    assert any(one.startswith("That code is wrong") for one in told)
    assert "Say why you need this role." in told
    assert held(ines) == set()


def test_a_code_that_was_accepted_is_not_asked_for_again(ines, eligibility):
    client = visiting(ines)
    refused = ask_for(client, eligibility, reason="", **code_of(ines))
    assert refused.status_code == 422
    assert "id_code" not in refused.content.decode()
    assert ask_for(client, eligibility).status_code == 302


def test_a_role_may_demand_a_code_of_its_own(client, ines, eligibility):
    configure(eligibility.role, second_factor=SecondFactor.EVERY_TIME)
    assert "id_code" in panel_of(client, eligibility)
    assert ask_for(client, eligibility).status_code == 422
    assert ask_for(client, eligibility, **code_of(ines)).status_code == 302


def test_a_role_without_second_factor_asks_for_none(ines, eligibility):
    configure(eligibility.role, second_factor=SecondFactor.NONE)
    client = visiting(ines)
    assert "Second factor: not asked for" in panel_of(client, eligibility)
    assert ask_for(client, eligibility).status_code == 302


# Several in one go


@pytest.fixture
def three(ines: User, with_approval: Assignment) -> list[Assignment]:
    reader = make_eligible(ines, role(ids.SECURITY_READER))
    configure(reader.role, max_activation=HOUR)
    return [with_approval, reader, make_eligible(ines, role(ids.USER_ADMINISTRATOR))]


def test_several_are_asked_for_with_one_reason_and_each_result_is_told(client, ines, three):
    page = panel_of(client, *three)
    assert "Activate 3 roles" in page
    assert "Activate or ask for approval" in page
    response = ask_for(client, *three, duration="4")
    html = client.get(response.url).content.decode()
    assert "Waiting for approval" in html
    assert html.count("Active") >= 2
    assert held(ines) == {ids.SECURITY_READER, ids.USER_ADMINISTRATOR}
    ends = dict(Assignment.objects.filter(activated_from__in=three).values_list("role_id", "ends_at"))
    assert ends == {ids.SECURITY_READER: NOW + HOUR, ids.USER_ADMINISTRATOR: NOW + 4 * HOUR}


def test_what_the_shared_form_lacks_is_said_before_anything_is_granted(client, ines, three):
    response = ask_for(client, *three, reason="")
    assert response.status_code == 422
    assert "Say why you need this role." in errors_in(response.content.decode())
    assert held(ines) == set()
    assert not Request.objects.filter(status=Status.PENDING).exists()


def test_what_is_active_already_is_left_out_and_the_rest_goes_on(client, ines, three):
    request_activation(ines, three[1])
    assert "Left out" in panel_of(client, *three)
    html = client.get(ask_for(client, *three).url).content.decode()
    assert "already active" in html
    assert ids.USER_ADMINISTRATOR in held(ines)


def test_results_can_be_loaded_again_and_repeat_nothing(client, ines, three):
    url = ask_for(client, *three).url
    before = rows_of_everything()
    assert client.get(url).content != b""
    assert rows_of_everything() == before
    assert visiting(ines).get(url)["Location"] == MY_ROLES


# Ending


def test_a_role_is_deactivated_after_a_confirmation(client, ines, eligibility):
    activation = request_activation(ines, eligibility).outcome
    path = reverse("approvals:deactivate", args=[activation.pk])
    assert "23 Nov 2026, 13:00" in html_of(client, path)
    assert held(ines) == {EXCHANGE_ADMINISTRATOR}
    response = client.post(path, {"reason": "done"}, follow=True)
    assert "is no longer active" in response.content.decode()
    assert held(ines) == set()


def test_deactivating_twice_tells_that_it_has_ended(client, ines, eligibility):
    path = reverse("approvals:deactivate", args=[request_activation(ines, eligibility).outcome.pk])
    client.post(path)
    assert "already ended" in client.post(path, follow=True).content.decode()
    assert Event.objects.filter(kind=Kind.ACTIVATION_DEACTIVATED, outcome=Outcome.DONE).count() == 1


def test_nobody_ends_somebody_elses_activation_or_an_assigned_role(client, ines, zoe, eligibility):
    activation = request_activation(ines, eligibility).outcome
    assigned = give(ines, role(ids.SECURITY_READER))
    tries = [(visiting(zoe), activation.pk), (client, assigned.pk), (client, uuid.uuid4())]
    for who, pk in tries:
        path = reverse("approvals:deactivate", args=[pk])
        assert who.get(path).status_code == 404
        assert who.post(path).status_code == 404
    assert ids.SECURITY_READER in held(ines)
    assert EXCHANGE_ADMINISTRATOR in held(ines)


# My requests


def test_my_requests_say_who_decides_and_are_cancelled(client, ines, with_approval):
    request = request_activation(ines, with_approval)
    html = html_of(client, "/tasks/requests/")
    assert "Adam or Berta" in html
    response = client.post(reverse("approvals:cancel", args=[request.pk]), follow=True)
    assert "was cancelled" in response.content.decode()
    request.refresh_from_db()
    assert request.status == Status.CANCELLED
    assert (
        "nothing to cancel" in client.post(reverse("approvals:cancel", args=[request.pk]), follow=True).content.decode()
    )


def test_a_request_reads_as_lapsed_from_its_moment_on(client, ines, with_approval):
    request_activation(ines, with_approval)
    with time_machine.travel(NOW + DAY, tick=False):
        client = verified(ines)
        assert "Lapsed" in html_of(client, "/tasks/requests/?status=lapsed")
        assert "Nothing matches" in html_of(client, "/tasks/requests/?status=pending")


def test_only_the_person_who_asked_can_cancel(ines, adam, zoe, with_approval):
    request = request_activation(ines, with_approval)
    for user in (adam, zoe):
        assert visiting(user).post(reverse("approvals:cancel", args=[request.pk])).status_code == 404
    assert visiting(ines).get(reverse("approvals:cancel", args=[request.pk])).status_code == 405


def test_the_number_of_queries_does_not_grow_with_the_requests(client, ines, adam, berta):
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            html_of(client, "/tasks/requests/?per_page=100")
        return len(caught)

    asked = 0

    def ask(count: int) -> None:
        nonlocal asked
        for one in Role.objects.filter(kind=RoleKind.DIRECTORY).order_by("pk")[asked : asked + count]:
            configure(one, approvers=[adam, berta])
            request_activation(ines, make_eligible(ines, one))
        asked += count

    ask(3)
    few = queries()
    ask(12)
    assert queries() == few


def test_asking_asks_little(client, ines, with_approval):
    with CaptureQueriesContext(connection) as caught:
        assert ask_for(client, with_approval).status_code == 302
    assert len(caught) <= 56
    # Where nothing pends, whether it still waits is no question.
    asked = [one["sql"] for one in caught.captured_queries]
    assert not [sql for sql in asked if 'FROM "approvals_request"' in sql and "held_e" in sql]


# What is typed


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("4", 240), ("0.5", 30), ("1,5", 90), ("1:30", 90), ("1 h 30 min", 90), ("90min", 90), ("2h", 120), (" 8 ", 480)],
)
def test_a_duration_is_typed_in_several_ways(text, minutes):
    assert DurationField(longest=8 * HOUR).clean(text) == timedelta(minutes=minutes)


def test_a_bare_number_counts_the_unit_of_the_field():
    assert DurationField(longest=30 * MINUTE).clean("20") == 20 * MINUTE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-10-25T02:30", "twice"),
        ("2027-03-28T02:30", "skips"),
        ("noon", "Write a date"),
        ("0001-01-01T00:00", "Write a date"),
        ("0001-01-01T00:00+23:59", "Write a date"),
        ("9999-12-31T23:59-23:59", "Write a date"),
    ],
)
def test_a_time_that_the_clock_shows_twice_or_never_is_asked_for_again(text, words):
    with timezone.override("Europe/Paris"), pytest.raises(ValidationError, match=words):
        LocalDateTimeField().clean(text)


def test_a_persons_first_visit_says_what_to_do_next(db):
    html = html_of(verified(person("nora")), MY_ROLES)
    assert "You are not eligible for any role." in html


def test_through_a_group_it_ends_with_the_membership(client, ines):
    blue = group("Blue team")
    give(ines, role(ids.GROUP_MEMBER), blue.resource, ends_at=NOW + 2 * HOUR, starts_at=NOW - DAY)
    eligible = make_eligible(blue, role(ids.SECURITY_READER))
    assert "in 2 h" in html_of(client, MY_ROLES)
    page = panel_of(client, eligible)
    assert "eligible until 23 Nov 2026, 14:00" in page
    assert 'name="duration" value="2"' in page


def test_what_lost_its_eligibility_is_not_shown_as_planned(client, ines, eligibility):
    request = request_activation(ines, eligibility, start=NOW + 2 * HOUR)
    Assignment.objects.filter(pk=eligibility.pk).update(ends_at=NOW - MINUTE)
    assert "no longer active" in html_of(client, reverse("approvals:request", args=[request.pk]))
