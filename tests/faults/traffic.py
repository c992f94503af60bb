"""People at work over real HTTP while something breaks: they ask, approve and end, and keep a journal."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPException
from typing import Any

import psycopg
from django.conf import settings
from django.utils import timezone

from pim_portal.accounts.sessions import SessionStore
from roles.middleware import SESSION_MARK
from roles.models import Purpose, StepUp, TotpDevice
from tests.faults.raw import Raw
from tests.served import Answer, Served, Visitor, filled

FORMS = 60  # second factors that somebody brings, one for each form
UNREACHABLE = (OSError, HTTPException, psycopg.Error, sqlite3.Error)
USUAL = {200, 302, 422}


def give_factors(visitor: Visitor, count: int = FORMS) -> None:
    """Give the second factor so many times; each is good for one form."""
    mark = SessionStore(visitor.cookies[settings.SESSION_COOKIE_NAME])[SESSION_MARK]
    now = timezone.now()
    device = TotpDevice.objects.get(user=visitor.user).persistent_id
    session = hashlib.sha256(mark.encode()).hexdigest()
    StepUp.objects.bulk_create(
        StepUp(
            user=visitor.user,
            session=session,
            purpose=Purpose.SIGN_IN,
            device=device,
            verified_at=now,
            until=now + timedelta(minutes=30),  # however slow the machine is
        )
        for _each in range(count)
    )


@dataclass
class Pair:
    """Somebody who may activate a role, and somebody who approves it."""

    holder: Visitor
    approver: Visitor
    eligibility: str


@dataclass
class Journal:
    """What the portal said: whatever it said was done must be found in the rows."""

    asked: set[str] = field(default_factory=set)
    approved: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    cut: int = 0  # no answer at all
    last_done: float = 0.0  # by the monotonic clock
    strange: list[str] = field(default_factory=list)

    @property
    def acts(self) -> int:
        return len(self.asked) + len(self.approved) + len(self.ended)

    def lost(self, raw: Raw) -> list[str]:
        """What was said to be done, and is not in the rows."""
        requests = _hex(raw, "SELECT id FROM approvals_request")
        approved = _hex(raw, "SELECT request_id FROM approvals_decision WHERE verdict = 'approve'")
        ended = _hex(raw, "SELECT id FROM roles_assignment WHERE ended_at IS NOT NULL")
        lost = {*(self.asked - requests), *(self.approved - approved), *(self.ended - ended)}
        return [f"{pk} was said to be done, and is not" for pk in sorted(lost)]

    def said(self) -> str:
        told = ", ".join(f"{count} × {status}" for status, count in sorted(self.statuses.items()))
        return f"{self.acts} acts done ({told}{f', {self.cut} cut off' if self.cut else ''})"


def _hex(raw: Raw, sql: str) -> set[str]:
    return {str(pk).replace("-", "") for (pk,) in raw.tuples(sql)}


@contextmanager
def traffic(pairs: list[Pair], raw: Raw) -> Iterator[Journal]:
    """Have all pairs at work until the block ends; each ends what it began."""
    journal, stop = Journal(), threading.Event()
    threads = [threading.Thread(target=_work, args=(pair, raw, journal, stop)) for pair in pairs]
    for thread in threads:
        thread.start()
    try:
        yield journal
    except AssertionError as error:
        raise AssertionError(f"{error} {journal.said()} {journal.strange[-3:]}") from error
    finally:
        stop.set()
        for thread in threads:
            thread.join(120)
    assert not any(thread.is_alive() for thread in threads), "Somebody still waits for an answer."


def _work(pair: Pair, raw: Raw, journal: Journal, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            _one_step(pair, raw, journal)
        except UNREACHABLE:
            journal.cut += 1
            time.sleep(0.2)
        except AssertionError as error:
            # The form is not there: what stood in the way is on the page.
            journal.strange.append(str(error)[:300])
            time.sleep(0.2)


def _one_step(pair: Pair, raw: Raw, journal: Journal) -> None:
    """Do what comes next, as the rows stand: an answer that was cut off is looked up, as people do."""
    source = f"REPLACE(CAST(activated_from_id AS TEXT), '-', '') = '{pair.eligibility}'"
    active = raw.tuples(f"SELECT id FROM roles_assignment WHERE ended_at IS NULL AND {source}")  # noqa: S608
    about = f"REPLACE(CAST(assignment_id AS TEXT), '-', '') = '{pair.eligibility}'"
    waiting = raw.tuples(f"SELECT id FROM approvals_request WHERE status = 'pending' AND {about}")  # noqa: S608
    if active:
        pk, path = _both(active[0][0], "/tasks/roles/{}/deactivate/")
        page = _seen(journal, pair.holder.get(path))
        if page and _done(journal, pair.holder.post(path, page.form(path)), ends_at="/tasks/roles/"):
            journal.ended.add(pk)
    elif waiting:
        pk, path = _both(waiting[0][0], "/tasks/approvals/{}/decide/")
        page = _seen(journal, pair.approver.get(path.removesuffix("decide/")))
        if page:
            form = filled(page.form(path), justification="fine", verdict="approve")
            answer = pair.approver.post(path, form)
            if _done(journal, answer, ends_at="/tasks/approvals/") and "You approved this request." in answer.words:
                journal.approved.add(pk)
    else:
        path = "/tasks/roles/activate/"
        page = _seen(journal, pair.holder.get(f"{path}?eligibility={pair.eligibility}"))
        if page:
            answer = pair.holder.post(path, filled(page.form(path), reason="needed"))
            if _done(journal, answer, ends_at="/tasks/approvals/"):
                journal.asked.add(answer.path.rstrip("/").rpartition("/")[2].replace("-", ""))


def _both(pk: Any, path: str) -> tuple[str, str]:
    plain = str(pk).replace("-", "")
    dashed = "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
    return plain, path.format(dashed)


def _seen(journal: Journal, answer: Answer) -> Answer | None:
    journal.statuses.update(answer.statuses)
    if answer.statuses == (200,):
        return answer
    time.sleep(0.2)
    return None


def _done(journal: Journal, answer: Answer, *, ends_at: str) -> bool:
    """Whether the portal said yes: it led on to the page where one sees it, and that page came."""
    journal.statuses.update(answer.statuses)
    # What was answered with a way on is done, even if the page there never came.
    if answer.statuses[0] in (302, 303) and answer.path.startswith(ends_at):
        journal.last_done = time.monotonic()
        return True
    time.sleep(0.1)
    return False


def pairs_at(portal: Served, people: list[tuple[Any, Any, Any]]) -> list[Pair]:
    """Sign in each holder and approver, with second factors for many forms."""
    made = []
    for holder, approver, eligibility in people:
        pair = Pair(Visitor(portal, holder), Visitor(portal, approver), eligibility.pk.hex)
        give_factors(pair.holder)
        give_factors(pair.approver)
        made.append(pair)
    return made
