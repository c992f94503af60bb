"""`manage.py demo`, for real: a server and a worker, a click, a mail, Ctrl-C, and a second start."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pim_portal.environment import BASE_DIR

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


class Browser:
    """One browser with its cookies."""

    def __init__(self, address: str) -> None:
        self.address = address
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)

    def get(self, path: str) -> str:
        with self.opener.open(self.address + path, timeout=20) as answer:
            return str(answer.read().decode())

    def enter(self, username: str) -> str:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get("/demo/"))
        assert token is not None
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], "username": username, "next": "/account/"})
        with self.opener.open(self.address + "/demo/enter/", data=data.encode(), timeout=20) as answer:
            return str(answer.read().decode())


@contextmanager
def demo(port: int, folder: Path, log: Path) -> Iterator[Browser]:
    """Run the demo until it answers, and stop it as Ctrl-C does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIM_", "DATABASE_", "DJANGO_"))}
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", str(port)],
            cwd=BASE_DIR,
            env={**kept, "PIM_DATA_DIR": str(folder)},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            browser = Browser(f"http://127.0.0.1:{port}")
            wait_for(lambda: "Everybody's password" in log.read_text(), log)
            wait_for(lambda: "ines" in browser.get("/account/sign-in/"), log)
            yield browser
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 0, log.read_text()


def wait_for(happened: Callable[[], bool], log: Path) -> None:
    """Ask until the answer is yes: it comes from another process."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if happened():
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.2)
    pytest.fail(f"The demo did not come up:\n{log.read_text()}")


def test_the_demo_serves_signs_in_mails_stops_and_keeps_its_data(tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "demo"

    with demo(port, folder, tmp_path / "first.log") as browser:
        first = json.loads(browser.get("/demo/codes/"))
        assert "You are Ines Okafor." in browser.enter("ines")
        assert "You are Amélie Roy." in browser.enter("amelie")
        wait_for(
            lambda: "Review" in browser.get("/demo/mailbox/?q=Review").partition("<tbody>")[2], tmp_path / "first.log"
        )

    began = time.monotonic()
    with demo(port, folder, tmp_path / "second.log") as browser:
        assert json.loads(browser.get("/demo/codes/")).keys() == first.keys()
        assert time.monotonic() - began < 30
    assert "nothing was changed" in (tmp_path / "second.log").read_text()
    assert "Traceback" not in (tmp_path / "first.log").read_text()
