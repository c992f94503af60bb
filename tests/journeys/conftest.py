"""What the journeys share: the sample organisation on a still morning, and people who sit down at a browser."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from playwright.sync_api import BrowserContext
from pytest_django import DjangoDbBlocker

from pim_portal.demo.loader import load
from roles.models import User
from tests.journeys.clock import BEGIN, StillClock
from tests.journeys.looks import LOOKS, Look
from tests.journeys.walking import Walker
from tests.restoring import put_back


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest) -> Look:
    chosen: Look = request.param
    return chosen


@pytest.fixture
def clock(transactional_db: None) -> Iterator[StillClock]:
    with time_machine.travel(BEGIN, tick=False) as traveller:
        yield StillClock(traveller)


@pytest.fixture(scope="session")
def sample(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Path | None:
    """The sample organisation as a file, made once for all workers; None on PostgreSQL, where each journey loads it."""
    if connection.vendor != "sqlite":
        return None
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of all workers
    file = folder / "sample.sqlite3"
    with (folder / "sample.lock").open("w") as lock, django_db_blocker.unblock():
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            with time_machine.travel(BEGIN, tick=False):
                load(BEGIN)
            with closing(sqlite3.connect(file)) as copy:
                connection.connection.backup(copy)
            put_back()
    return file


@pytest.fixture
def organisation(sample: Path | None, clock: StillClock) -> None:
    """Quillhaven, as the demo has it."""
    if sample:
        connection.ensure_connection()
        with closing(sqlite3.connect(sample)) as copy:
            copy.backup(connection.connection)
    else:
        load(BEGIN)
    clock.let_the_worker_beat()


@pytest.fixture
def sit_down(
    new_context: Callable[..., BrowserContext],
    live_server: Any,
    look: Look,
    clock: StillClock,
    console_errors: list[str],
) -> Iterator[Callable[..., Walker]]:
    """Let somebody sit down at a browser of their own. What their pages got wrong fails the journey at its end."""
    faults: list[str] = []

    def at_a_browser(username: str = "", **options: Any) -> Walker:
        context = new_context(
            base_url=live_server.url,
            color_scheme=look.scheme,
            viewport={"width": look.width, "height": look.height},
            **options,
        )
        context.set_default_timeout(20_000)
        if not look.script:
            # Nothing of ours runs: there is no inline script. Turned off altogether, axe could not look either.
            context.route("**/*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
        clock.bring(context)
        user = User.objects.get(username=username) if username else None
        return Walker(context.new_page(), user, look=look, clock=clock, faults=faults)

    yield at_a_browser
    # Chromium reports every form that was refused.
    console_errors[:] = [one for one in console_errors if "422" not in one]
    assert not faults, "\n".join(faults)
