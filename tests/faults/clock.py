"""Faults of the clock: it jumps over an end and comes back."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.db import connections
from django.utils import timezone

from roles import ids
from tests.faults.arena import Arena
from tests.faults.work import overdue
from tests.people import HOUR, make_eligible, person, request_activation, role
from tests.served import Visitor


def jumping_clock(arena: Arena) -> str:
    """Two hours on, over an end that the sweep writes down there; back; and two hours before the beginning."""
    clock = arena.folder / "clock"
    skewed = {"DJANGO_SETTINGS_MODULE": "tests.faults.skewed", "FAULTS_CLOCK": str(clock)}
    now = timezone.now()
    arena.made += 1
    reader = person(f"reader{arena.made}", now=now)
    eligibility = make_eligible(reader, role(ids.GLOBAL_READER), now=now)
    request_activation(reader, eligibility, now=now, hours=1)
    clock.write_text("0")

    def may_read(hours: int) -> bool:
        """Whether the role opens its page by the clock of the portal, for somebody signed in by it."""
        clock.write_text(str(hours * 3600))
        with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=True):
            visitor = Visitor(arena.processes.served, reader)
        connections.close_all()
        (status,) = visitor.get("/manage/people/").statuses
        assert status in (200, 403), status
        return status == 200

    with arena.processes.web(**skewed):
        held = may_read(0)
        there = may_read(2)
        back_before = may_read(0)
        clock.write_text("7200")
        arena.tick(**skewed)
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
    assert arena.waiting("roles_assignment", f"ended_at > '{ended:%Y-%m-%d %H:%M:%S}'") == 0
    arena.check()
    return "over the end: not held; written down there and back: stays ended; before its beginning: not held"
