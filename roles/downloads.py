"""Lists as files: CSV in a stream, XLSX from a temporary file, both safe to open in a spreadsheet.

A cell that a spreadsheet would take for a formula gets an apostrophe in front, also behind a delimiter inside the text:
whoever opens the file with another separator splits there. `unprotected` takes exactly these away again.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from itertools import islice
from typing import IO, Any, Final

from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString
from django.utils.text import slugify
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

CSV: Final = "text/csv; charset=utf-8"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS: Final = ("csv", "xlsx")
ROWS_OF_A_SHEET: Final = 1_000_000
LONGEST_CELL: Final = 32_000  # characters; a spreadsheet holds 32,767

Row = Sequence[object]
Column = tuple[str, Callable[[Any], object]]

_DANGER = "[=+\\-@\t\r\x00＝＋－＠]"
_PROTECT = re.compile(rf"(^|[,;|\t\r\n])([ \"']*)(?={_DANGER})")
_UNPROTECT = re.compile(rf"(^|[,;|\t\r\n])'([ \"']*)(?={_DANGER})")


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
    response: HttpResponseBase
    if format == "csv":
        response = StreamingHttpResponse(csv_lines(header, rows), content_type=CSV)
        response["Content-Disposition"] = f'attachment; filename="{called}"'
        return response
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    write_xlsx(file, header, rows)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=called, content_type=XLSX)


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


def write_xlsx(file: IO[bytes], header: Row, rows: Iterable[Row]) -> None:
    """Write a workbook row by row: text is text, never a formula or a link."""
    book = Workbook(write_only=True)
    waiting = iter(rows)
    while True:
        sheet = book.create_sheet()

        def cell(value: object, sheet: Any = sheet) -> WriteOnlyCell:
            shown = plain(value)
            if isinstance(shown, str):
                made = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", shown)[:LONGEST_CELL])
                made.data_type = "s"
                return made
            return WriteOnlyCell(sheet, shown)

        sheet.append([cell(value) for value in header])
        written = 0
        for row in islice(waiting, ROWS_OF_A_SHEET):
            sheet.append([cell(value) for value in row])
            written += 1
        if written < ROWS_OF_A_SHEET:
            break
    book.save(file)
