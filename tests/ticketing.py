"""A ticket system for the tests: a real HTTP server on this machine, which answers as it is told, and functions."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from approvals.ticket_checks import Finding, TicketCheck, TicketSubject
from tests.people import NOW

SECRET = "k4Jd8sPq2LmZx7VbNc5RtYwG9hFu3EoAiQy6TnKrDpXeSvBzCgHj"


def check_of(
    person: Any,
    assignment: Any,
    ticket: str,
    *,
    finding: Finding = Finding.ACCEPTED,
    words: str = "open",
    at: datetime = NOW,
    **other: Any,
) -> TicketCheck:
    """What a ticket system would say of this ticket of this person, for the role and place of an assignment."""
    about = {"person_id": person.pk, "role_id": assignment.role_id, "resource_id": assignment.resource_id}
    return TicketCheck(TicketSubject(ticket, **(about | other)), finding, "tickets.example.org", words, at)


class TicketSystem:
    """Keeps what it was asked; `answer` makes the bytes of a whole HTTP answer, or does something worse."""

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, Any], dict[str, str], bytes]] = []
        self.answer: Callable[[BaseHTTPRequestHandler, dict[str, Any]], None] = accepting
        self.url = ""


def tell(handler: BaseHTTPRequestHandler, said: object, *, status: int = 200) -> None:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def accepting(handler: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
    tell(handler, {"id": asked["id"], "ticket": asked["ticket"], "accepted": True, "words": "Open, assigned to you"})


def rejecting(handler: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
    tell(handler, {"id": asked["id"], "ticket": asked["ticket"], "accepted": False, "words": "It is closed."})


@contextmanager
def ticket_system() -> Iterator[TicketSystem]:
    system = TicketSystem()
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        the_end = over

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked = json.loads(body)
            system.asked.append((asked, dict(self.headers), body))
            system.answer(self, asked)

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *args: Any) -> None:
            """A line that the portal has cut is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    system.url = f"http://127.0.0.1:{server.server_port}/check?from=pim"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield system
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()
