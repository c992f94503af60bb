"""Reading a CSV file line by line, in constant memory."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Final

from django.utils.translation import gettext as _

from roles import assignment_files as names
from roles.downloads import unprotected
from roles.refusals import Refused, Violation

LONGEST_FIELD: Final = 10_000  # characters
NEEDED: Final = (names.STATE, names.HOLDER, names.ROLE, names.NAME, names.MEMBER, names.START, names.END)
TIMES: Final = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y")


class Unreadable(Refused):
    """The file is none that can be imported."""


def unreadable(sentence: str) -> Unreadable:
    return Unreadable([Violation("unreadable", sentence, "file")])


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file, with the number that an editor shows."""

    number: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


def lines_of(file: IO[bytes], *, needed: Sequence[str] = NEEDED) -> Iterator[Line]:
    """Yield the lines of a file, from its beginning. Raises `Unreadable` with a sentence."""
    file.seek(0)
    mark = file.read(2)
    file.seek(0)
    # Excel's "Unicode text" is UTF-16 and says so.
    encoding = "utf-16" if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        yield from _lines(text, needed)
    except UnicodeError:
        raise unreadable(_("This is not a text file in UTF-8. Save it as CSV in UTF-8.")) from None
    except csv.Error as error:
        sentence = _("This file cannot be read as CSV: %(error)s.")
        raise unreadable(sentence % {"error": error}) from None
    finally:
        text.detach()


def _lines(text: io.TextIOWrapper, needed: Sequence[str]) -> Iterator[Line]:
    first = text.readline(LONGEST_FIELD)
    if not first.strip():
        raise unreadable(_("This file is empty."))
    if "\x00" in first:
        raise unreadable(_("This is not a text file in UTF-8. Save it as CSV in UTF-8."))
    delimiter = max(",;\t", key=first.count)
    header = [cell.strip() for cell in next(csv.reader([first], delimiter=delimiter))]
    if missing := [name for name in needed if name not in header]:
        raise unreadable(_("These columns are missing: %(columns)s.") % {"columns": ", ".join(missing)})
    rows = csv.reader(_bounded(text), delimiter=delimiter)
    for cells in rows:
        if any(cells):
            if len(cells) > len(header):
                raise unreadable(_("Line %(number)s has too many cells.") % {"number": rows.line_num + 1})
            values = (unprotected(cell).strip() for cell in cells)
            yield Line(rows.line_num + 1, dict(zip(header, values, strict=False)))


def _bounded(text: io.TextIOWrapper) -> Iterator[str]:
    """Yield the lines of a text, none of which may fill the memory."""
    while line := text.readline(LONGEST_FIELD * 12):
        if len(line) >= LONGEST_FIELD * 12:
            raise unreadable(_("A line of this file is too long."))
        if "\x00" in line:
            raise unreadable(_("A line of this file has a character in it that no text has."))
        yield line


def moment(text: str) -> datetime | None:
    """Return a time in UTC, as ISO 8601 or as the hosted product writes it; None for none. Raises `ValueError`."""
    if not text or text.casefold() == names.PERMANENT.casefold():
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        read = _hosted(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _hosted(text: str) -> datetime:
    for shape in TIMES:
        try:
            return datetime.strptime(text, shape).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(text)
