"""The sender of web hooks killed at any step, for real: nothing is lost, and what comes twice comes in its place."""

from __future__ import annotations

import http.client
import os
import signal
import warnings
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection

from pim_portal.streams import claims, delivery
from pim_portal.streams.delivery import deliver_hooks
from roles.outbound.lines import Line
from tests.hooks import hook_of
from tests.people import NOW, at
from tests.test_web_hooks import SECOND, fill, key, receiver

__all__ = ["key", "receiver"]

# What a sender does for one message, in order: (the object, its function).
STEPS: dict[str, tuple[Any, str]] = {
    "claim": (claims, "claim"),
    "read": (delivery, "next_batch"),
    "on its way": (claims, "on_its_way"),
    "connect": (Line, "connect"),
    "send": (http.client.HTTPConnection, "request"),
    "answer": (http.client.HTTPConnection, "getresponse"),
    "delivered": (claims, "delivered"),
}
# The receiver has it and the portal does not know: only there it must come twice.
UNAVOIDABLE = {("send", "after"), ("answer", "before"), ("answer", "after"), ("delivered", "before")}


def killed_at(step: str, moment: str, run: Callable[[], object]) -> None:
    """Run this in a process of its own that is killed at this step."""
    connection.close()  # no connection lives through a fork
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the threads of the receiver stay in this process
        child = os.fork()
    if child == 0:
        owner, name = STEPS[step]
        real = getattr(owner, name)

        def die(*args: Any, **kwargs: Any) -> None:
            if moment == "after":
                real(*args, **kwargs)
            os.kill(os.getpid(), signal.SIGKILL)

        try:
            setattr(owner, name, die)
            run()
        except BaseException:  # noqa: BLE001 - the child must never come back into the tests
            os._exit(2)
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"{step} was never done ({status})"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_sender_killed_between_any_two_steps_loses_nothing_and_repeats_only_what_it_must(key, receiver):
    hook = hook_of("SIEM", receiver.url)
    now, last = NOW, 0
    for step in STEPS:
        for moment in ("before", "after"):
            last = fill(key, 3)
            before = len(receiver.received)
            killed_at(step, moment, partial(deliver_hooks, allow_private=True, clock=at(now)))
            now += claims.LEASE + SECOND
            last = fill(key, 1)
            deliver_hooks(allow_private=True, clock=at(now))
            hook.refresh_from_db()
            assert hook.position == last, (step, moment)
            ids = [one.id for one in receiver.received[before:]]
            assert len(ids) - len(set(ids)) == ((step, moment) in UNAVOIDABLE), (step, moment)
    once = [one for one, after in pairwise([*receiver.received, None]) if after is None or one.id != after.id]
    assert [leaf for one in once for leaf in one.leaves] == list(range(1, last + 1))
    assert len({one.id for one in receiver.received}) == len(once)  # a repeated one stands beside itself
