"""A child process of the supervisor, and the promise that none outlives the process that started it."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

BASE_DIR: Final = Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG: Final = 1
# A child that cannot start is tried again ever more rarely.
LONGEST_PAUSE: Final = 30.0
SETTLED_AFTER: Final = 10.0

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(number: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send this process a signal when its parent ends, however that ends. Linux only."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(number))


class Child:
    """One process with all that it starts, in a session of its own: a Ctrl-C reaches the supervisor alone."""

    def __init__(
        self, name: str, command: Sequence[str], *, at_our_death: signal.Signals, pass_fds: Sequence[int] = ()
    ) -> None:
        self.name = name
        self.command = list(command)
        self.at_our_death = at_our_death
        self.pass_fds = tuple(pass_fds)
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.pause = 0.0
        self.not_before = 0.0

    def start(self) -> None:
        supervisor = os.getpid()

        def before_exec() -> None:
            die_with_parent(self.at_our_death)
            if os.getppid() != supervisor:
                os._exit(1)

        self.process = subprocess.Popen(  # noqa: S603 - the commands are our own
            self.command,
            cwd=BASE_DIR,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=before_exec,
            pass_fds=self.pass_fds,
        )
        self.started_at = time.monotonic()
        logger.info("Started the %s (process %d).", self.name, self.process.pid)

    def tend(self) -> bool:
        """Start the child again if it has ended; return whether it was started just now."""
        if self.process is not None and self.process.poll() is None:
            return False
        if self.process is not None:
            logger.error("The %s ended by itself (%s); it is started again.", self.name, _how(self.process.returncode))
            self._schedule_restart()
        if time.monotonic() < self.not_before:
            return False
        self.start()
        return True

    def replace(self) -> None:
        """Kill the child with all that it started; `tend` starts it anew."""
        self.kill()
        self.process = None

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)

    def has_stopped(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def kill(self) -> None:
        """Kill what is left of the process and its group."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _schedule_restart(self) -> None:
        self.kill()
        self.process = None
        settled = time.monotonic() - self.started_at > SETTLED_AFTER
        self.pause = 0.0 if settled else min(max(1.0, self.pause * 2), LONGEST_PAUSE)
        self.not_before = time.monotonic() + self.pause


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


_alone: list[subprocess.Popen[bytes]] = []


def start_alone(command: Sequence[str]) -> int:
    """Start a command of manage.py in a session of its own and return its process id.

    It outlives the process that started it: a task ends at once, and the worker may be replaced meanwhile.
    """
    _alone[:] = [one for one in _alone if one.poll() is None]  # leaves no zombies behind
    _alone.append(
        subprocess.Popen(  # noqa: S603 - the commands are our own
            [sys.executable, str(BASE_DIR / "manage.py"), *command],
            cwd=BASE_DIR,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    )
    return _alone[-1].pid
