"""Many at once over real HTTP: gunicorn as in production, plain clients, and afterwards the rows by plain SQL.

Staged races (`tests/test_races.py` and its like) prove each lock; here everything runs as it will run.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from approvals.models import Request
from pim_portal.environment import BASE_DIR
from roles.models import Assignment
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    configure,
    make_eligible,
    person,
    request_activation,
    role,
)
from tests.served import Answer, Fields, Served, Visitor, all_at_once, filled, production, served
from tests.test_outbox import postbox

__all__ = ["postbox"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One portal for all of these tests; each of them leaves the database empty behind."""
    with django_db_blocker.unblock(), served(tmp_path_factory.mktemp("served")) as portal:
        yield portal


@pytest.fixture
def portal(server: Served, transactional_db: None) -> Iterator[Served]:
    before = len(server.complaints())
    yield server
    assert server.complaints()[before:] == []


BUSY = "Somebody else is changing this at the moment."

# Who takes part


def eligible_of(name: str, *, approvers: Sequence[Any] | None = None, quorum: int = 1) -> Assignment:
    """Somebody who may activate Exchange Administrator, which these people approve."""
    eligibility = make_eligible(person(name), role(EXCHANGE_ADMINISTRATOR), now=timezone.now())
    if approvers is not None:
        configure(eligibility.role, approvers=approvers, quorum=quorum)
    return eligibility


def asked_by(eligibility: Assignment) -> Request:
    return request_activation(eligibility.principal.user, eligibility, now=timezone.now())


def people_at(portal: Served, users: Sequence[Any]) -> list[Visitor]:
    visitors = [Visitor(portal, user) for user in users]
    for visitor in visitors:
        visitor.give_factor()
    return visitors


def decision_form(visitor: Visitor, request: Request) -> Fields:
    page = visitor.get(f"/tasks/approvals/{request.pk}/")
    assert page.statuses == (200,), page.words
    return page.form(f"/tasks/approvals/{request.pk}/decide/")


def send_decision(visitor: Visitor, request: Request, form: Fields, verdict: str = "approve") -> Answer:
    said = filled(form, justification=f"{visitor.user.name} says so", verdict=verdict)
    return visitor.post(f"/tasks/approvals/{request.pk}/decide/", said)


def server_was_busy(portal: Served) -> int:
    return portal.log.read_text().count("was not done, since others held")


def nothing_broke(answers: Sequence[Answer]) -> None:
    statuses = Counter(answer.statuses for answer in answers)
    assert all(status in (200, 302, 422) for each in statuses for status in each), statuses


# What the rows say, by plain SQL


def rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def scalar(sql: str) -> Any:
    ((value,),) = rows(sql)
    return value


def done(kind: str) -> int:
    return int(scalar(f"SELECT count(*) FROM audit_event WHERE kind = '{kind}' AND outcome = 'done'"))  # noqa: S608


def the_rows_agree() -> None:
    """Each request has at most one outcome and one set of events, each change tells each person once."""
    mails = "FROM pim_portal_notification WHERE recipient_id IS NOT NULL GROUP BY 1, 2, 3, 4 HAVING count(*) > 1"
    assert rows(f"SELECT event_id, due_id, mail, recipient_id {mails}") == []
    per_request = "FROM audit_event WHERE outcome = 'done' AND request_id IS NOT NULL AND kind"
    ends = "('activation.started', 'request.denied', 'request.cancelled', 'request.lapsed', 'request.failed')"
    assert rows(f"SELECT request_id, count(*) {per_request} IN {ends} GROUP BY 1 HAVING count(*) > 1") == []
    assert rows(f"SELECT request_id, count(*) {per_request} = 'request.made' GROUP BY 1 HAVING count(*) > 1") == []
    granted = scalar("SELECT count(*) FROM approvals_request WHERE status = 'granted'")
    outcomes = scalar("SELECT count(*) FROM approvals_request WHERE outcome_id IS NOT NULL")
    activations = scalar("SELECT count(*) FROM roles_assignment WHERE activated_from_id IS NOT NULL")
    assert granted == outcomes == activations == done("activation.started")
    twice = "SELECT request_id, approver_id FROM approvals_decision GROUP BY 1, 2 HAVING count(*) > 1"
    assert rows(twice) == []
    decisions = scalar("SELECT count(*) FROM approvals_decision")
    assert decisions == done("request.approved") + done("request.denied")
    # Somebody hears once how their request ended, whatever was tried.
    results = "FROM pim_portal_notification n JOIN audit_event e ON e.id = n.event_id WHERE n.mail = 'request_result'"
    assert rows(f"SELECT e.request_id, n.recipient_id {results} GROUP BY 1, 2 HAVING count(*) > 1") == []
    # A step-up is spent on one form.
    spent = "SELECT spent_on FROM roles_stepup WHERE used_at IS NOT NULL"
    assert all(digest for (digest,) in rows(spent))


