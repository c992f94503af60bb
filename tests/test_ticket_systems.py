"""Asking a ticket system: a real server that is slow, wrong, elsewhere, dropping or lying, and the form before it."""

from __future__ import annotations

import ipaddress
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client

from approvals.models import Request, Status
from approvals.verifying import asking, web_hook
from approvals.verifying.answers import NoAnswer, Said
from approvals.verifying.deadlines import in_time
from approvals.verifying.web_hook import Hook, sign
from roles import ids
from roles.models import Assignment, User
from roles.outbound.addresses import Inside, endpoints, is_public
from roles.outbound.lines import Line
from tests.people import EXCHANGE_ADMINISTRATOR, HOUR, NOW, configure, make_eligible, request_activation, role
from tests.stepping import verified
from tests.ticketing import SECRET, TicketSystem, accepting, check_of, rejecting, tell, ticket_system

QUESTION = {"ticket": "INC1", "action": "activate", "person": "ines"}
SHORT = 0.3  # seconds: the deadline of these tests
ACTIVATE = "/tasks/roles/activate/"


@pytest.fixture
def system() -> Iterator[TicketSystem]:
    with ticket_system() as running:
        yield running


def ask(system: TicketSystem, *, deadline: float = 5, **changed: Any) -> Said:
    return web_hook.ask(
        Hook(changed.pop("url", system.url), SECRET, **{"allow_private": True, **changed}), QUESTION, deadline=deadline
    )


# The web hook


def test_yes_and_no_are_taken_with_their_words(system):
    assert ask(system) == Said(accepted=True, words="Open, assigned to you")
    system.answer = rejecting
    assert ask(system) == Said(accepted=False, words="It is closed.")


def test_the_question_is_signed_and_says_what_it_is_about(system):
    ask(system)
    asked, headers, body = system.asked[0]
    assert QUESTION.items() <= asked.items()
    assert headers["X-PIM-Signature"] == f"sha256={sign(SECRET, headers['X-PIM-Timestamp'], body)}"
    assert SECRET not in body.decode() + str(headers)


def _slow(handler, asked):
    handler.the_end.wait(3)
    accepting(handler, asked)


def _dripping(handler, asked):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.the_end.wait(0.05):
        handler.wfile.write(b"X-Wait: 1\r\n")


@pytest.mark.parametrize("answer", [_slow, _dripping], ids=["slow", "dripping"])
def test_who_takes_too_long_has_said_nothing(system, answer):
    system.answer = answer
    began = time.perf_counter()
    with pytest.raises(NoAnswer, match="in time"):
        ask(system, deadline=SHORT)
    assert time.perf_counter() - began < SHORT + 1


def test_a_line_that_times_out_before_the_deadline_over_all_was_as_late(system):
    system.answer = _slow
    hook = Hook(system.url, SECRET, allow_private=True)
    line = Line(hook.url, timeout=SHORT, allow_private=True)
    with pytest.raises(NoAnswer, match="in time"):
        in_time(lambda: web_hook._asked(line, hook, QUESTION), deadline=SHORT * 100)


def _good(asked: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"id": asked["id"], "ticket": asked["ticket"], "accepted": True, **changed}


def _redirecting(status):
    def answer(handler, asked):
        handler.send_response(status)
        handler.send_header("Location", "/elsewhere")
        handler.end_headers()
        handler.wfile.write(json.dumps(_good(asked)).encode())

    return answer


def _cut(handler, asked):
    body = json.dumps(_good(asked)).encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[:-3])


