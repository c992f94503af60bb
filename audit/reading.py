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

_scan: Final = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # not in typeshed
# json makes a new encoder for every value, which takes longer than to encode an event with it.
_MAKE: Final = getattr(json.encoder, "c_make_encoder", None)
_WRITER: Final = _MAKE and _MAKE(None, None, json.encoder.encode_basestring, None, ":", ",", True, False, True)


def sealed_bytes(form: dict[str, Any]) -> bytes:
    """Return `canonical_json` of an event that was read here, sooner."""
    return "".join(_WRITER(form, 0)).encode() if _WRITER else canonical_json(form)


def _value(text: str) -> Any:
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        raise ValueError(f"This is no JSON: {text[:100]}") from None
    return value if end == len(text) else json.loads(text)


class Row(NamedTuple):
    """A leaf, with its event as the database has it now. `event` is none where it is gone, `texts` where they are."""

    leaf: int
    batch: int
    hash: str
    event: dict[str, Any] | None
    texts: dict[str, str] | None
    salts: dict[str, str]
    search: str
    erased: bool


def rows(first: int, last: int) -> Iterator[Row]:
    """Yield the leaves from `first` to `last`, in their order, with events and texts."""
    postgres = connection.vendor == "postgresql"
    body = "t.fields::text, t.salts::text" if postgres else "t.fields, t.salts"
    statement = (
        f"SELECT l.number, l.batch_id, l.hash, {_columns()}, {body}, t.search, t.erased_at IS NOT NULL"
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
                texts = _value(fields) if fields is not None else None
                yield Row(row[0], row[1], row[2], event, texts, _value(salts or "{}"), search or "", bool(erased))


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
    form = _as_text if connection.vendor == "postgresql" else _as_stored
    return ", ".join(form(name) for name in COLUMNS)


def _form() -> Callable[[Any], dict[str, Any]]:
    return _form_of_postgres if connection.vendor == "postgresql" else _form_of_sqlite


def _as_stored(name: str) -> str:
    # As text, or Django's converters would make moments of what becomes text again.
    return f"CAST(e.{name} AS TEXT)" if name in _TIMES else f"e.{name}"


def _as_text(name: str) -> str:
    if name in _UUIDS or name in _JSON:
        return f"e.{name}::text"
    if name in _TIMES:
        return f"""to_char(e.{name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')"""
    return f"e.{name}"


def _form_of_postgres(values: Any) -> dict[str, Any]:
    form = dict(zip(COLUMNS, values, strict=True))
    for name in _JSON:
        form[name] = _value(form[name]) if form[name] != "{}" else {}
    return form


def _form_of_sqlite(values: Any) -> dict[str, Any]:
    form = _form_of_postgres(values)
    for name in _UUIDS:
        if (value := form[name]) is not None:
            form[name] = f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"
    for name in _TIMES:
        form[name] = _moment(form[name])
    return form


def _moment(value: str) -> str:
    """Return SQLite's form of a moment in the canonical one; any other form stays, and verifies as changed."""
    if len(value) == 26 and value[10] == " ":
        return f"{value[:10]}T{value[11:]}+00:00"
    if len(value) == 19 and value[10] == " ":
        return f"{value[:10]}T{value[11:]}.000000+00:00"
    return value
