"""Approve requests: the list, the page of one request, deciding one or many."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.models import Decision, Request, Status
from approvals.selectors.approvers import approvers_of
from approvals.selectors.panels import panels_of
from approvals.selectors.showing import shown_digest
from approvals.services.closing import cancel
from approvals.services.decisions import approve, deny
from audit.kinds import Kind, Outcome
from audit.models import Event
from roles import ids
from roles.actors import Actor
from roles.models import Assignment, Purpose, Role, RoleKind, StepUp, User
from roles.services.assignments import deactivate
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    NOW,
    acting,
    at,
    configure,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)
from tests.stepping import body_without, code_of, errors_in, rows_of_everything, verified
from tests.visitors import visiting

APPROVALS = "/tasks/approvals/"
SELECTED = "/tasks/approvals/decide/"


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def pending(ines: User, with_approval: Assignment) -> Request:
    return request_activation(ines, with_approval, hours=4, reason="Restore the mailbox of the board")


def html_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def page_of(request: Request) -> str:
    return reverse("approvals:request", args=[request.pk])


def decide(client: Client, request: Request, verdict: str = "approve", **typed: Any):
    fields = {
        "verdict": verdict,
        "justification": "fine",
        "seen": shown_digest(Request.objects.get(pk=request.pk)),
        **typed,
    }
    return client.post(reverse("approvals:decide", args=[request.pk]), fields)


def decide_all(client: Client, *requests: Request, verdict: str = "approve", **typed: Any):
    items = {"request": [one.pk for one in requests], "seen": [f"{one.pk}:{shown_digest(one)}" for one in requests]}
    return client.post(SELECTED, {**items, "verdict": verdict, "justification": "fine", **typed})


def status_of(request: Request) -> str:
    request.refresh_from_db()
    return request.status


# Who sees a request


@pytest.fixture
def olga(db):
    """An Owner at the resource root: of the directory she sees nothing."""
    user = person("olga")
    give(user, role(ids.OWNER), tree("Root")[0])
    return user


def test_an_approver_sees_who_asks_for_what_where_how_long_and_why(ines, adam, berta, with_approval):
    User.objects.filter(pk=ines.pk).update(department="Platform", manager=berta)
    earlier = request_activation(ines, make_eligible(ines, role(ids.SECURITY_READER)), now=NOW - DAY, hours=3)
    request_activation(ines, earlier.assignment, hours=2)
    request = request_activation(ines, with_approval, hours=4, reason="Restore the mailbox")
    html = html_of(visiting(adam), page_of(request))
    for words in ("Ines asks for Exchange Administrator", "Restore the mailbox", "for 4 h", "Platform", "Berta"):
        assert words in html
    assert "Security Reader" in html
    assert "Waiting for you or Berta" in html
    assert "did not activate this role" in html


def test_recent_activations_of_the_role_are_shown(ines, adam, berta, eligibility):
    request_activation(ines, eligibility, now=NOW - 3 * DAY, hours=3)
    configure(eligibility.role, approvers=[adam, berta])
    html = html_of(visiting(adam), page_of(request_activation(ines, eligibility)))
    assert "activated this role once in 30 days: 3 h" in html


def test_an_activation_that_was_called_off_before_its_start_is_not_among_them(ines, adam, eligibility):
    planned = request_activation(ines, eligibility, now=NOW - 3 * DAY, start=NOW - 2 * DAY)
    deactivate(planned.outcome_id, actor=Actor(ines), clock=at(NOW - 3 * DAY))
    configure(eligibility.role, approvers=[adam])
    html = html_of(visiting(adam), page_of(request_activation(ines, eligibility)))
    assert "did not activate this role in the last 30 days" in html


def test_an_approver_sees_nothing_of_the_other_world(ines, adam, pending):
    _root, subscription = tree("Contoso", "Secret subscription")
    give(ines, role(ids.READER), subscription, ends_at=NOW + DAY)
    assert "Secret subscription" not in html_of(visiting(adam), page_of(pending))


def test_everybody_else_gets_what_a_random_id_gets(pending, zoe, olga):
    random = uuid.uuid4()
    for user in (zoe, olga):
        client = visiting(user)
        answers = []
        for pk in (pending.pk, random):
            paths = [reverse(f"approvals:{name}", args=[pk]) for name in ("request", "decide", "cancel")]
            response = client.get(paths[0])
            assert response.status_code == 404
            answers.append(body_without(response.content.decode(), str(pk)))
            assert [client.post(path).status_code for path in paths[1:]] == [404, 404]
            assert client.get(SELECTED, {"request": pk}).status_code == 404
            assert client.post(SELECTED, {"request": pk}).status_code == 404
        assert answers[0] == answers[1]
        assert "sign in as" in answers[0].lower()


def test_who_may_look_there_sees_it_and_decides_nothing(pending, petra, nina):
    for user in (petra, nina):
        client = visiting(user)
        html = html_of(client, page_of(pending))
        assert "Approve</button>" not in html
        assert ("Cancel request" in html) == (user == petra)
        client.post(reverse("approvals:decide", args=[pending.pk]), {"verdict": "approve", "justification": "x"})
    assert Request.objects.get(pk=pending.pk).status == Status.PENDING


def test_somebody_who_is_not_signed_in_comes_back_after_signing_in(client, pending):
    response = client.get(page_of(pending))
    assert response.status_code == 302
    assert page_of(pending) in response.url.replace("%2F", "/")


def test_opening_it_changes_nothing(pending, adam):
    client = visiting(adam)
    before = rows_of_everything()
    for path in (page_of(pending), APPROVALS, f"{APPROVALS}?tab=decided", f"{SELECTED}?request={pending.pk}"):
        html_of(client, path)
    opened = client.get(reverse("approvals:decide", args=[pending.pk]))
    assert (opened.status_code, opened["Allow"]) == (405, "POST")
    assert "There is nothing to look at here" in opened.content.decode()
    assert rows_of_everything() == before


@pytest.mark.parametrize(("viewer", "entry"), [("ines", "my_requests"), ("adam", "approvals")])
def test_the_menu_marks_where_the_viewer_would_look_for_it(request, viewer, entry, pending):
    page = visiting(request.getfixturevalue(viewer)).get(reverse("approvals:request", args=[pending.pk]))
    marked = [item.url for section in page.context["shell"].navigation for item in section.items if item.current]
    assert marked == [reverse(f"approvals:{entry}")]


def test_the_requestor_sees_no_decision_form(ines, pending):
    html = html_of(visiting(ines), page_of(pending))
    assert "Your decision" not in html
    assert "Cancel request" in html


def test_a_request_that_needed_nobody_has_its_page(ines, eligibility):
    request = request_activation(ines, eligibility)
    assert "Deactivate" in html_of(visiting(ines), page_of(request))
    assert decide(verified(ines), request).status_code == 302


# Deciding one


def test_approving_grants_it_and_the_page_shows_the_outcome(ines, adam, pending):
    client = verified(adam)
    html = client.post(
        reverse("approvals:decide", args=[pending.pk]),
        {"verdict": "approve", "justification": "go on", "seen": shown_digest(pending), "duration": "4"},
        follow=True,
    ).content.decode()
    assert "You approved this request." in html
    assert "4 h left" in html
    assert "go on" in html
    assert EXCHANGE_ADMINISTRATOR in Assignment.objects.held_by(ines.pk, NOW).values_list("role_id", flat=True)
    assert "go on" in html_of(visiting(ines), page_of(pending))


def test_an_approver_may_shorten_and_not_widen(adam, berta, pending):
    client = verified(adam)
    response = decide(client, pending, duration="5")
    assert response.status_code == 422
    assert any("You can shorten what was asked" in one for one in errors_in(response.content.decode()))
    assert decide(client, pending, duration="1:30").status_code == 302
    pending.refresh_from_db()
    assert pending.outcome is not None
    assert pending.outcome.ends_at == NOW + timedelta(minutes=90)


@pytest.mark.parametrize("verdict", ["approve", "deny"])
def test_either_verdict_needs_a_justification_and_keeps_what_was_typed(adam, pending, verdict):
    response = decide(verified(adam), pending, verdict, justification="​", duration="2")
    html = response.content.decode()
    assert response.status_code == 422
    assert "Say why you decide so." in errors_in(html)
    assert 'name="duration" value="2"' in html
    assert status_of(pending) == Status.PENDING


def test_denying_ends_it_and_tells_why(ines, adam, pending):
    decide(verified(adam), pending, "deny", justification="not tonight")
    assert status_of(pending) == Status.DENIED
    html = html_of(visiting(ines), page_of(pending))
    assert "It was denied." in html
    assert "not tonight" in html


@pytest.mark.parametrize(
    "typed", [{"verdict": ""}, {"verdict": "maybe"}, {"seen": "0" * 64}, {"duration": "1e309"}, {"justification": "\0"}]
)
def test_forged_decisions_are_refused_with_a_sentence(adam, pending, typed):
    response = decide(verified(adam), pending, **typed)
    assert response.status_code == 422
    assert errors_in(response.content.decode())
    assert status_of(pending) == Status.PENDING


def test_a_code_is_asked_for_where_none_is_fresh(adam, pending):
    client = visiting(adam)
    assert decide(client, pending).status_code == 422
    assert decide(client, pending, **{**code_of(adam), "code": "000000"}).status_code == 422
    assert status_of(pending) == Status.PENDING


def test_a_typed_code_serves_the_decision(adam, pending):
    assert decide(visiting(adam), pending, **code_of(adam)).status_code == 302
    assert status_of(pending) == Status.GRANTED


def test_whoever_comes_second_is_told_how_it_ended(adam, berta, pending):
    client = verified(berta)
    decide(verified(adam), pending)
    html = client.post(
        reverse("approvals:decide", args=[pending.pk]),
        {"verdict": "deny", "justification": "no", "seen": shown_digest(pending)},
        follow=True,
    ).content.decode()
    assert "This request was already approved." in html
    assert Decision.objects.filter(request=pending).count() == 1
    assert StepUp.objects.get(user=berta).used_at is None


def test_deciding_ones_own_request_is_refused_and_in_the_history(ines, pending):
    response = verified(ines).post(
        reverse("approvals:decide", args=[pending.pk]),
        {"verdict": "approve", "justification": "mine", "seen": shown_digest(pending)},
        follow=True,
    )
    assert "You cannot decide your own request." in response.content.decode()
    event = Event.objects.get(kind=Kind.REQUEST_APPROVED, outcome=Outcome.REFUSED)
    assert "own_request" in event.details["refused"]
    assert status_of(pending) == Status.PENDING


def test_an_approver_who_is_one_no_more_is_told_so(adam, berta, pending):
    configure(pending.role, approvers=[berta])
    html = html_of(visiting(adam), page_of(pending))
    assert "You are not an approver of this request now." in html
    assert "Your decision" not in html


@pytest.mark.parametrize("end", ["cancelled", "lapsed", "denied"])
def test_after_its_end_the_page_shows_the_outcome_only(ines, adam, berta, pending, end):
    moment = NOW
    if end == "cancelled":
        cancel(pending.pk, actor=Actor(user=ines), clock=at(NOW))
    elif end == "denied":
        actor = acting(berta, Purpose.DECIDE, pending.pk)
        deny(pending.pk, actor=actor, justification="no", seen=shown_digest(pending), clock=at(NOW))
    else:
        moment = pending.lapses_at
    with time_machine.travel(moment, tick=False):
        html = html_of(visiting(adam), page_of(pending))
    assert end.capitalize() in html
    assert "Your decision" not in html


def test_the_first_of_two_approvals_waits_for_the_second(adam, berta, ines, with_approval):
    configure(with_approval.role, approvers=[adam, berta], quorum=2)
    request = request_activation(ines, with_approval)
    client = verified(adam)
    decide(client, request)
    html = html_of(client, page_of(request))
    assert status_of(request) == Status.PENDING
    assert "You have already decided this request; others must agree, too." in html
    assert "1 of 2 approved" in html_of(visiting(berta), APPROVALS)
    decide(verified(berta), request)
    assert status_of(request) == Status.GRANTED


# What changed since the page was opened


def carried_by(html: str) -> dict[str, str]:
    """The digest and the lines that the form on a page carries."""
    return {name: re.findall(rf'name="{name}" value="([^"]*)"', html)[0] for name in ("seen", "shown")}


def test_a_decision_on_an_old_page_is_refused_and_shows_what_changed(adam, berta, pending):
    client = verified(adam)
    opened = carried_by(html_of(client, page_of(pending)))
    configure(pending.role, approvers=[adam, berta], max_activation=timedelta(hours=5))
    answer = decide(client, pending, **opened)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "changed since you opened the page" in html
    changes = re.findall(r'<ul class="changes.*?</ul>', html, re.DOTALL)[0]
    assert "Settings: Maximum duration" in changes
    assert "<del>8 h</del>" in changes
    assert "<ins>5 h</ins>" in changes
    assert "Reason" not in changes
    assert status_of(pending) == Status.PENDING
    # The page shows it as it is now: whoever looked again may decide.
    decide(client, pending, **carried_by(html))
    assert status_of(pending) == Status.GRANTED


def test_what_the_portal_did_not_sign_is_not_shown_as_changed(adam, pending):
    answer = decide(verified(adam), pending, seen="0" * 64, shown="e30:forged")
    assert answer.status_code == 422
    assert '<ul class="changes' not in answer.content.decode()


def test_of_several_only_what_changed_is_refused_and_says_what(adam, berta, several):
    client = verified(adam)
    html = html_of(client, f"{SELECTED}?verdict=approve&" + "&".join(f"request={one.pk}" for one in several))
    carried = {name: re.findall(rf'name="{name}" value="([^"]*)"', html) for name in ("seen", "shown")}
    configure(several[0].role, approvers=[adam, berta], max_activation=timedelta(hours=5))
    told = client.get(decide_all(client, *several, **carried).url).content.decode()
    assert "Settings: Maximum duration: 5 h (was 8 h)." in told
    assert [status_of(one) for one in several] == [Status.PENDING, Status.GRANTED, Status.GRANTED]


# The lists


def test_the_waiting_list_shows_what_one_can_decide(ines, adam, zoe, pending):
    html = html_of(visiting(adam), APPROVALS)
    assert "Restore the mailbox of the board" in html
    assert "1–1 of 1" in html
    assert "No request waits for you." in html_of(visiting(zoe), APPROVALS)
    assert "No request waits for you." in html_of(visiting(ines), APPROVALS)


def test_the_decided_list_says_who_decided_and_how(adam, berta, pending):
    approve(
        pending.pk,
        actor=acting(adam, Purpose.DECIDE, pending.pk),
        justification="go on",
        seen=shown_digest(pending),
        clock=at(NOW),
    )
    html = html_of(visiting(berta), f"{APPROVALS}?tab=decided")
    assert "Adam: go on" in html
    assert "Granted" in html


def test_the_waiting_list_is_searched_by_person(adam, pending):
    client = visiting(adam)
    assert "Restore the mailbox" in html_of(client, f"{APPROVALS}?q=INES")
    assert "Nothing matches" in html_of(client, f"{APPROVALS}?q=nobody")


def _ask_many(adam: User, berta: User, asker: User, start: int, count: int) -> list[Request]:
    made = []
    for one in Role.objects.filter(kind=RoleKind.DIRECTORY).order_by("pk")[start : start + count]:
        configure(one, approvers=[adam, berta])
        made.append(request_activation(asker, make_eligible(asker, one)))
    return made


@pytest.mark.parametrize("tab", ["waiting", "decided"])
def test_the_number_of_queries_does_not_grow_with_the_requests(adam, berta, ines, tab):
    client = visiting(adam)

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            html_of(client, f"{APPROVALS}?tab={tab}&per_page=100")
        return len(caught)

    def ask(start: int, count: int) -> None:
        for one in _ask_many(adam, berta, ines, start, count):
            if tab == "decided":
                actor = acting(berta, Purpose.DECIDE, one.pk)
                deny(one.pk, actor=actor, justification="no", seen=shown_digest(one), clock=at(NOW))

    ask(0, 3)
    few = queries()
    ask(3, 12)
    assert queries() == few
    assert few <= 27  # the list, its tabs and the menu ask together what waits


def test_what_somebody_decided_is_looked_up_by_its_keys(adam, berta, pending):
    """Asked within one question, PostgreSQL would read every request there is to find them."""
    client = verified(adam)
    decide(client, pending)
    with CaptureQueriesContext(connection) as caught:
        assert "Granted" in html_of(client, f"{APPROVALS}?tab=decided")
    within = [one["sql"] for one in caught.captured_queries if " UNION " in one["sql"]]
    assert not [sql for sql in within if 'FROM "approvals_request" ' in sql]


@pytest.mark.parametrize(("verdict", "most"), [("approve", 72), ("deny", 55)])
def test_deciding_asks_nothing_twice(adam, berta, pending, verdict, most):
    client, url = verified(adam), reverse("approvals:decide", args=[pending.pk])
    said = {"verdict": verdict, "justification": "fine", "seen": shown_digest(pending)}
    with CaptureQueriesContext(connection) as caught:
        assert client.post(url, said).status_code == 302
    assert Request.objects.get(pk=pending.pk).status != Status.PENDING
    asked = [one["sql"] for one in caught.captured_queries]
    assert len(asked) <= most
    # Whether the request waits is asked once, under the lock.
    assert sum('"approvals_request"."lapses_at" > ' in sql for sql in asked) == 1


# Adam's menu counts what waits for him, which reads the settings of all of it in one go.
# Petra hears when the portal is unwell, for which PostgreSQL is asked for its time.
@pytest.mark.parametrize(("viewer", "read", "most"), [("ines", 1, 35), ("adam", 2, 46), ("petra", 1, 42)])
def test_the_page_of_a_request_reads_its_settings_once(viewer, read, most, ines, adam, petra, with_approval):
    configure(with_approval.role, approvers=[adam, person("carla")], quorum=2, break_glass_allowed=True)
    pending = request_activation(ines, with_approval)
    client = visiting(User.objects.get(username=viewer))
    with CaptureQueriesContext(connection) as caught:
        html_of(client, page_of(pending))
    assert sum('FROM "roles_rolesettings"' in one["sql"] for one in caught.captured_queries) == read
    assert len(caught) <= most


def test_a_list_says_of_each_request_what_its_page_says(ines, adam, berta, petra, paul, zoe):
    crew = group("Crew", adam, zoe)
    roles = [EXCHANGE_ADMINISTRATOR, ids.SECURITY_READER, ids.USER_ADMINISTRATOR, ids.GLOBAL_READER]
    named: list[Any] = [[adam, berta], [crew], [], [[adam], [berta, crew]]]
    requests = []
    for pk, approvers in zip(roles, named, strict=True):
        configure(role(pk), approvers=approvers)
        requests.append(request_activation(ines, make_eligible(ines, role(pk))))
    approve(
        requests[3].pk,
        actor=acting(adam, Purpose.DECIDE, requests[3].pk),
        justification="one",
        seen=shown_digest(requests[3]),
        clock=at(NOW),
    )
    configure(role(roles[0]), approvers=[berta, zoe], quorum=2)
    User.objects.filter(pk=zoe.pk).update(enabled=False)
    rows = list(Request.objects.shown())
    panels = panels_of(rows, NOW)
    assert len(rows) == 4
    for row in rows:
        assert panels[row.pk].panel == approvers_of(row, NOW)


@pytest.mark.parametrize("today", ["the same", "others", "administrators", "nobody"])
@pytest.mark.parametrize("then", ["named", "administrators"])
def test_a_list_knows_what_the_settings_say_since(ines, adam, berta, petra, zoe, then, today):
    security = role(ids.SECURITY_READER)
    asked: list[User] = [adam, berta] if then == "named" else []
    configure(security, approvers=asked)
    waiting = request_activation(ines, make_eligible(ines, security))
    if today == "nobody":
        # Its stages stay written, and name somebody else.
        configure(security, approvers=[zoe])
        configure(security, approval_required=False)
    elif today != "the same":
        configure(security, approvers={"others": [berta, zoe], "administrators": []}[today])
    panel = panels_of(list(Request.objects.shown()), NOW)[waiting.pk].panel
    assert panel == approvers_of(waiting, NOW)
    were_asked = {user.pk for user in asked or [petra]}
    agree = {"the same": were_asked, "nobody": were_asked, "others": {berta.pk, zoe.pk}, "administrators": {petra.pk}}
    assert {user.pk for user in panel.people} == were_asked & agree[today]


# Deciding several


@pytest.fixture
def several(ines: User, adam: User, berta: User, pending: Request) -> list[Request]:
    nora = person("nora")
    configure(role(ids.SECURITY_READER), approvers=[adam, berta])
    others = [make_eligible(one, role(ids.SECURITY_READER)) for one in (ines, nora)]
    return [
        pending,
        request_activation(ines, others[0]),
        request_activation(nora, others[1]),
    ]


@pytest.mark.parametrize(("verdict", "status"), [("approve", Status.GRANTED), ("deny", Status.DENIED)])
def test_several_are_decided_with_one_justification_and_one_code(adam, several, verdict, status):
    client = visiting(adam)
    html = html_of(client, f"{SELECTED}?verdict={verdict}&" + "&".join(f"request={one.pk}" for one in several))
    assert f"{verdict.capitalize()} 3 requests" in html
    response = decide_all(client, *several, verdict=verdict, justification="all fine", **code_of(adam))
    assert response.status_code == 302
    assert [status_of(one) for one in several] == [status] * 3
    assert set(Decision.objects.values_list("justification", flat=True)) == {"all fine"}
    assert StepUp.objects.filter(user=adam, purpose=Purpose.DECIDE).count() == 1
    assert html_of(client, response.url).count("data-status=") >= 3


def test_each_of_several_has_its_own_result(adam, berta, several):
    client = verified(adam)
    decide(verified(berta), several[1], "deny")
    html = client.get(decide_all(client, *several).url).content.decode()
    assert "This request was already denied." in html
    assert [status_of(one) for one in several] == [Status.GRANTED, Status.DENIED, Status.GRANTED]


def test_a_missing_justification_decides_none(adam, several):
    response = decide_all(verified(adam), *several, justification=" ")
    assert response.status_code == 422
    assert "Say why you decide so." in errors_in(response.content.decode())
    assert {status_of(one) for one in several} == {Status.PENDING}


def test_what_the_page_did_not_show_is_not_decided(adam, several):
    client = verified(adam)
    response = decide_all(client, *several, seen=[])
    assert "changed since you opened the page" in client.get(response.url).content.decode()
    assert {status_of(one) for one in several} == {Status.PENDING}


def test_ones_own_among_several_is_refused_alone(adam, berta, several):
    configure(role(ids.GLOBAL_READER), approvers=[berta])
    own = request_activation(adam, make_eligible(adam, role(ids.GLOBAL_READER)))
    client = verified(adam)
    html = client.get(decide_all(client, several[0], own).url).content.decode()
    assert "You cannot decide your own request." in html
    assert (status_of(several[0]), status_of(own)) == (Status.GRANTED, Status.PENDING)


@pytest.mark.parametrize("value", ["", "1", "\0", "x" * 500])
def test_what_is_no_id_is_not_found(adam, value):
    client = verified(adam)
    assert client.get(SELECTED, {"request": value}).status_code == 404
    assert client.post(SELECTED, {"request": value}).status_code == 404


def test_too_many_or_none_lead_back_with_a_sentence(adam):
    client = verified(adam)
    many = [str(uuid.uuid4()) for _ in range(51)]
    for chosen in ([], many):
        assert "Choose one request" in client.get(SELECTED, {"request": chosen}, follow=True).content.decode()
    assert client.post(SELECTED, {"request": many * 200}).status_code == 400


def asked_for(client: Client, path: str, table: str) -> list[str]:
    """Return the queries by which a page reads whole rows of this table."""
    with CaptureQueriesContext(connection) as asked:
        html_of(client, path)
    return [one["sql"] for one in asked.captured_queries if one["sql"].startswith(f'SELECT "{table}"."id", ')]


def test_what_waits_is_fetched_once_for_the_list_its_tabs_and_the_menu(adam: User, pending: Request):
    client = verified(adam)
    assert len(asked_for(client, APPROVALS, "approvals_request")) == 1
    # Narrowed and sorted it is the same rows.
    assert pending.principal.name in html_of(client, f"{APPROVALS}?q={pending.role.name[:4]}&sort=-role")
    assert "nothing like it" in html_of(client, f"{APPROVALS}?q=nothing+like+it")
    assert f"/{pending.pk}/" not in html_of(client, f"{APPROVALS}?q=nothing+like+it")


def test_a_history_does_not_ask_who_decides_what_it_does_not_say(petra: User, ines: User, pending: Request):
    history = "/manage/directory/requests/"
    assert pending.principal.name in html_of(verified(petra), history)
    assert asked_for(verified(petra), history, "approvals_requeststage") == []
    assert asked_for(verified(ines), "/tasks/requests/", "approvals_requeststage") != []
