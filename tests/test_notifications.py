"""Mails: every event is told to whom it concerns, once, in words that give nothing away."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from approvals.models import Request
from approvals.selectors.showing import shown_digest
from approvals.services.closing import cancel, cancel_requests_of, lapse_overdue
from approvals.services.decisions import approve, deny
from audit import recording
from audit.kinds import Kind
from pim_portal.accounts.services.tickets import help_back_in, invite
from pim_portal.demo.mail import DemoMailBackend
from pim_portal.models import Due, Notification, NotificationState, SampleMail, TicketKind
from pim_portal.notifications.catalogue import BY_NAME, DUE_MAILS, EVERY_MAIL, MAILS, NO_MAIL
from pim_portal.notifications.letters.assignments import activation_ended
from pim_portal.notifications.letters.letter import the_role
from pim_portal.notifications.outbox import deliver
from pim_portal.notifications.rendering import subject_of
from pim_portal.notifications.rows import SEND
from pim_portal.notifications.subscriber import untold
from roles import ids
from roles.models import Assignment, AssignmentType, Purpose, Role, User
from roles.refusals import Refused
from roles.services.assignments import deactivate, remove
from roles.services.ends import write_down_ends
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
    configure,
    directory,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)

SOON = NOW + 2 * MINUTE
REASON = "the mailbox of the board does not receive"


@pytest.fixture
def quiet(ines: User, adam: User, berta: User, with_approval: Assignment) -> Assignment:
    """Exchange Administrator with approval by Adam or Berta; what was mailed while it was set up is forgotten."""
    Notification.objects.all().delete()
    return with_approval


@pytest.fixture
def pending(ines: User, quiet: Assignment) -> Request:
    return request_activation(ines, quiet, hours=4, reason=REASON, ticket="INC-4711")


def told(name: str) -> set[str]:
    """Who stands in the outbox for this kind of mail."""
    return set(Notification.objects.filter(mail=name).values_list("recipient__name", flat=True))


def send_all(now=SOON) -> list[Any]:
    """Deliver the outbox as if it were `now`; return what was sent by it."""
    before = len(mail.outbox)
    Notification.objects.filter(state=NotificationState.WAITING).update(next_attempt_at=now)
    deliver(clock=at(now))
    return mail.outbox[before:]


def say(service, request: Request, user: User, now=SOON) -> None:
    actor = acting(user, Purpose.DECIDE, request.pk, now=now)
    service(request.pk, actor=actor, justification="a secret thought", seen=shown_digest(request), clock=at(now))


def test_every_kind_of_event_is_mailed_or_named_as_not_mailed():
    assert set(MAILS) | NO_MAIL == set(Kind)
    assert not set(MAILS) & NO_MAIL


def test_mails_have_names_of_their_own():
    assert all(BY_NAME[one.name] is one for one in EVERY_MAIL)
    assert set(DUE_MAILS) == set(Due)


def test_nobody_can_quiet_what_waits_for_them():
    assert {"request_waits", "still_waits", "review_begins"} <= {mail.name for mail in BY_NAME.values() if mail.asks}
    assert not [mail.name for mail in BY_NAME.values() if mail.asks and mail.topic]


def test_mails_are_made_of_what_the_service_has_in_hand(ines, adam, quiet):
    """Neither the request nor the settings that rule it are read again to say who is told of them."""
    with CaptureQueriesContext(connection) as asking:
        pending = request_activation(ines, quiet)
    actor, seen = acting(adam, Purpose.DECIDE, pending.pk, now=SOON), shown_digest(pending)
    with CaptureQueriesContext(connection) as deciding:
        approve(pending.pk, actor=actor, justification="fine", seen=seen, clock=at(SOON))
    assert (read(asking, "roles_rolesettings"), read(deciding, "roles_rolesettings")) == (1, 1)
    # What approvers see of it is read once, after the lock.
    whole = [one["sql"] for one in deciding.captured_queries if '"approvals_request"."digest"' in one["sql"]]
    assert sum("roles_principal" in sql for sql in whole) == 1
    assert told("request_waits") == {"Adam", "Berta"}


def read(caught: CaptureQueriesContext, table: str) -> int:
    return sum(f'FROM "{table}"' in one["sql"] for one in caught.captured_queries)


def test_every_approver_is_asked_in_the_transaction_of_the_request(pending):
    assert told("request_waits") == {"Adam", "Berta"}


def test_the_request_mail_says_what_is_asked_and_leads_to_its_page(pending):
    messages = send_all()

    assert [message.to for message in messages] == [["adam@example.org"], ["berta@example.org"]]
    message = messages[0]
    assert message.subject == "PIM: Review Ines’s request to activate the Exchange Administrator role"
    html = message.alternatives[0].content
    for part in (message.body, html):
        assert f"http://localhost:8000/tasks/approvals/{pending.pk}/" in part
        assert REASON in part
        assert "INC-4711" in part
        assert "4 h" in part


def test_only_the_mail_that_asks_shows_the_reason_and_none_the_justification(pending, adam):
    send_all()
    say(approve, pending, adam)

    for message in send_all():
        for part in (message.body, message.alternatives[0].content):
            assert REASON not in part
            assert "INC-4711" not in part
            assert "a secret thought" not in part


def test_requestor_and_the_approvers_who_were_told_hear_of_the_approval(pending, adam):
    send_all()
    say(approve, pending, adam)

    subjects = {message.to[0]: message.subject for message in send_all()}

    assert subjects == {
        "ines@example.org": "PIM: Your request for Exchange Administrator was approved",
        "adam@example.org": "PIM: Ines’s request for Exchange Administrator was approved",
        "berta@example.org": "PIM: Ines’s request for Exchange Administrator was approved",
    }


def test_a_decision_before_the_first_mail_left_makes_it_needless(pending, adam):
    say(deny, pending, adam)

    sent = send_all()

    assert [message.to for message in sent] == [["ines@example.org"]]
    dropped = Notification.objects.filter(state=NotificationState.DROPPED)
    assert dropped.filter(mail="request_waits").count() == 2
    assert dropped.filter(mail="request_closed").count() == 2


def test_the_second_stage_is_asked_when_the_first_has_agreed(ines, adam, berta, eligibility):
    configure(eligibility.role, approvers=[[adam], [berta]])
    request = request_activation(ines, eligibility)
    assert told("request_waits") == {"Adam"}
    send_all()

    say(approve, request, adam)

    assert told("request_waits") == {"Adam", "Berta"}
    assert [message.to for message in send_all()] == [["berta@example.org"]]


def test_one_of_two_approvals_asks_nobody_else(ines, adam, berta, zoe, nina, eligibility):
    configure(eligibility.role, approvers=[[adam, berta], [zoe, nina]], quorum=2)
    request = request_activation(ines, eligibility)
    say(approve, request, adam)
    assert told("request_waits") == {"Adam", "Berta"}

    say(approve, request, berta, now=SOON + MINUTE)
    assert told("request_waits") == {"Adam", "Berta", "Zoe", "Nina"}


def test_a_cancelled_request_is_told_to_its_approvers_only(pending, ines):
    send_all()
    cancel(pending.pk, actor=acting(ines, Purpose.ACTIVATE, pending.pk), clock=at(SOON))
    assert told("request_closed") == {"Adam", "Berta"}
    assert told("request_result") == set()


def test_a_request_that_others_cancel_is_told_to_the_requestor(pending, ines, petra):
    with transaction.atomic():
        cancel_requests_of(ines.pk, actor=acting(petra, Purpose.PEOPLE), now=SOON, why="The person was disabled.")
    assert "Ines" in told("request_result")


def test_a_lapsed_request_says_so_once(pending):
    send_all()
    late = NOW + 2 * DAY
    lapse_overdue(clock=at(late))
    lapse_overdue(clock=at(late))

    sent = send_all(late)

    assert sorted(message.to[0] for message in sent) == ["adam@example.org", "berta@example.org", "ines@example.org"]
    assert any("Nobody decided in time." in message.body for message in sent)


def test_administrators_hear_of_a_privileged_activation_but_not_of_their_own(ines, petra, paul):
    privileged = make_eligible(ines, role(ids.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR))
    request_activation(ines, privileged)
    assert told("role_activated") == {"Petra", "Paul"}

    Notification.objects.all().delete()
    own = make_eligible(petra, role(ids.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR))
    request_activation(petra, own)
    assert told("role_activated") == {"Paul"}


def test_who_may_only_become_administrator_hears_of_it_too(ines, petra, zoe):
    make_eligible(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    request_activation(ines, make_eligible(ines, role(ids.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR)))
    assert told("role_activated") == {"Petra", "Zoe"}


def test_whoever_decided_gets_no_second_mail_about_it(ines, petra, paul):
    privileged = make_eligible(ines, role(ids.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR))
    configure(privileged.role, approvers=[petra])
    request = request_activation(ines, privileged)
    say(approve, request, petra)
    assert told("role_activated") == {"Paul"}


def test_owners_above_hear_of_a_privileged_resource_activation_and_nobody_else(ines, petra):
    root, subscription, other = *tree("Contoso", "Production"), *tree("Elsewhere")
    olga, uma, elsa = person("olga"), person("uma"), person("elsa")
    give(olga, role(ids.OWNER), root)
    give(uma, role(ids.USER_ACCESS_ADMINISTRATOR), subscription)
    give(elsa, role(ids.OWNER), other)
    request_activation(ines, make_eligible(ines, role(ids.OWNER), subscription))
    assert told("role_activated") == {"Olga", "Uma"}


def test_the_end_of_an_activation_is_told_once_to_its_holder(ines, eligibility):
    Notification.objects.all().delete()
    request_activation(ines, eligibility, hours=1)
    over = NOW + 2 * HOUR
    write_down_ends(clock=at(over))
    write_down_ends(clock=at(over))

    sent = send_all(over)

    assert [message.subject for message in sent] == ["PIM: Your activation of Exchange Administrator has ended"]
    assert "Its time was over." in sent[0].body


def test_why_an_activation_ended_is_a_sentence_whatever_it_was(ines, petra, eligibility):
    request_activation(ines, eligibility)
    Notification.objects.all().delete()
    disable_person(ines.pk, reason="left", actor=OPERATOR, clock=at(SOON))
    row = Notification.objects.get(mail="activation_ended")
    letter = activation_ended(row, SOON)
    assert letter is not None
    assert letter.sentences[-1] == "Its holder was disabled."


def test_who_deactivates_gets_no_mail(ines, eligibility):
    request = request_activation(ines, eligibility)
    Notification.objects.all().delete()
    deactivate(request.outcome_id, actor=acting(ines, Purpose.ACTIVATE), clock=at(SOON))
    assert not Notification.objects.exists()


def test_an_assignment_is_told_and_so_is_its_removal(ines):
    row = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    remove(row.pk, actor=OPERATOR, clock=at(SOON))
    assert told("assignment_added") == told("assignment_ended") == {"Ines"}

    # The mail of the beginning comes too late: it would tell what is no longer so.
    assert [message.subject for message in send_all()] == [
        "PIM: You are no longer eligible for the Exchange Administrator role"
    ]


@pytest.mark.parametrize(
    ("name", "where", "said"),
    [
        ("Owner", None, "the Owner role"),
        ("Owner", "Root", "the Owner role at Root"),
        ("Break Glass Role", None, "the Break Glass Role"),
        ("Azure Arc ScVmm Administrator role", "Root", "the Azure Arc ScVmm Administrator role at Root"),
        ("Overrole", None, "the Overrole role"),
    ],
)
def test_a_role_whose_name_says_that_it_is_one_is_not_called_a_role_twice(db, name, where, said):
    resource = tree(where)[0] if where else directory()
    assert the_role(Role(name=name), resource) == said


def test_what_a_group_is_given_is_told_to_its_members(ines, adam, zoe):
    team = group("Night shift", ines, adam)
    Notification.objects.all().delete()
    give(team, role(ids.SECURITY_READER), type=AssignmentType.ELIGIBLE)

    assert told("assignment_added") == {"Ines", "Adam"}
    assert ["Through the group: Night shift" in message.body for message in send_all()] == [True, True]


def test_times_are_in_the_zone_of_the_reader(pending, adam):
    User.objects.filter(pk=adam.pk).update(time_zone="Asia/Kolkata")
    body = next(message.body for message in send_all() if message.to == ["adam@example.org"])
    assert "24 Nov 2026, 17:30" in body
    assert "Asia/Kolkata" in body


def test_a_refused_attempt_is_told_to_nobody(ines, eligibility):
    Notification.objects.all().delete()
    with pytest.raises(Refused):
        request_activation(ines, eligibility, hours=1000)
    assert not Notification.objects.exists()


def test_a_history_from_elsewhere_is_told_to_nobody(ines, eligibility):
    Notification.objects.all().delete()
    with untold():
        request_activation(ines, eligibility)
    assert not Notification.objects.exists()


def test_no_event_makes_the_same_mail_twice(pending):
    row = Notification.objects.filter(mail="request_waits").first()
    assert row is not None
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_a_change_that_fails_leaves_neither_mail_nor_task(ines, quiet):
    def break_off(event):
        raise RuntimeError("broken on purpose")

    OrmQ.objects.all().delete()
    recording.subscribe(break_off)
    try:
        with pytest.raises(RuntimeError):
            request_activation(ines, quiet)
    finally:
        recording._subscribers.remove(break_off)
    assert not Notification.objects.exists()
    assert not OrmQ.objects.exists()


def test_a_mail_in_the_outbox_brings_its_task_along_and_not_without_end(ines, eligibility):
    OrmQ.objects.all().delete()
    for _again in range(30):
        request = request_activation(ines, eligibility)
        deactivate(request.outcome_id, actor=acting(ines, Purpose.ACTIVATE), clock=at(NOW))
        give_and_take(ines)
    tasks = [row.func() for row in OrmQ.objects.all()]
    assert set(tasks) == {SEND}
    assert len(tasks) == 20


def give_and_take(user: User) -> None:
    row = give(user, role(ids.GLOBAL_READER))
    remove(row.pk, actor=OPERATOR, clock=at(NOW))


def test_somebody_disabled_or_without_address_is_left_out(pending, adam, berta):
    User.objects.filter(pk=adam.pk).update(enabled=False)
    User.objects.filter(pk=berta.pk).update(email="")
    assert send_all() == []
    assert Notification.objects.filter(state=NotificationState.DROPPED).count() == 2


def test_the_address_is_that_of_the_moment_of_sending(pending, adam):
    User.objects.filter(pk=adam.pk).update(email="adam@new.example")
    assert ["adam@new.example"] in [message.to for message in send_all()]


def test_what_somebody_wrote_becomes_neither_markup_nor_link(ines, quiet):
    reason = '<a href="https://evil.example/approve">Approve</a> now at https://evil.example'
    request_activation(ines, quiet, reason=reason)
    message = send_all()[0]
    html = message.alternatives[0].content
    assert '<a href="https://evil' not in html
    for part in (message.body, html):
        assert not re.search(r"https?://evil\.example", part)


@pytest.mark.parametrize("name", ["Act: https://evil.example/approve", "Old (HTTP://evil.example)", "www.evil.example"])
def test_no_name_becomes_a_link_that_the_portal_seems_to_send(ines, petra, name):
    """Whoever owns a place or a group names it, and the mails about it go to others, under the portal's own name."""
    _root, place = tree("Contoso", name)
    make_eligible(ines, role(ids.OWNER), place)
    message = next(one for one in send_all() if one.to == ["ines@example.org"])
    html = message.alternatives[0].content
    for part in (message.body, html):
        assert "evil.example" in part
        assert not re.search(r"(?i)(://|www\.)evil", part)
        assert "http://localhost:8000/tasks/roles/" in part


