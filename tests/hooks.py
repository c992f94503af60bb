"""A receiver of web hooks for the tests: a real HTTP server on this machine, which takes, refuses, hangs or drops."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pim_portal.models import WebHook
from pim_portal.streams.services import Given, Wanted, add_hook
from tests.people import DAY, NOW, OPERATOR, at

Answer = Callable[[BaseHTTPRequestHandler], None]


class Received(NamedTuple):
    """One message as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told

    @property
    def leaves(self) -> list[int]:
        return [one["leaf"] for one in self.message["events"]]

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


def with_status(status: int, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def dropping(handler: BaseHTTPRequestHandler) -> None:
    """Take everything, and hang up without a word."""
    handler.close_connection = True


class Receiver:
    """Keeps what arrived, in the order in which it did, and answers as it is told."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer: Answer = with_status(204)
        self.at_once = 0
        self.most_at_once = 0
        self.the_end = threading.Event()
        self.url = ""
        self._lock = threading.Lock()

    @property
    def leaves(self) -> list[int]:
        """Every leaf as it arrived, those that came twice too."""
        return [leaf for one in self.received for leaf in one.leaves]

    def slowly(self, seconds: float) -> Answer:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            self.the_end.wait(seconds)
            with_status(204)(handler)

        return answer

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if len(body) < int(handler.headers["Content-Length"]):
            return  # broken off
        with self._lock:
            headers = {name.lower(): value for name, value in handler.headers.items()}
            self.received.append(Received(handler.path, headers, body))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self.answer(handler)
        finally:
            with self._lock:
                self.at_once -= 1


def certificate_for(host: str, folder: Path) -> Path:
    """Make a key and a certificate that nobody but itself has signed; return the file of both."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + DAY)
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    pem = made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    file = folder / f"{host}.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + pem)
    return file


@contextmanager
def receiving(certificate: Path | None = None) -> Iterator[Receiver]:
    """Run a receiver; with a certificate it speaks TLS, as `localhost`."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.take(self)

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *args: Any) -> None:
            """A line that the portal has cut is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/pim"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        receiver.url = f"https://localhost:{server.server_port}/pim"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.the_end.set()
        server.shutdown()
        server.server_close()
        thread.join()


def given_hook(
    name: str, url: str = "https://siem.example.org/pim", *, now: datetime = NOW, first: bool = True, **what: Any
) -> Given:
    """Add a web hook as the operator."""
    wanted = Wanted(name, url, **what)
    return add_hook(wanted, from_the_first=first, allow_private=True, actor=OPERATOR, clock=at(now))


def hook_of(name: str, url: str = "https://siem.example.org/pim", **how: Any) -> WebHook:
    return given_hook(name, url, **how).hook
