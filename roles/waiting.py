"""How a database says that somebody waited too long for a lock, or in a circle with others."""

from __future__ import annotations

import sqlite3
from typing import Final

from django.db import OperationalError

# PostgreSQL's lock_not_available (lock_timeout) and deadlock_detected.
STATES: Final = frozenset({"55P03", "40P01"})
PRIMARY_CODE: Final = 0xFF


def waited_in_vain(error: OperationalError) -> bool:
    """Return whether nothing is wrong but that others held what was wanted; the transaction is undone."""
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        code: int = getattr(cause, "sqlite_errorcode", 0)
        return code & PRIMARY_CODE == sqlite3.SQLITE_BUSY
    return getattr(cause, "sqlstate", None) in STATES
