"""What goes over the wire, asked of gunicorn as production runs it, over plain sockets: headers, cookies, limits."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pim_portal import checks
from pim_portal.environment import BASE_DIR
from tests.hooks import certificate_for
from tests.served import Served, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]

HOST = "pim.example.org"
# As nginx asks (docs/deploy/pim-proxy.conf).
PROXIED = {"Host": HOST, "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-ancestors 'none'",
    "upgrade-insecure-requests",
}
HEADERS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains; preload",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
NEVER = {"X-Powered-By", "Access-Control-Allow-Origin"}
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{HOST}"}


class Told(NamedTuple):
    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: str


FIRST = "/setup/"  # the page of an empty portal, which this one is
METRICS_TOKEN = "what-the-monitor-brings-" * 2


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Production behind one proxy, over https."""
    folder = tmp_path_factory.mktemp("hardened")
    variables = {"PIM_BASE_URL": f"https://{HOST}", "PIM_TRUSTED_PROXIES": "1", "PIM_METRICS_TOKEN": METRICS_TOKEN}
    with django_db_blocker.unblock(), served(folder, **variables) as portal:
        yield portal


def ask(
    portal: Served, path: str, *, method: str = "GET", body: str | None = None, plain: bool = False, **headers: str
) -> Told:
    sent = (PROXIED if not plain else {"Host": HOST}) | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    line = HTTPConnection("127.0.0.1", portal.port, timeout=60)
    try:
        line.request(method, path, body, sent)
        answer = line.getresponse()
        cookies = answer.headers.get_all("Set-Cookie") or []
        return Told(answer.status, dict(answer.getheaders()), cookies, answer.read().decode(errors="replace"))
    finally:
        line.close()


def said_to(portal: Served, words: bytes) -> bytes:
    """What comes back for these very bytes."""
    with closing(socket.create_connection(("127.0.0.1", portal.port), timeout=60)) as line:
        line.sendall(words)
        line.settimeout(20)
        return line.recv(65536)


@pytest.mark.parametrize(
    "path",
    ["/account/sign-in/", "/", "/there-is-no-such-page/", "/manage/people/", "/readyz", "/robots.txt", "/setup/"],
)
def test_every_answer_carries_its_headers_over_the_wire(server, path):
    told = ask(server, path)

    assert told.status < 500
    assert {name: told.headers.get(name) for name in HEADERS} == HEADERS
    assert set(told.headers["Content-Security-Policy"].split("; ")) == POLICY
    assert "camera=()" in told.headers["Permissions-Policy"]
    assert not NEVER & set(told.headers)
    assert not re.search(r"\d", told.headers.get("Server", "")), "It tells its version."


def test_static_files_are_kept_and_sniffed_by_nobody(server):
    page = ask(server, FIRST).body
    (style,) = re.findall(r"(/static/portal[\w./-]*\.css)", page)

    told = ask(server, style)

    assert told.status == 200
    assert "immutable" in told.headers["Cache-Control"]
    assert told.headers["X-Content-Type-Options"] == "nosniff"
    assert not {"Access-Control-Allow-Origin"} & set(told.headers)


def test_cookies_are_for_this_host_over_https_and_for_no_script(server):
    (cookie,) = ask(server, FIRST).cookies

    name, _is, rest = cookie.partition("=")
    parts = {part.strip().lower() for part in rest.split(";")}
    assert name == "__Host-csrf"
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts
    assert not any(part.startswith("domain") for part in parts)


def test_plain_http_is_led_to_https_and_what_clients_claim_counts_for_nothing(server):
    plain = ask(server, "/account/sign-in/", plain=True)
    assert (plain.status, plain.headers["Location"]) == (301, f"https://{HOST}/account/sign-in/")

    assert ask(server, "/account/sign-in/", Host="evil.example.org").status == 400
    told = ask(server, "/", X_Forwarded_Host="evil.example.org", Forwarded="host=evil.example.org")
    assert "evil" not in f"{told.headers}{told.body}"
    # A name with an underscore would become the same variable as the one that the proxy writes.
    smuggled = f"GET /robots.txt HTTP/1.1\r\nHost: {HOST}\r\nX_Forwarded_Proto: https\r\nConnection: close\r\n\r\n"
    assert b" 301 " in said_to(server, smuggled.encode()).split(b"\r\n")[0]


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "10.1.2.3", HOST])
def test_a_monitor_asks_the_process_itself_and_nobody_else_does(server, host):
    """As nginx.conf says it does: on the port behind the proxy, where there is neither TLS nor the portal's name."""
    answers = {path: ask(server, path, plain=True, Host=host).status for path in ("/healthz", "/readyz")}
    assert answers == {"/healthz": 200, "/readyz": 200}
    assert ask(server, "/healthz/worker", plain=True, Host=host).status == 503
    assert ask(server, "/metrics", plain=True, Host=host).status == 401
    told = ask(server, "/metrics", plain=True, Host=host, Authorization=f"Bearer {METRICS_TOKEN}")
    assert (told.status, "pim_well" in told.body) == (200, True)
    assert ask(server, "/", plain=True, Host=host).status == (301 if host == HOST else 400)


