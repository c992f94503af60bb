"""One database with a portal over it, and what is asked of both after each fault."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from django.db import connection, connections
from django.utils import timezone

from roles.models import Assignment, User
from tests.faults.invariants import Memory, broken, holders, post_broken
from tests.faults.processes import Processes
from tests.faults.raw import Raw
from tests.faults.traffic import Journal, Pair, pairs_at
from tests.people import EXCHANGE_ADMINISTRATOR, configure, make_eligible, person, role
from tests.test_outbox import Postbox


@dataclass
class Arena:
    """What a fault works on. `raw` reads and breaks the database behind everybody's back."""

    folder: Path
    raw: Raw
    processes: Processes
    postbox: Postbox
    mail_port: int
    memory: Memory = field(default_factory=Memory)
    admin: Raw | None = None  # PostgreSQL as its superuser
    made: int = 0
    repeats: int = 0  # mails that may have arrived twice, for a kill between the server's yes and the note of it

    @property
    def postgresql(self) -> bool:
        return connection.vendor == "postgresql"

    @property
    def mail(self) -> dict[str, str]:
        """The variables of a process that sends mails."""
        return {"PIM_EMAIL_URL": f"smtp://127.0.0.1:{self.mail_port}", "PIM_EMAIL_FROM": "pim@example.org"}

    def people(self, count: int, *, approved: bool = True) -> list[tuple[User, User, Assignment]]:
        """So many holders who may activate a role, each with an approver; all of them new."""
        now = timezone.now()
        what = role(EXCHANGE_ADMINISTRATOR)
        made = []
        for _each in range(count):
            self.made += 1
            holder, approver = person(f"holder{self.made:03}", now=now), person(f"approver{self.made:03}", now=now)
            made.append((holder, approver, make_eligible(holder, what, now=now)))
        configure(what, approvers=[one for _holder, one, _eligibility in made], approval_required=approved)
        return made

    def pairs(self, count: int) -> list[Pair]:
        made = pairs_at(self.processes.served, self.people(count))
        connections.close_all()
        return made

    def check(self, journal: Journal | None = None, *, faulty: frozenset[int] = frozenset()) -> str:
        """Raise with every sentence about what does not hold; `faulty` are statuses that this fault allows."""
        now = timezone.now()
        found = broken(self.raw, memory=self.memory, keys=self.keys(), now=now)
        found += self.strangers(now)
        if journal is not None:
            found += journal.lost(self.raw)
            wrong = set(journal.statuses) - {200, 302, 422} - faulty
            found += [f"answers with {sorted(wrong)}"] if wrong else []
            found += [f"nobody got anything done: {journal.strange[:2]}"] if not journal.acts else []
        assert not found, "\n".join(found[:20])
        return journal.said() if journal else "the rows agree"

    def strangers(self, now: Any) -> list[str]:
        """Where the portal and the raw rows do not say the same of who holds what."""
        expected = holders(self.raw, now)
        wrong = []
        for user in User.objects.filter(pk__in=expected):
            said = {pk.hex for pk in Assignment.objects.held_by(user.pk, now).values_list("pk", flat=True)}
            said = said if user.enabled else set()
            if said != expected[user.pk.hex]:
                wrong.append(f"{user.username} holds {expected[user.pk.hex]}, and the portal says {said}")
        connections.close_all()
        return wrong

    def check_post(self) -> str:
        found = post_broken(self.raw, self.postbox.message_ids, repeats=self.repeats)
        assert not found, "\n".join(found[:20])
        return f"{len(set(self.postbox.message_ids))} mails"

    def keys(self) -> list[bytes]:
        file = self.folder / "audit-key.pem"
        if not file.exists():
            return []
        private: Any = load_pem_private_key(file.read_bytes(), None)
        return [private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)]

    def hurry(self) -> None:
        """Have every schedule and every mail that waits for its next attempt be due now, as if the time were over."""
        ago = "now() - interval '1 minute'" if self.postgresql else "strftime('%Y-%m-%d %H:%M:%f', 'now', '-1 minute')"
        self.raw.do(
            f"UPDATE django_q_schedule SET next_run = {ago}",  # noqa: S608
            f"UPDATE pim_portal_notification SET next_attempt_at = {ago} WHERE state = 'waiting'",  # noqa: S608
        )

    def waiting(self, table: str = "pim_portal_notification", condition: str = "state = 'waiting'") -> int:
        return int(self.raw.scalar(f"SELECT count(*) FROM {table} WHERE {condition}"))  # noqa: S608

    def tick(self, **variables: str) -> None:
        self.processes.manage("tick", **(self.mail | variables))


@contextmanager
def arena(folder: Path, url: str, *, admin: str = "") -> Iterator[Arena]:
    """A portal over the database that this process is connected to, and a mail server beside it."""
    processes = Processes(folder)
    postbox = Postbox()
    controller = mail_server(postbox)
    try:
        processes.collect()
        yield Arena(folder, Raw(url), processes, postbox, controller.port, admin=Raw(admin) if admin else None)
    finally:
        with contextlib.suppress(Exception):
            controller.stop()
        processes.close()


def mail_server(postbox: Postbox, port: int = 0) -> Controller:
    import socket

    if not port:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    controller = Controller(postbox, hostname="127.0.0.1", port=port)
    controller.start()
    return controller
