"""Every form and every list, sent what nobody should send: no error, nothing half done, every change in the history.

`PIM_TEST_ROUNDS` is how often each is tried, by everybody who may; without it twice, by one of them.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pim_portal.covered import COVERED
from tests.hostile import EXTRA, FILES, FORM, LISTS, Form, Input, encoded, filled, forms_in, values, with_file
from tests.people import PASSWORD
from tests.test_every_page import OURS, PAGES, path_of, people, sealing_key, targets
from tests.visitors import visiting

__all__ = ["people", "sealing_key", "targets"]

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(1200)]

ROUNDS = int(os.environ.get("PIM_TEST_ROUNDS", "0"))
# Refused or not, these follow from the visit itself: when somebody was seen, which code was tried.
OF_THE_VISIT = {"pim_portal_portalsession", "axes_accessattempt", "axes_accessfailurelog", "roles_stepup"}
HISTORY = {"audit_event", "audit_eventtext", "audit_pending"}
QUIET = {one.table for one in COVERED}
TABLES = sorted({model._meta.db_table for model in apps.get_models() if model._meta.app_label in OURS})
WAYS = settings(
    max_examples=ROUNDS or 2,
    derandomize=not ROUNDS,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def _the_clock_stands_still() -> Iterator[None]:
    with time_machine.travel(timezone.now(), tick=False):
        yield


def counted() -> dict[str, int]:
    """How many rows each table of ours has, and how many events tell of something that was done."""
    parts = [f"SELECT '{table}', count(*) FROM {table}" for table in TABLES]  # noqa: S608 - our own tables
    parts.append("SELECT 'done', count(*) FROM audit_event WHERE outcome <> 'refused'")
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())


class Visits:
    """Sends things, looks what became of the rows, and undoes it all; keeps what was wrong."""

    def __init__(self, people: dict[str, Any]) -> None:
        self.clients = {who: visiting(user) for who, user in people.items()}
        self.clients["stranger"] = Client()
        self.clients["unverified"] = Client()
        signed = self.clients["unverified"].post("/account/sign-in/", {"username": "ines", "password": PASSWORD})
        assert signed.status_code == 302
        self.wrong: list[str] = []
        self.sent = 0
        self.accepted: set[str] = set()
        self.before = counted()

    def send(self, who: str, method: str, path: str, body: bytes, kind: str = FORM) -> None:
        self.sent += 1
        said = f"{method} {path} by {who}: {body[:600]!r}"
        point = transaction.savepoint()
        cookies: Any = self.clients[who].cookies.copy()
        try:
            answer = self._answer(who, method, path, body, kind)
            after = counted()
        except Exception:  # noqa: BLE001 - told below, and the others are tried all the same
            self.wrong.append(f"{said}\n{traceback.format_exc(limit=-4)}")
            return
        finally:
            transaction.savepoint_rollback(point)
            self.clients[who].cookies = cookies
        changed = {name: after[name] - self.before[name] for name in after if after[name] != self.before[name]}
        if answer.status_code >= 500:
            self.wrong.append(f"{said}: {answer.status_code}")
        refused = method == "GET" or answer.status_code not in (200, 302, 303)
        beyond = set(changed) - OF_THE_VISIT - (HISTORY if method == "POST" else set())
        if refused and (beyond or changed.get("done")):
            # A code that was right, or wrong, stands in the history whatever became of the form.
            self.wrong.append(f"{said}: {answer.status_code} and yet {changed}")
        if beyond & QUIET and not changed.get("done"):
            self.wrong.append(f"{said}: {changed} without an event")
        if method == "POST" and not refused:
            self.accepted.add(path)

    def _answer(self, who: str, method: str, path: str, body: bytes, kind: str) -> Any:
        if method == "GET":
            answer = self.clients[who].get(path, QUERY_STRING=body.decode())
            if answer.streaming:
                for _part in answer:
                    pass
            return answer
        return self.clients[who].post(path, body, content_type=kind)


def several_times(sending: Callable[[st.DataObject], None]) -> None:
    """Send something else each time; what is simplest comes first. Each form alone: one run draws only so much."""

    @WAYS
    @given(data=st.data())
    def once(data: st.DataObject) -> None:
        sending(data)

    once()


def who_opens(name: str) -> list[str]:
    """By whom a page is tried: everybody who may, or, in the quick round, the first of them."""
    row = PAGES[name]
    who = sorted(row.who | row.redirects)
    who += ["stranger"] if row.strangers == 200 else []
    who += ["unverified"] if row.unverified == 200 else []
    return who if ROUNDS else who[:1]


@pytest.mark.long
def test_every_form_sent_what_nobody_should_send(people, targets):
    visits = Visits(people)
    forms: dict[str, list[tuple[str, Form]]] = {}
    for name, row in PAGES.items():
        path = path_of(name, targets)
        for who in who_opens(name) if not row.only_post else []:
            html = visits.clients[who].get(path).content.decode(errors="replace")
            for form in forms_in(html, path):
                if form.method == "post":
                    forms.setdefault(form.action, []).append((who, form))
    # What no page has shown a form for is sent the words of every other one.
    anything = {name: Input(name, "text") for name in ("reason", "justification", "verdict", "code", *EXTRA)}
    for name in PAGES:
        path = path_of(name, targets)
        if path not in forms:
            forms[path] = [(who, Form(path, "post", anything)) for who in who_opens(name) or ["petra"]]
    ids = [str(one) for some in targets.values() for one in some]

    def send_some(data: st.DataObject, path: str, who: str, form: Form) -> None:
        pairs = data.draw(filled(form, ids))
        files = [one.name for one in form.inputs.values() if one.kind == "file"]
        if files or data.draw(st.integers(0, 19)) == 19:
            file = data.draw(st.sampled_from(FILES))
            called = data.draw(st.sampled_from(["roles.csv", "x.xlsx", "../../x", "a\x00.csv", ""]))
            body, kind = with_file(pairs, (files or ["file"])[0], file, called)
            visits.send(who, "POST", path, body, kind)
        else:
            visits.send(who, "POST", path, encoded(pairs))

    for path, some in sorted(forms.items()):
        seen = set()
        for who, form in some:
            if ROUNDS or tuple(form.inputs) not in seen:
                seen.add(tuple(form.inputs))
                several_times(partial(send_some, path=path, who=who, form=form))
    assert visits.wrong == [], "\n\n".join(visits.wrong[:10])
    assert visits.sent > len(PAGES)
    # It gets past the first check: otherwise nothing was tried.
    assert len(visits.accepted) > 20, sorted(visits.accepted)


@pytest.mark.long
def test_every_list_and_download_asked_for_what_is_not_there(people, targets):
    visits = Visits(people)
    ids = [str(one) for some in targets.values() for one in some]
    pages: list[tuple[str, str, list[str]]] = []
    for name, row in PAGES.items():
        path = path_of(name, targets)
        for who in who_opens(name) if not row.only_post else []:
            answer = visits.clients[who].get(path)
            html = "" if answer.streaming else answer.content.decode(errors="replace")
            asked = [form for form in forms_in(html, path) if form.method == "get"]
            names = sorted({one for form in asked for one in form.inputs})
            pages.append((who, path, [*names, *LISTS]))

    def ask_some(data: st.DataObject, who: str, path: str, names: list[str]) -> None:
        some = st.tuples(st.sampled_from(names), values(ids).map(lambda text: text[:1500]))
        visits.send(who, "GET", path, encoded(data.draw(st.lists(some, min_size=1, max_size=4))))
        # Every filter of the list at once.
        drawn = [(name, data.draw(values(ids))[:200]) for name in names[: -len(LISTS)]]
        if drawn:
            visits.send(who, "GET", path, encoded(drawn))

    for who, path, names in pages:
        several_times(partial(ask_some, who=who, path=path, names=names))
    assert visits.wrong == [], "\n\n".join(visits.wrong[:10])
    assert visits.sent > len(pages)
