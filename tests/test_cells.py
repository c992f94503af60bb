"""Cells are rendered within the page that they are part of, not each as a page of its own."""

from __future__ import annotations

import django_tables2 as tables
import pytest
from django.template import Context, RequestContext

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
    table.request = "asked"
    table.context = Around({"word": "the"})

    assert [row.get_cell("one") for row in table.rows] == ["the first asked", "the &lt;second&gt; asked"]
    assert "record" not in table.context


def test_a_cell_does_without_a_page(db):
    assert [row.get_cell("one") for row in Words([{"one": "alone"}]).rows] == [" alone None"]


def test_a_template_is_looked_up_once_for_a_table(monkeypatch):
    asked = []

    class Found:
        template = Cell("{{ record.one }}")._compiled

    monkeypatch.setattr("roles.cells.get_template", lambda name: asked.append(name) or Found)

    class Named(tables.Table):
        one = Cell(template_name="cells/one.html")

    table = Named([{"one": "a"}, {"one": "b"}])
    assert [row.get_cell("one") for row in table.rows] == ["a", "b"]
    assert asked == ["cells/one.html"]
