"""The pages about web hooks: what they say, who may do what, a second factor for each act, and an event of each."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.models import WebHook
from pim_portal.streams.services import ask_for_test
from roles import ids
from roles.models import Purpose, User
from roles.refusals import Refused
from tests.hooks import hook_of
from tests.people import NOW, OPERATOR, acting, at, give, person, role
from tests.stepping import code_of, errors_in, give_step_up, verified
from tests.visitors import visiting

pytestmark = pytest.mark.django_db

URL = "https://siem.example.org/pim?token=abc"


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def sven() -> User:
    """A Security Administrator."""
    user = person("sven")
    give(user, role(ids.SECURITY_ADMINISTRATOR))
    return user


@pytest.fixture
def hook(sven: User) -> WebHook:
    return hook_of("SIEM", URL)


def last_event() -> Event:
    return Event.objects.select_related("text").filter(kind__startswith="web_hook").order_by("id").reverse()[0]


def post(user: User, address: str, **fields: object):
    return verified(user).post(address, fields)


def test_adding_shows_the_secret_once_and_is_told(sven):
    shown = post(sven, reverse("web_hook_add"), name="SIEM", url=URL, start="now")
    made = WebHook.objects.get()
    assert made.secret in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert made.secret not in visiting(sven).get(reverse("web_hook", args=[made.pk])).content.decode()
    told = last_event()
    assert (told.kind, told.actor_id, told.details["host"]) == (Kind.WEB_HOOK_ADDED, sven.pk, "siem.example.org")
    assert told.authority_id is not None
    assert "token" not in str(told.details) + str(told.text.fields)
    assert made.secret not in str(told.details)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "Give it a name."),
        ({"name": "siem"}, "There is a web hook of this name."),
        ({"url": "siem.example.org"}, "Write a whole address"),
        ({"url": "https://siem.example.org/a b"}, "Write a whole address"),
        ({"url": "https://me:pw@siem.example.org/"}, "Leave user, password and fragment out"),
        ({"url": "http://siem.example.org/"}, "must begin with https://"),
        ({"url": "https://127.0.0.1/"}, "lies inside"),
        ({"url": "https://[::1]:8443/"}, "lies inside"),
        ({"url": "https://169.254.169.254/latest"}, "lies inside"),
        ({"url": "https://localhost/"}, "lies inside"),
        ({"kinds": ["no.such"]}, "Select a valid choice"),
    ],
)
def test_what_a_web_hook_cannot_be_is_said_beside_its_field(sven, hook, fields, sentence):
    refused = post(sven, reverse("web_hook_add"), **{"name": "Other", "url": URL, "start": "now", **fields})
    assert refused.status_code == 422
    assert any(sentence in error for error in errors_in(refused.content.decode()))
    assert WebHook.objects.count() == 1


ACTS = {
    "web_hook_change": ({"name": "Renamed", "url": URL}, Kind.WEB_HOOK_CHANGED),
    "web_hook_rotate": ({"overlap": "24"}, Kind.WEB_HOOK_SECRET_CHANGED),
    "web_hook_replay": ({"leaf": "1"}, Kind.WEB_HOOK_REPLAYED),
    "web_hook_pause": ({}, Kind.WEB_HOOK_PAUSED),
    "web_hook_test": ({}, Kind.WEB_HOOK_TESTED),
    "web_hook_delete": ({}, Kind.WEB_HOOK_DELETED),
}


@pytest.mark.parametrize("name", ACTS)
def test_each_act_needs_a_fresh_second_factor_and_is_told(sven, hook, name):
    fields, kind = ACTS[name]
    address = reverse(name, args=[hook.pk])
    before = list(WebHook.objects.values())
    client = visiting(sven)
    assert 'name="code"' in client.get(address).content.decode()
    assert client.post(address, fields).status_code == 422
    assert client.post(address, fields | code_of(sven) | {"code": "000000"}).status_code == 422
    assert list(WebHook.objects.values()) == before
    give_step_up(client, sven)
    assert client.post(address, fields).status_code in (200, 302)
    assert (last_event().kind, last_event().outcome, last_event().actor_id) == (kind, Outcome.DONE, sven.pk)
    assert list(WebHook.objects.values()) != before


def test_pausing_and_resuming(sven, hook):
    post(sven, reverse("web_hook_pause", args=[hook.pk]))
    assert "Resume" in visiting(sven).get(reverse("web_hook", args=[hook.pk])).content.decode()
    refused = post(sven, reverse("web_hook_pause", args=[hook.pk]))
    assert errors_in(refused.content.decode()) == ["This web hook is paused already."]
    post(sven, reverse("web_hook_resume", args=[hook.pk]))
    hook.refresh_from_db()
    assert hook.paused_at is None


def test_a_replay_skips_nothing(sven, hook):
    for leaf, sentence in (("2", "delivered up to leaf 0"), ("0", "numbered from 1")):
        refused = post(sven, reverse("web_hook_replay", args=[hook.pk]), leaf=leaf)
        assert sentence in errors_in(refused.content.decode())[0]


def test_what_may_be_a_secret_in_the_address_is_on_the_form_only(sven, hook):
    client = visiting(sven)
    for page in (reverse("web_hooks"), reverse("web_hook", args=[hook.pk])):
        html = client.get(page).content.decode()
        assert "siem.example.org/pim" in html
        assert "token=abc" not in html
    assert "token=abc" in client.get(reverse("web_hook_change", args=[hook.pk])).content.decode()


def test_the_pages_say_how_far_it_got_and_what_keeps_it(sven, hook):
    WebHook.objects.update(position=0, failures=3, failing_since=NOW, last_error="The target answered 500.")
    html = re.sub(r"\s+", " ", visiting(sven).get(reverse("web_hook", args=[hook.pk])).content.decode())
    assert "3 attempts have failed since" in html
    assert "The target answered 500." in html
    listed = visiting(sven).get(reverse("web_hooks")).content.decode()
    assert "Failing" in listed
    assert "The target answered 500." in listed


def test_the_list_asks_as_much_for_many_as_for_one(sven, hook):
    client = visiting(sven)
    client.get(reverse("web_hooks"))  # what all pages show is kept from here on
    with CaptureQueriesContext(connection) as one:
        client.get(reverse("web_hooks"))
    for number in range(5):
        hook_of(f"Another {number}")
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("web_hooks"))
    assert len(many) == len(one)


def test_whoever_does_not_look_after_the_portal_is_refused_by_the_service_too(petra, hook):
    with pytest.raises(Refused, match="not_allowed"):
        ask_for_test(hook.pk, actor=acting(petra, Purpose.SETTINGS, hook.pk), clock=at(NOW))
    assert last_event().outcome == Outcome.REFUSED


def test_a_web_hook_that_is_gone_is_refused(sven):
    with pytest.raises(Refused, match="not_found"):
        ask_for_test(uuid.UUID(int=1), actor=OPERATOR, clock=at(NOW))
