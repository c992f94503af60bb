"""The short form of `make faults`, and that what it holds the rows against would tell what is wrong."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from approvals.models import Verdict
from audit import keys
from audit.services.sealing import seal
from roles import ids
from roles.models import Assignment, User
from roles.services.ends import write_down_ends
from tests.faults import web
from tests.faults.arena import Arena, arena
from tests.faults.holding import held
from tests.faults.invariants import TABLES, Memory, wrong
from tests.faults.raw import Raw, Row
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    configure,
    decide,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
)

pytestmark = pytest.mark.django_db(transaction=True)

Rows = dict[str, list[Row]]


def raw() -> Raw:
    """The database of this test, behind Django's back."""
    name, settings = connection.settings_dict["NAME"], connection.settings_dict
    if connection.vendor == "sqlite":
        return Raw(f"sqlite:///{name}")
    user, password = settings["USER"], settings["PASSWORD"] or None
    return Raw(make_conninfo(host=settings["HOST"], user=user, password=password, dbname=name))


@pytest.fixture
def there(transactional_db: None, tmp_path: Path) -> Iterator[Arena]:
    with arena(tmp_path, raw().url) as made:
        yield made


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_web_workers_and_a_closed_history_leave_nothing_half_done(there: Arena) -> None:
    web.web_workers_killed(there, kills=2, clients=2)
    web.history_refuses(there, clients=2)
    if there.postgresql:
        web.lines_cut(there, times=2, clients=2)


# The invariants themselves


@pytest.fixture
def day(transactional_db: None, tmp_path: Path) -> tuple[Rows, bytes]:
    """A day of a small organisation, sealed: every row of it, and the public key."""
    key = keys.make(tmp_path / "key.pem")
    now = timezone.now()
    ines, adam = person("ines", now=now), person("adam", now=now)
    eligibility = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), now=now)
    over = request_activation(ines, eligibility, now=now - 2 * HOUR, hours=1)
    write_down_ends(clock=timezone.now)
    configure(eligibility.role, approvers=[adam])
    asked = request_activation(ines, eligibility, now=now)
    decide(Verdict.APPROVE, asked, adam, now=now)
    team = group("Team", adam, now=now)
    give(team, role(ids.GLOBAL_READER), now=now)
    assert over.outcome is not None
    while seal(key, clock=timezone.now, limit=7):
        pass
    return raw().rows(*TABLES), key.public


def test_the_rows_of_a_day_hold_and_say_what_the_portal_says(day):
    rows, key = day
    now = timezone.now()
    assert wrong(rows, memory=Memory(), keys=[key], now=now) == []
    expected = held(rows, now)
    for user in User.objects.all():
        said = Assignment.objects.held_by(user.pk, now).values_list("pk", flat=True)
        assert {pk.hex for pk in said} == expected[user.pk.hex]
    assert sum(map(len, expected.values())) == 3  # two activations were asked for, one is over


def first(table: str, **where: Any) -> Callable[[Rows], Row]:
    return lambda rows: next(row for row in rows[table] if all(row[name] == value for name, value in where.items()))


def ended(rows: Rows) -> Row:
    return next(row for row in rows["roles_assignment"] if row["ended_at"])


def running(rows: Rows) -> Row:
    return next(row for row in rows["roles_assignment"] if row["activated_from_id"] and not row["ended_at"])


def twice(table: str, pick: Callable[[Rows], Row]) -> Callable[[Rows], None]:
    return lambda rows: rows[table].append(pick(rows) | {"id": "f" * 32})


def gone(table: str, pick: Callable[[Rows], Row]) -> Callable[[Rows], None]:
    return lambda rows: rows[table].remove(pick(rows))


def changed(pick: Callable[[Rows], Row], **values: Any) -> Callable[[Rows], None]:
    return lambda rows: pick(rows).update(values)


def _later(rows: Rows) -> None:
    ended(rows)["ended_at"] += 9 * HOUR


def _longer(rows: Rows) -> None:
    eligibility = first("roles_assignment", id=running(rows)["activated_from_id"])(rows)
    eligibility["ends_at"] = running(rows)["ends_at"] - timedelta(microseconds=1)


def _own(rows: Rows) -> None:
    rows["approvals_decision"][0]["approver_id"] = rows["approvals_request"][0]["requestor_id"]


event = first("audit_event", kind="activation.started")
BREAKS = {
    "ended after its end": _later,
    "an end without a reason": changed(ended, end_reason=""),
    "has 1 events of its end": changed(ended, ended_at=None, end_reason=""),
    "has 0 events of its end": gone("audit_event", first("audit_event", kind="activation.expired")),
    "outlives its eligibility": _longer,
    "is filled 2 times": twice("roles_assignment", running),
    "began with 0 events": gone("audit_event", first("audit_event", kind="assignment.added")),
    "which is not there": gone("roles_assignment", ended),
    "was made with 0 events": gone("audit_event", first("audit_event", kind="request.made")),
    "and the history tells of": changed(first("approvals_request", status="granted"), status="denied"),
    "decided request": twice("approvals_decision", first("approvals_decision")),
    "0 decisions, 1 events request.approved": gone("approvals_decision", first("approvals_decision")),
    "was decided by whom it is for": _own,
    "with the outcome None": changed(first("approvals_request", status="granted"), outcome_id=None),
    "was spent on nothing": lambda rows: next(r for r in rows["roles_stepup"] if r["used_at"]).update(spent_on=""),
    "was not told of request": gone("pim_portal_notification", first("pim_portal_notification", mail="request_waits")),
    "times in the outbox": twice("pim_portal_notification", first("pim_portal_notification")),
    "an event stands without its text": gone("audit_eventtext", first("audit_eventtext")),
    "is not the one that was sealed": changed(event, outcome="failed"),
    "is not the one that was recorded": lambda rows: rows["audit_eventtext"][0]["fields"].update(actor="Eve"),
    "a leaf of batch 1 is missing": gone("audit_leaf", first("audit_leaf", number=3)),
    "does not follow on the one before": gone("audit_batch", first("audit_batch", number=1)),
    "is not signed by our key": changed(first("audit_batch"), signature="00" * 64),
    "events are sealed and": lambda rows: rows["audit_pending"].append({"event_id": rows["audit_event"][0]["id"]}),
}


def test_each_thing_that_is_wrong_is_told(day):
    rows, key = day
    now = timezone.now()
    silent = []
    for sentence, act in BREAKS.items():
        broken = copy.deepcopy(rows)
        act(broken)
        if not any(sentence in told for told in wrong(broken, memory=Memory(), keys=[key], now=now)):
            silent.append(sentence)
    assert silent == []


def test_what_had_ended_and_lives_again_is_told(day):
    rows, key = day
    memory = Memory()
    assert wrong(rows, memory=memory, keys=[key], now=timezone.now()) == []
    ended(rows)["ended_at"] -= timedelta(seconds=1)
    assert any("had ended" in told for told in wrong(rows, memory=memory, keys=[key], now=timezone.now()))


def test_nothing_of_the_product_is_asked_what_the_product_did():
    folder = Path(__file__).parent / "faults"
    product = ("django", "audit", "roles", "approvals", "reviews", "pim_portal")
    for name in ("raw", "invariants", "holding", "sealing"):
        imports = re.findall(r"^(?:from|import) (\w+)", (folder / f"{name}.py").read_text(), re.MULTILINE)
        assert not set(imports) & set(product), name
