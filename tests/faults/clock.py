"""Faults of the clock: it jumps over an end and comes back (libfaketime)."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import time_machine
from django.db import connections
from django.utils import timezone

from roles import ids
from tests.faults.arena import Arena
from tests.faults.work import overdue
from tests.people import HOUR, make_eligible, person, request_activation, role
from tests.served import Visitor

PLACES = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime")


def library() -> str:
    """The file of libfaketime, or nothing where it is not installed."""
    found = [Path(folder) / "libfaketime.so.1" for folder in PLACES]
    return next((str(file) for file in found if file.exists()), "") if shutil.which("faketime") else ""


def jumping_clock(arena: Arena) -> str:
    """Two hours on, over an end that the sweep writes down there; back; and two hours before the beginning."""
    file = library()
    if not file:
        return "not tried: libfaketime is not installed (Debian: apt-get install faketime)"
    clock = arena.folder / "clock"
    fake = {
        "LD_PRELOAD": file,
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    now = timezone.now()
    arena.made += 1
    reader = person(f"reader{arena.made}", now=now)
    eligibility = make_eligible(reader, role(ids.GLOBAL_READER), now=now)
    request_activation(reader, eligibility, now=now, hours=1)
    clock.write_text("+0\n")

    def may_read(hours: int) -> bool:
        """Whether the role opens its page by the clock of the portal, for somebody signed in by it."""
        clock.write_text(f"{hours * 3600:+d}\n")
        with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=True):
            visitor = Visitor(arena.processes.served, reader)
        connections.close_all()
        (status,) = visitor.get("/manage/people/").statuses
        assert status in (200, 403), status
        return status == 200

    with arena.processes.web(**fake):
        held = may_read(0)
        there = may_read(2)
        back_before = may_read(0)
        clock.write_text("+7200\n")
        arena.tick(**fake)
        back = may_read(0)
        early = may_read(-2)
        again = may_read(0)
    assert held, "The role was never held."
    assert not there, "The role was held two hours after its beginning of one."
    assert back_before, "An end that nobody wrote down lasted."
    assert not back, "What had ended came back with the clock."
    assert not early
    assert not again
    assert not overdue(arena)
    ended = timezone.now() + HOUR
    assert arena.waiting("roles_assignment", f"ended_at > '{ended:%Y-%m-%d %H:%M}'") == 0
    arena.check()
    return "over the end: not held; written down there and back: stays ended; before its beginning: not held"
