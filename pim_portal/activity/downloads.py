"""The history as a file: any filtered view as CSV, XLSX or JSON Lines, read in parts, however long it is.

Between two parts the reader's right is looked at anew: a download ends when the right to it ends, and says so as its
last line. No transaction is open while a part is sent. On PostgreSQL the parts come by COPY, see `copying`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final, TypeVar

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from audit.canonical import canonical_form
from audit.models import Event
from audit.sentences import said, sentence, who, why
from pim_portal.accounts.middleware import is_over
from pim_portal.activity import copying
from pim_portal.activity.paging import Place, beyond
from pim_portal.activity.selectors.sight import in_sight
from roles import downloads
from roles.authority import Authority
from roles.catalogue import GRANTS, Permission
from roles.models import User
from roles.workbooks import xlsx

FORMATS: Final = (*downloads.FORMATS, "jsonl")
PART: Final = 1000  # events that are in memory at once
COPIED: Final = 10_000  # the same, where they come as finished lines: some megabytes
JSONL: Final = "application/jsonl; charset=utf-8"
CUT_OFF: Final = gettext_lazy("INCOMPLETE. The right to read this ended while it was downloaded. The rest is missing.")


def _address(event: Event) -> str:
    return said(event, "address")


COLUMNS: Final[tuple[tuple[Any, Callable[[Event], object]], ...]] = (
    (gettext_lazy("Event"), lambda one: str(one.uuid)),
    (gettext_lazy("When"), lambda one: one.occurred_at),
    (gettext_lazy("Who"), who),
    (gettext_lazy("What"), lambda one: str(one.get_kind_display())),
    (gettext_lazy("Outcome"), lambda one: str(one.get_outcome_display())),
    (gettext_lazy("In words"), sentence),
    (gettext_lazy("To whom"), lambda one: said(one, "target")),
    (gettext_lazy("Role"), lambda one: said(one, "role")),
    (gettext_lazy("Where"), lambda one: said(one, "resource")),
    (gettext_lazy("Why"), why),
    (gettext_lazy("Ticket"), lambda one: said(one, "ticket")),
    (gettext_lazy("From address"), _address),
    (gettext_lazy("Details"), lambda one: json.dumps(one.details, ensure_ascii=False) if one.details else ""),
    (gettext_lazy("World"), lambda one: str(one.get_realm_display())),
    (gettext_lazy("Kind"), lambda one: one.kind),
    (gettext_lazy("Who (id)"), lambda one: _text(one.actor_id)),
    (gettext_lazy("To whom (id)"), lambda one: _text(one.target_id)),
    (gettext_lazy("Role (id)"), lambda one: _text(one.role_id)),
    (gettext_lazy("Where (id)"), lambda one: _text(one.resource_id)),
    (gettext_lazy("Request"), lambda one: _text(one.request_id)),
    (gettext_lazy("Assignment"), lambda one: _text(one.assignment_id)),
    (gettext_lazy("By the authority of"), lambda one: _text(one.authority_id)),
    (gettext_lazy("Recorded"), lambda one: one.recorded_at),
)


def _columns(own: uuid.UUID | None) -> list[Callable[[Event], object]]:
    """Return what stands in each column; see `copying.table`."""
    return [partial(_own_address, own) if own and value is _address else value for _label, value in COLUMNS]


def _own_address(reader: uuid.UUID, event: Event) -> str:
    return _address(event) if event.actor_id in (None, reader) else ""


def _text(value: object) -> str:
    return str(value) if value else ""


T = TypeVar("T")
Watch = Callable[[], Q]


def _uncounted(events: int) -> None:
    """Count nothing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """For whom a file is made: what may be read at any moment, whose own history it is (if so), who counts it."""

    may_read: Watch
    own: uuid.UUID | None = None
    count: Callable[[int], None] = _uncounted


class CutOff(Exception):  # noqa: N818 - what happened, not an error
    """The right to read ended."""


def watch(reader: User, session_key: str | None) -> Watch:
    """Return what tells, whenever it is asked, which events this reader may read in this session.

    It raises `CutOff` once the session is over or something of what it began with is no longer theirs to read.
    """
    begun = _rights(Authority(reader, timezone.now()))

    def may_read() -> Q:
        now = timezone.now()
        authority = Authority(reader, now)
        if is_over(session_key, now) or begun - _rights(authority):
            raise CutOff
        return in_sight(authority)

    return may_read