def statuses() -> list[str]:
    return sorted(status for (status,) in rows("SELECT status FROM approvals_request"))


# The tests


def test_of_thirty_approvals_at_once_one_grants_and_the_others_are_told(portal):
    approvers = [person(f"approver{number:02}") for number in range(30)]
    request = asked_by(eligible_of("ines", approvers=approvers))
    visitors = people_at(portal, approvers)
    forms = all_at_once(partial(decision_form, visitor, request) for visitor in visitors)

    answers = all_at_once(partial(send_decision, *each) for each in zip(visitors, [request] * 30, forms, strict=True))

    nothing_broke(answers)
    won = [answer for answer in answers if "You approved this request." in answer.words]
    late = [answer for answer in answers if "This request was already approved." in answer.words]
    assert (len(won), len(late)) == (1, 29)
    assert all(answer.statuses == (302, 200) for answer in answers)
    assert statuses() == ["granted"]
    assert done("request.approved") == done("activation.started") == 1
    # But for those who waited too long for the others: nothing was tried for them.
    refused = scalar("SELECT count(*) FROM audit_event WHERE kind = 'request.approved' AND outcome = 'refused'")
    assert refused + server_was_busy(portal) == 29
    assert scalar("SELECT count(*) FROM roles_stepup WHERE used_at IS NOT NULL AND purpose = 'sign_in'") == 1
    asked = "SELECT count(*) FROM pim_portal_notification WHERE mail = 'request_waits'"
    assert scalar(asked) == 30
    the_rows_agree()


def test_approvals_denials_and_cancelling_at_once_leave_one_end(portal):
    approvers = [person(f"approver{number:02}") for number in range(10)]
    eligibilities = [eligible_of(f"asker{number}", approvers=approvers) for number in range(4)]
    requests = [asked_by(one) for one in eligibilities]
    acts = []
    for request in requests:
        requestor, *deciders = people_at(portal, [request.requestor.user, *approvers])
        cancel = f"/tasks/requests/{request.pk}/cancel/"
        form = requestor.get(f"/tasks/approvals/{request.pk}/").form(cancel)
        acts.append(partial(requestor.post, cancel, form))
        for number, visitor in enumerate(deciders):
            verdict = "deny" if number % 2 else "approve"
            acts.append(partial(send_decision, visitor, request, decision_form(visitor, request), verdict))

    answers = all_at_once(acts)

    nothing_broke(answers)
    ended = statuses()
    assert set(ended) <= {"granted", "denied", "cancelled"}
    counted = {"granted": "activation.started", "denied": "request.denied", "cancelled": "request.cancelled"}
    assert {status: done(kind) for status, kind in counted.items()} == {one: ended.count(one) for one in counted}
    # One who wins for each request; everybody else is told how it ended.
    told = (
        "This request was already approved.",
        "This request was already denied.",
        "This request was cancelled.",
        "This request no longer waits; there is nothing to cancel.",
        BUSY,
    )
    won = [answer for answer in answers if not any(sentence in answer.words for sentence in told)]
    assert len(won) == len(requests)
    the_rows_agree()


@pytest.mark.parametrize("waits", [False, True], ids=["active at once", "waits for approval"])
def test_asking_twenty_times_at_once_asks_once(portal, waits):
    eligibility = eligible_of("ines", approvers=[person("adam")] if waits else None)
    ines = Visitor(portal, eligibility.principal.user)
    # As many second factors as windows: nothing but the rules of asking keeps it to one.
    for _each in range(20):
        ines.give_factor()
    windows = [ines.another_window() for _each in range(20)]
    path = "/tasks/roles/activate/"
    forms = all_at_once(partial(_activation_form, window, eligibility) for window in windows)

    answers = all_at_once(
        partial(window.post, path, filled(form, reason="needed")) for window, form in zip(windows, forms, strict=True)
    )

    nothing_broke(answers)
    request = scalar("SELECT count(*) FROM approvals_request")
    assert request == 1
    assert statuses() == ["pending" if waits else "granted"]
    # All of them stand before the one request, or are told to try again.
    there = f"/tasks/approvals/{Request.objects.get().pk}/"
    assert all(answer.path == there or BUSY in answer.words for answer in answers)
    assert done("request.made") == 1
    the_rows_agree()


def _activation_form(visitor: Visitor, eligibility: Assignment) -> Fields:
    page = visitor.get(f"/tasks/roles/activate/?eligibility={eligibility.pk}")
    return page.form("/tasks/roles/activate/")


def test_a_decision_sent_ten_times_counts_once(portal):
    approvers = [person("adam"), person("berta")]
    request = asked_by(eligible_of("ines", approvers=approvers, quorum=2))
    adam, berta = people_at(portal, approvers)
    form = decision_form(adam, request)

    answers = all_at_once(partial(send_decision, adam.another_window(), request, form) for _each in range(10))

    nothing_broke(answers)
    assert scalar("SELECT count(*) FROM approvals_decision") == done("request.approved") == 1
    assert statuses() == ["pending"]
    send_decision(berta, request, decision_form(berta, request))
    assert statuses() == ["granted"]
    the_rows_agree()


