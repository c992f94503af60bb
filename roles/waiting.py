"""How a database says that somebody waited too long for a lock, or in a circle with others."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import OperationalError, connection, transaction

from roles.refusals import Busy

logger = logging.getLogger(__name__)

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


@contextmanager
def one_transaction(what: object) -> Iterator[None]:
    """Do what stands inside in one transaction; raises `Busy` where it waited in vain, with nothing done.

    Inside somebody else's transaction the error stays what it is: that one has to be undone as a whole.
    """
    alone = not connection.in_atomic_block
    try:
        with transaction.atomic():
            yield
    except OperationalError as error:
        if not (alone and waited_in_vain(error)):
            raise
        logger.warning("%s was not done, since others held what it changes: %s", what, error)
        raise Busy from error
