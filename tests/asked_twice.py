"""Whatever a question that is composed once answers, Django is asked as well, by a queryset made for its values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

import pytest
from django.db.models import Model

from roles.models.prepared import Asked, Prepared


def told(row: Any, depth: int = 3) -> Any:
    """All that a row says of itself, and of what was fetched along."""
    if not isinstance(row, Model):
        return row
    along = {name: told(other, depth - 1) for name, other in row._state.fields_cache.items()} if depth else {}
    return type(row), {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}, along


@pytest.fixture
def asked_twice(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Hold every answer against Django's own; returns how often each question was asked, by where it is composed."""
    ask, often = Prepared.ask, Counter[str]()

    def both(self: Prepared[Any], *values: Asked) -> list[Any]:
        found = ask(self, *values)
        given = [list(one) if isinstance(one, Collection) and not isinstance(one, str) else one for one in values]
        asked = self._compose(*given)
        expected = list(asked)
        mine, theirs = [told(row) for row in found], [told(row) for row in expected]
        if not asked.ordered:
            mine, theirs = sorted(mine, key=repr), sorted(theirs, key=repr)
        code = self._compose.__code__
        assert mine == theirs, (code.co_filename, code.co_firstlineno, values)
        often[f"{code.co_filename}:{code.co_firstlineno}"] += 1
        return found

    monkeypatch.setattr(Prepared, "ask", both)
    return often
