"""The outbox against a real mail server in all its moods: nothing is lost, nothing is told twice without need."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.core.mail.backends.smtp import EmailBackend
from django.db import connection, connections
from django.utils import timezone

from audit.kinds import Kind
from pim_portal.models import Notification, NotificationState
from pim_portal.notifications import claims, outbox
from pim_portal.notifications.claims import FIRST_RETRY, GIVE_UP_AFTER, LEASE, MAX_ATTEMPTS
from pim_portal.notifications.outbox import deliver
from pim_portal.notifications.services import send_again
from roles.actors import Actor
from roles.models import Purpose, User
from roles.service import record, service
from tests.people import acting, at, person

WAITING, SENT = NotificationState.WAITING, NotificationState.SENT
DROPPED, FAILED = NotificationState.DROPPED, NotificationState.FAILED


class Postbox:
    """A mail server that answers as it is told, and keeps what it accepted."""

    def __init__(self) -> None:
        self.accepted: list[Envelope] = []
        self.answers_to_rcpt: list[str] = []
        self.answers_to_data: list[str] = []
        self.drop_after_data = False
        self.stall: float = 0
        self.asks_who_it_is = False
        self.goodbyes = 0

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], *(["250-AUTH PLAIN"] if self.asks_who_it_is else []), responses[-1]]

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.goodbyes += 1
        return "221 Bye"

    async def handle_AUTH(self, *_asked: Any) -> str:  # noqa: N802
        return "535 Authentication failed"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answers_to_rcpt:
            return self.answers_to_rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.stall:
            await asyncio.sleep(self.stall)
        if self.answers_to_data:
            return self.answers_to_data.pop(0)
        self.accepted.append(envelope)
        if self.drop_after_data:
            server.transport.abort()
        return "250 OK"

    @property
    def message_ids(self) -> list[str]:
        contents = [str(envelope.content, "utf-8") for envelope in self.accepted]
        return [line for content in contents for line in content.splitlines() if line.startswith("Message-ID:")]


@pytest.fixture
def postbox(settings: Any) -> Iterator[Postbox]:
    box = Postbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, auth_require_tls=False, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 1
    yield box
    controller.stop()


@pytest.fixture
def zed(transactional_db: None) -> User:
    return person("zed")


def event_for(user: User) -> Notification:
    """Put a mail into the outbox, through an event."""

    @service(Kind.PASSWORD_CHANGED)
    def change(*, actor: Any, clock: Any) -> None:
        record(Kind.PASSWORD_CHANGED, actor=actor, at=clock(), target=user)

    now = timezone.now()
    change(actor=acting(user, Purpose.FACTORS, now=now), clock=at(now))
    return Notification.objects.order_by("-created_at").first()  # type: ignore[return-value]


def reread(row: Notification) -> Notification:
    return Notification.objects.get(pk=row.pk)


def later(minutes: float = 0, **span: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes, **span)


def test_a_mail_is_sent_once(zed, postbox):
    row = event_for(zed)
    assert deliver(clock=timezone.now) == 1
    assert deliver(clock=timezone.now) == 0
    assert [envelope.rcpt_tos for envelope in postbox.accepted] == [["zed@example.org"]]
    assert reread(row).state == SENT


def test_nothing_is_sent_inside_a_transaction(zed, postbox, monkeypatch):
    inside: list[bool] = []
    send = EmailBackend.send_messages

    def watched(self, messages):
        inside.append(connection.in_atomic_block)
        return send(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", watched)
    event_for(zed)
    deliver(clock=timezone.now)
    assert inside == [False]


def test_an_address_that_is_refused_for_good_is_set_aside_at_once_and_others_are_sent(zed, postbox):
    wrong, right = event_for(zed), event_for(person("yara"))
    postbox.answers_to_rcpt = ["550 5.1.1 No such person here"]
    assert deliver(clock=timezone.now) == 1
    wrong, right = reread(wrong), reread(right)
    assert (wrong.state, wrong.attempts) == (FAILED, 1)
    assert wrong.last_error == "550 5.1.1 No such person here"
    assert right.state == SENT


def test_a_mail_that_is_refused_for_good_after_its_text_is_set_aside(zed, postbox):
    row = event_for(zed)
    postbox.answers_to_data = ["554 5.7.1 Looks like spam"]
    deliver(clock=timezone.now)
    assert (reread(row).state, reread(row).last_error) == (FAILED, "554 5.7.1 Looks like spam")


def test_a_greylisted_mail_is_sent_at_the_next_attempt(zed, postbox):
    row = event_for(zed)
    postbox.answers_to_rcpt = ["451 4.7.1 Try again later"]
    deliver(clock=timezone.now)
    row = reread(row)
    assert (row.state, row.attempts, row.last_error) == (WAITING, 1, "451 4.7.1 Try again later")

    assert deliver(clock=timezone.now) == 0  # not yet
    assert deliver(clock=at(later(4))) == 1
    assert (reread(row).state, reread(row).last_error) == (SENT, "")


def test_a_server_that_drops_after_the_text_gets_it_again_under_the_same_id(zed, postbox):
    row = event_for(zed)
    postbox.drop_after_data = True
    assert deliver(clock=timezone.now) == 0
    assert reread(row).state == WAITING

    postbox.drop_after_data = False
    assert deliver(clock=at(later(4))) == 1
    assert len(postbox.message_ids) == 2
    assert len(set(postbox.message_ids)) == 1


def test_a_server_that_stalls_holds_up_one_mail_for_its_timeout_and_no_other(zed, postbox):
    first, second = event_for(zed), event_for(zed)
    postbox.stall = 2
    assert deliver(clock=timezone.now) == 0
    first, second = reread(first), reread(second)
    assert sorted([first.attempts, second.attempts]) == [0, 1]
    assert "timed out" in first.last_error + second.last_error

    postbox.stall = 0
    assert deliver(clock=at(later(4))) == 2


def test_a_server_that_is_down_costs_no_attempt_and_loses_nothing(zed, postbox, settings):
    row = event_for(zed)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    for _again in range(MAX_ATTEMPTS + 2):
        assert deliver(clock=at(later(1))) == 0
    assert (reread(row).state, reread(row).attempts) == (WAITING, 0)
    assert "refused" in reread(row).last_error

    settings.EMAIL_PORT = port
    assert deliver(clock=timezone.now) == 1


def test_without_a_mail_server_mails_wait_and_say_why(zed, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = ""
    row = event_for(zed)
    deliver(clock=timezone.now)
    assert reread(row).state == WAITING
    assert "PIM_EMAIL_URL" in reread(row).last_error

    deliver(clock=at(timezone.now() + GIVE_UP_AFTER))
    assert reread(row).state == FAILED

    # Whoever sends it again gives it as long again, however old it is.
    again = timezone.now() + 2 * GIVE_UP_AFTER
    assert send_again([row.pk], actor=Actor.operator("root"), clock=at(again)) == 1
    deliver(clock=at(again + timedelta(minutes=1)))
    assert reread(row).state == WAITING
    deliver(clock=at(again + GIVE_UP_AFTER))
    assert reread(row).state == FAILED


@pytest.mark.parametrize("wrong", [{"EMAIL_HOST": "mail..example.org"}, {"EMAIL_HOST_PASSWORD": "pässword"}])
def test_a_mail_server_that_cannot_even_be_asked_is_an_outage_that_says_why(zed, postbox, settings, wrong):
    for name, value in {"EMAIL_HOST_USER": "pim", **wrong}.items():
        setattr(settings, name, value)
    postbox.asks_who_it_is = True
    row = event_for(zed)
    assert deliver(clock=timezone.now) == 0
    assert (reread(row).state, reread(row).attempts) == (WAITING, 0)
    assert "PIM_EMAIL_URL" in reread(row).last_error

    deliver(clock=at(timezone.now() + GIVE_UP_AFTER))
    assert reread(row).state == FAILED


def test_a_server_that_does_not_let_the_portal_in_is_left_in_order(zed, postbox, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "pim", "not this one"
    postbox.asks_who_it_is = True
    row = event_for(zed)
    assert deliver(clock=timezone.now) == 0
    assert (reread(row).state, reread(row).attempts) == (WAITING, 0)
    assert reread(row).last_error.startswith("535")
    assert postbox.goodbyes == 1


def test_a_mail_is_set_aside_after_eight_attempts_over_hours(zed, postbox):
    row = event_for(zed)
    now = timezone.now()
    waits = []
    for _attempt in range(MAX_ATTEMPTS):
        postbox.answers_to_rcpt = ["451 4.7.1 Never"]
        deliver(clock=at(now))
        row = reread(row)
        waits.append(row.next_attempt_at - now)
        now = row.next_attempt_at
    assert waits[:7] == [FIRST_RETRY * 2**n for n in range(7)]
    assert sum(waits[:7], timedelta()) > timedelta(hours=6)
    assert (row.state, row.attempts) == (FAILED, MAX_ATTEMPTS)


def test_a_refused_sender_is_tried_again_since_the_set_up_can_be_mended(zed, postbox, monkeypatch):
    async def refuse(*args: Any) -> str:
        return "550 Who are you?"

    monkeypatch.setattr(Postbox, "handle_MAIL", refuse, raising=False)
    row = event_for(zed)
    deliver(clock=timezone.now)
    assert (reread(row).state, reread(row).last_error) == (WAITING, "550 Who are you?")


def test_a_mail_that_kills_its_sender_ends_some_time(zed, postbox, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*args: Any, **kwargs: Any) -> None:
        raise Killed

    row = event_for(zed)
    monkeypatch.setattr(outbox, "render", die)
    now = timezone.now()
    for _attempt in range(MAX_ATTEMPTS):
        with pytest.raises(Killed):
            deliver(clock=at(now))
        assert deliver(clock=at(now)) == 0  # the lease keeps others away
        now += LEASE
    assert deliver(clock=at(now)) == 0
    assert reread(row).state == FAILED


def test_two_senders_at_once_send_each_mail_once(zed, postbox):
    people = [person(f"p{number}") for number in range(10)]
    for one in people:
        event_for(one)

    def run() -> None:
        deliver(clock=timezone.now)
        connections.close_all()

    threads = [threading.Thread(target=run) for _each in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    counts = Counter(envelope.rcpt_tos[0] for envelope in postbox.accepted)
    assert set(counts.values()) == {1}
    assert len(counts) == 10
    assert not Notification.objects.filter(state=WAITING).exists()


def test_a_late_sender_overwrites_nothing(zed, postbox):
    row = event_for(zed)
    claimed = claims.claim(timezone.now())
    assert claimed is not None
    claims.claim(later(6))  # the lease ran out, and another one took it
    claims.refused(claimed, "550 too late", final=True, clock=timezone.now)
    assert reread(row).state == WAITING
    assert reread(row).last_error == ""


def test_a_run_stops_claiming_when_its_time_is_up(zed, postbox):
    event_for(zed)
    assert deliver(clock=timezone.now, seconds=0) == 0
    assert Notification.objects.get().attempts == 0
