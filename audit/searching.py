"""Finding words in the texts of a long history, on PostgreSQL by an index of all groups of three letters.

Whatever else has texts in which words are searched for declares them as `Searched`.

The extension pg_trgm comes with PostgreSQL, and the owner of a database may create it. Where it is not there, a search
reads every text, and a system check says so. SQLite is for histories that are read in a moment.
"""

# ruff: noqa: S608 - the statements are made of the names of tables; what is searched for goes beside them
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.core.checks import CheckMessage
from django.core.checks import Warning as Notice
from django.db import DatabaseError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateTimeField, ExpressionWrapper, F, Q, QuerySet, Value

from audit.models import Event, EventText
from audit.recording import folded

SHORT: Final = 3  # letters; of fewer there is no group
NUMBER: Final = re.compile(r"[0-9]{4,}")  # in a word: seldom, as that of a ticket
MANY: Final = 1000  # texts that are looked through for the words around such a number


@dataclass(frozen=True, slots=True)
class Searched:
    """A column in which words are searched for, and its index; `slow` says what is so where that is missing.

    `words` is what of the column the index is about, where it is not folded already.
    """

    table: str
    column: str
    index: str
    slow: str
    words: str = ""

    def lacks_index(self, connection: BaseDatabaseWrapper) -> bool:
        """Whether PostgreSQL has the column, and no index of it."""
        if connection.vendor != "postgresql":
            return False
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT to_regclass(%s) IS NULL AND EXISTS (SELECT FROM pg_attribute"
                " WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped)",
                [self.index, self.table, self.column],
            )
            return bool(cursor.fetchone()[0])


TEXTS: Final = Searched(
    EventText._meta.db_table, "search", "eventtext_by_words", "A search in the audit history reads every text"
)


def holds(word: str, *, at: str = "text__", column: str = "") -> Q:
    """Return the condition that a text holds this folded word; one or two letters, that a word in it begins so.

    `column` is another one than that in which texts are searched.
    """
    column = column or f"{at}search"
    if len(word) >= SHORT:
        return Q(**{f"{column}__contains": word})
    return Q(**{f"{column}__regex": _beginning(word)})


def words_of(text: str) -> list[str]:
    """Return the words that are searched for, as they are folded."""
    return folded(text).split()


def first_with(words: Sequence[str], rows: QuerySet[Event], *, among: int, most: int) -> list[int]:
    """Return the keys of the first events in whose text each word stands: up to `most`, among so many. PostgreSQL only.

    One after the other, in the order of the rows, until there are enough: the planner is kept from anything else. What
    was materialized is read as it was put down; to be sorted again, all of it would have to be looked at.
    """
    query, values = rows.values_list("pk")[:among].query.sql_with_params()
    said, patterns = zip(*(_condition(word) for word in words), strict=True)
    statement = (
        f"WITH first (id) AS MATERIALIZED ({query})"
        f" SELECT id FROM first WHERE EXISTS (SELECT 1 FROM {EventText._meta.db_table} t"
        f" WHERE t.event_id = first.id AND {' AND '.join(said)} OFFSET 0) LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, *patterns, most])
        return [pk for (pk,) in cursor.fetchall()]


def all_with(words: Sequence[str], *, most: int) -> list[int] | None:
    """Return the keys of all events in whose text each word stands, or none if there are more than `most`.

    Asked alone and first: together with what somebody may see, PostgreSQL takes each of them for as dear as all places,
    and would rather read the whole history.
    """
    found = _with_their_numbers(words)
    if found is None:
        texts = EventText.objects.filter(*(holds(word, at="") for word in words))
        found = list(texts.values_list("event_id", flat=True)[: most + 1])
    return found if len(found) <= most else None


def _with_their_numbers(words: Sequence[str]) -> list[int] | None:
    """Return what `all_with` looks for by the numbers in the words, as that of a ticket; none where that leads to many.

    Of "inc-48213" the number is seldom, but half of all texts may hold three letters of the rest; and the index looks
    at each of them.
    """
    numbers = {number for word in words if not word.isdecimal() for number in NUMBER.findall(word)}
    if not numbers or any(len(word) < SHORT for word in words):
        return None
    texts = EventText.objects.filter(*(holds(number, at="") for number in numbers)).values_list("event_id", "search")
    known = list(texts[: MANY + 1])
    if len(known) > MANY:
        return None
    return [pk for pk, search in known if all(word in search for word in words)]


def _condition(word: str) -> tuple[str, str]:
    """Return `holds` of a text `t` in SQL."""
    if len(word) >= SHORT:
        return "t.search LIKE %s", f"%{connection.ops.prep_for_like_query(word)}%"
    return "t.search ~ %s", _beginning(word)


def _beginning(word: str) -> str:
    return rf"(^|\W){re.escape(word)}"


def _is_newest_first(rows: QuerySet[Event]) -> bool:
    return str(rows.query.order_by[0]).startswith("-")


def without_index_of_time(rows: QuerySet[Event]) -> QuerySet[Event]:
    """Return the events in the same order, by time and key, which no index has: it is sorted when all are found."""
    at: Any = ExpressionWrapper(F("occurred_at") + Value(timedelta(0)), output_field=DateTimeField())
    return rows.order_by(*((at.desc(), "-id") if _is_newest_first(rows) else (at.asc(), "id")))


def install(connection: BaseDatabaseWrapper, searched: Searched) -> None:
    """Make the index where it is missing and may be made; safe to run again."""
    if not searched.lacks_index(connection):
        return
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError:
        return  # the check tells of it
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', '0', false)")
        into = f"{searched.table} USING gin ({searched.words or searched.column} gin_trgm_ops)"
        cursor.execute(f"CREATE INDEX IF NOT EXISTS {searched.index} ON {into}")
        if searched.words:
            cursor.execute(f"ANALYZE {searched.table}")  # how often words are in it is known of an index only then
        cursor.execute("RESET statement_timeout")


def check_of(searched: Searched, *, id: str) -> Callable[..., list[CheckMessage]]:
    """Return the system check that tells when a search reads everything, for `migrate` and `check --database`."""

    def check_index(*, databases: list[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
        found: list[CheckMessage] = []
        for alias in databases or []:
            try:
                slow = searched.lacks_index(connections[alias])
            except DatabaseError:
                continue
            if slow:
                hint = "Run migrate; where that does not help, first as a superuser: CREATE EXTENSION pg_trgm."
                found.append(Notice(f"{searched.slow}: its index is missing.", hint=hint, id=id))
        return found

    return check_index
