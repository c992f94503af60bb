"""Finding words in the texts of a long history, on PostgreSQL by an index of all groups of three letters.

The extension pg_trgm comes with PostgreSQL, and the owner of a database may create it. Where it is not there, a search
reads every text, and a system check says so. SQLite is for histories that are read in a moment.
"""

from __future__ import annotations

import re
from typing import Any, Final

from django.core.checks import CheckMessage
from django.core.checks import Warning as Notice
from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q

INDEX: Final = "eventtext_by_words"
SHORT: Final = 3  # letters; of fewer there is no group


def holds(word: str, *, at: str = "text__") -> Q:
    """Return the condition that a text holds this folded word; one or two letters, that a word in it begins so."""
    if len(word) >= SHORT:
        return Q(**{f"{at}search__contains": word})
    return Q(**{f"{at}search__regex": rf"(^|\W){re.escape(word)}"})


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the index where it is missing and may be made; safe to run again."""
    if connection.vendor != "postgresql" or is_indexed(connection):
        return
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError:
        return  # the check tells of it
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', '0', false)")
        cursor.execute(f"CREATE INDEX IF NOT EXISTS {INDEX} ON audit_eventtext USING gin (search gin_trgm_ops)")
        cursor.execute("RESET statement_timeout")


def is_indexed(connection: BaseDatabaseWrapper) -> bool:
    """Return whether a search has its index."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [INDEX])
        return bool(cursor.fetchone()[0])


def check_index(*, databases: list[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Tell when a search reads the whole history (system check, run by `migrate` and `check --database default`)."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        try:
            known = "audit_eventtext" in connection.introspection.table_names()
            slow = known and connection.vendor == "postgresql" and not is_indexed(connection)
        except DatabaseError:
            continue
        if slow:
            sentence = "A search in the audit history reads every text: the extension pg_trgm is missing."
            hint = "As a superuser: CREATE EXTENSION pg_trgm; then run migrate."
            found.append(Notice(sentence, hint=hint, id="audit.W001"))
    return found
