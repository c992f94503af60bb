"""The settings of production, in a process whose clock is as many seconds off as the file FAULTS_CLOCK says.

What Python reads of the time is moved (time-machine), from before the portal is loaded on; each request looks first
whether the clock has jumped. The database keeps its own time.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import time_machine
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from pim_portal.settings import *  # noqa: F403
from pim_portal.settings import MIDDLEWARE

MIDDLEWARE = ["tests.faults.skewed.JumpingClockMiddleware", *MIDDLEWARE]


class _Clock:
    def __init__(self) -> None:
        self.seconds_off = 0.0
        self.traveller = time_machine.travel(time.time(), tick=True).start()

    def follow(self) -> None:
        wanted = float(Path(os.environ["FAULTS_CLOCK"]).read_text())
        self.traveller.shift(wanted - self.seconds_off)
        self.seconds_off = wanted


_clock = _Clock()
_clock.follow()


class JumpingClockMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        _clock.follow()
        return self.get_response(request)
