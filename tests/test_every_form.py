"""Every form and every list, sent what nobody should send: no error, nothing half done, every change in the history.

First each form is filled in as it should be, until it is accepted, second factor and all. From there one thing is made
wrong at a time, with every value of `tests/hostile.py`, so that what is bad gets past the first check and as far as it
can. Then hypothesis makes several things wrong at once. It is aimed at: text that a function cannot take (a lone
surrogate, a NUL, too much of it), a number or a day that is out of all bounds, an id that is none or somebody else's, a
page that saves before it has checked, and a change without its event.

`PIM_TEST_ROUNDS` is how often hypothesis tries each form, by everybody who may, and every field is sent every value
alone; without it, each form is tried at one place, by one of them, and only on SQLite: what PostgreSQL alone refuses
(a NUL, a text or number larger than its column) is looked for in what SQLite was given.
"""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import product
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from django.db import connection, transaction
from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pim_portal.encodings import take_utf8_only
from pim_portal.imports.reading import NEEDED
from pim_portal.shell import Shell
from roles.models import User
from tests.hostile import (
    CALLED,
    CHARACTER_SETS,
    EXTRA,
    FILES,
    FORM,
    Form,
    Input,
    Pairs,
    encoded,
    filled,
    forms_in,
    in_parts,
    instead,
    values,
    worst,
)
from tests.people import PASSWORD
from tests.stepping import code_of
from tests.test_every_page import PAGES, path_of, people, sealing_key, targets
from tests.visitors import visiting
from tests.watching import HISTORY, OF_THE_VISIT, QUIET, Rows, Seen

__all__ = ["people", "sealing_key", "targets"]

