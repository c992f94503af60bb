"""A workbook (XLSX) that is sent while it is written: a zip of a few fixed parts and of sheets, row after row.

Text is text, never a formula or a link: each cell is an inline string or a number, and nothing else is ever written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Final
from xml.sax.saxutils import escape

from roles.zipping import File, zipped

ROWS_OF_A_SHEET: Final = 1_000_000
BYTES_OF_A_SHEET: Final = 1 << 30  # beyond which it takes no more rows: below what a zip of 32 bits holds, and a part
WIDTH: Final = 24  # characters of each column
LONGEST_CELL: Final = 32_000  # characters; a spreadsheet holds 32,767
_PART: Final = 200  # rows that are written at once
_NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

Cells = Sequence[object]

_HEADER_STAYS: Final = (
    '<sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    "</sheetView></sheetViews>"
)

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def xlsx(header: Cells, rows: Iterable[Cells]) -> Iterator[bytes]:
    """Yield a workbook in parts: a sheet, or more where one would be too long, each with the header."""
    return zipped(_files(header, iter(rows)), at=datetime.now(UTC), large=False)


def _files(header: Cells, rows: Iterator[Cells]) -> Iterator[File]:
    sheets = 0
    first = next(rows, None)
    while first is not None or sheets == 0:
        sheets += 1
        beginning = [header] if first is None else [header, first]
        yield f"xl/worksheets/sheet{sheets}.xml", _sheet(beginning, rows)
        first = next(rows, None)
    numbers = range(1, sheets + 1)
    named = "".join(f'<sheet name="Sheet{one}" sheetId="{one}" r:id="rId{one}"/>' for one in numbers)
    book = f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{named}</sheets></workbook>'
    targets = [(f"{_OFFICE}/worksheet", f"worksheets/sheet{one}.xml") for one in numbers]
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{one}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for one in numbers
    )
    yield _file("xl/workbook.xml", book)
    yield _file("xl/_rels/workbook.xml.rels", _relations(targets))
    yield _file("_rels/.rels", _relations([(f"{_OFFICE}/officeDocument", "xl/workbook.xml")]))
    yield _file(
        "[Content_Types].xml",
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{types}</Types>',
    )


def _relations(targets: Iterable[tuple[str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="rId{number}" Type="{type}" Target="{target}"/>'
        for number, (type, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def _file(name: str, xml: str) -> File:
    return name, [(_HEAD + xml).encode()]


def _sheet(part: Sequence[Cells], rows: Iterator[Cells]) -> Iterator[bytes]:
    """Yield a sheet that begins with this header and row, and goes on as far as a sheet may."""
    columns = f'<cols><col min="1" max="{len(part[0])}" width="{WIDTH}" customWidth="1"/></cols>'
    yield f'{_HEAD}<worksheet xmlns="{_MAIN}">{_HEADER_STAYS}{columns}<sheetData>'.encode()
    left, written = ROWS_OF_A_SHEET - 1, 0
    while part:
        text = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in part).encode()
        written += len(text)
        yield text
        part = list(islice(rows, min(_PART, left))) if written < BYTES_OF_A_SHEET else []
        left -= len(part)
    yield b"</sheetData></worksheet>"


def _cell(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"<c><v>{value}</v></c>"
    text = escape(_NO_XML.sub("", str(value))[:LONGEST_CELL])
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>' if text else "<c/>"
