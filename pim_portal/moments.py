"""Moments as PostgreSQL writes them, read by Python's own parser of ISO 8601.

Django reads them by a pattern and eleven groups: nine for a row of a list, 450 for a page of fifty, and as many times
three microseconds, a twentieth of a list's time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

MOMENT = "timestamptz"


def read_moments_sooner(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Have a new connection read moments so (the signal `connection_created`)."""
    if connection.vendor != "postgresql":
        return
    from psycopg.pq import Format

    adapters: Any = connection.connection.adapters
    slower = adapters.get_loader(adapters.types[MOMENT].oid, Format.TEXT)
    if slower.timezone is UTC:
        adapters.register_loader(MOMENT, _sooner(slower))


def _sooner(slower: Any) -> Any:
    class Sooner(slower):
        """As Django's, and by it where Python's parser knows no such moment, or one of another zone."""

        def load(self, data: Any) -> datetime:
            try:
                moment = datetime.fromisoformat(str(data, "ascii"))
            except ValueError:
                moment = None
            if moment is None or moment.tzinfo is not UTC:
                moment = super().load(data)
            return moment

    return Sooner
