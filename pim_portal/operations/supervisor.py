"""One command for web and worker: starts both, watches both, stops both.

django-q2's cluster can hang or lose its children to a kill (and its main process would leave orphans behind), so it
never runs without the watchdog. Nothing depends on the worker for access to end; this keeps mails and history moving.
"""

from __future__ import annotations

import errno
import logging
import signal
import socket
import sys
import time
from types import FrameType
from typing import Final

from django.core.management.base import CommandError
from django.db import close_old_connections, connections

from pim_portal.operations.processes import Child
from pim_portal.operations.services import ensure_schedules
from pim_portal.operations.watchdog import Watchdog

logger = logging.getLogger(__name__)

LOOK_EVERY: Final = 0.25  # seconds
WATCH_EVERY: Final = 1.0  # seconds between two looks into the database
STOP_WITHIN: Final = 10.0  # seconds from asking to killing
WEB_PROCESSES: Final = 2
WEB_THREADS: Final = 8
BACKLOG: Final = 2048


class Supervisor:
    """Keeps its children running until it is told to stop."""

    def __init__(self, children: list[Child], watchdog: Watchdog, *, watched: Child | None) -> None:
        self.children = children
        self.watchdog = watchdog
        self.watched = watched
        self.signals = 0
        self.watch_at = 0.0

    def run(self) -> None:
        """Start and tend the children; returns after a signal has stopped them all."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # What was started with nohup stays deaf to the end of its terminal.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._on_signal)
        try:
            while not self.signals:
                for child in self.children:
                    if child.tend() and child is self.watched:
                        self.watchdog.started_anew()
                self._watch()
                time.sleep(LOOK_EVERY)
            self._stop()
        finally:
            for child in self.children:
                child.kill()

    def _watch(self) -> None:
        if self.watched is None or self.watched.has_stopped() or time.monotonic() < self.watch_at:
            return
        self.watch_at = time.monotonic() + WATCH_EVERY
        close_old_connections()
        if self.watchdog.is_stalled():
            logger.error("The %s takes no tasks any more; it is started anew.", self.watched.name)
            self.watched.replace()
            self.watchdog.give_up()

    def _stop(self) -> None:
        deadline = time.monotonic() + STOP_WITHIN
        for child in self.children:
            child.ask_to_stop()
        # A second Ctrl-C does not wait.
        while self.signals == 1 and time.monotonic() < deadline and not all(c.has_stopped() for c in self.children):
            time.sleep(0.05)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.signals += 1


def run(
    port: int = 8000,
    host: str = "127.0.0.1",
    *,
    web: bool = True,
    worker: bool = True,
    audit_lines: bool = False,
    watchdog: Watchdog | None = None,
) -> None:
    """Serve the portal on `host`:`port` and run its worker, until SIGINT, SIGTERM or the end of the terminal.

    `audit_lines`: the worker is joined by a process that writes the history to standard output. It is one of its own,
    since whoever reads from there may stop reading.

    Raises `CommandError` with a sentence when the port cannot be had.
    """
    children = []
    listener = _listen(host, port) if web else None
    if listener is not None:
        # The supervisor keeps the socket, so nobody is turned away while the web process is started anew.
        children.append(
            Child("web", _gunicorn(listener.fileno()), at_our_death=signal.SIGTERM, pass_fds=[listener.fileno()])
        )
    watched = None
    if worker:
        ensure_schedules()
        # Killed at once: its tasks may be cut off anywhere, and its own children end with it.
        watched = Child("worker", [sys.executable, "-m", "django", "worker"], at_our_death=signal.SIGKILL)
        children.append(watched)
        if audit_lines:
            lines = [sys.executable, "-m", "django", "stream_audit", "--follow"]
            children.append(Child("audit lines", lines, at_our_death=signal.SIGKILL))
    # A connection does not live through a fork.
    connections.close_all()
    try:
        Supervisor(children, watchdog or Watchdog(), watched=watched).run()
    finally:
        if listener is not None:
            listener.close()


def _listen(host: str, port: int) -> socket.socket:
    if not 0 < port < 65536:
        raise CommandError("A port is a number from 1 to 65535.")
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise CommandError(f"{host} is not an address of this machine.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CommandError(_why_not(error, host, port)) from error
    return listener


def _why_not(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} is in use by another program. Choose another one, or stop that program."
        case errno.EACCES:
            return f"Port {port} may only be opened by root. Choose one from 1024 on."
        case errno.EADDRNOTAVAIL:
            return f"{host} is not an address of this machine."
    return f"Port {port} cannot be opened: {error.strerror}."


def _gunicorn(descriptor: int) -> list[str]:
    # fmt: off
    return [
        sys.executable, "-m", "gunicorn", "pim_portal.wsgi:application",
        "--bind", f"fd://{descriptor}",
        "--worker-class", "gthread", "--workers", str(WEB_PROCESSES), "--threads", str(WEB_THREADS),
        "--timeout", "60", "--graceful-timeout", "8",
        # It would open a socket in the home folder.
        "--no-control-socket",
        # Which proxies are trusted is the portal's own affair (PIM_TRUSTED_PROXIES).
        "--forwarded-allow-ips", "",
    ]
    # fmt: on
