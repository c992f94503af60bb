"""The portal's processes as production runs them, to be killed one by one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pim_portal.environment import BASE_DIR
from pim_portal.operations import supervisor
from tests.faults.waiting import PATIENCE, until
from tests.served import Served, _get, production


def children(pid: int) -> list[int]:
    """Every process below this one."""
    with suppress(FileNotFoundError, ProcessLookupError):
        files = [*Path(f"/proc/{pid}/task").glob("*/children")]
        below = [int(child) for file in files for child in file.read_text().split()]
        return [*below, *(deeper for child in below for deeper in children(child))]
    return []


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


class Processes:
    """Web and worker of one portal over one database; each can be started with other variables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        # The socket stays, so that nobody is turned away while a process is started anew.
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=supervisor.BACKLOG)
        self.port = self.listener.getsockname()[1]
        self.served = Served(self.port, self.log)
        self.running: list[subprocess.Popen[bytes]] = []

    def environment(self, **variables: str) -> dict[str, str]:
        return production(self.folder, self.port, **variables)

    def collect(self) -> None:
        self.manage("collectstatic", "--noinput", "--verbosity", "0")

    def manage(self, *command: str, **variables: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=BASE_DIR,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def web(self, *, limits: Callable[[], None] | None = None, **variables: str) -> Iterator[int]:
        """Run gunicorn; gives the process id of its master. `limits` is called in it before it begins."""
        command = supervisor._gunicorn(self.listener.fileno())
        with self._run(command, limits=limits, **variables) as process:
            until(self.answers, PATIENCE, "the web process answers")
            yield process.pid

    @contextmanager
    def worker(self, **variables: str) -> Iterator[int]:
        """Run the supervised worker, with a watchdog that is quicker than production's; gives the supervisor's id."""
        quick = ["--ask-every", "2", "--stalled-after", "25"]
        command = [sys.executable, "manage.py", "supervise", "--only", "worker", *quick]
        with self._run(command, **variables) as process:
            yield process.pid

    @contextmanager
    def _run(
        self, command: Sequence[str], *, limits: Callable[[], None] | None = None, **variables: str
    ) -> Iterator[subprocess.Popen[bytes]]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=BASE_DIR,
                env=self.environment(**variables),
                pass_fds=[self.listener.fileno()],
                stdout=log,
                stderr=log,
                preexec_fn=limits,
            )
        try:
            yield process
        finally:
            below = children(process.pid)
            process.terminate()
            try:
                process.wait(25)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pid in below:
                kill(pid)

    def answers(self) -> bool:
        return self.asked("/healthz") == 200

    def asked(self, path: str) -> int:
        """The status of a GET by a stranger; 0 where there was no answer."""
        try:
            return _get(self.port, path, {})[0]
        except OSError:
            return 0

    def close(self) -> None:
        self.listener.close()


def cluster_of(supervised: int) -> dict[str, list[int]]:
    """The processes of django-q2 below a supervisor, by what they do. Empty while they start."""
    below = children(supervised)
    cluster = next((pid for pid in below if _command(pid).rstrip().endswith("django worker")), None)
    sentinels = _direct(cluster) if cluster else []
    inner = _direct(sentinels[0]) if sentinels else []
    if len(inner) < 4:
        return {}
    # The sentinel starts them in this order.
    return {
        "main process": [cluster or 0],
        "guard (sentinel)": sentinels[:1],
        "idle worker": inner[:1],
        "other worker": inner[1:2],
        "monitor": inner[2:3],
        "pusher": inner[3:4],
    }


def _direct(pid: int) -> list[int]:
    with suppress(FileNotFoundError, ProcessLookupError):
        return [int(one) for file in Path(f"/proc/{pid}/task").glob("*/children") for one in file.read_text().split()]
    return []


def _command(pid: int) -> str:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""
