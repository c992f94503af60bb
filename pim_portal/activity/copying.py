"""A download's events, put into their form by PostgreSQL itself: a million of them come as fast as COPY gives them.

What they say is what `pim_portal.activity.downloads` says in Python; a test holds the two against each other.
"""

# ruff: noqa: S608 - what varies is quoted by the driver
from __future__ import annotations

import csv
import io
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet

from audit.canonical import IDS
from audit.kinds import Kind, Outcome, Realm
from audit.models import Event
from audit.sentences import ENDINGS, ERASED, NAMELESS
from audit.wordings import in_sql
from roles.downloads import DANGEROUS

_COLUMNS: Final = ("id", "uuid", "occurred_at", "recorded_at", "kind", "outcome", "realm", *IDS, "details")
_READ: Final = (*_COLUMNS, "commitments", "format_version")
_SAID: Final = (*in_sql.NAMES, "justification", "reason", "ticket", "address")
_SECONDS: Final = """'YYYY-MM-DD"T"HH24:MI:SS"Z"'"""
_MICROSECONDS: Final = """'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'"""
_CSV: Final = "FORMAT csv"
# JSON holds neither of these as they are, so that its lines come as they are.
_LINES: Final = "FORMAT csv, QUOTE e'\\x01', DELIMITER e'\\x02'"

_SIGNS: Final = rf"(?=[{re.escape(DANGEROUS)}])"
_BEHIND: Final = rf"([,;|\t\r\n])([ \"']*){_SIGNS}"
_FIRST: Final = rf"^([ \"']*){_SIGNS}"


def csv_lines(rows: QuerySet[Event], *, own: uuid.UUID | None = None) -> list[bytes]:
    """Return these events as lines of CSV, in their order; each begins with the event's id. `own` as for `table`."""
    return _copied(table(rows, own=own), _CSV)


def cells(rows: QuerySet[Event], *, own: uuid.UUID | None = None) -> list[list[str]]:
    """Return these events as the cells of a table; the first is the event's id."""
    text = b"".join(csv_lines(rows, own=own)).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def json_lines(rows: QuerySet[Event]) -> list[bytes]:
    """Return these events as lines of JSON, in their order."""
    pairs = {name: f"e.{name}" for name in (*_READ, "text")}
    pairs |= {name: _utc(f"e.{name}", _MICROSECONDS) for name in ("occurred_at", "recorded_at")}
    pairs["sentence"] = _sentence()
    built = ", ".join(f"'{name}', {value}" for name, value in pairs.items())
    return _copied(f"SELECT json_build_object({built}) FROM {_events(rows)}", _LINES)


def _copied(statement: str, form: str) -> list[bytes]:
    with connection.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT ({form})") as copy:
        return [bytes(line) for line in copy]


def table(rows: QuerySet[Event], *, own: uuid.UUID | None = None) -> str:
    """Return the query, with its values in it, of the columns of `downloads.COLUMNS`, in their order.

    Where somebody reads their `own` history, the address from where somebody else acted is left out.
    """
    seen = "true" if own is None else f"(e.actor_id IS NULL OR e.actor_id = {_quoted(str(own))}::uuid)"
    somebody = _quoted(str(NAMELESS["actor"]))
    words = (
        ("who", f"coalesce(nullif(n.actor, ''), {somebody})"),
        ("what", _named(dict(Kind.choices), "e.kind")),
        ("outcome", _named(dict(Outcome.choices), "e.outcome")),
        ("sentence", _sentence()),
        ("target", "n.target"),
        ("role", "n.role"),
        ("resource", "n.resource"),
        ("why", "coalesce(nullif(n.justification, ''), n.reason)"),
        ("ticket", "n.ticket"),
        ("address", f"CASE WHEN {seen} THEN n.address ELSE '' END"),
        ("details", "CASE WHEN e.details = '{}' THEN '' ELSE e.details::text END"),
        ("world", _named(dict(Realm.choices), "e.realm")),
    )
    said = ", ".join(f"{value} AS {name}" for name, value in words)
    kept = ", ".join(f"e.{name}" for name in ("uuid", "occurred_at", "recorded_at", "id", "kind", *IDS))
    outer = [
        "r.uuid",
        _utc("r.occurred_at", _SECONDS),
        *(_protected(f"r.{name}") for name, _value in words),
        "r.kind",
        *(f"r.{name}" for name in IDS),
        _utc("r.recorded_at", _SECONDS),
    ]
    # OFFSET 0 keeps the planner from working out each of these again wherever it is named.
    return (
        f"SELECT {', '.join(outer)} FROM (SELECT {kept}, {said} FROM {_events(rows)} OFFSET 0) AS r"
        " ORDER BY r.occurred_at DESC, r.id DESC"
    )


def _events(rows: QuerySet[Event]) -> str:
    """Return the events `e`, and in `n` what each says: "(erased)" where it was erased, empty where there was none."""
    # A condition that nothing can fulfil is still a query: of an empty file.
    compiler = rows.values_list(*_READ, "text__fields").query.get_compiler(connection=connection, elide_empty=False)
    query, values = compiler.as_sql()
    inner = _composed(query, values)
    erased = _quoted(str(ERASED))
    said = (f"CASE WHEN e.commitments ? '{name}' THEN coalesce(e.text->>'{name}', {erased}) ELSE '' END AS {name}"
            for name in _SAID)  # fmt: skip
    named = ", ".join((*_READ, "text"))
    return f"({inner}) AS e({named}) CROSS JOIN LATERAL (SELECT {', '.join(said)} OFFSET 0) AS n"


def _sentence() -> str:
    words = in_sql.templates({outcome: str(ending) for outcome, ending in ENDINGS.items()})
    names = ", ".join(f"coalesce(nullif(n.{name}, ''), {_quoted(str(NAMELESS[name]))})" for name in in_sql.NAMES)
    key = f"e.kind || ':' || e.outcome || ':' || {in_sql.variant()}"
    return f"format({_quoted(json.dumps(words, ensure_ascii=False))}::jsonb ->> ({key}), {names})"


def _named(labels: Mapping[str, Any], column: str) -> str:
    words = json.dumps({value: str(label) for value, label in labels.items()}, ensure_ascii=False)
    return f"({_quoted(words)}::jsonb ->> {column})"


def _protected(column: str) -> str:
    """Return `roles.downloads.protected` of a column; most texts hold no such sign, which is soon seen."""
    # In two steps: of two places that overlap, PostgreSQL would take the longer one only.
    signs, behind, first = _quoted(DANGEROUS), _quoted(_BEHIND), _quoted(_FIRST)
    changed = rf"regexp_replace(regexp_replace({column}, {behind}, '\1''\2', 'g'), {first}, '''\1')"
    return f"CASE WHEN translate({column}, {signs}, '') = {column} THEN {column} ELSE {changed} END"


def _utc(column: str, form: str) -> str:
    return f"to_char({column} AT TIME ZONE 'UTC', {form})"


def _quoted(text: str) -> str:
    return _composed("%s", [text])


def _composed(query: str, values: Sequence[Any]) -> str:
    ops: Any = connection.ops  # PostgreSQL's alone can say a query with its values in it
    return str(ops.compose_sql(query, values))


def identity(line: bytes | Sequence[str]) -> str:
    """Return the id of the event that a line or row of this module tells of."""
    if not isinstance(line, bytes):
        return line[0]
    return str(json.loads(line)["uuid"]) if line.startswith(b"{") else line[:36].decode()
