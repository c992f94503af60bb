"""Chat channels, against a real web server: they tell and link, once, and hold nothing up."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from pim_portal.environment import read
from pim_portal.models import Notification, NotificationState
from pim_portal.notifications.chat import deliver_chats, harmless, key_of
from pim_portal.notifications.claims import MAX_ATTEMPTS
from pim_portal.notifications.outbox import deliver
from roles import ids
from roles.models import Assignment, User
from tests.people import EXCHANGE_ADMINISTRATOR, MINUTE, NOW, at, make_eligible, request_activation, role

SOON = NOW + MINUTE
SENT, WAITING, DROPPED, FAILED = (
    NotificationState.SENT,
    NotificationState.WAITING,
    NotificationState.DROPPED,
    NotificationState.FAILED,
)


class Channel:
    """A chat service's web hook: what it was sent, and how it answers."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.answer = 200
        self.redirect_to = ""
        self.stall = 0.0
        outer = self

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(outer.stall)
                if outer.answer == 200:
                    outer.taken.append(json.loads(body))
                self.send_response(outer.answer)
                if outer.redirect_to:
                    self.send_header("Location", outer.redirect_to)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        self.url = f"json://127.0.0.1:{self.server.server_port}/hook/a-secret-token"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def lines(self) -> list[str]:
        return [one["message"] for one in self.taken]


@pytest.fixture
def channel(settings: Any) -> Iterator[Channel]:
    made = Channel()
    settings.PIM_CHAT_URLS = [made.url]
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def asked(channel: Channel, ines: User, with_approval: Assignment) -> Notification:
    """Ines has asked; the line waits."""
    Notification.objects.all().delete()
    request_activation(ines, with_approval, reason="a secret reason", ticket="INC-1")
    return row()


def row() -> Notification:
    return Notification.objects.exclude(channel="").get()


def send(now: Any = SOON) -> int:
    Notification.objects.filter(state=WAITING).exclude(channel="").update(next_attempt_at=now)
    return deliver_chats(clock=at(now))


def test_a_request_is_told_with_its_link_and_without_the_reason(asked, channel):
    assert send() == 1
    (line,) = channel.lines
    first, last = line.splitlines()
    assert first == "Review Ines’s request to activate the Exchange Administrator role"
    assert last.startswith("http://localhost:8000/tasks/approvals/")
    assert "secret" not in line
    assert "INC-1" not in line
    assert row().state == SENT
    assert send() == 0


def test_the_reason_is_told_where_the_operator_says_so(asked, channel, settings):
    settings.PIM_CHAT_REASONS = True
    send()
    assert "Reason: a secret reason" in channel.lines[0]


def test_a_privileged_activation_is_told_and_another_is_not(ines, channel):
    plain = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    plain.role.privileged = False
    plain.role.save()
    request_activation(ines, plain)
    privileged = make_eligible(ines, role(ids.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR))
    request_activation(ines, privileged)
    send()
    assert [line.splitlines()[0] for line in channel.lines] == [
        "Ines activated the Privileged Authentication Administrator role"
    ]


def test_a_request_that_was_decided_meanwhile_is_not_told(asked, channel):
    from approvals.models import Request
    from approvals.services.closing import lapse_overdue

    late = Request.objects.get().lapses_at
    lapse_overdue(clock=at(late))
    assert send(late) == 0
    assert channel.lines == []
    assert row().state == DROPPED


def test_a_channel_that_fails_is_tried_again_and_then_set_aside(asked, channel):
    channel.answer = 500
    assert send() == 0
    assert (row().state, row().attempts, row().last_error) == (WAITING, 1, "The channel did not take it.")
    channel.answer = 200
    assert deliver_chats(clock=at(SOON)) == 0  # not yet
    assert send(SOON + 4 * MINUTE) == 1

    Notification.objects.exclude(channel="").update(state=WAITING, attempts=MAX_ATTEMPTS - 1)
    channel.answer = 503
    send()
    assert row().state == FAILED


def test_a_channel_that_is_down_or_stalls_loses_nothing_and_is_left_in_time(asked, channel, settings):
    channel.stall = 3
    settings.PIM_CHAT_URLS = [channel.url + "?rto=0.5&cto=0.5"]
    Notification.objects.exclude(channel="").update(channel=key_of(settings.PIM_CHAT_URLS[0]))
    began = time.monotonic()
    assert send() == 0
    assert time.monotonic() - began < 2.5
    assert row().state == WAITING


def test_a_redirect_is_not_followed(asked, channel, settings):
    other = Channel()
    channel.answer, channel.redirect_to = 307, other.url.replace("json://", "http://")
    send()
    assert other.taken == []
    assert row().state == WAITING


def test_a_channel_that_is_no_longer_set_gets_nothing(asked, channel, settings):
    settings.PIM_CHAT_URLS = []
    assert send() == 0
    assert row().state == DROPPED
    assert channel.taken == []


def test_each_channel_gets_a_line_of_its_own_and_its_secret_stays_out_of_the_outbox(ines, with_approval, settings):
    first, second = Channel(), Channel()
    settings.PIM_CHAT_URLS = [first.url, second.url]
    request_activation(ines, with_approval)
    rows = Notification.objects.exclude(channel="")
    assert rows.count() == 2
    assert not [one for one in rows if "secret" in one.channel]
    first.answer = 500
    assert send() == 1
    assert len(second.taken) == 1
    assert set(rows.values_list("state", flat=True)) == {SENT, WAITING}


def test_chat_and_mail_do_not_take_each_others_rows(asked, channel):
    Notification.objects.update(next_attempt_at=SOON)
    deliver(clock=at(SOON))
    assert row().state == WAITING
    send()
    assert row().state == SENT
    assert not Notification.objects.filter(channel="", state=WAITING, attempts=0).exists()


def test_without_a_channel_nothing_is_written(ines, with_approval):
    request_activation(ines, with_approval)
    assert not Notification.objects.exclude(channel="").exists()


@pytest.mark.parametrize("text", ["@everyone", "<!channel>", "[click](https://evil.example)", "https://evil.example"])
def test_names_and_reasons_become_neither_mention_nor_link(text):
    said = harmless(f"Eve {text} asks")
    assert text not in said
    assert "https://" not in said


def test_the_environment_takes_several_channels():
    known = "json://127.0.0.1/a json://127.0.0.1:8080/b"
    assert environment(PIM_CHAT_URLS=known).chat_urls == known.split()


@pytest.mark.parametrize(
    "url", ["nonsense", "https://x.example/hook", "slack://too-short", "syslog://", "mailto://a:b@c.example"]
)
def test_the_environment_refuses_what_is_no_channel_and_repeats_no_secret(url):
    with pytest.raises(ImproperlyConfigured, match="PIM_CHAT_URLS") as refused:
        environment(PIM_CHAT_URLS=f"json://127.0.0.1/a {url}")
    assert url not in str(refused.value)


def environment(**values: str) -> Any:
    import os

    return read({**os.environ, **values})
