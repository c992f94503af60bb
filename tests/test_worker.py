"""The recurring jobs, their schedules, and the supervisor with real processes."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ, Schedule

from audit.kinds import Kind
from audit.models import Event
from pim_portal.models import Heartbeat, Notification, PortalSession
from pim_portal.operations import services
from pim_portal.operations.services import SCHEDULES, ensure_schedules, sweep
from pim_portal.operations.watchdog import HEARTBEAT, Watchdog
from roles.models import Purpose, StepUp
from tests.people import DAY, EXCHANGE_ADMINISTRATOR, HOUR, NOW, acting, at, make_eligible, person, role
from tests.people import request_activation as activate
from tests.races import at_once

ROOT = Path(__file__).resolve().parents[1]


# Schedules


def test_every_scheduled_function_exists(db):
    for name in [*(job.func for job in SCHEDULES.values()), HEARTBEAT]:
        assert callable(import_string(name))


def test_migrating_makes_the_schedules(db):
    assert dict(Schedule.objects.values_list("name", "func")) == {name: job.func for name, job in SCHEDULES.items()}


def test_schedules_that_are_not_ours_go_and_ours_are_mended(db):
    Schedule.objects.create(name="evil", func="os.system", args="'id'")
    Schedule.objects.create(name="pim-sweep", func="os.system", args="oops(")
    Schedule.objects.filter(name="pim-send").update(args="oops(", minutes=99)
    due = Schedule.objects.get(name="pim-send").next_run

    ensure_schedules()
    ensure_schedules()

    rows = {row.name: row for row in Schedule.objects.all()}
    assert len(rows) == Schedule.objects.count() == len(SCHEDULES)
    assert {row.func for row in rows.values()} == {job.func for job in SCHEDULES.values()}
    assert (rows["pim-send"].args, rows["pim-send"].minutes) == (None, 1)
    assert rows["pim-send"].next_run == due


# The sweep


@pytest.fixture
def over(transactional_db: None) -> None:
    """Five people whose activation is over at NOW, and nobody has written it down."""
    for number in range(5):
        user = person(f"user{number}", now=NOW - DAY)
        eligibility = make_eligible(user, role(EXCHANGE_ADMINISTRATOR), now=NOW - DAY)
        activate(user, eligibility, now=NOW - 2 * HOUR, hours=1)


def ends_told() -> tuple[int, int]:
    return (
        Event.objects.filter(kind=Kind.ACTIVATION_EXPIRED).count(),
        Notification.objects.filter(mail="activation_ended").count(),
    )


def test_a_sweep_writes_down_every_end_once(over):
    assert sweep(clock=at(NOW)) == 5
    assert sweep(clock=at(NOW)) == 0
    assert ends_told() == (5, 5)


def test_sweeps_at_the_same_time_write_down_every_end_once(over):
    results = at_once(*[lambda: sweep(clock=at(NOW))] * 3)
    assert [one.error for one in results] == [None] * 3
    assert ends_told() == (5, 5)


def test_a_sweep_whose_time_is_up_has_the_rest_done_by_the_next_task(over, monkeypatch):
    monkeypatch.setattr(services, "CHUNK", 2)
    OrmQ.objects.all().delete()
    assert sweep(clock=at(NOW), seconds=0) == 2
    assert "pim_portal.tasks.sweep" in [row.func() for row in OrmQ.objects.all()]
    assert sweep(clock=at(NOW)) == 3


def test_a_part_that_fails_keeps_no_other_from_its_work(over, monkeypatch):
    def broken(**kwargs: Any) -> int:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(services, "lapse_overdue", broken)
    old_session()
    with pytest.raises(RuntimeError):
        sweep(clock=timezone.now)
    assert ends_told() == (5, 5)
    assert not PortalSession.objects.exists()
    assert not Heartbeat.objects.filter(name="sweep").exists()


def old_session() -> None:
    PortalSession.objects.create(session_key="o" * 32, session_data="", expire_date=NOW - DAY)


def test_a_sweep_clears_away_what_is_worth_nothing(ines):
    acting(ines, Purpose.ACTIVATE, now=NOW - 2 * DAY)
    acting(ines, Purpose.ACTIVATE, now=NOW)
    old_session()
    PortalSession.objects.create(session_key="n" * 32, session_data="", expire_date=NOW + DAY)

    sweep(clock=at(NOW))

    assert StepUp.objects.count() == 1
    assert [session.session_key[0] for session in PortalSession.objects.all()] == ["n"]


def test_tick_does_the_recurring_jobs(over):
    call_command("tick")
    assert ends_told() == (5, 5)
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"sweep", "send", "seal"}


def test_a_job_that_fails_keeps_tick_from_no_other(over, monkeypatch):
    def failing(**_how: object) -> int:
        raise RuntimeError("A part of the sweep.")

    monkeypatch.setattr(services, "write_down_ends", failing)
    Notification.objects.update(next_attempt_at=NOW)
    with pytest.raises(RuntimeError, match="A part of the sweep"):
        call_command("tick")
    assert not Notification.objects.filter(state="waiting").exists()
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"send", "seal"}


# The watchdog


def test_the_watchdog_asks_and_is_content_with_an_answer(db):
    watchdog = Watchdog(ask_every=0, stalled_after=0)
    OrmQ.objects.all().delete()
    assert not watchdog.is_stalled()
    assert [row.func() for row in OrmQ.objects.all()] == [HEARTBEAT]
    OrmQ.objects.all().delete()
    assert not watchdog.is_stalled()


def test_the_watchdog_notices_a_worker_that_takes_nothing(db):
    watchdog = Watchdog(ask_every=0, stalled_after=0)
    watchdog.is_stalled()
    assert watchdog.is_stalled()
    watchdog.give_up()
    assert not OrmQ.objects.exists()


def test_the_watchdog_is_patient_while_the_queue_moves(db):
    OrmQ.objects.create(key="pim", payload="x", lock=timezone.now())
    watchdog = Watchdog(ask_every=0, stalled_after=0.05)
    watchdog.is_stalled()
    threading.Event().wait(0.06)
    OrmQ.objects.filter(payload="x").delete()
    assert not watchdog.is_stalled()


# What a monitor asks


def test_the_process_says_that_it_is_alive(client: Client, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/healthz").json() == {"status": "ok"}


def test_ready_tells_of_database_migrations_and_worker(client: Client, db):
    assert client.get("/readyz").json() == {
        "status": "ok",
        "database": "ok",
        "migrations": "ok",
        "worker": "late",
    }
    assert client.get("/healthz/worker").status_code == 503
    services.beat(services.WORKER, clock=timezone.now)
    assert client.get("/readyz").json()["worker"] == "ok"
    assert client.get("/healthz/worker").status_code == 200
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(seconds=100))
    assert client.get("/healthz/worker").json() == {"worker": "late"}


def test_not_ready_while_a_migration_is_missing(client: Client, db):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'reviews' OR app = 'pim_portal'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["migrations"] == "missing"


# The supervisor, with real processes on a database of their own


class Portal:
    """A supervised portal in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIM_", "DATABASE_"))}
        self.environment = kept | {
            "PIM_DEBUG": "1",
            "PIM_DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "pim_portal.settings",
        }
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)

    def start(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", "supervise", "--port", str(self.port)]
        command += ["--ask-every", "0.5", "--stalled-after", "4", *arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)

    def rows(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self.folder / "pim.sqlite3", timeout=20)) as database:
            return database.execute(sql).fetchall()

    @property
    def beat(self) -> str:
        beats = self.rows("SELECT beat_at FROM pim_portal_heartbeat WHERE name = 'worker'")
        return str(beats[0][0]) if beats else ""

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def children(self, of: int | None = None) -> list[int]:
        """Every process below this one, by /proc."""
        pid = of or (self.process.pid if self.process else 0)
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        below = [int(child) for file in tasks for child in file.read_text().split()]
        return [*below, *(deeper for child in below for deeper in self.children(child))]


