"""Lists as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from approvals.views.my_roles import EligiblePage
from roles.downloads import protected, unprotected
from roles.models import Role
from tests.people import EXCHANGE_ADMINISTRATOR, give, make_eligible, person, role
from tests.visitors import visiting

FORMULA = '=HYPERLINK("http://example.org";"x")'


def read(answer) -> list[list[str]]:
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(body)))


@given(st.text(alphabet=st.sampled_from("=+-@\t\r\x00'\" ,;|ab\n＝")))
def test_what_is_protected_comes_back_as_it_was(text):
    assert unprotected(protected(text)) == text


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r1", "\x00", '"=1', " =1", "＝1"])
def test_no_cell_begins_like_a_formula(text):
    assert protected(text).startswith("'")
    assert ";'=" in protected(f"a;{text.strip()}") or ";'" in protected(f"a;{text}")


def test_ordinary_text_stays(petra):
    assert [protected(text) for text in ("Zoë", "a - b", "1;2", "it's")] == ["Zoë", "a - b", "1;2", "it's"]


def test_a_list_downloads_with_all_its_rows_filtered_and_sorted(petra):
    for number in range(30):
        person(f"p{number:02}", name=f"Person {number:02}", factor=False)
    person("other", name="Other", factor=False)
    answer = visiting(petra).get("/manage/people/?q=person&sort=-name&download=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="people-')
    header, *rows = read(answer)
    assert header[:2] == ["Name", "E-mail"]
    assert len(rows) == 30
    assert rows[0][0].startswith("Person 29")


def test_formulas_are_text_in_both_formats(petra):
    person("eve", name=FORMULA, factor=False)
    client = visiting(petra)
    cells = [cell for row in read(client.get("/manage/people/?download=csv")) for cell in row]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)
    assert not any(cell.startswith("=") for cell in cells)
    answer: Any = client.get("/manage/people/?download=xlsx")
    body = b"".join(answer.streaming_content)
    sheet = load_workbook(io.BytesIO(body)).active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
    assert all(cell.hyperlink is None for row in sheet.iter_rows() for cell in row)


def test_the_header_of_a_workbook_stays_in_view(petra):
    answer: Any = visiting(petra).get("/manage/people/?download=xlsx")
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["A"].width > 20


def test_my_roles_say_times_exactly_and_leave_the_buttons_out(ines, eligibility):
    give(ines, role(EXCHANGE_ADMINISTRATOR))
    header, *rows = read(visiting(ines).get("/tasks/roles/?tab=eligible&download=csv"))
    assert "Action" not in header
    assert "Select" not in header
    assert len(rows) == 1
    assert rows[0][0].startswith("Exchange Administrator")


def test_a_download_is_closed_like_its_page(zoe):
    assert visiting(zoe).get("/manage/people/?download=csv").status_code == 403


def test_another_format_is_the_page(petra):
    assert visiting(petra).get("/manage/people/?download=pdf").status_code == 200


def test_a_download_takes_a_bounded_number_of_queries(ines, django_assert_max_num_queries):
    for one in Role.objects.filter(kind="directory")[:40]:
        make_eligible(ines, one)
    client = visiting(ines)
    with django_assert_max_num_queries(60):
        assert len(read(client.get("/tasks/roles/?download=csv"))) == 41


def test_what_cells_show_besides_their_rows_is_looked_up_part_by_part(ines, monkeypatch):
    """All at once, a download of a hundred thousand requests would keep each of them, and who decides it."""
    for one in Role.objects.filter(kind="directory")[:5]:
        make_eligible(ines, one)
    monkeypatch.setattr("roles.lists.DOWNLOAD_PART", 2)
    parts: list[int] = []
    dress = EligiblePage.dress

    def noting(page: EligiblePage, rows: Sequence[Any]) -> None:
        parts.append(len(rows))
        dress(page, rows)

    monkeypatch.setattr(EligiblePage, "dress", noting)
    assert len(read(visiting(ines).get("/tasks/roles/?download=csv"))) == 6
    assert parts == [2, 2, 1]


def test_every_list_links_to_its_files(petra):
    body = visiting(petra).get("/manage/people/?q=x&page=1").content.decode()
    assert 'href="?q=x&amp;download=csv"' in body
    assert 'href="?q=x&amp;download=xlsx"' in body