def watch_own(session_key: str | None) -> Watch:
    """Return the same for one's own history: it is everybody's, as long as their session is not over."""

    def may_read() -> Q:
        if is_over(session_key, timezone.now()):
            raise CutOff
        return Q()

    return may_read


def _rights(authority: Authority) -> set[tuple[object, str]]:
    """Return what lets somebody read the history, and where."""
    roles = GRANTS[Permission.SEE_AUDIT].roles
    return {(one.role_id, one.path) for one in authority.held if one.role_id in roles}


def parts(
    rows: QuerySet[Event], reading: Reading, read: Callable[[QuerySet[Event]], Sequence[T]], size: int
) -> Iterator[Sequence[T]]:
    """Yield the events the newest first, in the form that `read` gives them, part by part. Raises `CutOff`."""
    place: Place | None = None
    while True:
        left = rows.filter(reading.may_read()).order_by("-occurred_at", "-id")
        part = read((left if place is None else beyond(left, place))[:size])
        if part:
            yield part
            reading.count(len(part))  # once it was taken
        if len(part) < size:
            return
        place = _place(part[-1])


def _place(last: Any) -> Place:
    if isinstance(last, Event):
        return Place.of(last)
    return Place(*Event.objects.values_list("occurred_at", "id").get(uuid=copying.identity(last)))


def _copies() -> bool:
    return connection.vendor == "postgresql"


def _rows(rows: QuerySet[Event], reading: Reading) -> Iterator[Sequence[object]]:
    columns = _columns(reading.own)
    try:
        for part in parts(rows, reading, list, PART):
            yield from ([value(one) for value in columns] for one in part)
    except CutOff:
        yield [str(CUT_OFF)]


def _copied_rows(rows: QuerySet[Event], reading: Reading) -> Iterator[Sequence[object]]:
    try:
        for part in parts(rows, reading, partial(copying.cells, own=reading.own), COPIED):
            yield from part
    except CutOff:
        yield [str(CUT_OFF)]


def _copied_csv(header: Sequence[str], rows: QuerySet[Event], reading: Reading) -> Iterator[bytes]:
    yield b"".join(downloads.csv_lines(header, []))
    try:
        for part in parts(rows, reading, partial(copying.csv_lines, own=reading.own), COPIED):
            yield b"".join(part)
    except CutOff:
        yield f'"{CUT_OFF}"\n'.encode()


def _json_lines(rows: QuerySet[Event], reading: Reading) -> Iterator[bytes]:
    read: Iterable[Sequence[bytes]] = (
        parts(rows, reading, copying.json_lines, COPIED)
        if _copies()
        else parts(rows, reading, lambda some: [json_line(one) for one in some], PART)
    )
    try:
        for part in read:
            yield b"".join(part)
    except CutOff:
        yield json.dumps({"cut_off": str(CUT_OFF)}).encode() + b"\n"


def json_line(event: Event) -> bytes:
    """Return an event with its texts as one line of JSON."""
    form = canonical_form(event) | {"text": event.text.fields, "sentence": sentence(event)}
    return json.dumps(form, ensure_ascii=False).encode() + b"\n"


def content_type(format: str) -> str:
    return {"jsonl": JSONL, "csv": downloads.CSV}.get(format, downloads.XLSX)


def file_name(format: str, on: date) -> str:
    return f"audit-history-{on.isoformat()}.{format}"


def content(format: str, rows: QuerySet[Event], reading: Reading) -> Iterator[bytes]:
    """Yield a file in parts, while it is made."""
    if format == "jsonl":
        return _json_lines(rows, reading)
    header = [str(label) for label, _value in COLUMNS]
    if not _copies():
        made = downloads.csv_lines if format == "csv" else downloads.workbook
        return made(header, _rows(rows, reading))
    if format == "csv":
        return _copied_csv(header, rows, reading)
    # What comes by COPY is protected already.
    return xlsx(header, _copied_rows(rows, reading))