def test_a_name_with_a_line_break_stays_in_its_header():
    subject = subject_of("Eve\r\nBcc: all@example.org\u202e asks")
    assert subject == "PIM: Eve Bcc: all@example.org asks"
    assert len(subject_of("x" * 999)) == 200


def test_a_mail_has_html_with_inlined_looks_and_says_it_was_made_by_a_machine(pending):
    message = send_all()[0]
    html = message.alternatives[0].content
    assert 'class="button"' in html
    assert "background-color: #0f5fb8" in html.split("<body", 1)[1]
    assert "prefers-color-scheme" in html
    assert html.count("<h1") == 1
    headers = message.message()
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Message-ID"].endswith(".pim@localhost>")


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (Kind.FACTOR_ADDED, "A second factor was added"),
        (Kind.FACTOR_REMOVED, "A second factor was removed"),
        (Kind.RECOVERY_CODES_MADE, "New recovery codes were made"),
        (Kind.RECOVERY_CODE_USED, "A recovery code was used"),
        (Kind.PASSWORD_CHANGED, "Your password was changed"),
        (Kind.RESET_TICKET_USED, "Your way back in was used"),
    ],
)
def test_a_change_of_how_somebody_signs_in_is_told_to_them(zoe, kind, subject):
    from roles.service import record

    with transaction.atomic():
        record(kind, actor=acting(zoe, Purpose.FACTORS), at=NOW, target=zoe)
    message = send_all()[0]
    assert message.to == ["zoe@example.org"]
    assert message.subject == f"PIM: {subject}"
    assert "From: 127.0.0.1" in message.body


