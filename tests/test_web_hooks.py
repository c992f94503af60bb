"""Web hooks, to a real receiver: every leaf in order, again until it is taken, signed, and never inside."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from audit import keys
from audit.covering import unrecorded
from audit.models import EventText
from pim_portal.alerts.definitions import BY_KEY
from pim_portal.models import Notification, WebHook
from pim_portal.notifications.catalogue import BY_NAME
from pim_portal.streams import claims, delivery, posting, signing
from pim_portal.streams.delivery import deliver_hooks
from pim_portal.streams.leaves import last_leaf
from pim_portal.streams.services import (
    Wanted,
    change_hook,
    delete_hook,
    pause_hook,
    replay_hook,
    resume_hook,
    rotate_secret,
)
from tests.alerting import found, scanned
from tests.hooks import Receiver, certificate_for, dropping, given_hook, hook_of, receiving, with_status
from tests.people import DAY, HOUR, NOW, OPERATOR, at
from tests.races import at_once
from tests.sealed import happen, key_in, seal_all, tamper

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = timedelta(seconds=1)


@pytest.fixture
def key(tmp_path: Path) -> keys.SigningKey:
    return key_in(tmp_path)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def fill(key: keys.SigningKey, count: int) -> int:
    """Have so many more events sealed; return the last leaf."""
    happen(count)
    seal_all(key, limit=1000)
    return last_leaf()


def deliver(*, now: Any = NOW, **how: Any) -> int:
    return deliver_hooks(clock=at(now), **{"allow_private": True, **how})


def example() -> dict[str, Any]:
    """The receiver of docs/streams.md."""
    page = (Path(settings.BASE_DIR) / "docs" / "streams.md").read_text()
    code = re.search(r"```python\n(.*?)```", page, re.S)
    assert code is not None
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(code[1], "docs/streams.md", "exec"), names)  # noqa: S102 - our own page
    return names


def test_every_leaf_arrives_in_order(key, receiver):
    hook = hook_of("SIEM", receiver.url)
    last = fill(key, 230)
    assert deliver() == 3
    assert receiver.leaves == list(range(1, last + 1))
    hook.refresh_from_db()
    assert (hook.position, hook.lease, hook.delivered_at, hook.failures) == (last, None, NOW, 0)
    assert deliver() == 0


def test_a_message_tells_what_the_page_says(key, receiver):
    hook = hook_of("SIEM", receiver.url)
    fill(key, 1)
    deliver()
    message = receiver.received[0].message
    assert (message["type"], message["hook"], message["first"]) == ("audit.events", str(hook.pk), 1)
    told = message["events"][-1]
    assert told["event"]["kind"] == "session.signed_in"
    assert told["id"] == told["event"]["uuid"]
    assert told["text"]["reason"] == "Zoë’s ticket 0"
    assert (told["sentence"], told["missing"], told["erased_at"]) == ("Ines Okafor signed in.", False, None)


def test_the_receiver_of_the_page_verifies_it_and_nothing_else(key, receiver):
    verified = example()["verified"]
    _hook, secret = given_hook("SIEM", receiver.url)
    fill(key, 1)
    deliver()
    one, now = receiver.received[0], NOW.timestamp()
    assert verified(one.headers, one.body, [secret], now)
    assert not verified(one.headers, one.body + b" ", [secret], now)
    assert not verified(one.headers, one.body, [signing.new_secret()], now)
    assert not verified(one.headers, one.body, [secret], now + 301)
    assert not verified(one.headers | {"webhook-id": "other"}, one.body, [secret], now)
    assert not verified(one.headers | {"webhook-timestamp": str(int(now) + 1)}, one.body, [secret], now)
    assert secret not in str(one.headers) + one.body.decode()


def test_a_secret_of_before_signs_until_its_time_is_over(key, receiver):
    verified = example()["verified"]
    hook, old = given_hook("SIEM", receiver.url)
    new = rotate_secret(hook.pk, overlap=DAY, actor=OPERATOR, clock=at(NOW)).secret
    fill(key, 1)
    deliver(now=NOW + DAY - SECOND)
    fill(key, 1)
    deliver(now=NOW + DAY)
    both, alone = receiver.received
    during, after = (NOW + DAY - SECOND).timestamp(), (NOW + DAY).timestamp()
    assert verified(both.headers, both.body, [old], during)
    assert verified(both.headers, both.body, [new], during)
    assert not verified(alone.headers, alone.body, [old], after)
    assert verified(alone.headers, alone.body, [new], after)


def test_no_secret_stands_in_the_database_in_clear(receiver):
    _hook, secret = given_hook("SIEM", receiver.url)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM pim_portal_webhook")
        assert secret not in cursor.fetchone()[0]


# What receivers do


BAD = {
    "out of order": (with_status(500), "answered 500"),
    "not known": (with_status(404), "answered 404"),
    "redirecting": (with_status(302, Location="/elsewhere"), "sends elsewhere"),
    "redirecting and keeping the method": (with_status(307, Location="/elsewhere"), "sends elsewhere"),
    "dropping after the data": (dropping, "dropped before an answer"),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_was_not_taken_comes_again_as_it_was(key, receiver, bad):
    hook = hook_of("SIEM", receiver.url)
    last = fill(key, 2)
    receiver.answer, sentence = BAD[bad]
    assert deliver() == 0
    hook.refresh_from_db()
    assert (hook.position, hook.failures, hook.failing_since) == (0, 1, NOW)
    assert sentence in hook.last_error
    later = fill(key, 3)
    receiver.answer = with_status(200)
    assert deliver(now=NOW + 4 * SECOND) == 0  # its next attempt has not come
    assert deliver(now=NOW + 5 * SECOND) == 2
    first, again, rest = receiver.received
    assert (first.path, again.path) == ("/pim", "/pim")
    assert (first.id, first.body) == (again.id, again.body)
    assert (again.leaves, rest.leaves) == (list(range(1, last + 1)), list(range(last + 1, later + 1)))
    hook.refresh_from_db()
    assert (hook.position, hook.failures, hook.failing_since, hook.last_error) == (later, 0, None, "")


def test_it_is_tried_ever_more_rarely_and_never_given_up(key, receiver):
    hook = hook_of("SIEM", receiver.url)
    fill(key, 1)
    receiver.answer = with_status(503)
    now, waits = NOW, []
    for _each in range(10):
        deliver(now=now)
        hook.refresh_from_db()
        waits.append((hook.next_attempt_at - now).total_seconds())
        now = hook.next_attempt_at
    assert waits == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert len({one.id for one in receiver.received}) == 1


@pytest.mark.parametrize(
    ("status", "said", "waits"),
    [
        (429, "120", 120),
        (503, "120", 120),
        (500, "120", 5),  # says nothing of when
        (503, "1", 5),  # never sooner than by itself
        (503, "999999999999", 3600),  # nobody holds the history up for longer
        (503, "Mon, 23 Nov 2026 12:02:00 GMT", 120),
        (503, "Mon, 23 Nov 2020 12:02:00 GMT", 5),
        (503, "soon", 5),
        (503, "-7", 5),
        (503, "Mon, 23 Nov 99999999999999999999 12:02:00 GMT", 5),  # a year that no clock has
        (503, "Mon, 23 Nov 2026 12:02:00 +99999999999999999999", 5),
    ],
)
def test_a_target_that_says_when_is_left_alone_until_then_within_bounds(key, receiver, status, said, waits):
    hook = hook_of("SIEM", receiver.url)
    fill(key, 1)
    receiver.answer = with_status(status, **{"Retry-After": said})
    deliver()
    hook.refresh_from_db()
    assert (hook.next_attempt_at - NOW).total_seconds() == waits
    assert found("web_hook_fails", now=NOW + 4 * HOUR - SECOND) == []
    assert found("web_hook_fails", now=NOW + 4 * HOUR) == [f"hook:{hook.pk}"]


def test_a_hook_that_is_paused_fails_nobody(key, receiver):
    hook = hook_of("SIEM", receiver.url)
    fill(key, 1)
    receiver.answer = with_status(500)
    deliver()
    [incident] = scanned("web_hook_fails", now=NOW + 5 * HOUR)
    assert BY_KEY["web_hook_fails"].sentence(incident).startswith("SIEM has taken nothing since")
    pause_hook(hook.pk, actor=OPERATOR, clock=at(NOW))
    assert found("web_hook_fails", now=NOW + 5 * HOUR) == []


def test_the_auditors_are_told_where_the_history_goes_by_the_host_alone(nina):
    given = hook_of("SIEM", "https://siem.example.org/secret-path?token=x")
    mail = Notification.objects.get(mail="web_hook_set", recipient=nina)
    letter = BY_NAME[mail.mail].compose(mail, NOW)
    assert letter.subject == "The audit history now goes to siem.example.org"
    assert "secret-path" not in repr(letter)
    wanted = Wanted(given.name, "https://other.example.org/x", ("session.signed_in",))
    change_hook(given.pk, wanted, allow_private=False, actor=OPERATOR, clock=at(NOW))
    assert Notification.objects.filter(mail="web_hook_set", recipient=nina).count() == 2


def test_a_certificate_that_is_none_ends_it_before_anything_is_said(key, receiver):
    hook = hook_of("SIEM", receiver.url.replace("http://", "https://"))
    fill(key, 1)
    assert deliver() == 0
    hook.refresh_from_db()
    assert "could not be opened" in hook.last_error
    assert receiver.received == []


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Path], None]:
    """Have this certificate count as one of an authority that everybody knows."""
    return lambda certificate: monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def test_a_certificate_of_nobody_known_or_for_another_name_ends_it(key, tmp_path, trusted):
    hosts = {"localhost": "self-signed", "siem.example.org": "not valid for 'localhost'"}
    fill(key, 1)
    for host, why in hosts.items():
        certificate = certificate_for(host, tmp_path)
        if host != "localhost":
            trusted(certificate)
        with receiving(certificate) as receiver:
            hook = hook_of(f"For {host}", receiver.url)
            assert deliver() == 0
            pause_hook(hook.pk, actor=OPERATOR, clock=at(NOW))
            hook.refresh_from_db()
            assert "The certificate is not good" in hook.last_error
            assert why in hook.last_error
            assert receiver.received == []


def test_with_a_good_certificate_it_arrives(key, tmp_path, trusted):
    certificate = certificate_for("localhost", tmp_path)
    trusted(certificate)
    fill(key, 1)
    with receiving(certificate) as receiver:
        hook_of("SIEM", receiver.url)
        assert deliver() == 1
        assert receiver.leaves == [1]


def test_a_slow_target_holds_up_no_other_and_ends_in_time(key, receiver, monkeypatch):
    monkeypatch.setattr(posting.post, "__kwdefaults__", {"deadline": 1.0})
    with receiving() as slow:
        slow.answer = slow.slowly(30)
        dead = hook_of("Dead", slow.url)
        well = hook_of("Well", receiver.url)
        last = fill(key, 150)
        began = time.monotonic()
        assert deliver() == 2
        assert time.monotonic() - began < 10
    dead.refresh_from_db()
    well.refresh_from_db()
    assert "No answer within 1 seconds" in dead.last_error
    assert (dead.position, well.position) == (0, last)
    assert receiver.leaves == list(range(1, last + 1))


# Where they may lead


def test_inside_only_where_that_is_allowed(key, receiver):
    hook = hook_of("SIEM", receiver.url)
    fill(key, 1)
    assert deliver(allow_private=False) == 0
    hook.refresh_from_db()
    assert "lies inside" in hook.last_error
    assert receiver.received == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1"])
def test_a_name_that_leads_inside_by_the_time_it_is_connected_to_is_refused(key, monkeypatch, address):
    hook = hook_of("SIEM", "https://siem.example.org/pim")
    fill(key, 1)
    looked = []

    def rebound(*args: Any, **kwargs: Any) -> Any:
        looked.append(args[0])
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, 443))]

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    assert deliver(allow_private=False) == 0
    hook.refresh_from_db()
    assert "lies inside" in hook.last_error
    assert looked == ["siem.example.org"]


def test_it_connects_to_the_very_address_that_it_looked_at(key, receiver, monkeypatch):
    port = int(receiver.url.split(":")[2].split("/")[0])
    hook_of("SIEM", "https://siem.example.org/pim")
    with unrecorded(connection):  # nobody may save an address in clear text
        WebHook.objects.update(url=f"http://siem.example.org:{port}/pim")
    fill(key, 1)
    answers = [[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answers.pop())
    assert deliver() == 1
    assert receiver.received[0].headers["host"] == f"siem.example.org:{port}"


# Filters, erasing, sending again


def test_only_the_kinds_that_are_asked_for_and_the_cursor_passes_the_others(key, receiver):
    hook = hook_of("SIEM", receiver.url, kinds=("web_hook.added",))
    fill(key, 120)
    other = hook_of("Other", receiver.url, first=False)
    last = fill(key, 0)
    deliver()
    message = [one.message for one in receiver.received if one.message["hook"] == str(hook.pk)]
    assert [one["event"]["kind"] for each in message for one in each["events"]] == ["web_hook.added"] * 2
    hook.refresh_from_db()
    assert hook.position == last
    assert other.position == last - 1


def test_what_was_erased_is_sent_as_erased(key, receiver):
    hook_of("SIEM", receiver.url)
    fill(key, 1)
    EventText.objects.update(fields={}, salts={}, search="", erased_at=NOW)
    deliver()
    told = receiver.received[0].message["events"][-1]
    assert (told["text"], told["erased_at"]) == ({}, NOW.isoformat())
    assert told["sentence"] == "(erased) signed in."
    assert b"Okafor" not in receiver.received[0].body


def test_a_leaf_that_is_gone_stops_it_instead_of_being_passed(key, receiver):
    hook = hook_of("SIEM", receiver.url)
    fill(key, 4)
    tamper("DELETE FROM audit_leaf WHERE number = 3")
    assert deliver() == 0
    hook.refresh_from_db()
    assert hook.last_error == "Leaf 3 of the history is gone. Verify the history."
    assert receiver.received == []


def test_an_event_that_is_gone_is_told_as_missing(key, receiver):
    hook_of("SIEM", receiver.url)
    last = fill(key, 2)
    tamper("DELETE FROM audit_eventtext WHERE event_id = (SELECT event_id FROM audit_leaf WHERE number = %s)", last)
    tamper("DELETE FROM audit_event WHERE id = (SELECT event_id FROM audit_leaf WHERE number = %s)", last)
    deliver()
    told = receiver.received[0].message["events"]
    assert [one["leaf"] for one in told] == list(range(1, last + 1))
    assert (told[-1]["missing"], told[-1]["id"]) == (True, None)


def test_sending_again_begins_at_the_leaf_under_other_ids(key, receiver):
    hook = hook_of("SIEM", receiver.url)
    fill(key, 5)
    deliver()
    replay_hook(hook.pk, leaf=4, actor=OPERATOR, clock=at(NOW))
    last = fill(key, 0)
    deliver()
    assert receiver.received[1].leaves == list(range(4, last + 1))
    assert receiver.received[1].id.split("_")[:3] != receiver.received[0].id.split("_")[:3]


def test_what_is_paused_waits_and_loses_nothing(key, receiver):
    hook = hook_of("SIEM", receiver.url)
    pause_hook(hook.pk, actor=OPERATOR, clock=at(NOW))
    fill(key, 3)
    assert deliver() == 0
    resume_hook(hook.pk, actor=OPERATOR, clock=at(NOW))
    last = fill(key, 0)
    deliver()
    assert receiver.leaves == list(range(1, last + 1))


# What happens while it is sent


def during(receiver: Receiver, act: Callable[[], object]) -> None:
    """Have the receiver do this once while it holds the next message, and then take it."""

    def answer(handler: Any) -> None:
        receiver.answer = with_status(204)
        try:
            act()
        finally:
            connection.close()
        with_status(204)(handler)

    receiver.answer = answer


def test_a_replay_while_a_batch_is_on_its_way_is_not_undone_by_it(key, receiver):
    hook = hook_of("SIEM", receiver.url)
    fill(key, 3)
    deliver()
    fill(key, 1)
    during(receiver, lambda: replay_hook(hook.pk, leaf=2, actor=OPERATOR, clock=at(NOW)))
    deliver(seconds=0)
    hook.refresh_from_db()
    assert (hook.position, hook.lease) == (1, None)
    deliver()
    assert receiver.received[-1].leaves[0] == 2


def test_a_new_address_gets_what_the_old_one_was_taking(key, receiver):
    hook = hook_of("SIEM", receiver.url)
    fill(key, 2)
    with receiving() as other:
        wanted = Wanted("SIEM", other.url)
        during(receiver, lambda: change_hook(hook.pk, wanted, allow_private=True, actor=OPERATOR, clock=at(NOW)))
        deliver(seconds=0)
        last = fill(key, 0)
        deliver()
        assert other.leaves == list(range(1, last + 1))


def test_one_that_is_deleted_while_it_is_sent_stays_deleted(key, receiver):
    hook = hook_of("SIEM", receiver.url)
    fill(key, 2)
    during(receiver, lambda: delete_hook(hook.pk, actor=OPERATOR, clock=at(NOW)))
    assert deliver() == 0
    assert not WebHook.objects.exists()


def test_nothing_is_open_while_it_is_sent(key, receiver, monkeypatch):
    hook_of("SIEM", receiver.url)
    fill(key, 2)
    inside = []
    real = posting.post

    def watched(*args: Any, **kwargs: Any) -> posting.Answer:
        inside.append(connection.in_atomic_block)
        return real(*args, **kwargs)

    monkeypatch.setattr(delivery, "post", watched)
    deliver()
    assert inside == [False]


def test_several_workers_never_send_to_one_target_at_once(key, receiver):
    hook = hook_of("SIEM", receiver.url)
    last = fill(key, 450)
    receiver.answer = receiver.slowly(0.05)
    results = at_once(*[lambda: deliver()] * 4)
    assert [one.error for one in results] == [None] * 4
    deliver()
    assert receiver.leaves == list(range(1, last + 1))  # each once: nobody was killed
    assert receiver.most_at_once == 1
    hook.refresh_from_db()
    assert hook.position == last


def test_a_lease_is_taken_by_one_and_left_after_its_time(key, receiver):
    hook = hook_of("SIEM", receiver.url)
    fill(key, 1)
    assert claims.claim(hook.pk, NOW) is not None
    assert claims.claim(hook.pk, NOW + claims.LEASE - SECOND) is None
    late = claims.claim(hook.pk, NOW + claims.LEASE)
    assert late is not None
    assert late.lease is not None
