"""The figures in the menu: kept for some seconds, and never older than what the viewer did last."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from roles import kept
from tests.conftest import MENU_KEPT_SECONDS
from tests.people import NOW, request_activation
from tests.stepping import verified
from tests.test_approval_pages import APPROVALS, decide
from tests.visitors import visiting

ELSEWHERE = "/tasks/roles/"
KEPT = timedelta(seconds=MENU_KEPT_SECONDS)


@pytest.fixture(autouse=True)
def _kept(monkeypatch):
    monkeypatch.setattr(kept, "KEPT_SECONDS", MENU_KEPT_SECONDS)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def to_decide(client: Client, path: str = ELSEWHERE) -> int:
    """The figure at "Approve requests"."""
    response = client.get(path)
    assert response.status_code == 200
    entry = re.search(rf'<a href="{APPROVALS}"[^>]*>(.*?)</a>', response.content.decode(), re.DOTALL)
    assert entry
    shown = re.search(r'class="count">(\d+)', entry[1])
    return int(shown[1]) if shown else 0


def test_a_figure_is_kept_for_some_seconds_and_anew_where_it_leads(clock, ines, adam, with_approval):
    client = visiting(adam)
    assert to_decide(client) == 0
    request_activation(ines, with_approval, now=NOW)
    assert to_decide(client) == 0
    assert to_decide(client, APPROVALS) == 1
    assert to_decide(client) == 1


def test_a_figure_is_never_older_than_its_seconds(clock, ines, adam, with_approval):
    client = visiting(adam)
    assert to_decide(client) == 0
    request_activation(ines, with_approval, now=NOW)
    clock.shift(KEPT - timedelta(seconds=1))
    assert to_decide(client) == 0
    clock.shift(timedelta(seconds=1))
    assert to_decide(client) == 1


def test_what_somebody_did_shows_at_once_whichever_process_answers(clock, monkeypatch, ines, adam, with_approval):
    """Each process has a cache of its own; each had counted before the decision."""
    request = request_activation(ines, with_approval, now=NOW)
    client, processes = verified(adam), [LocMemCache(f"process {number}", {}) for number in range(2)]
    for process in processes:
        monkeypatch.setattr(kept, "cache", process)
        assert to_decide(client) == 1
    assert decide(client, request).status_code == 302
    for process in processes:
        monkeypatch.setattr(kept, "cache", process)
        assert to_decide(client) == 0


def test_nobody_sees_the_figure_of_somebody_else(clock, ines, adam, zoe, with_approval):
    request_activation(ines, with_approval, now=NOW)
    assert to_decide(visiting(adam)) == 1
    assert to_decide(visiting(zoe)) == 0


def test_a_page_about_something_else_does_not_ask_what_waits(clock, ines, adam, with_approval):
    request_activation(ines, with_approval, now=NOW)
    client, counted = visiting(adam), []
    for _visit in range(3):
        with CaptureQueriesContext(connection) as asked:
            to_decide(client)
        counted.append(sum("approvals_requestapprover" in one["sql"] for one in asked))
    assert counted[0] > 0
    assert counted[1:] == [0, 0]


def tabs_of(client: Client, tab: str) -> list[int | None]:
    return [one.count for one in client.get(f"{APPROVALS}?tab={tab}").context["tabs"]][:3]


def test_the_tabs_are_anew_where_they_look_at_what_waits_and_kept_on_the_others(clock, ines, adam, with_approval):
    client = visiting(adam)
    assert tabs_of(client, "decided") == [0, 0, 0]
    request_activation(ines, with_approval, now=NOW)
    assert tabs_of(client, "decided") == [0, 0, 0]
    assert tabs_of(client, "waiting") == [1, 0, 0]
    assert tabs_of(client, "decided") == [1, 0, 0]
    assert to_decide(client, f"{APPROVALS}?tab=decided") == 1


def test_what_was_decided_is_off_its_tab_at_once(clock, ines, adam, with_approval):
    request = request_activation(ines, with_approval, now=NOW)
    client = verified(adam)
    assert tabs_of(client, "waiting") == tabs_of(client, "decided") == [1, 0, 0]
    assert decide(client, request).status_code == 302
    assert tabs_of(client, "decided") == [0, 0, 0]
    assert to_decide(client) == 0
