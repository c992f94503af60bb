"""The portal under gunicorn as production runs it, and visitors who speak plain HTTP to it, many at once.

Its processes share the database of the test: rows are made through the services here, and looked at afterwards.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db import connection
from django.utils import timezone

from pim_portal.accounts.sessions import SessionStore
from pim_portal.environment import BASE_DIR
from pim_portal.operations import supervisor
from roles.middleware import SESSION_MARK
from roles.models import Purpose, StepUp, TotpDevice, User
from tests.visitors import session_of

PATIENCE = 240  # seconds for a page while many are asked for at once
Fields = list[tuple[str, str]]


@dataclass
class Served:
    """A portal that answers at this port."""

    port: int
    log: Path

    def complaints(self) -> list[str]:
        """The lines of its log that tell of an error."""
        return [line for line in self.log.read_text().splitlines() if "Traceback" in line or " ERROR " in line]


def production(folder: Path, port: int = 8000, **variables: str) -> dict[str, str]:
    """The environment of a process in production that works on the database of this test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIM_", "DATABASE_", "DJANGO_"))}
    name = str(connection.settings_dict["NAME"])
    url = f"sqlite:///{name}"
    if connection.vendor == "postgresql":
        url = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{name}"
    return kept | {
        "DJANGO_SETTINGS_MODULE": "pim_portal.settings",
        "DATABASE_URL": url,
        "PIM_SECRET_KEY": settings.SECRET_KEY,
        "PIM_BASE_URL": f"http://127.0.0.1:{port}",
        "PIM_DATA_DIR": str(folder),
        **variables,
    }


@contextmanager
def served(folder: Path, **variables: str) -> Iterator[Served]:
    """Run the web processes as the supervisor does, with these variables besides, until the block ends."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=supervisor.BACKLOG) as listener,
        (folder / "log").open("w") as log,
    ):
        port = listener.getsockname()[1]
        environment = production(folder, port, **variables)
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
        subprocess.run(collect, cwd=BASE_DIR, env=environment, check=True)
        process = subprocess.Popen(
            supervisor._gunicorn(listener.fileno()),
            cwd=BASE_DIR,
            env=environment,
            pass_fds=[listener.fileno()],
            stdout=log,
            stderr=log,
        )
        try:
            portal = Served(port, folder / "log")
            assert _get(port, "/healthz", {})[0] in (200, 301, 400), portal.log.read_text()
            yield portal
        finally:
            process.terminate()
            process.wait(30)


def _get(port: int, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
    return _ask(port, "GET", path, headers, None)


def _ask(
    port: int, method: str, path: str, headers: dict[str, str], body: str | None
) -> tuple[int, dict[str, str], str]:
    line = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        line.request(method, path, body, headers)
        answer = line.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        line.close()


@dataclass(frozen=True)
class Answer:
    """What a visitor came to: each status on the way, and the words of the page at its end."""

    statuses: tuple[int, ...]
    path: str
    html: str

    @property
    def words(self) -> str:
        """The main part of the page without its marks."""
        main = self.html.partition("<main")[2] or self.html
        return " ".join(re.sub(r"<[^>]+>", " ", main).split())

    def form(self, path: str) -> Fields:
        """The form that is sent to this path, as a browser would send it unchanged."""
        reader = _Forms(path)
        reader.feed(self.html)
        assert reader.found, f"There is no form for {path} on {self.path}: {self.words[:500]}"
        return reader.fields


@dataclass
class Visitor:
    """Somebody signed in with both factors, in a browser of their own."""

    portal: Served
    user: User
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cookies[settings.SESSION_COOKIE_NAME] = session_of(self.user)

    def another_window(self) -> Visitor:
        """The same session once more; its requests are sent beside those of this one."""
        other = Visitor.__new__(Visitor)
        other.portal, other.user, other.cookies = self.portal, self.user, dict(self.cookies)
        return other

    def give_factor(self, purpose: Purpose = Purpose.SIGN_IN) -> None:
        """Give the second factor now; it is good for one form."""
        now = timezone.now()
        mark = SessionStore(self.cookies[settings.SESSION_COOKIE_NAME])[SESSION_MARK]
        StepUp.objects.create(
            user=self.user,
            session=hashlib.sha256(mark.encode()).hexdigest(),
            purpose=purpose,
            device=TotpDevice.objects.get(user=self.user).persistent_id,
            verified_at=now,
            until=now + timedelta(minutes=5),
        )

    def get(self, path: str) -> Answer:
        return self._go("GET", path, None, ())

    def post(self, path: str, fields: Fields) -> Answer:
        """Send a form, and follow where the answer leads."""
        return self._go("POST", path, urlencode(fields), ())

    def _go(self, method: str, path: str, body: str | None, before: tuple[int, ...]) -> Answer:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": f"http://127.0.0.1:{self.portal.port}",
            }
        status, told, html = _ask(self.portal.port, method, path, headers, body)
        if cookie := re.match(rf"({settings.CSRF_COOKIE_NAME})=([^;]+)", told.get("Set-Cookie", "")):
            self.cookies[cookie[1]] = cookie[2]
        statuses = (*before, status)
        if status in (302, 303):
            assert len(statuses) < 5, statuses
            there = urlsplit(told["Location"])
            return self._go("GET", there.path + (f"?{there.query}" if there.query else ""), None, statuses)
        return Answer(statuses, path, html)


class _Forms(HTMLParser):
    """Reads the fields of one form; of the buttons none."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action
        self.found = self._inside = False
        self.fields: Fields = []
        self._name = self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("action") == self.action
            self.found |= self._inside
        if not self._inside:
            return
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "textarea":
            self._name, self._text = name, ""
        elif tag == "select":
            self._name = name
        elif tag == "option" and "selected" in given:
            self.fields.append((self._name, value))
        elif tag == "input" and name:
            kind = given.get("type", "text")
            if kind not in ("submit", "radio", "checkbox") or "checked" in given:
                self.fields.append((name, value))

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._inside:
            self.fields.append((self._name, self._text.strip()))
        if tag == "form":
            self._inside = False


def filled(fields: Fields, **values: str) -> Fields:
    """The same form with these values typed or chosen."""
    return [*((name, value) for name, value in fields if name not in values), *values.items()]


def all_at_once(acts: Iterable[Callable[[], Any]]) -> list[Any]:
    """Do all of these at the same moment, each in a thread; return what each came to, in their order.

    Raises the first error that one of them raised.
    """
    todo = list(acts)
    start = threading.Barrier(len(todo))
    came_to: list[Any] = [None] * len(todo)
    errors: list[BaseException] = []

    def run(number: int, act: Callable[[], Any]) -> None:
        try:
            start.wait(PATIENCE)
            came_to[number] = act()
        except BaseException as error:  # noqa: BLE001 - raised below, in the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(todo)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 2 * PATIENCE
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
        assert not thread.is_alive(), "Somebody still waits for an answer."
    if errors:
        raise errors[0]
    return came_to
