"""Garbage is looked for between requests: not while one runs, and by Python itself at the latest."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.core.signals import request_finished, request_started

from pim_portal import garbage
from pim_portal.environment import BASE_DIR


@pytest.fixture
def looked(monkeypatch, db) -> Iterator[list[int]]:
    """The generations up to which was looked, with the signals connected as in a web process."""
    found: list[int] = []
    before = gc.get_threshold()
    monkeypatch.setattr(garbage, "_running", 0)
    monkeypatch.setattr(garbage, "_finished", 0)
    monkeypatch.setattr(gc, "collect", found.append)
    garbage.look_between_requests()
    yield found
    request_started.disconnect(garbage._begin)
    request_finished.disconnect(garbage._end)
    gc.set_threshold(*before)


def test_it_is_looked_for_after_a_request_and_seldom_through_all(client, looked):
    for _each in range(garbage.FULL_EVERY):
        client.get("/healthz")
    assert looked == [1] * (garbage.FULL_EVERY - 1) + [2]


def test_it_is_not_looked_for_while_another_request_runs(looked):
    request_started.send(sender=None)
    request_started.send(sender=None)
    request_finished.send(sender=None)
    assert looked == []
    request_finished.send(sender=None)
    assert looked == [1]


def test_python_still_looks_by_itself_where_there_is_no_pause(looked):
    assert gc.isenabled()
    assert gc.get_threshold() == (garbage.AT_THE_LATEST, 10, 10)


def test_a_web_process_does_so(tmp_path):
    says = (
        "import gc, pim_portal.wsgi; from django.core.signals import request_finished as done;"
        "print(gc.get_threshold()[0], gc.get_freeze_count() > 100_000, len(done.receivers))"
    )
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment = kept | {"DJANGO_SETTINGS_MODULE": "tests.settings", "PIM_DATA_DIR": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-c", says], cwd=BASE_DIR, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.split()
    assert told[:2] == [str(garbage.AT_THE_LATEST), "True"]
    assert int(told[2]) >= 1
