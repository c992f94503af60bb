"""Zips that are sent while they are written: of any size, and such as every spreadsheet reads."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from roles import workbooks
from roles.workbooks import xlsx
from roles.zipping import zipped
from tests.people import NOW

GIB = 1 << 30
PIECE = bytes(1 << 20)


def zeros(size: int) -> Iterator[bytes]:
    for _piece in range(size // len(PIECE)):
        yield PIECE


def test_a_part_beyond_what_32_bits_say_is_written_and_read(monkeypatch):
    """The limit moved down: a part whose size was not known beforehand, and one that begins beyond it."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    noise = bytes(range(256)) * 20
    files = [("first", [noise, noise]), ("second", [b"behind"])]
    with zipfile.ZipFile(io.BytesIO(b"".join(zipped(files, at=NOW)))) as archive:
        assert archive.testzip() is None
        assert (archive.read("first"), archive.read("second")) == (noise * 2, b"behind")
    with pytest.raises(RuntimeError, match="first is too large"):
        list(zipped([("first", [noise])], at=NOW, large=False))


@pytest.mark.slow
@pytest.mark.long
def test_a_part_beyond_4_gib_is_written_and_read(tmp_path: Path):
    size = 4 * GIB + len(PIECE)
    file = tmp_path / "large.zip"
    with open(file, "wb") as written:
        written.writelines(zipped([("zeros", zeros(size)), ("behind", [b"x"])], at=NOW))
    with zipfile.ZipFile(file) as archive:
        assert archive.getinfo("zeros").file_size == size
        assert archive.read("behind") == b"x"
        with archive.open("zeros") as part:  # its checksum is looked at with its last byte
            assert sum(len(piece) for piece in iter(lambda: part.read(len(PIECE)), b"")) == size


def test_a_workbook_is_a_zip_of_32_bits():
    """Of a larger one some spreadsheets say that it is broken, or cannot open it at all."""
    made = b"".join(xlsx(["Name"], (["x" * 100] for _number in range(1000))))
    for info in zipfile.ZipFile(io.BytesIO(made)).infolist():
        needed, extra = struct.unpack_from("<H", made, info.header_offset + 4), info.extra
        assert (needed, extra) == ((20,), b"")
        assert struct.unpack_from("<H", made, info.header_offset + 28) == (0,)  # no extra fields


@pytest.mark.parametrize("limit", ["rows", "bytes"])
def test_what_is_too_long_for_a_sheet_goes_on_in_the_next_one(monkeypatch, limit):
    monkeypatch.setattr(workbooks, "_PART", 7)
    name, most = {"rows": ("ROWS_OF_A_SHEET", 20), "bytes": ("BYTES_OF_A_SHEET", 1000)}[limit]
    monkeypatch.setattr(workbooks, name, most)
    made = b"".join(xlsx(["Number"], ([number] for number in range(100))))
    sheets = load_workbook(io.BytesIO(made)).worksheets
    rows = [list(sheet.iter_rows(values_only=True)) for sheet in sheets]
    assert len(sheets) >= 3
    assert {part[0] for part in rows} == {("Number",)}
    assert [row for part in rows for row in part[1:]] == [(number,) for number in range(100)]
    if limit == "rows":
        assert [len(part) - 1 for part in rows] == [20] * 5


def test_a_workbook_without_rows_has_its_header():
    sheet = load_workbook(io.BytesIO(b"".join(xlsx(["Name"], [])))).active
    assert list(sheet.iter_rows(values_only=True)) == [("Name",)]