ROUNDS = int(os.environ.get("PIM_TEST_ROUNDS", "0"))

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.timeout(7200 if ROUNDS else 1200),
]
WAYS = settings(
    max_examples=ROUNDS or 1,
    derandomize=not ROUNDS,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# How a form is opened that shows nothing to send by itself: what has to be chosen before, by the name of its page.
CHOSEN = {
    "approvals:activate": ("eligibility", "assignment_in_unit"),
    "approvals:decide_selected": ("request", "request"),
    "directory:assignments_end": ("chosen", "assignment"),
    "unit:assignments_end": ("chosen", "assignment_in_unit"),
    "resource:assignments_end": ("chosen", "assignment_there"),
    "group:assignments_end": ("chosen", "membership"),
    "world_act": ("chosen", "assignment"),
}
PLACES = {"directory", "unit", "resource", "group"}
SOUND_FILE = ("roles.csv", ",".join(NEEDED).encode() + b"\nEligible,,Reader,ines,Direct,,\n")


@pytest.fixture(autouse=True)
def _the_clock_stands_still() -> Iterator[None]:
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture(autouse=True)
def _on_sqlite_unless_there_is_time() -> None:
    if not ROUNDS and connection.vendor != "sqlite":
        pytest.skip("What PostgreSQL alone refuses is looked for on SQLite, too; PIM_TEST_ROUNDS tries it on both.")


class Visits:
    """Sends things, looks what became of the rows, and undoes it all; keeps what was wrong."""

    def __init__(self, people: dict[str, User]) -> None:
        self.people = people
        self.clients = {who: visiting(user) for who, user in people.items()}
        self.clients["stranger"] = Client()
        self.clients["unverified"] = Client()
        signed = self.clients["unverified"].post("/account/sign-in/", {"username": "ines", "password": PASSWORD})
        assert signed.status_code == 302
        for client in self.clients.values():
            client.handler = as_served(client.handler)
        # Far ahead of UTC: the first days that can be written are none there.
        User.objects.update(time_zone="Pacific/Kiritimati")
        self.wrong: list[str] = []
        self.sent = 0
        self.rows = Rows()

    def send(self, who: str, method: str, path: str, body: bytes, kind: str = FORM) -> tuple[HttpResponseBase, bool]:
        """Send something and undo it; return the answer, and whether it was accepted: something was done."""
        self.sent += 1
        said = f"{method} {path} by {who} ({kind}): {body[:600]!r}"
        point = transaction.savepoint()
        cookies: Any = self.clients[who].cookies.copy()
        seen = Seen()
        answer: Any = None
        try:
            with self.rows.watched() as seen:
                answer = self._answer(who, method, path, body, kind)
        except Exception:  # noqa: BLE001 - told below, and the others are tried all the same
            self.wrong.append(f"{said}\n{traceback.format_exc(limit=-4)}")
        finally:
            transaction.savepoint_rollback(point)
            self.clients[who].cookies = cookies
        if answer is None:
            return HttpResponseBase(status=500), False
        refused = method == "GET" or answer.status_code not in (200, 204, 302, 303)
        self.wrong += [f"{said}: {answer.status_code}, {what}" for what in _wrong_with(method, answer, seen, refused)]
        return answer, not refused and bool(seen.changed - OF_THE_VISIT - {"audit_event"} or seen.done)

    def _answer(self, who: str, method: str, path: str, body: bytes, kind: str) -> Any:
        if method == "GET":
            answer = self.clients[who].get(path, QUERY_STRING=body.decode(), **({"CONTENT_TYPE": kind} if kind else {}))
            if answer.streaming:
                for _part in answer:
                    pass
            return answer
        return self.clients[who].generic("POST", path, body, content_type=kind)

    def page(self, who: str, path: str, query: str = "") -> str:
        return html_of(self.clients[who].get(path, QUERY_STRING=query))


def _wrong_with(method: str, answer: Any, seen: Seen, refused: bool) -> Iterator[str]:
    yield from seen.impossible
    if answer.status_code >= 500 and answer.status_code != 503:
        yield "an error"
    beyond = seen.changed - OF_THE_VISIT - (HISTORY if method == "POST" else set())
    if refused and (beyond or seen.done):
        # A code that was right, or wrong, stands in the history whatever became of the form.
        yield f"and yet changed {sorted(beyond)}, done {sorted(seen.done)}"
    if beyond & QUIET and not seen.done:
        yield f"changed {sorted(beyond & QUIET)} without an event"


def as_served(handler: Callable[[Any], Any]) -> Any:
    """What stands before Django in `pim_portal.wsgi` stands before it here, too."""

    def handle(environ: dict[str, Any]) -> Any:
        take_utf8_only(environ)
        return handler(environ)

    return handle


def html_of(answer: Any) -> str:
    html = getattr(answer, "content", b"") if "html" in answer.headers.get("Content-Type", "") else b""
    return str(html.decode(errors="replace"))


def who_opens(name: str) -> list[str]:
    """By whom a page is tried: everybody who may, or, in the quick round, the first of them."""
    row = PAGES[name]
    who = sorted(row.who | row.redirects)
    who += ["stranger"] if row.strangers == 200 else []
    who += ["unverified"] if row.unverified == 200 else []
    return who if ROUNDS else who[:1]


def same(name: str) -> str:
    """The page, wherever it stands: at another place it is the same, and is tried once where time is short."""
    place, _between, page = name.rpartition(":")
    return f"place:{page}" if place in PLACES and not ROUNDS else name


@dataclass
class Sendable:
    """A form as somebody may send it: with which button, and filled in as it should be."""

    page: str
    who: str
    form: Form
    sound: Pairs
    accepted: bool
    shown: bool = True  # by some page

    @property
    def file(self) -> str:
        return next((one.name for one in self.form.inputs.values() if one.sort == "file"), "")

    def body(self, pairs: Pairs, file: tuple[str, bytes] = SOUND_FILE, charset: str = "") -> tuple[bytes, str]:
        if self.file:
            return in_parts(pairs, (self.file, *file), charset)
        return in_parts(pairs, None, charset) if charset else (encoded(pairs), FORM)


def soundings(form: Form, button: tuple[str, str] | None, user: User | None) -> Iterator[Pairs]:
    """Yield a form as a well-meaning person could fill it in: with few words, with all, with each choice there is."""
    code = code_of(user) if user and "code" in form.inputs else {}
    for full, ticked, choice in product((True, False), (False, True), (0, -1)):
        pairs: Pairs = [button] if button else []
        for one in form.inputs.values():
            pairs += [(one.name, value) for value in _sound(one, code, ticked=ticked, choice=choice, full=full)]
        yield pairs


def _sound(one: Input, code: dict[str, str], *, ticked: bool, choice: int, full: bool) -> list[str]:
    if one.name in ("csrfmiddlewaretoken", "find"):
        return []
    if one.name in code:
        return [code[one.name]]
    offered = [value for value in one.offered if value]
    if one.kind == "checkbox":
        return one.values or (offered[:1] if ticked or len(offered) > 1 else [])
    if one.kind in ("radio", "select") and offered:
        return offered[choice:][:1] if choice or not one.values else one.values
    if one.kind == "hidden" or (one.values and one.values[0]):
        return one.values
    if one.kind == "password":
        return [PASSWORD if "old" in one.name or one.name == "password" else "another long enough password"]
    known = {
        "q": "re",
        "scope": "re",
        "email": "new@example.org",
        "username": "newcomer",
        "url": "https://example.org/x",
    }
    if one.name in known:
        return [known[one.name]]
    if one.sort == "day":
        # Days that follow on each other in the order of the fields: an end lies after its start.
        ahead = timezone.now() + timedelta(days=1 if "start" in one.name else 9)
        return [ahead.strftime("%Y-%m-%d" if one.kind == "date" else "%Y-%m-%dT%H:%M")] if full else []
    return ["1"] if one.sort == "number" else ["needed"] if full else []


class Finder:
    """Finds every form there is, and how each is filled in so that it is accepted."""

    def __init__(self, visits: Visits, targets: dict[str, list[object]]) -> None:
        self.visits, self.targets = visits, targets
        self.known: set[object] = set()
        self.found: list[Sendable] = []

    def all(self) -> list[Sendable]:
        looked: set[str] = set()
        for name, row in PAGES.items():
            # The same page at another place is the same, and tried once where time is short.
            if same(name) in looked and not ROUNDS:
                continue
            looked |= {same(name)} if who_opens(name) else set()
            for who in who_opens(name) if not row.only_post else []:
                query = f"{CHOSEN[name][0]}={self.targets[CHOSEN[name][1]][0]}" if name in CHOSEN else ""
                path = path_of(name, self.targets)
                self.look(self.visits.page(who, path, query), path, who)
        # What no page has shown a form for is sent the words of every other one.
        anything = {name: Input(name, "text") for name in ("reason", "justification", "verdict", "code", *EXTRA)}
        shown = {same(one.page) for one in self.found}
        for name in PAGES:
            if same(name) not in shown:
                form = Form(path_of(name, self.targets), "post", anything)
                sound = [(one, "x") for one in anything]
                self.found += [Sendable(name, who, form, sound, False, False) for who in who_opens(name) or ["petra"]]
        return self.found

    def look(self, html: str, path: str, who: str, *, depth: int = 3) -> None:
        """Note the forms of a page, and those that it shows once they are sent."""
        for form in forms_in(html, path):
            if form.method != "post" or not depth:
                continue
            for button in [*([None] if form.plain or not form.buttons else []), *form.buttons]:
                self._try(form, button, who, depth)

    def _try(self, form: Form, button: tuple[str, str] | None, who: str, depth: int) -> None:
        try:
            name = resolve(form.action).view_name
        except Resolver404:
            return
        key = (same(name), tuple(form.inputs), button, who if ROUNDS else "")
        if key in self.known or name not in PAGES:
            return
        self.known.add(key)
        one = Sendable(name, who, form, [], False)
        further: list[str] = []
        for pairs in soundings(form, button, self.visits.people.get(who)):
            answer, accepted = self.visits.send(who, "POST", form.action, *one.body(pairs))
            if not one.sound or accepted:
                one.sound, one.accepted = pairs, accepted
            if accepted or answer.status_code in (302, 303):
                break
            further.append(html_of(answer))
            if answer.status_code == 200:
                break  # it shows more, and is sent from there
        self.found.append(one)
        for html in further[-1:]:
            self.look(html, form.action, who, depth=depth - 1)


@pytest.fixture(autouse=True)
def _only_what_answers_takes_time() -> Iterator[None]:
    """No log of thousands of refusals, no copy of what each template was given, no menu with all that waits."""
    logging.disable()
    with (
        patch("django.test.client.store_rendered_templates", lambda *args, **kwargs: None),
        patch.multiple(Shell, navigation=[], held=None, unwell=[]),
    ):
        yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def visits(people: dict[str, User]) -> Visits:
    return Visits(people)


def several_times(sending: Callable[[st.DataObject], object]) -> None:
    """Send something else each time; what is simplest comes first. Each form alone: one run draws only so much."""

    @WAYS
    @given(data=st.data())
    def once(data: st.DataObject) -> None:
        sending(data)

    once()


@pytest.mark.slow
def test_every_form_sent_what_nobody_should_send(people, targets, visits):
    forms = Finder(visits, targets).all()
    ids = [str(one) for some in targets.values() for one in some]

    def send(one: Sendable, body: tuple[bytes, str]) -> None:
        visits.send(one.who, "POST", one.form.action, *body)

    def send_some(data: st.DataObject, one: Sendable) -> None:
        pairs = data.draw(filled(one.form, one.sound, ids))
        if one.file or data.draw(st.integers(0, 19)) == 19:
            file = data.draw(st.sampled_from(CALLED)), data.draw(st.sampled_from(FILES))
            send(one, in_parts(pairs, (one.file or "file", *file)))
        else:
            send(one, one.body(pairs))

    wholly: set[str] = set()
    for turn, one in enumerate(sorted(forms, key=lambda one: not one.accepted)):
        # The same page with another button is left to hypothesis, and so is what no page shows.
        if ROUNDS or (one.shown and one.page not in wholly):
            wholly.add(one.page)
            for pairs in worst(one.form, one.sound, ids, None if ROUNDS else turn):
                send(one, one.body(pairs))
            for charset in CHARACTER_SETS if ROUNDS else [CHARACTER_SETS[turn % len(CHARACTER_SETS)]]:
                texts = {each.name: "+2AA-\\ud800\\x00" for each in one.form.inputs.values() if each.sort == "text"}
                send(one, one.body(instead(one.sound, texts), charset=charset))
            for number, file in enumerate(product(CALLED, FILES)) if one.file else ():
                if ROUNDS or number % 5 == 0:
                    send(one, one.body(one.sound, file))
        several_times(partial(send_some, one=one))
    accepted = {one.page for one in forms if one.accepted}
    assert visits.wrong == [], told(visits)
    # It gets past the first check: otherwise nothing was tried.
    assert len(accepted) > 50, sorted(accepted)


def told(visits: Visits) -> str:
    return f"{len(visits.wrong)} of {visits.sent}\n\n" + "\n\n".join(visits.wrong[:: max(1, len(visits.wrong) // 12)])


@pytest.mark.long
def test_every_list_and_download_asked_for_what_is_not_there(people, targets, visits):
    ids = [str(one) for some in targets.values() for one in some]
    known: set[object] = set()
    for turn, (name, row) in enumerate(PAGES.items()):
        path = path_of(name, targets)
        for who in who_opens(name) if not row.only_post else []:
            key = (same(name), who if ROUNDS else "")
            if key in known:
                continue
            known.add(key)
            with names_read() as names:
                html = visits.page(who, path, "q=x&download=csv" if "download=csv" in visits.page(who, path) else "")
            shown = {one.name: one for form in forms_in(html, path) for one in form.inputs.values()}
            form = Form(path, "get", {one: shown.get(one, Input(one, "text")) for one in sorted(names)})

            def ask(query: Pairs, who: str = who, path: str = path, kind: str = "") -> None:
                visits.send(who, "GET", path, encoded(query), kind)

            def ask_some(data: st.DataObject, form: Form = form, ask: Any = ask) -> None:
                chosen = data.draw(st.lists(st.sampled_from([*form.inputs.values()]), min_size=1, max_size=4))
                ask([(one.name, data.draw(values(one, ids))) for one in chosen])

            for query in worst(form, [], ids, None if ROUNDS else turn):
                ask(query)
            for charset in CHARACTER_SETS[turn % 4 :: 4] if names else ():
                ask([(one, "+2AA-") for one in names], kind=f"text/plain; charset={charset}")
            if names:
                several_times(ask_some)
    assert visits.wrong == [], told(visits)


@contextmanager
def names_read() -> Iterator[set[str]]:
    """Collect what a page looks for in its query string."""
    names: set[str] = set()

    def noted(name: str) -> Callable[..., Any]:
        real = getattr(MultiValueDict, name)

        def look(self: Any, key: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(self, QueryDict):
                names.add(str(key))
            return real(self, key, *args, **kwargs)

        return look

    with ExitStack() as stack:
        for name in ("__getitem__", "get", "getlist", "_getlist"):
            stack.enter_context(patch.object(MultiValueDict, name, noted(name)))
        stack.enter_context(patch.object(MultiValueDict, "__contains__", noted_in(names), create=True))
        yield names


def noted_in(names: set[str]) -> Callable[..., bool]:
    def look(self: Any, key: Any) -> bool:
        if isinstance(self, QueryDict):
            names.add(str(key))
        return dict.__contains__(self, key)

    return look
