"""Lists as files: CSV and XLSX, sent while they are made, both safe to open in a spreadsheet.

A cell that a spreadsheet would take for a formula gets an apostrophe in front, also behind a delimiter inside the text:
whoever opens the file with another separator splits there. `unprotected` takes exactly these away again.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from itertools import islice
from typing import Any, Final

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString
from django.utils.text import slugify

from roles.workbooks import xlsx

CSV: Final = "text/csv; charset=utf-8"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS: Final = ("csv", "xlsx")

Row = Sequence[object]
Column = tuple[str, Callable[[Any], object]]

DANGEROUS: Final = "=+-@\t\r＝＋－＠"  # what a formula begins with; and NUL, which PostgreSQL never holds
_DANGER: Final = rf"[{re.escape(DANGEROUS)}\x00]"
_PROTECT: Final = re.compile(rf"(^|[,;|\t\r\n])([ \"']*)(?={_DANGER})")
_UNPROTECT: Final = re.compile(rf"(^|[,;|\t\r\n])'([ \"']*)(?={_DANGER})")


def protected(text: str) -> str:
    """Return `text` so that no spreadsheet takes it, or a part of it, for a formula."""
    return _PROTECT.sub(r"\1'\2", text)


def unprotected(text: str) -> str:
    """Take back what `protected` added; any other text stays as it is."""
    return _UNPROTECT.sub(r"\1\2", text)


def plain(value: object) -> object:
    """Return what stands in a cell: a number, or text; a time is in UTC (ISO 8601)."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return protected(_words(value) if isinstance(value, SafeString) else str(value))


class _Words(HTMLParser):
    """The words of a rendered cell; a time is said exactly, what only screen readers get is left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self.silent:
            self.silent += [tag] if tag == self.silent[0] else []
        elif tag == "time" and given.get("datetime"):
            self.words.append(str(given["datetime"]).replace("+00:00", "Z"))
            self.silent.append(tag)
        elif tag in ("svg", "script", "style", "button") or "visually-hidden" in (given.get("class") or "").split():
            self.silent.append(tag)
        elif tag in ("div", "br", "li", "p") or "sub" in (given.get("class") or "").split():
            self.words.append("; ")

    def handle_endtag(self, tag: str) -> None:
        if self.silent and tag == self.silent[0]:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.words.append(data)


def _words(html: str) -> str:
    parser = _Words()
    parser.feed(html)
    parser.close()
    parts = (" ".join(part.split()) for part in "".join(parser.words).split("; "))
    return "; ".join(part for part in parts if part)


def answer(format: str, *, name: str, header: Row, rows: Iterable[Row], on: date) -> HttpResponseBase:
    """Return the file as an attachment, called after `name` and the day."""
    called = f"{slugify(name) or 'list'}-{on.isoformat()}.{format}"
    parts, content_type = (csv_lines(header, rows), CSV) if format == "csv" else (workbook(header, rows), XLSX)
    return attached(parts, called, content_type)


def attached(parts: Iterable[bytes], called: str, content_type: str) -> HttpResponseBase:
    """Return a file that is sent while it is made."""
    response = StreamingHttpResponse(parts, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{called}"'
    return response


def workbook(header: Row, rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield a workbook in parts, as `csv_lines` does."""
    return xlsx([plain(cell) for cell in header], ([plain(cell) for cell in row] for row in rows))


def csv_lines(header: Row, rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield the file in parts. It begins with the mark of UTF-8: spreadsheets take it for another encoding without."""
    yield codecs.BOM_UTF8 + _csv([header])
    waiting = iter(rows)
    while part := list(islice(waiting, 200)):
        yield _csv(part)


def _csv(rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([plain(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8", errors="replace")
