"""Applying an import in a process of its own: killed in the middle it has done nothing, and is taken up again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from audit.kinds import Kind
from audit.models import Event
from pim_portal import tasks
from pim_portal.imports.limits import MOST_LINES, most_lines
from pim_portal.imports.services import applying, uploads
from pim_portal.models import FileKind, Upload, UploadStatus
from pim_portal.operations.processes import start_alone
from pim_portal.operations.services import sweep
from roles.ids import PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import Assignment, User
from tests.people import MINUTE, give, person, role
from tests.test_import_pages import GOOD, checked, confirmed

ROOT = Path(__file__).resolve().parents[1]
STOPS_IN_THE_MIDDLE = """
import sys, django
django.setup()
from django.core.management import call_command
from pim_portal.imports.services import assignments
makes = assignments.assign_many

def makes_and_waits(*args, **kwargs):
    made = makes(*args, **kwargs)
    print("made", len(made), flush=True)
    sys.stdin.read()
    return made

assignments.assign_many = makes_and_waits
call_command("apply_import", sys.argv[1])
"""


def database_url() -> str:
    """The address of the database of this test, for a process that knows nothing of tests."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    server, _slash, _name = os.environ["DATABASE_URL"].rpartition("/")
    return f"{server}/{name}"


def in_a_process(*command: str) -> subprocess.Popen[str]:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "pim_portal.settings", "DATABASE_URL": database_url()}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


def administrator() -> User:
    """Petra, who imports, and Ines, who is to get something."""
    petra = person("petra", now=timezone.now())
    give(petra, role(PRIVILEGED_ROLE_ADMINISTRATOR), now=timezone.now())
    person("ines", now=timezone.now())
    return petra


@pytest.fixture
def petra(db: None) -> User:
    return administrator()


def waiting_lines() -> list[str]:
    return [GOOD, GOOD.replace("Reports Reader", "Exchange Administrator")]


def ready(user: User) -> Upload:
    return confirmed(checked(user, *waiting_lines()))


def given_to_ines() -> int:
    return Assignment.objects.filter(principal__name="Ines").count()


def tasks_to_apply() -> int:
    return sum(row.func() == uploads.APPLY for row in OrmQ.objects.all())


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_killed_in_the_middle_has_done_nothing_and_another_does_it_all():
    upload = ready(administrator())
    with in_a_process("-c", STOPS_IN_THE_MIDDLE, str(upload.pk)) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "made 2\n", killed.stderr.read() if killed.stderr else ""
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    upload.refresh_from_db()
    assert (upload.status, upload.attempts, given_to_ines()) == (UploadStatus.CONFIRMED, 1, 0)
    assert not Event.objects.filter(kind=Kind.IMPORTED).exists()
    assert upload.begun_at is not None

    OrmQ.objects.all().delete()
    later = upload.begun_at + applying.STARTS_WITHIN
    applying.take_up_again(clock=lambda: later, limit=9)
    assert tasks_to_apply() == 0, "It could still be on its way."
    sweep(clock=lambda: later + MINUTE)
    assert tasks_to_apply() == 1

    with in_a_process("manage.py", "apply_import", str(upload.pk)) as second:
        _out, error = second.communicate()
    assert second.returncode == 0, error
    upload.refresh_from_db()
    assert (upload.status, upload.counts, given_to_ines()) == (UploadStatus.APPLIED, {"made": 2}, 2)
    assert Event.objects.filter(kind=Kind.IMPORTED, outcome="done").count() == 1


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has one writer: there is no second one to meet.")
@pytest.mark.django_db(transaction=True)
def test_what_is_being_applied_is_taken_up_by_nobody_else():
    upload = ready(administrator())
    with in_a_process("-c", STOPS_IN_THE_MIDDLE, str(upload.pk)) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "made 2\n"
        OrmQ.objects.all().delete()
        applying.take_up_again(clock=lambda: timezone.now() + 10 * MINUTE, limit=9)
        applying.apply(upload.pk, clock=timezone.now)
        assert (tasks_to_apply(), given_to_ines()) == (0, 0)
        _out, error = first.communicate("")
    assert first.returncode == 0, error
    upload.refresh_from_db()
    assert (upload.status, upload.attempts, given_to_ines()) == (UploadStatus.APPLIED, 1, 2)


def test_what_was_killed_three_times_is_given_up_with_a_sentence(petra, monkeypatch):
    upload = ready(petra)

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(applying, "apply_lines", killed)
    for attempt in range(1, applying.MOST_ATTEMPTS + 1):
        with pytest.raises(KeyboardInterrupt):
            applying.apply(upload.pk, clock=timezone.now)
        upload.refresh_from_db()
        assert (upload.status, upload.attempts) == (UploadStatus.CONFIRMED, attempt)
    applying.take_up_again(clock=lambda: timezone.now() + 3 * MINUTE, limit=9)
    upload.refresh_from_db()
    assert upload.status == UploadStatus.FAILED
    assert "did not come to an end" in upload.problem
    assert not upload.parts.exists()


def test_a_process_that_never_came_is_sent_anew_and_not_after_an_hour(petra):
    upload = ready(petra)
    assert upload.confirmed_at is not None
    OrmQ.objects.all().delete()
    late = upload.confirmed_at + applying.STARTS_WITHIN + MINUTE
    assert applying.take_up_again(clock=lambda: late, limit=9) == 1
    assert applying.take_up_again(clock=lambda: late + MINUTE, limit=9) == 0, "The one that was sent has two minutes."
    assert tasks_to_apply() == 1
    over = upload.confirmed_at + applying.CONFIRMED_FOR + MINUTE
    applying.take_up_again(clock=lambda: over, limit=9)
    upload.refresh_from_db()
    assert upload.status == UploadStatus.FAILED
    assert "too late" in upload.problem


def test_the_task_only_starts_a_process(petra, monkeypatch):
    started: list[list[str]] = []
    monkeypatch.setattr(applying, "start_alone", started.append)
    waits = checked(petra, GOOD)
    tasks.apply_upload(str(waits.pk))
    assert started == [], "Nobody has confirmed it."
    confirmed(waits)
    tasks.apply_upload(str(waits.pk))
    assert started == [["apply_import", str(waits.pk)]]
    assert given_to_ines() == 0


def test_a_process_of_its_own_has_a_session_of_its_own():
    pid = start_alone(["help", "apply_import"])
    assert os.getsid(pid) == pid != os.getsid(0)
    _pid, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.parametrize("kind", FileKind.values)
def test_sqlite_takes_fewer_lines_than_postgresql(kind):
    assert MOST_LINES[kind][0] > MOST_LINES[kind][1]
    assert most_lines(kind) == MOST_LINES[kind][connection.vendor == "sqlite"]
