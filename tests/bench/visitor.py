"""Somebody at a browser: signs in with password and code over HTTP, keeps the line open, and looks at the watch."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from django_otp.oath import TOTP

from tests.bench.counting import QUERIES, SQL_SECONDS
from tests.bench.databases import connect
from tests.served import Answer, Fields, filled

PATIENCE = 120  # seconds for one answer
KEPT_OPEN = 1.0  # seconds: gunicorn closes a connection after two
STEP_UP = """
    INSERT INTO roles_stepup (id, user_id, session, purpose, device, verified_at, until, spent_on)
    SELECT gen_random_uuid(), user_id, session, purpose, device, now(), now() + interval '5 minutes', ''
    FROM (SELECT * FROM roles_stepup WHERE user_id = (SELECT principal_ptr_id FROM roles_user WHERE username = %s)
          ORDER BY verified_at DESC LIMIT 1) given, generate_series(1, %s)"""


@dataclass(frozen=True, slots=True)
class Took:
    """What one answer took: from the first byte that was sent to the last one that was read."""

    seconds: float
    status: int
    size: int  # bytes of the body
    queries: int
    sql_seconds: float


@dataclass
class Visitor:
    """A session over one connection. Redirects are followed only by `go`, and nothing is timed there."""

    username: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    last: str = ""
    there: str = ""

    def __post_init__(self) -> None:
        self._line = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self._used = 0.0

    def sign_in(self, password: str, key: str) -> Visitor:
        """Sign in as everybody does; raises `AssertionError` where a step is refused."""
        form = self.go("/account/sign-in/").form("/account/sign-in/")
        self.send("/account/sign-in/", filled(form, username=self.username, password=password))
        form = self.go(self.there).form("/account/second-factor/")
        totp = TOTP(bytes.fromhex(key), 30, 0, 6, 0)
        totp.time = time.time()
        took = self.send("/account/second-factor/", filled(form, code=f"{totp.token():06d}"))
        assert took.status == 302, self.last
        return self

    def at(self, port: int | None = None) -> Visitor:
        """The same session over a connection of its own, where the same portal answers at another port, too."""
        return Visitor(self.username, port or self.port, dict(self.cookies))

    def go(self, path: str) -> Answer:
        """Open a page, wherever it leads."""
        took = self.get(path)
        while took.status in (301, 302, 303):
            path = self.there
            took = self.get(path)
        assert took.status == 200, (path, took.status, self.last[:2000])
        return Answer((took.status,), path, self.last)

    def get(self, path: str) -> Took:
        return self._ask("GET", path, None)

    def send(self, path: str, fields: Fields) -> Took:
        return self._ask("POST", path, urlencode(fields))

    def _ask(self, method: str, path: str, body: str | None) -> Took:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            origin = f"http://127.0.0.1:{self.port}"
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin}
        if time.monotonic() - self._used > KEPT_OPEN:
            self._line.close()
            self._line.connect()
        began = time.perf_counter()
        self._line.request(method, path, body, headers)
        answer = self._line.getresponse()
        content = answer.read()
        seconds = time.perf_counter() - began
        self._used = time.monotonic()
        for told in answer.headers.get_all("Set-Cookie", []):
            if cookie := re.match(r"([^=;]+)=([^;]*)", told):
                self.cookies[cookie[1]] = cookie[2]
        self.last = content.decode(errors="replace")
        there = urlsplit(answer.headers.get("Location", ""))
        self.there = there.path + (f"?{there.query}" if there.query else "")
        queries, sql_seconds = answer.headers.get(QUERIES, "0"), answer.headers.get(SQL_SECONDS, "0")
        return Took(seconds, answer.status, len(content), int(queries), float(sql_seconds))


def give_factors(url: str, username: str, count: int) -> None:
    """Have this person's sign-in count as so many fresh second factors; a code a form would take half a minute each."""
    with connect(url) as connection:
        connection.execute(STEP_UP, [username, count])
