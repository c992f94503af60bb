"""The history as a file: any filtered view as CSV, XLSX or JSON Lines, read in parts, however long it is.

Between two parts the reader's right is looked at anew: a download ends when the right to it ends, and says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.canonical import canonical_form
from audit.models import Event
from audit.sentences import said, sentence, who, why
from pim_portal.activity.selectors.sight import in_sight
from roles import downloads
from roles.authority import Authority
from roles.catalogue import GRANTS, Permission
from roles.models import User

FORMATS: Final = (*downloads.FORMATS, "jsonl")
PART: Final = 1000  # events that are in memory at once
JSONL: Final = "application/jsonl; charset=utf-8"
CUT_OFF: Final = gettext_lazy("The right to read this ended while it was downloaded. The rest is missing.")

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
    (gettext_lazy("From address"), lambda one: said(one, "address")),
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


def _text(value: object) -> str:
    return str(value) if value else ""


class CutOff(Exception):  # noqa: N818 - what happened, not an error
    """The right to read ended."""


def parts(rows: QuerySet[Event], reader: User) -> Iterator[list[Event]]:
    """Yield the events the newest first, part by part, for as long as their reader may read them.

    Raises `CutOff` when something of the view is no longer theirs to read.
    """
    rows = rows.order_by("-occurred_at", "-id")
    begun = _rights(Authority(reader, timezone.now()))
    last: Event | None = None
    while True:
        authority = Authority(reader, timezone.now())
        if begun - _rights(authority):
            raise CutOff
        left = rows.filter(in_sight(authority))
        if last is not None:
            left = left.filter(Q(occurred_at__lt=last.occurred_at) | Q(occurred_at=last.occurred_at, id__lt=last.pk))
        part = list(left[:PART])
        if part:
            yield part
        if len(part) < PART:
            return
        last = part[-1]


def _rights(authority: Authority) -> set[tuple[object, str]]:
    """Return what lets somebody read the history, and where."""
    roles = GRANTS[Permission.SEE_AUDIT].roles
    return {(one.role_id, one.path) for one in authority.held if one.role_id in roles}


def _rows(rows: QuerySet[Event], reader: User) -> Iterator[Sequence[object]]:
    try:
        for part in parts(rows, reader):
            yield from ([value(one) for _label, value in COLUMNS] for one in part)
    except CutOff:
        yield [str(CUT_OFF)]


def _lines(rows: QuerySet[Event], reader: User) -> Iterator[bytes]:
    try:
        for part in parts(rows, reader):
            yield b"".join(json_line(one) for one in part)
    except CutOff:
        yield json.dumps({"cut_off": str(CUT_OFF)}).encode() + b"\n"


def json_line(event: Event) -> bytes:
    """Return an event with its texts as one line of JSON."""
    form = canonical_form(event) | {"text": event.text.fields, "sentence": sentence(event)}
    return json.dumps(form, ensure_ascii=False).encode() + b"\n"


def answer(format: str, rows: QuerySet[Event], *, reader: User, on: date) -> HttpResponseBase:
    """Return the file as an attachment."""
    if format == "jsonl":
        response = StreamingHttpResponse(_lines(rows, reader), content_type=JSONL)
        response["Content-Disposition"] = f'attachment; filename="audit-history-{on.isoformat()}.jsonl"'
        return response
    header = [str(label) for label, _value in COLUMNS]
    return downloads.answer(format, name=_("Audit history"), header=header, rows=_rows(rows, reader), on=on)