@pytest.mark.parametrize("kind", ["text/plain; charset=hex", "text/plain; charset=utf-7", "a/b; x*=no-such'en'y"])
def test_a_request_in_another_encoding_than_utf8_is_no_error(server, kind):
    assert ask(server, f"{FIRST}?q=%2B2AA-", Content_Type=kind).status == 200


def test_a_form_from_elsewhere_is_refused(server):
    told = ask(
        server, "/account/sign-in/", method="POST", body="username=a&password=b", **{**FORM, "Origin": "https://evil"}
    )
    assert told.status == 403


TOO_MUCH = {
    "a body of 300 KB": ("POST", "/account/sign-in/", "username=" + "x" * 300_000, FORM),
    "a form of 600 fields": ("POST", "/account/sign-in/", "&".join(["a=1"] * 600), FORM),
    "an address of 9 KB": ("GET", "/?q=" + "x" * 9_000, None, {}),
    "a header of 20 KB": ("GET", "/", None, {"X-Long": "x" * 20_000}),
    "200 headers": ("GET", "/", None, {f"X-{number}": "x" for number in range(200)}),
    "a file that nobody asked for": (
        "POST",
        "/account/sign-in/",
        '--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n--b--\r\n',
        {"Content-Type": "multipart/form-data; boundary=b", "Origin": f"https://{HOST}"},
    ),
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_too_much_is_refused_without_an_error(server, what):
    method, path, body, headers = TOO_MUCH[what]
    before = len(server.complaints())

    told = ask(server, path, method=method, body=body, **headers)

    assert 400 <= told.status < 500, told.status
    assert not [line for line in server.complaints()[before:] if "Traceback" in line]


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH", "CONNECT", "PROPFIND"])
def test_other_methods_do_nothing(server, method):
    assert ask(server, "/account/sign-in/", method=method).status in (400, 403, 405)


@pytest.mark.parametrize(
    "words",
    [
        b"POST /account/sign-in/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["two lengths by two headers", "two lengths", "a header with a space", "another version", "TLS"],
)
def test_what_is_no_clean_request_is_refused(server, words):
    first = said_to(server, words + b"\r\n\r\n").split(b"\r\n")[0]
    assert re.match(rb"HTTP/1\.[01] (4\d\d|505|501)", first), first


# Slow clients: that is for nginx, as docs/running.md sets it up.


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed (Debian: apt-get install nginx)")
def test_slow_clients_hold_nobody_up_behind_nginx(server, tmp_path):
    with nginx(server.port, tmp_path) as port, ExitStack() as held:
        context = ssl.create_default_context(cafile=str(tmp_path / f"{HOST}.pem"))

        def line() -> Any:
            plain = socket.create_connection(("127.0.0.1", port), timeout=60)
            return held.enter_context(closing(context.wrap_socket(plain, server_hostname=HOST)))

        for number in range(60):
            one = line()
            # Half of them never end their headers, the others never send their form.
            unfinished = b"GET / HTTP/1.1\r\nHost: pim.example.org\r\nX-Slow: "
            body = b"POST /setup/ HTTP/1.1\r\nHost: pim.example.org\r\nContent-Length: 1000\r\n\r\nuser"
            one.sendall(unfinished if number % 2 else body)
        took = []
        for _each in range(5):
            began = time.monotonic()
            one = line()
            one.sendall(b"GET /setup/ HTTP/1.1\r\nHost: pim.example.org\r\nConnection: close\r\n\r\n")
            answer = one.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200"), answer[:100]
            assert b"nginx/" not in answer
            took.append(time.monotonic() - began)
        assert sorted(took)[2] < 5, took


@contextmanager
def nginx(upstream: int, folder: Path) -> Iterator[int]:
    """Run nginx with the very configuration of docs/deploy, but for its ports and its certificate."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    certificate = certificate_for(HOST, folder)
    deploy = BASE_DIR / "docs" / "deploy"
    shutil.copy(deploy / "pim-proxy.conf", folder)
    written = (deploy / "nginx.conf").read_text()
    for pattern, ours in (
        (r"server \{\n    listen 80;.*?\n\}\n", ""),
        (r"127\.0\.0\.1:8000", f"127.0.0.1:{upstream}"),
        (r"    listen \[::\]:443 ssl http2;\n", ""),
        (r"listen 443 ssl http2", f"listen 127.0.0.1:{port} ssl http2"),
        (r"/etc/ssl/pim/(fullchain|privkey)\.pem", str(certificate)),
        (r"/etc/nginx/", f"{folder}/"),
    ):
        written, times = re.subn(pattern, ours, written, flags=re.DOTALL)
        assert times, pattern
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{written}\n}}\n"
    )
    folder.chmod(0o755)
    log = folder / "error.log"
    process = subprocess.Popen(
        ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    )
    try:
        deadline = time.monotonic() + 20
        while not _answers(port):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def test_the_portals_own_checks_find_nothing():
    found = [one for check in (checks.check_guards, checks.check_views, checks.check_admin) for one in check()]
    assert [*found, *checks.check_settings(), *checks.check_sources()] == []
