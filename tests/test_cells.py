"""Cells are rendered within the page that they are part of, not each as a page of its own."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import django_tables2 as tables
import pytest
from django.template import Context, RequestContext
from django.utils.html import format_html

from roles import cells
from roles.cells import Cell


class Around(Context):
    """What a page knows; nobody copies it."""

    def flatten(self):
        raise AssertionError("copied")


class Words(tables.Table):
    one = Cell("{{ word }} {{ record.one }} {{ request }}", verbose_name="One")

    class Meta:
        orderable = False


def test_a_cell_knows_its_row_and_its_page_and_asks_nothing_anew(monkeypatch):
    monkeypatch.setattr(RequestContext, "__init__", lambda *args, **kwargs: pytest.fail("a page of its own"))
    table = Words([{"one": "first"}, {"one": "<second>"}])
    table.context = Around({"word": "the", "request": "asked"})

    assert [row.get_cell("one") for row in table.rows] == ["the first asked", "the &lt;second&gt; asked"]
    assert "record" not in table.context


def test_a_cell_does_without_a_page(db):
    assert [row.get_cell("one") for row in Words([{"one": "alone"}]).rows] == [" alone "]


def test_a_template_is_looked_up_once_for_a_table(monkeypatch):
    asked: list[str] = []

    class Found:
        template = Cell("{{ record.one }}")._compiled

    def look_up(name: str) -> type[Found]:
        asked.append(name)
        return Found

    monkeypatch.setattr("roles.cells.get_template", look_up)

    class Named(tables.Table):
        one = Cell(template_name="cells/one.html")

    table = Named([{"one": "a"}, {"one": "b"}])
    assert [row.get_cell("one") for row in table.rows] == ["a", "b"]
    assert asked == ["cells/one.html"]


class Mixed(tables.Table):
    one = Cell("<b>{{ record.one }}</b>", verbose_name='The "one"', attrs={"td": {"class": "main"}})
    other = tables.Column(verbose_name="Other", default="none")
    third = tables.Column(empty_values=(), verbose_name="Third")

    class Meta:
        orderable = False
        row_attrs: ClassVar = {"data-say": ""}

    def render_third(self, record):
        return f"<{record['one']}>"


def test_rows_say_what_the_library_says_of_them_and_escape_it():
    table = Mixed([{"one": "a&b", "other": date(2026, 3, 1)}, {"one": "c", "other": None}])
    table.context = Context()

    assert table_of(cells.body(table)) == [
        ["<b>a&amp;b</b>", "March 1, 2026", "&lt;a&amp;b&gt;"],
        ["<b>c</b>", "none", "&lt;c&gt;"],
    ]
    assert cells.body(table).startswith('<tr data-say=""><td data-label="The &quot;one&quot;" class="main"><b>')


def test_a_column_about_the_whole_row_has_no_value_looked_up_and_one_with_a_value_is_asked_once_what_it_takes():
    looked_up: list[str] = []

    class Row(dict):
        def __getitem__(self, key):
            looked_up.append(key)
            return super().__getitem__(key)

    class Taking(Mixed):
        def render_other(self, value, bound_column):
            return f"{bound_column.name} {value}"

    table = Taking([Row(one="a", other="b"), Row(one="c", other="d")])
    table.context = Context()

    assert [row[1:] for row in table_of(cells.body(table))] == [["other b", "&lt;a&gt;"], ["other d", "&lt;c&gt;"]]
    assert "other" in looked_up
    assert "third" not in looked_up
    assert list(table.columns["other"].render.__signature__.parameters) == ["value", "bound_column"]


def test_a_cell_that_a_function_writes_knows_its_row_and_its_page_and_is_escaped_where_it_is_not_safe():
    def word(context, record):
        return f"{context['word']} <{record['one']}>"

    def mark(context, record):
        return format_html("<i>{}</i>", record["one"])

    class Functions(tables.Table):
        first = cells.written(word, "First", "one", look="main")
        second = cells.written(mark, "Second")

    table = Functions([{"one": "a"}])
    table.context = Context({"word": "the"})
    assert table_of(cells.body(table)) == [["the &lt;a&gt;", "<i>a</i>"]]
    assert 'class="main"' in cells.body(table)
    assert [column.orderable for column in table.columns] == [True, False]
    # As a file has it, where a part of the rows is read at a time.
    assert [row.get_cell("first") for row in table.rows] == ["the <a>"]


def test_a_function_finds_the_request_also_where_a_page_has_none_in_its_context(rf):
    class Functions(tables.Table):
        path = cells.written(lambda context, record: context["request"].path, "Path")

    table = Functions([{"one": "a"}])
    table.request, table.context = rf.get("/here/"), Context()
    assert table_of(cells.body(table)) == [["/here/"]]


def table_of(body: str) -> list[list[str]]:
    rows = [row for row in body.split("</tr>") if row.strip()]
    return [[cell.partition(">")[2] for cell in row.partition("<td")[2].split("</td>")[:-1]] for row in rows]