def test_an_invitation_brings_the_link(db):
    given = invite(
        username="newt",
        name="Newt",
        email="newt@example.org",
        job_title="",
        department="",
        actor=OPERATOR,
        clock=at(NOW),
    )
    message = send_all()[0]
    assert message.to == ["newt@example.org"]
    assert f"http://localhost:8000/account/entry/{given.secret}/" in message.body
    assert "User name: newt" in message.body


def test_a_reset_ticket_brings_the_link_while_it_works(zoe):
    given = help_back_in(
        zoe.pk, kind=TicketKind.RESET_PASSWORD, reason="met her in person", actor=OPERATOR, clock=at(NOW)
    )
    message = send_all()[0]
    assert given.secret in message.body
    assert "met her in person" not in message.body


def test_the_link_of_a_ticket_that_is_over_is_not_sent(zoe):
    help_back_in(zoe.pk, kind=TicketKind.RESET_PASSWORD, reason="met her in person", actor=OPERATOR, clock=at(NOW))
    assert send_all(NOW + 30 * DAY) == []


def test_the_demo_keeps_its_mails_in_the_mailbox(pending, settings):
    settings.PIM_DEMO = True
    settings.EMAIL_BACKEND = "pim_portal.demo.mail.DemoMailBackend"
    send_all()
    row = SampleMail.objects.get(recipient="adam@example.org")
    assert "Review Ines" in row.subject
    assert str(pending.pk) in row.text
    assert "<html" in row.html


def test_the_mailbox_of_the_demo_refuses_to_work_outside_it():
    with pytest.raises(ImproperlyConfigured):
        DemoMailBackend()


def test_a_mail_that_cannot_be_made_is_kept(pending, monkeypatch):
    from pim_portal.notifications import outbox

    def broken(*args, **kwargs):
        raise KeyError("gone")

    monkeypatch.setattr(outbox, "render", broken)
    assert send_all() == []
    row = Notification.objects.filter(mail="request_waits").first()
    assert row is not None
    assert (row.state, row.attempts) == (NotificationState.WAITING, 1)
    assert row.last_error == "KeyError: 'gone'"
    assert row.next_attempt_at - SOON == timedelta(minutes=3)


def test_the_outbox_remembers_when_a_mail_left(pending):
    send_all()
    row = Notification.objects.filter(mail="request_waits").first()
    assert row is not None
    assert (row.state, row.sent_at, row.last_error) == (NotificationState.SENT, SOON, "")
    assert row.created_at <= timezone.now()
