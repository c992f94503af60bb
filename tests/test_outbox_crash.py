"""The sender killed at any moment, in a real process: nothing is lost, and nothing comes twice without need."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from pim_portal.models import Notification, NotificationState
from pim_portal.notifications.claims import LEASE
from pim_portal.notifications.outbox import deliver
from roles.models import User
from tests.people import EXCHANGE_ADMINISTRATOR, at, make_eligible, person, request_activation, role
from tests.stepping import verified
from tests.test_outbox import Postbox, event_for, postbox

__all__ = ["postbox"]

ROOT = Path(__file__).resolve().parents[1]

# What a sender does for one mail, in order: (the object, its function).
STEPS = {
    "open": "smtplib.SMTP.connect",
    "claim": "pim_portal.notifications.claims.claim",
    "render": "pim_portal.notifications.outbox.render",
    "mail": "smtplib.SMTP.mail",
    "rcpt": "smtplib.SMTP.rcpt",
    "data": "smtplib.SMTP.data",
    "write": "pim_portal.notifications.claims.write",
}

SENDER = """
import os, signal, sys
import django
django.setup()
from django.conf import settings
from django.db import connections
from django.utils import timezone
from django.utils.module_loading import import_string
database, port, step, moment = sys.argv[1:]
connections["default"].settings_dict["NAME"] = database
settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", int(port), 5
from pim_portal.notifications import outbox
path, name = step.rsplit(".", 1)
owner = import_string(path) if path == "smtplib.SMTP" else sys.modules[path]
real = getattr(owner, name)
def die(*args, **kwargs):
    if moment == "after":
        real(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, die)
outbox.deliver(clock=timezone.now)
print("came to its end")
"""


def run_until_killed(port: int, step: str, moment: str) -> None:
    """Run a sender in a process of its own that is killed at this step."""
    ended = subprocess.run(
        [sys.executable, "-c", SENDER, connection.settings_dict["NAME"], str(port), STEPS[step], moment],
        cwd=ROOT,
        env={**__import__("os").environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stdout + ended.stderr


@pytest.fixture
def zed(transactional_db: None) -> User:
    return person("zed")


# Only between the server's yes and the note of it must a crash send the mail once more.
UNAVOIDABLE = {("data", "after"), ("write", "before")}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_sender_killed_between_two_steps_loses_nothing_and_repeats_only_what_it_must(
    zed, postbox, settings, step, moment
):
    row = event_for(zed)
    run_until_killed(settings.EMAIL_PORT, step, moment)

    deliver(clock=at(timezone.now() + LEASE + timedelta(seconds=1)))

    row = Notification.objects.get(pk=row.pk)
    assert row.state == NotificationState.SENT
    assert len(postbox.message_ids) == (2 if (step, moment) in UNAVOIDABLE else 1)
    assert len(set(postbox.message_ids)) == 1
    assert deliver(clock=at(timezone.now() + 3 * LEASE)) == 0


@pytest.fixture
def black_hole(settings: Any) -> Iterator[list[float]]:
    """A mail server that takes every call and never says a word; the list holds when it was called."""
    calls: list[float] = []
    held = []
    server = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                held.append(server.accept())
            except OSError:
                return
            calls.append(time.monotonic())

    threading.Thread(target=listen, daemon=True).start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.getsockname()[1], 1
    yield calls
    server.close()
    for one, _address in held:
        one.close()


def test_a_mail_server_that_says_nothing_slows_no_page_and_no_act(zed, black_hole):
    now = timezone.now()
    eligibility = make_eligible(zed, role(EXCHANGE_ADMINISTRATOR), now=now)
    request_activation(zed, eligibility, now=now)
    assert verified(zed).get(reverse("approvals:my_roles")).status_code == 200
    assert Notification.objects.filter(state=NotificationState.WAITING).exists()
    assert black_hole == []  # nobody even called it


def test_a_mail_server_that_says_nothing_holds_the_worker_up_for_its_timeout_only(zed, black_hole):
    for _each in range(5):
        event_for(zed)
    began = time.monotonic()
    assert deliver(clock=timezone.now) == 0
    assert time.monotonic() - began < 3
    assert len(black_hole) == 1
    waiting = Notification.objects.filter(state=NotificationState.WAITING)
    assert set(waiting.values_list("attempts", flat=True)) == {0}


def test_a_server_that_goes_away_in_the_middle_costs_the_others_no_attempt(zed, postbox: Postbox):
    first, second = event_for(zed), event_for(zed)
    postbox.answers_to_rcpt = ["421 4.3.2 Going down"]
    assert deliver(clock=timezone.now) == 0
    assert sorted(Notification.objects.values_list("attempts", flat=True)) == [0, 1]
    assert {first.pk, second.pk} == set(Notification.objects.filter(state="waiting").values_list("pk", flat=True))
