"""What every service does, whichever test calls it: it spends what it was let by, and tells what it changed.

Each second factor serves one submitted form (DESIGN.md §5.13): a service that asked whether one serves and went on has
spent it. And it has written an event where it changed a row that is covered (§5.8): on PostgreSQL a trigger sees that
when a whole transaction commits, which in most tests is that of everything that was arranged before.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection

from audit.models import Event
from pim_portal.covered import COVERED
from roles.actors import Actor
from roles.models import Purpose
from roles.services import step_ups
from roles.waiting import one_transaction

_WRITTEN = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "?(\w+)"?')
_TOLD = {one.table for one in COVERED if one.inserts and not one.but and not one.unless}


@dataclass(slots=True)
class Done:
    """What one service did so far."""

    served: set[tuple[Purpose, uuid.UUID]] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)

    def write(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.tables |= set(_WRITTEN.findall(sql))
        return execute(sql, params, many, context)


_done: ContextVar[Done | None] = ContextVar("what_a_service_did", default=None)


@pytest.fixture(autouse=True)
def _each_service_spends_and_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    serves, spend = step_ups.serves, step_ups.spend

    @contextmanager
    def watched(what: object) -> Iterator[None]:
        done = Done()
        token = _done.set(done)
        try:
            with one_transaction(what), connection.execute_wrapper(done.write):
                yield
                assert not done.served, f"{what}: a second factor served this and was not spent: {done.served}"
                silent = done.tables & _TOLD if Event._meta.db_table not in done.tables else set()
                assert not silent, f"{what}: changed without an event: {silent}"
        finally:
            _done.reset(token)

    def serving(actor: Actor, purpose: Purpose, about: uuid.UUID, **kwargs: Any) -> bool:
        answer = serves(actor, purpose, about, **kwargs)
        if answer and (done := _done.get()) and purpose not in actor.ordered:
            done.served.add((purpose, about))
        return answer

    def spending(actor: Actor, purpose: Purpose, about: uuid.UUID, **kwargs: Any) -> None:
        spend(actor, purpose, about, **kwargs)
        if done := _done.get():
            done.served.discard((purpose, about))

    monkeypatch.setattr("roles.service.one_transaction", watched)
    monkeypatch.setattr(step_ups, "serves", serving)
    monkeypatch.setattr(step_ups, "spend", spending)
