"""A glance at a batch: whether all in it is as it was sealed, far sooner than what is wrong with it could be named.

It says yes or nothing. What it does not find right is looked at by `audit.leaves`, row by row, which says what it is:
so a glance may be too strict, and must never be too kind. It makes the bytes of an event without a JSON encoder where
the type of a column says which letters can stand in it. PostgreSQL only: a column of SQLite holds anything.
"""

# ruff: noqa: S608 - the statement is made of the columns of a model; nothing from outside stands in it
from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

from django.db import connection

from audit.canonical import IDS
from audit.findings import Erasures
from audit.models import Event, EventText, Leaf
from audit.proofs import canonical_json, commits
from audit.reading import FETCH, TEXT, as_text, value_of, written
from audit.recording import folded

_COLUMNS: Final = (
    *sorted(IDS),
    "uuid",
    "occurred_at",
    "recorded_at",
    "kind",
    "outcome",
    "realm",
    "details",
    "commitments",
    "format_version",
    "id",
)
# In which order the texts of an event were joined for the search, by the order in which the database gives them.
_orders: dict[tuple[str, ...], tuple[str, ...]] = {}


class Glanced(NamedTuple):
    """What was found right: the hashes of the leaves, how many texts are erased, how many events archived."""

    hashes: list[bytes]
    erased: int
    archived: int


def glance(batch: int, first: int, last: int, erasures: Erasures, gone: Mapping[int, str]) -> Glanced | None:
    """Look over the leaves of a batch; none where they have to be looked at closely.

    `gone` are the hashes on the tombstones of those that are archived.
    """
    if connection.vendor != "postgresql":
        return None
    try:
        return _glance(batch, first, last, erasures, gone)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _glance(batch: int, first: int, last: int, erasures: Erasures, gone: Mapping[int, str]) -> Glanced | None:
    hashes: list[bytes] = []
    number, erased, archived = first, 0, 0
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [first, last])
        while part := cursor.fetchmany(FETCH):
            for leaf, within, sealed, fields, salts, search, erased_at, *event in part:
                if leaf != number or within != batch:
                    return None
                number += 1
                if event[-1] is None:
                    if gone.get(leaf) != sealed:
                        return None
                    hashes.append(bytes.fromhex(sealed))
                    archived += 1
                    continue
                commitments = value_of(event[-3])
                hashed = _hash(event, commitments)
                if hashed.hexdigest() != sealed:
                    return None
                if erased_at is not None:
                    if not erasures.at(event[7], erased_at) or (fields, salts, search) != ("{}", "{}", ""):
                        return None
                    erased += 1
                elif not _said(value_of(fields), value_of(salts), commitments, search):
                    return None
                hashes.append(hashed.digest())
    return Glanced(hashes, erased, archived) if number == last + 1 else None


def _hash(event: list[Any], commitments: Any) -> Any:
    """Return the hash of a leaf: of `audit.canonical.canonical` of its event."""
    actor, assignment, authority, request, resource, role, target = (f'"{one}"' if one else "null" for one in event[:7])
    uuid, occurred_at, recorded_at, kind, outcome, realm, details, _commitments, version, pk = event[7:]
    if details != "{}":
        details = written(value_of(details))
    return sha256(
        (
            f'\x00{{"actor_id":{actor},"assignment_id":{assignment},"authority_id":{authority},'
            f'"commitments":{written(commitments)},"details":{details},"format_version":{version},"id":{pk},'
            f'"kind":{_word(kind)},"occurred_at":"{occurred_at}","outcome":{_word(outcome)},"realm":{_word(realm)},'
            f'"recorded_at":"{recorded_at}","request_id":{request},"resource_id":{resource},"role_id":{role},'
            f'"target_id":{target},"uuid":"{uuid}"}}'
        ).encode()
    )


@lru_cache(1000)
def _word(text: str) -> str:
    """Return a word of a closed list as JSON; whatever else stands there is escaped as it must be."""
    return canonical_json(text).decode()


def _said(texts: dict[str, str], salts: dict[str, str], commitments: dict[str, str], search: str) -> bool:
    """Return whether these are the texts that were recorded, and what they are found by."""
    if not len(texts) == len(salts) == len(commitments):
        return False
    for name, text in texts.items():
        if not commits(commitments[name], text, salt=salts[name]):
            return False
    names = tuple(texts)
    known = _orders.get(names, names)
    if folded(" ".join([texts[name] for name in known])) == search:
        return True
    found = order_in(texts, search)
    if found is None:
        return False
    _orders[names] = found
    return True


def order_in(texts: Mapping[str, str], search: str) -> tuple[str, ...] | None:
    """Return the order of the texts whose folded forms, with a space between, make up `search`; none where none does.

    PostgreSQL does not keep the order in which they were recorded.
    """
    if not texts:
        return () if search == "" else None
    parts = {name: folded(text) + " " for name, text in texts.items()}
    return _rest(f"{search} ", 0, parts)


def _rest(whole: str, at: int, parts: Mapping[str, str]) -> tuple[str, ...] | None:
    if not parts:
        return () if at == len(whole) else None
    for name, part in parts.items():
        if whole.startswith(part, at):
            others = {other: text for other, text in parts.items() if other != name}
            found = _rest(whole, at + len(part), others)
            if found is not None:
                return name, *found
    return None


@cache
def _statement() -> str:
    columns = ", ".join(as_text(name) for name in _COLUMNS)
    leaves, events, texts = (model._meta.db_table for model in (Leaf, Event, EventText))
    return (
        f"SELECT l.number, l.batch_id, l.hash, {TEXT}, {columns} FROM {leaves} l"
        f" LEFT JOIN {events} e ON e.id = l.event_id LEFT JOIN {texts} t ON t.event_id = l.event_id"
        " WHERE l.number BETWEEN %s AND %s ORDER BY l.number"
    )
