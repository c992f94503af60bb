"""The portal as production runs it: gunicorn with so many workers, on a database of the bench."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from pim_portal.environment import BASE_DIR
from pim_portal.operations import supervisor

PRODUCT, COUNTED = "pim_portal.settings", "tests.bench.settings"
SECRET = "7b0QmX2wVt9sLzR4eJc8uYpA6hNfGk3dDiToHrPxWqEnZlCaSvMgByUj"
START_SECONDS = 180


def environment(folder: Path, url: str, *, port: int = 8000, settings: str = PRODUCT, **more: str) -> dict[str, str]:
    """The environment of a process in production that works on the database at `url`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIM_", "DATABASE_", "DJANGO_"))}
    return kept | {
        "DJANGO_SETTINGS_MODULE": settings,
        "DATABASE_URL": url,
        "PIM_SECRET_KEY": SECRET,
        "PIM_BASE_URL": f"http://127.0.0.1:{port}",
        "PIM_DATA_DIR": str(folder),
        **more,
    }


def manage(folder: Path, url: str, *command: str, **more: str) -> None:
    """Run a module of Python, or a command of manage.py, in that environment."""
    subprocess.run([sys.executable, *command], cwd=BASE_DIR, env=environment(folder, url, **more), check=True)


@contextmanager
def served(folder: Path, url: str, *, workers: int, settings: str = PRODUCT, **more: str) -> Iterator[int]:
    """Serve until the block ends; gives the port. Raises `RuntimeError` with the log when it does not start."""
    log = folder / "web.log"
    with socket.create_server(("127.0.0.1", 0), backlog=supervisor.BACKLOG) as listener, log.open("a") as lines:
        port = listener.getsockname()[1]
        command = supervisor._gunicorn(listener.fileno())
        command[command.index("--workers") + 1] = str(workers)
        process = subprocess.Popen(
            command,
            cwd=BASE_DIR,
            env=environment(folder, url, port=port, settings=settings, **more),
            pass_fds=[listener.fileno()],
            stdout=lines,
            stderr=lines,
        )
        try:
            _wait_for(port, log)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    line = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    while time.monotonic() < deadline:
        try:
            line.request("GET", "/healthz")
            if line.getresponse().read() is not None:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            line.close()
    raise RuntimeError(log.read_text())
