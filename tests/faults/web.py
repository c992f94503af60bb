"""Faults of the web processes, of locks and of the history: amid people at work."""

from __future__ import annotations

import random
import threading
import time
from contextlib import closing, suppress
from functools import partial

from django.db import connections
from django.utils import timezone

from tests.faults.arena import Arena
from tests.faults.processes import children, kill
from tests.faults.raw import Raw
from tests.faults.traffic import UNREACHABLE, Pair, give_factors, traffic
from tests.faults.waiting import PATIENCE, until
from tests.people import EXCHANGE_ADMINISTRATOR, configure, request_activation, role
from tests.served import Visitor, all_at_once, filled

UNREACHED = frozenset({503})


def web_workers_killed(arena: Arena, *, kills: int = 8, clients: int = 4) -> str:
    """SIGKILL of a web worker, any of them, again and again, amid requests."""
    dice = random.Random(8)
    with arena.processes.web() as master, traffic(arena.pairs(clients), arena.raw) as journal:
        until(lambda: journal.acts > clients, PATIENCE, "people work")
        for _each in range(kills):
            until(lambda: len(children(master)) > 1, PATIENCE, "there are web workers")
            before = journal.acts
            kill(dice.choice(children(master)))
            until(lambda: journal.acts > before, PATIENCE, "people work on")  # noqa: B023
            time.sleep(dice.uniform(0, 0.5))
        done = journal.acts
        until(lambda: journal.acts > done + clients, PATIENCE, "people work on after the last kill")
    return f"{kills} kills; {arena.check(journal)}; nothing acknowledged was lost"


def history_refuses(arena: Arena, *, clients: int = 4) -> str:
    """The history takes no event: every change is refused, and nothing of it stays."""
    pairs = arena.pairs(clients)
    with arena.processes.web(), closed_history(arena):
        before = state(arena.raw)
        answers = [ask(pair) for pair in pairs]
        assert state(arena.raw) == before, "Something changed that could not be recorded."
    assert all(status == 503 for status in answers), answers
    arena.check()
    return f"{len(answers)} acts, all refused (503); no row changed"


class closed_history:  # noqa: N801 - reads as what it is
    """While it lasts nobody can insert an event."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def __enter__(self) -> None:
        self.arena.raw.do(
            "REVOKE INSERT ON audit_event FROM CURRENT_USER"
            if self.arena.postgresql
            else "CREATE TRIGGER shut BEFORE INSERT ON audit_event BEGIN SELECT RAISE(ABORT, 'shut'); END"
        )

    def __exit__(self, *_error: object) -> None:
        self.arena.raw.do(
            "GRANT INSERT ON audit_event TO CURRENT_USER" if self.arena.postgresql else "DROP TRIGGER shut"
        )


def ask(pair: Pair) -> int:
    path = "/tasks/roles/activate/"
    page = pair.holder.get(f"{path}?eligibility={pair.eligibility}")
    return pair.holder.post(path, filled(page.form(path), reason="needed")).statuses[0]


def state(raw: Raw) -> dict[str, int]:
    tables = ("roles_assignment", "approvals_request", "audit_event", "pim_portal_notification", "django_q_ormq")
    spent = raw.scalar("SELECT count(*) FROM roles_stepup WHERE used_at IS NOT NULL")
    return {table: raw.scalar(f"SELECT count(*) FROM {table}") for table in tables} | {"spent": spent}  # noqa: S608


def rows_blocked(arena: Arena) -> str:
    """A session holds somebody's row: who wants it is told so, nothing is half done, others go on."""
    blocked, other = arena.pairs(2)
    with arena.processes.web(), closing(arena.raw.connect()) as holder:
        before = state(arena.raw)
        if arena.postgresql:
            holder.execute("BEGIN")
            holder.execute("SELECT 1 FROM roles_principal WHERE id = %s FOR UPDATE", [blocked.holder.user.pk])
        else:
            holder.execute("BEGIN IMMEDIATE")  # the one write lock: everybody waits
        began = time.monotonic()
        answers: list[tuple[int, str]] = []
        path = "/tasks/roles/activate/"
        page = blocked.holder.get(f"{path}?eligibility={blocked.eligibility}")

        def act() -> None:
            answer = blocked.holder.post(path, filled(page.form(path), reason="needed"))
            answers.append((answer.statuses[0], answer.words))

        one = threading.Thread(target=act)
        one.start()
        beside = "everybody who writes waits as long"
        if arena.postgresql:
            assert ask(other) == 302
            beside = "others activate meanwhile"
            before = state(arena.raw)
        one.join(60)
        waited = time.monotonic() - began
        assert state(arena.raw) == before
        holder.execute("ROLLBACK")
        assert answers, "There was no answer."
        assert answers[0][0] == 422, answers
        assert "Somebody else is changing this" in answers[0][1], answers
        give_factors(blocked.holder, 1)
        assert ask(blocked) == 302
    arena.check()
    return f"told “busy” after {waited:.0f} s, nothing half done; {beside}; done once the row was free"


def hundred_at_once(arena: Arena, *, clients: int = 100) -> str:
    """So many approvers decide one request at the same moment, half of them against it."""
    people = arena.people(clients)
    holder, _approver, eligibility = people[0]
    configure(role(EXCHANGE_ADMINISTRATOR), approvers=[one for _h, one, _e in people])
    request = request_activation(holder, eligibility, now=timezone.now())
    visitors = [Visitor(arena.processes.served, approver) for _holder, approver, _eligibility in people]
    for visitor in visitors:
        visitor.give_factor()
    connections.close_all()
    path = f"/tasks/approvals/{request.pk}/decide/"

    def decide(visitor: Visitor, number: int) -> tuple[int, bool]:
        form = visitor.get(path.removesuffix("decide/")).form(path)
        ready.wait(600)
        answer = visitor.post(path, filled(form, justification="so", verdict="deny" if number % 2 else "approve"))
        return max(answer.statuses), "You approved" in answer.words or "You denied" in answer.words

    ready = threading.Barrier(clients)
    with arena.processes.web():
        answers = all_at_once(partial(decide, visitor, number) for number, visitor in enumerate(visitors))
    assert max(status for status, _won in answers) < 500, answers
    winners = sum(won for _status, won in answers)
    assert winners == 1, winners
    decisions = f"SELECT count(*) FROM approvals_decision WHERE request_id = '{_key(arena, request.pk)}'"  # noqa: S608
    assert arena.raw.scalar(decisions) == 1
    arena.check()
    return f"{clients} at once: 1 decision, {clients - 1} told that it was decided or busy, no 5xx"


def _key(arena: Arena, pk: object) -> str:
    return str(pk) if arena.postgresql else str(pk).replace("-", "")


def lines_cut(arena: Arena, *, times: int = 5, clients: int = 4) -> str:
    """PostgreSQL ends every session of the portal, again and again (pg_terminate_backend)."""
    cut = 0
    with arena.processes.web(), traffic(arena.pairs(clients), arena.raw) as journal:
        until(lambda: journal.acts > clients, PATIENCE, "people work")
        for _each in range(times):
            with suppress(*UNREACHABLE):
                ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
                cut += len(arena.raw.tuples(f"{ended} datname = current_database() AND pid <> pg_backend_pid()"))
            time.sleep(1)
        done = journal.acts
        until(lambda: journal.acts > done + clients, PATIENCE, "people work on")
    return f"{cut} sessions ended; {arena.check(journal, faulty=UNREACHED)}; only 503 meanwhile"