BAD = {
    "drops before it answers": (lambda handler, asked: None, "broke"),
    "drops while it answers": (_cut, "cannot be read"),
    "redirects": (_redirecting(302), "does not follow"),
    "redirects and keeps the method": (_redirecting(307), "does not follow"),
    "is out of order": (lambda handler, asked: tell(handler, _good(asked), status=500), "error"),
    "knows no such address": (lambda handler, asked: tell(handler, _good(asked), status=404), "error"),
    "accepts for later": (lambda handler, asked: tell(handler, _good(asked), status=202), "error"),
    "speaks no HTTP": (lambda handler, asked: handler.wfile.write(b"yes\r\n\r\n"), "broke"),
    "speaks no JSON": (lambda handler, asked: tell(handler, b"<b>yes</b>"), "cannot be read"),
    "is too deep": (lambda handler, asked: tell(handler, b"[" * 16_000), "cannot be read"),
    "is too long": (lambda handler, asked: tell(handler, _good(asked, words="x" * 17_000)), "cannot be read"),
    "is a list": (lambda handler, asked: tell(handler, [True]), "cannot be read"),
    "says yes as a word": (lambda handler, asked: tell(handler, _good(asked, accepted="true")), "cannot be read"),
    "says yes as a number": (lambda handler, asked: tell(handler, _good(asked, accepted=1)), "cannot be read"),
    "says nothing of it": (lambda handler, asked: tell(handler, _good(asked, accepted=None)), "cannot be read"),
    "has no words but numbers": (lambda handler, asked: tell(handler, _good(asked, words=7)), "cannot be read"),
    "speaks of another ticket": (lambda handler, asked: tell(handler, _good(asked, ticket="INC2")), "another question"),
    "answers an earlier question": (lambda handler, asked: tell(handler, _good(asked, id="x")), "another question"),
    "names no ticket": (lambda handler, asked: tell(handler, {"accepted": True}), "another question"),
}


@pytest.mark.parametrize("bad", BAD)
def test_whoever_answers_badly_has_said_nothing(system, bad):
    system.answer, sentence = BAD[bad]
    with pytest.raises(NoAnswer, match=sentence):
        ask(system)
    assert len(system.asked) == 1


def test_nobody_there_has_said_nothing(system):
    with pytest.raises(NoAnswer, match="could not be opened"):
        ask(system, url="http://127.0.0.1:1/")


def test_a_certificate_that_is_none_ends_it(system):
    with pytest.raises(NoAnswer, match="could not be opened"):
        ask(system, url=system.url.replace("http://", "https://"))
    assert system.asked == []


def test_a_private_address_is_asked_only_where_that_is_allowed(system):
    for url in (system.url, system.url.replace("127.0.0.1", "localhost")):
        with pytest.raises(NoAnswer, match="may not ask"):
            ask(system, url=url, allow_private=False)
    assert system.asked == []


def test_without_https_only_this_machine_is_asked(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    assert endpoints("tickets.example.org", 80, https=True, allow_private=True)
    with pytest.raises(Inside):
        endpoints("tickets.example.org", 80, https=False, allow_private=True)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - an address to refuse
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fd00::1", False),
        ("fe80::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::", False),
        ("2001:0:53aa:64c:0:0:f5ff:fffe", False),
    ],
)
def test_what_lies_in_the_public_network(address, public):
    assert is_public(ipaddress.ip_address(address)) is public


# The form


@pytest.fixture
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def checked(now: None, eligibility: Assignment) -> Assignment:
    configure(eligibility.role, ticket_required=True, ticket_verified=True, ticket_pattern="INC[0-9]+")
    return eligibility


@pytest.fixture
def hooked(system: TicketSystem, settings: Any) -> TicketSystem:
    """The portal asks this ticket system by web hook."""
    settings.PIM_TICKET_URL, settings.PIM_TICKET_SECRET, settings.PIM_TICKET_ALLOW_PRIVATE = system.url, SECRET, True
    return system


def send(user: User, *eligibilities: Assignment, **typed: str) -> Any:
    client: Client = verified(user)
    fields = {"when": "now", "duration": "1", "reason": "needed", "ticket": "INC1", **typed}
    return client.post(ACTIVATE, {"eligibility": [str(one.pk) for one in eligibilities], **fields})