def wait_for(condition: Callable[[], Any], within: float, what: str) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"Waited {within} s in vain: {what}."
        threading.Event().wait(0.1)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    made = Portal(tmp_path)
    migrated = made.manage("migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr
    yield made
    if made.process is not None and made.process.poll() is None:
        left = made.children()
        made.process.kill()
        made.process.wait()
        wait_for(lambda: not any(map(alive, left)), 10, "the children end with the supervisor")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_supervisor_heals_a_hung_worker_and_leaves_nothing_behind(portal):
    portal.start()
    wait_for(portal.answers, 30, "the web process answers")
    wait_for(lambda: portal.beat, 30, "the worker's first heartbeat")

    # Both idle workers: the one that holds the queue's read lock hangs the cluster for good.
    cluster = next(pid for pid in portal.children() if command_of(pid).endswith("django worker "))
    wait_for(lambda: portal.children(cluster), 30, "the cluster's sentinel")
    sentinel = portal.children(cluster)[0]
    killed = portal.children(sentinel)[:2]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(map(alive, killed)), 5, "both are gone")
    before = portal.beat
    wait_for(lambda: portal.beat > before, 45, "the worker takes tasks again")
    assert portal.answers()

    # A second one on the same port says so.
    second = portal.manage("supervise", "--port", str(portal.port))
    assert second.returncode == 1
    assert f"Port {portal.port} is in use" in second.stderr

    # Killed without a chance to say goodbye, it leaves nothing behind. The cluster may be on its
    # way up once more: a worker that came back at once can have beaten before the cluster hung.
    wait_for(lambda: len(portal.children()) >= 8, 45, "web and worker stand again, all of them")
    left = portal.children()
    portal.process.kill()
    portal.process.wait()
    wait_for(lambda: not any(map(alive, left)), 12, "no child outlives the supervisor")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_one_ctrl_c_stops_web_and_worker(portal):
    portal.start()
    wait_for(portal.answers, 30, "the web process answers")
    wait_for(lambda: portal.beat, 30, "the worker's first heartbeat")
    left = portal.children()

    portal.process.send_signal(signal.SIGINT)

    assert portal.process.wait(15) == 0
    assert not any(map(alive, left))
    assert not portal.answers()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_web_process_that_was_killed_comes_back(portal):
    portal.start("--only", "web")
    wait_for(portal.answers, 30, "the web process answers")
    master = portal.children()[0]
    os.kill(master, signal.SIGKILL)
    wait_for(lambda: not alive(master), 5, "the old one is gone")
    wait_for(portal.answers, 20, "the web process answers again")
    assert not any("worker" in command_of(pid) and "django" in command_of(pid) for pid in portal.children())


@pytest.mark.slow
def test_without_migrations_the_supervisor_says_what_to_do(tmp_path):
    refused = Portal(tmp_path).manage("supervise")
    assert refused.returncode == 1
    assert "manage.py migrate" in refused.stderr
