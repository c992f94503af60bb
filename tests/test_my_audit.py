"""My audit history: what I did and what was done to me, and nothing of others."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from approvals.selectors.showing import shown_digest
from approvals.services.decisions import approve
from audit.kinds import Kind, Realm
from audit.models import Event, EventText
from audit.recording import Ids, write
from pim_portal.accounts.services.sessions import record_wrong_password
from roles import ids
from roles.actors import Actor
from roles.models import Purpose, User
from roles.refusals import Refused
from roles.service import record
from roles.services.assignments import deactivate
from tests.people import DAY, NOW, acting, at, give, request_activation, role
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def story(ines, adam, with_approval):
    """Ines asks, Adam approves, Ines deactivates."""
    asked = request_activation(ines, with_approval, reason="Mailbox of Zoë", ticket="INC-4711")
    decision = acting(adam, Purpose.DECIDE, asked.pk)
    approve(asked.pk, actor=decision, justification="Confirmed by phone", seen=shown_digest(asked), clock=at(NOW))
    asked.refresh_from_db()
    deactivate(asked.outcome_id, actor=Actor(ines, address="192.0.2.7"), reason="Done", clock=at(NOW))
    return asked


def page(user: User, **query: str) -> str:
    response = visiting(user).get(reverse("my_audit"), query)
    assert response.status_code == 200
    return response.content.decode()


def details_page(user: User, event: Event) -> str:
    response = visiting(user).get(reverse("my_audit_event", args=[event.uuid]))
    assert response.status_code == 200
    return response.content.decode()


def the(kind: Kind, **fields: object) -> Event:
    return Event.objects.get(kind=kind, **fields)


def test_it_says_who_what_when_where_why(ines, story):
    html = page(ines)
    for column in ("Who", "What", "When", "Where", "Why"):
        assert f'data-label="{column}"' in html
    assert "Ines asked for Exchange Administrator at Directory." in html
    assert "Mailbox of Zoë" in html


def test_it_shows_what_was_done_to_me(ines, story):
    assert "Adam approved the request of Ines for Exchange Administrator at Directory." in page(ines)
    assert "Confirmed by phone" in page(ines)


def test_an_approver_sees_what_they_decided(adam, story):
    assert "Adam approved the request of Ines for Exchange Administrator at Directory." in page(adam)
    assert "Ines asked for" not in page(adam)


def test_it_shows_nothing_of_others(zoe, story):
    html = page(zoe)
    assert "Ines" not in html
    assert "Exchange Administrator" not in html


def test_the_newest_stands_first(ines, story):
    html = page(ines)
    assert html.index("Ines deactivated") < html.index("was activated for Ines") < html.index("Ines asked for")


def test_a_refused_attempt_is_there_too(ines, story):
    with pytest.raises(Refused):
        deactivate(story.outcome_id, actor=Actor(ines), clock=at(NOW))
    html = page(ines, outcome="refused")
    assert "Ines tried to deactivate Exchange Administrator at Directory: refused." in html
    assert "Ines asked for" not in html


def test_it_is_filtered_by_kind(ines, story):
    html = page(ines, kind=Kind.ACTIVATION_DEACTIVATED)
    assert "Ines deactivated" in html
    assert "Ines asked for" not in html


def test_it_is_filtered_by_span(ines, story):
    with time_machine.travel(NOW + 2 * DAY, tick=False):
        assert "Nothing matches" in page(ines, span="1")
        assert "Ines asked for" in page(ines, span="7")


@pytest.mark.parametrize("words", ["zoë", "ZOË", "mailbox zoë", "inc-4711", "EXCHANGE"])
def test_it_is_searched_whatever_the_case(ines, story, words):
    assert "Ines asked for" in page(ines, q=words)


def test_it_is_searched_for_compatible_letters(ines):
    give(ines, role(ids.SECURITY_READER))
    with_ligature = Event.objects.count()
    record_reason(ines, "Oﬃce move")
    assert Event.objects.count() == with_ligature + 1
    assert "signed in" in page(ines, q="office")


def record_reason(user: User, reason: str) -> None:
    record(Kind.SIGNED_IN, actor=Actor(user), at=NOW, target=user, reason=reason)


@pytest.mark.parametrize(
    "query",
    [
        {"span": "x"},
        {"span": "-1"},
        {"kind": "nothing"},
        {"outcome": "\x00"},
        {"q": "\x00"},
        {"q": "%_'\""},
        {"q": "a" * 5000},
        {"page": "999999999999999999999"},
        {"page": "-1"},
        {"per_page": "100000"},
        {"sort": "password"},
        {"sort": "-occurred_at,id"},
    ],
    ids=lambda query: ascii(query)[:30],
)
def test_bad_input_is_answered_with_a_page(ines, story, query):
    page(ines, **query)


def test_erased_text_shows_as_erased(ines, story):
    event = the(Kind.REQUEST_MADE)
    EventText.objects.filter(pk=event.pk).update(fields={}, salts={}, search="", erased_at=NOW)
    assert "(erased) asked for (erased) at (erased)." in page(ines)
    html = details_page(ines, event)
    assert "(erased)" in html
    assert "INC-4711" not in html


def test_the_number_of_queries_does_not_grow(ines, eligibility, django_assert_max_num_queries):
    client = visiting(ines)
    with django_assert_max_num_queries(40) as first:
        client.get(reverse("my_audit"))
    for _ in range(20):
        record_reason(ines, "again")
    with django_assert_max_num_queries(len(first)) as second:
        client.get(reverse("my_audit"))
    assert len(second) == len(first)


def test_it_is_paged(ines):
    for number in range(30):
        record_reason(ines, f"number {number:02}")
    first, second = page(ines), page(ines, page="2")
    assert "number 29" in first
    assert "number 29" not in second
    assert "number 04" not in first
    assert "number 04" in second


def test_details_say_everything_that_was_recorded(ines, story, with_approval):
    html = details_page(ines, the(Kind.ACTIVATION_STARTED))
    for text in (
        "INC-4711",
        "Mailbox of Zoë",
        "By the authority of",
        "Exchange Administrator at Directory",
        "Eligible",
    ):
        assert text in html
    assert str(story.pk) in html
    assert str(with_approval.pk) in html


def test_details_of_a_request_say_the_duration_in_words(ines, story):
    html = details_page(ines, the(Kind.REQUEST_MADE))
    assert "Wanted duration" in html
    assert "1 h" in html
    assert "At once" in html


@pytest.mark.parametrize(
    "details",
    [
        {"type": ["active"], "kind": {}, "why": 7, "action": None},
        {"ends_at": "yesterday", "starts_at": 5, "wanted_start": "2026-13-45T99:00"},
        {"wanted_seconds": "many", "granted_seconds": 10**12, "stage": True},
        {"something new": "<b>bold</b>"},
    ],
    ids=str,
)
def test_details_of_a_shape_nobody_thought_of_have_their_page(ines, details):
    event = write(
        Kind.SIGNED_IN, at=NOW, realm=Realm.DIRECTORY, actor_id=ines.pk, ids=Ids(), details=details, text={"actor": "I"}
    )
    assert "<b>bold</b>" not in details_page(ines, event)


def test_the_own_address_is_shown(ines, story):
    assert "192.0.2.7" in details_page(ines, the(Kind.ACTIVATION_DEACTIVATED))


def test_the_address_of_whoever_acted_on_me_is_not_shown(ines, adam, story):
    decided = the(Kind.REQUEST_APPROVED)
    assert decided.text.fields["address"] == "127.0.0.1"
    assert "127.0.0.1" not in details_page(ines, decided)
    assert "127.0.0.1" in details_page(adam, decided)


@pytest.mark.parametrize("words", ["127.0.0.1", "127", "12", "phone 127.0"])
def test_nor_is_it_found_piece_by_piece(ines, adam, story, words):
    approved = "Adam approved"
    assert approved not in page(ines, q=words)
    assert approved in page(adam, q=words)
    assert approved in page(ines, q="phone confirmed")


def test_what_they_wrote_is_found_beside_their_address(ines, adam):
    actor = Actor(adam, address="198.51.100.7")
    record(Kind.PERSON_CHANGED, actor=actor, at=NOW, target=ines, reason="asked from 198.51.100.9")
    record(Kind.PERSON_ENABLED, actor=actor, at=NOW, target=ines, reason="back")
    found = page(ines, q="198.51")
    assert "Adam changed" in found
    assert "Adam enabled" not in found


def test_ones_own_address_is_found(ines, story):
    assert "Ines deactivated" in page(ines, q="192.0.2.7")


def unknown(user: User, pk: uuid.UUID) -> str:
    """Return the answer to an event that is not there, but for its own address and the token of its forms."""
    response = visiting(user).get(reverse("my_audit_event", args=[pk]))
    assert response.status_code == 404
    return re.sub(r'value="\w{64}"', "", response.content.decode().replace(str(pk), ""))


def test_who_tried_to_sign_in_as_me_is_told_with_their_address(ines):
    record_wrong_password(ines, address="198.51.100.9", clock=at(NOW))
    assert "Somebody tried to sign in as Ines: refused." in page(ines)
    assert "198.51.100.9" in details_page(ines, Event.objects.get(kind=Kind.SIGNED_IN))


def test_the_event_of_another_person_is_as_unknown_as_a_random_one(zoe, petra, story):
    event = the(Kind.REQUEST_MADE)
    for stranger in (zoe, petra):
        assert unknown(stranger, event.uuid) == unknown(stranger, uuid.uuid4())


def test_an_event_without_names_has_its_page(ines):
    event = write(Kind.SIGNED_IN, at=NOW - timedelta(days=1), realm=Realm.DIRECTORY, actor_id=ines.pk, ids=Ids())
    assert "Somebody signed in." in details_page(ines, event)
    assert "Somebody signed in." in page(ines)


def test_nobody_else_gets_in(client):
    assert client.get(reverse("my_audit")).status_code == 302
    assert client.get(reverse("my_audit_event", args=[uuid.uuid4()])).status_code == 302


def test_it_is_only_read(ines):
    client = visiting(ines)
    assert client.post(reverse("my_audit")).status_code == 405
    assert client.post(reverse("my_audit_event", args=[uuid.uuid4()])).status_code == 405