def test_decisions_over_selections_that_overlap_decide_each_request_once(portal):
    approvers = [person(name) for name in ("adam", "berta", "carla", "david")]
    requests = [asked_by(eligible_of(f"asker{number}", approvers=approvers)) for number in range(12)]
    visitors = people_at(portal, approvers)
    chosen = [requests, requests[::-1], requests[:8], requests[4:]]
    path = "/tasks/approvals/decide/"
    verdicts = ["approve", "approve", "deny", "approve"]
    forms = [
        visitor.get(f"{path}?verdict={verdict}&" + "&".join(f"request={one.pk}" for one in some)).form(path)
        for visitor, some, verdict in zip(visitors, chosen, verdicts, strict=True)
    ]

    answers = all_at_once(
        partial(visitor.post, path, filled(form, justification="all of them", verdict=verdict))
        for visitor, form, verdict in zip(visitors, forms, verdicts, strict=True)
    )

    nothing_broke(answers)
    ended = statuses()
    assert set(ended) <= {"granted", "denied"}
    assert len(ended) == 12
    assert scalar("SELECT count(*) FROM approvals_decision") == 12
    # Each of them hears of each request: decided by them, or by somebody else.
    refused = sum(answer.words.count("This request was already") for answer in answers)
    assert refused == sum(len(some) for some in chosen) - 12
    the_rows_agree()


# The worker's tasks, in processes of their own

STARTED_TOGETHER = """
import sys
import django
django.setup()
from django.core.management import call_command
print("ready", flush=True)
sys.stdin.readline()
call_command("tick")
"""


def test_the_recurring_jobs_of_three_workers_at_once_have_one_effect(transactional_db, postbox, settings, tmp_path):
    now = timezone.now()
    approver = person("adam")
    over = [make_eligible(person(f"over{number}"), role(EXCHANGE_ADMINISTRATOR), now=now) for number in range(6)]
    for eligibility in over:
        request_activation(eligibility.principal.user, eligibility, now=now - 2 * HOUR, hours=1)
    late = [eligible_of(f"late{number}", approvers=[approver]) for number in range(6)]
    for eligibility in late:
        request_activation(eligibility.principal.user, eligibility, now=now - 2 * DAY)
    asked = [eligible_of(f"asks{number}", approvers=[approver]) for number in range(3)]
    for eligibility in asked:
        request_activation(eligibility.principal.user, eligibility, now=now - timedelta(hours=13))
    connection.close()

    mail = f"smtp://{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    environment = production(tmp_path, PIM_EMAIL_URL=mail, PIM_EMAIL_FROM="pim@example.org")
    command = [sys.executable, "-c", STARTED_TOGETHER]
    workers = [
        subprocess.Popen(
            command, cwd=BASE_DIR, env=environment, stdin=-1, stdout=-1, stderr=subprocess.STDOUT, text=True
        )
        for _each in range(3)
    ]
    for worker in workers:
        assert _until_ready(worker), "A worker did not start."
    told = all_at_once(partial(worker.communicate, "\n", timeout=200) for worker in workers)

    assert [worker.returncode for worker in workers] == [0, 0, 0], told
    assert done("activation.expired") == 6
    assert done("request.lapsed") == 6
    assert statuses().count("lapsed") == 6
    halfway = "SELECT count(*) FROM pim_portal_dueitem WHERE kind = 'request_half'"
    assert scalar(halfway) == 3
    the_rows_agree()
    # What had to be mailed arrived, each mail once.
    assert scalar("SELECT count(*) FROM pim_portal_notification WHERE state = 'waiting' AND attempts > 1") == 0
    sent = scalar("SELECT count(*) FROM pim_portal_notification WHERE state = 'sent'")
    assert sent == len(postbox.message_ids) == len(set(postbox.message_ids)) > 12
    # What was sealed is sealed once, in a row without a gap.
    leaves = rows("SELECT number, event_id FROM audit_leaf ORDER BY number")
    assert [number for number, _event in leaves] == list(range(1, len(leaves) + 1))
    sealed = {event for _number, event in leaves}
    waiting = {event for (event,) in rows("SELECT event_id FROM audit_pending")}
    assert len(sealed) == len(leaves)
    assert sealed.isdisjoint(waiting)
    assert sealed | waiting == {event for (event,) in rows("SELECT id FROM audit_event")}
    # The auditors are told of the first tip after it was sealed, once.
    assert len(waiting) <= 1 == done("history.anchored")


def _until_ready(worker: subprocess.Popen[str]) -> bool:
    assert worker.stdout is not None
    return any(line == "ready\n" for line in worker.stdout)