@pytest.mark.django_db
class TestTheForm:
    def test_says_which_form_a_ticket_has(self, ines, checked):
        html = verified(ines).get(f"{ACTIVATE}?eligibility={checked.pk}").content.decode()
        assert "Its form: INC[0-9]+. The portal asks the ticket system" in html

    def test_an_accepted_ticket_gives_the_role_and_stands_on_the_request(self, ines, checked, hooked):
        made = send(ines, checked)
        request = Request.objects.get()
        assert (request.status, request.ticket_check) == (Status.GRANTED, "127.0.0.1: Open, assigned to you")
        asked = hooked.asked[0][0]
        assert (asked["person"], asked["role_id"]) == ("ines", str(EXCHANGE_ADMINISTRATOR))
        assert "accepted by 127.0.0.1: Open, assigned to you" in verified(ines).get(made.url).content.decode()

    def test_a_rejected_one_gives_nothing_and_says_why(self, ines, checked, hooked):
        hooked.answer = rejecting
        refused = send(ines, checked)
        assert refused.status_code == 422
        assert "The ticket was not accepted by 127.0.0.1: It is closed." in refused.content.decode()
        assert not Request.objects.exists()

    def test_silence_gives_nothing_and_says_why(self, ines, checked, hooked):
        hooked.answer = BAD["is out of order"][0]
        refused = send(ines, checked)
        assert refused.status_code == 422
        assert "the ticket system answered with an error (500)" in refused.content.decode()
        assert not Request.objects.exists()

    def test_a_portal_without_a_ticket_system_gives_nothing(self, ines, checked):
        refused = send(ines, checked)
        assert refused.status_code == 422
        assert "the portal has no ticket system to ask" in refused.content.decode()
        assert not Request.objects.exists()

    @pytest.mark.parametrize("typed", [{"reason": ""}, {"duration": "99"}, {"ticket": "CHG1"}, {"ticket": ""}])
    def test_nobody_is_asked_while_something_else_is_wrong(self, ines, checked, hooked, typed):
        refused = send(ines, checked, **typed)
        assert refused.status_code == 422
        assert hooked.asked == []

    def test_each_of_several_roles_is_checked_on_its_own(self, ines, checked, hooked):
        other = make_eligible(ines, role(ids.SECURITY_READER))
        configure(other.role, ticket_required=True, ticket_verified=True)
        send(ines, checked, other)
        assert {one[0]["role_id"] for one in hooked.asked} == {str(checked.role_id), str(other.role_id)}
        assert Request.objects.filter(status=Status.GRANTED).count() == 2

    def test_who_said_nothing_is_not_asked_again_for_the_same_form(self, ines, checked, hooked):
        other = make_eligible(ines, role(ids.SECURITY_READER))
        configure(other.role, ticket_required=True, ticket_verified=True)
        hooked.answer = BAD["is out of order"][0]
        assert send(ines, checked, other).status_code == 422
        assert len(hooked.asked) == 1
        assert not Request.objects.exists()

    def test_prolonging_asks_again(self, ines, checked, hooked):
        activation = request_activation(
            ines, checked, ticket="INC1", ticket_check=check_of(ines, checked, "INC1")
        ).outcome
        fields = {"duration": "2", "reason": "not done", "ticket": "INC2"}
        client = verified(ines)
        assert client.post(f"/tasks/roles/{activation.pk}/prolong/", fields).status_code == 302
        asked = hooked.asked[0][0]
        assert (asked["action"], asked["ticket"]) == ("prolong", "INC2")
        activation.refresh_from_db()
        assert activation.ends_at == NOW + 2 * HOUR
        hooked.answer = rejecting
        assert client.post(f"/tasks/roles/{activation.pk}/prolong/", fields | {"duration": "3"}).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_it_is_asked_before_the_transaction(ines, checked, hooked, monkeypatch):
    inside = []
    asked = asking._asked

    def watched(question):
        inside.append(connection.in_atomic_block)
        return asked(question)

    monkeypatch.setattr(asking, "_asked", watched)
    send(ines, checked)
    assert inside == [False]
    assert Request.objects.get().status == Status.GRANTED


# A function


def yes(question: dict[str, str]) -> bool:
    return question["ticket"] == "INC1"


def no_with_words(question: dict[str, str]) -> tuple[bool, str]:
    return False, "It is\nclosed.\x00"


def fails(question: dict[str, str]) -> bool:
    raise LookupError(question["ticket"])


def says_nothing(question: dict[str, str]) -> None:
    return None


@pytest.mark.django_db
class TestAFunction:
    @pytest.mark.parametrize(
        ("name", "status", "words"),
        [
            ("yes", 302, ""),
            ("no_with_words", 422, "The ticket was not accepted by the ticket system: It is closed."),
            ("fails", 422, "the ticket system failed"),
            ("says_nothing", 422, "cannot be read"),
            ("not_there", 422, "the ticket system failed"),
        ],
    )
    def test_what_it_says_counts_and_nothing_else(self, ines, checked, settings, name, status, words):
        settings.PIM_TICKET_VERIFIER = f"tests.test_ticket_systems.{name}"
        answer = send(ines, checked)
        assert answer.status_code == status
        assert words in answer.content.decode()
        assert Request.objects.exists() is (status == 302)
