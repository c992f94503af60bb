"""How PostgreSQL plans what it is asked: once for all values, or anew for those at hand.

Most questions are about rows of few keys, and one plan serves them all (`server_side_binding`, environment.databases).
What a list shows may be nearly everything or nearly nothing: there a plan that knows the values is worth its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

KEPT: Final = 500  # plans of a connection: of all pages and acts, not of those alone that were open last


def keep_plans(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Let a new connection keep as many plans as the portal has questions (the signal `connection_created`)."""
    if connection.vendor == "postgresql":
        connection.connection.prepared_max = KEPT


@contextmanager
def planned_anew() -> Iterator[None]:
    """Have what is asked inside planned for its own values. Ask it there: a queryset asks when it is read."""
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    asked: Any = connection.connection
    before, asked.prepare_threshold = asked.prepare_threshold, None
    try:
        yield
    finally:
        asked.prepare_threshold = before
