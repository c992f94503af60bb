"""Reading sealed events fast, in leaf order, straight from the database's own form of each column.

A verification reads a million events in less than a minute, for which Django's objects cost too much. What these
readers give is the very form that `audit.canonical` makes of a model; a test holds the two against each other.
"""

# ruff: noqa: S608 - the statements are made of the columns of a model; nothing from outside stands in them
from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from django.db import connection

from audit.canonical import IDS
from audit.models import Event, EventText, Leaf, Pending
from audit.proofs import canonical_json

FETCH: Final = 2000  # rows that are in memory at once

_UUIDS: Final = ("uuid", *IDS)
_TIMES: Final = ("occurred_at", "recorded_at")
_TEXTS: Final = ("kind", "outcome", "realm")
_JSON: Final = ("details", "commitments")
_NUMBERS: Final = ("id", "format_version")
COLUMNS: Final = (*_UUIDS, *_TIMES, *_TEXTS, *_JSON, *_NUMBERS)

_MOMENT: Final = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')"""
TEXT: Final = f"t.fields::text, t.salts::text, t.search, {_MOMENT.format('t.erased_at')}"  # on PostgreSQL

_scan: Final = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # not in typeshed
# json makes a new encoder for every value, which takes longer than to encode an event with it.
_MAKE: Final = getattr(json.encoder, "c_make_encoder", None)
_WRITER: Final = _MAKE and _MAKE(None, None, json.encoder.encode_basestring, None, ":", ",", True, False, True)


def written(value: Any) -> str:
    """Return the text of `canonical_json`, sooner."""
    return "".join(_WRITER(value, 0)) if _WRITER else canonical_json(value).decode()


def sealed_bytes(form: dict[str, Any]) -> bytes:
    """Return the bytes of an event that was read here."""
    return written(form).encode()


def value_of(text: str) -> Any:
    """Return the JSON value that a column holds. Raises ValueError."""
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        raise ValueError(f"This is no JSON: {text[:100]}") from None
    return value if end == len(text) else json.loads(text)


class Row(NamedTuple):
    """A leaf, with its event as the database has it now. `event` is none where it is gone, `texts` where they are.

    `erased_at` is in the canonical form of a moment.
    """

    leaf: int
    batch: int
    hash: str
    event: dict[str, Any] | None
    texts: dict[str, str] | None
    salts: dict[str, str]
    search: str
    erased_at: str | None


def rows(first: int, last: int) -> Iterator[Row]:
    """Yield the leaves from `first` to `last`, in their order, with events and texts."""
    postgres = connection.vendor == "postgresql"
    body = TEXT if postgres else "t.fields, t.salts, t.search, CAST(t.erased_at AS TEXT)"
    json_of, moment_of = (value_of, str) if postgres else (_stored_json, _moment)
    statement = (
        f"SELECT l.number, l.batch_id, l.hash, {_columns()}, {body}"
        f" FROM {Leaf._meta.db_table} l LEFT JOIN {Event._meta.db_table} e ON e.id = l.event_id"
        f" LEFT JOIN {EventText._meta.db_table} t ON t.event_id = l.event_id"
        " WHERE l.number BETWEEN %s AND %s ORDER BY l.number"
    )
    made = _form()
    width = 3 + len(COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(statement, [first, last])
        while part := cursor.fetchmany(FETCH):
            for row in part:
                fields, salts, search, erased = row[width:]
                event = made(row[3:width]) if row[3] is not None else None
                texts = json_of(fields) if fields is not None else None
                erased_at = moment_of(erased) if erased is not None else None
                yield Row(row[0], row[1], row[2], event, texts, json_of(salts or "{}"), search or "", erased_at)


def waiting(limit: int) -> list[dict[str, Any]]:
    """Return up to `limit` events that wait to be sealed, those recorded first before the others."""
    statement = (
        f"SELECT {_columns()} FROM {Event._meta.db_table} e JOIN {Pending._meta.db_table} p ON p.event_id = e.id"
        " ORDER BY e.id LIMIT %s"
    )
    made = _form()
    with connection.cursor() as cursor:
        cursor.execute(statement, [limit])
        return [made(row) for row in cursor.fetchall()]


def _columns() -> str:
    form = as_text if connection.vendor == "postgresql" else _as_stored
    return ", ".join(form(name) for name in COLUMNS)


def _form() -> Callable[[Any], dict[str, Any]]:
    return _form_of_postgres if connection.vendor == "postgresql" else _form_of_sqlite


def _as_stored(name: str) -> str:
    # As text, or Django's converters would make moments of what becomes text again.
    return f"CAST(e.{name} AS TEXT)" if name in _TIMES else f"e.{name}"


def as_text(name: str) -> str:
    """Return what gives a column of an event `e` as canonical text, on PostgreSQL."""
    if name in _UUIDS or name in _JSON:
        return f"e.{name}::text"
    return _MOMENT.format(f"e.{name}") if name in _TIMES else f"e.{name}"


def _form_of_postgres(values: Any) -> dict[str, Any]:
    form = dict(zip(COLUMNS, values, strict=True))
    for name in _JSON:
        form[name] = value_of(form[name]) if form[name] != "{}" else {}
    return form


def _form_of_sqlite(values: Any) -> dict[str, Any]:
    form = dict(zip(COLUMNS, values, strict=True))
    for name in _JSON:
        form[name] = _stored_json(form[name])
    for name in _UUIDS:
        if (value := form[name]) is not None:
            form[name] = f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"
    for name in _TIMES:
        form[name] = _moment(form[name])
    return form


def _stored_json(text: str) -> Any:
    """Return the value of a column of SQLite; where it stands there in another form than Django's, only that text.

    Such as a name that comes twice, of which SQLite takes the first and Python the last.
    """
    value = value_of(text)
    return value if text == "{}" or json.dumps(value) == text else {"": text}


def _moment(value: str) -> str:
    """Return SQLite's form of a moment in the canonical one; any other form stays, and verifies as changed."""
    if len(value) == 26 and value[10] == " ":
        return f"{value[:10]}T{value[11:]}+00:00"
    if len(value) == 19 and value[10] == " ":
        return f"{value[:10]}T{value[11:]}.000000+00:00"
    return value
