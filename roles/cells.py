"""The rows of a table, and columns whose cells are templates, or are written by a function.

The library asks everything anew for each cell: what its column looks like, which arguments a function takes, which
value a cell without one has. It renders a template as a page of its own, for which all that the page knows is copied
and every context processor is asked. Fifty rows of seven columns took longer than all the rest of their page.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import django_tables2 as tables
from django.template import Context
from django.template import Template as Compiled
from django.template.base import render_value_in_context
from django.template.loader import get_template
from django.utils.safestring import SafeString
from django_tables2.columns import BoundColumn
from django_tables2.rows import BoundRow
from django_tables2.utils import AttributeDict, computed_values

from roles.markup import format_html, format_html_join


class Cell(tables.TemplateColumn):
    """A column whose cells are a template: it is given the row as `record`, and knows what the page around it knows."""

    def render(self, record: Any, table: Any) -> SafeString:
        around = _around(table)
        with around.update({"record": record}):
            return self._compiled.render(around)

    @cached_property
    def _compiled(self) -> Compiled:
        """The template; looked up once for a table, which has columns of its own."""
        if self.template_code:
            return Compiled(self.template_code)
        found: Any = get_template(self.template_name)
        compiled: Compiled = found.template
        return compiled


def cell(template_name: str, label: Any, *order: str, look: str = "", **more: Any) -> Cell:
    """Return a column whose cells are this template; ordered by these columns, or not at all."""
    return Cell(template_name=template_name, verbose_name=label, **_as_column(order, look) | more)


class Written(tables.Column):
    """A column whose cells a function puts together: of the row, and of what the page around it knows.

    For the lists that are looked at most: a template takes several times as long.
    """

    def __init__(self, write: Callable[[Context, Any], object], **kwargs: Any) -> None:
        super().__init__(**{"empty_values": (), **kwargs})
        self.write = write

    def render(self, record: Any, table: Any) -> Any:
        return self.write(_around(table), record)


def written(write: Callable[[Context, Any], object], label: Any, *order: str, look: str = "", **more: Any) -> Written:
    """Return a column whose cells this function writes; ordered by these columns, or not at all."""
    return Written(write, verbose_name=label, **_as_column(order, look) | more)


def _as_column(order: Sequence[str], look: str) -> dict[str, Any]:
    attrs = {"attrs": {"th": {"class": look}, "td": {"class": look}}} if look else {}
    return {"order_by": order, "orderable": bool(order), **attrs}


def _around(table: tables.Table) -> Context:
    around: Context = getattr(table, "context", None) or Context()
    if "request" not in around and (request := getattr(table, "request", None)) is not None:
        around["request"] = request
    return around


def body(table: tables.Table) -> SafeString:
    """Return the rows of the page of a table; what a column or a row looks like is the same for all of them."""
    columns = [(_start("td", _look(one)), _content(one, table)) for one in table.columns]
    row_starts = _start("tr", computed_values(table.row_attrs, kwargs={"table": table}))
    return format_html_join("\n", "{}{}</tr>", ((row_starts, _cells(row, columns)) for row in table.paginated_rows))


def _look(column: BoundColumn) -> dict[str, Any]:
    return {"data-label": column.verbose_name, **column.attrs["td"]}


def _cells(row: BoundRow, columns: Sequence[tuple[SafeString, Callable[[BoundRow], str]]]) -> SafeString:
    return format_html_join("", "{}{}</td>", ((starts, content(row)) for starts, content in columns))


def _content(column: BoundColumn, table: tables.Table) -> Callable[[BoundRow], str]:
    """Return what puts a cell of this column together.

    A column that is about the whole row says so: no value is empty to it, and its `render` takes none. Then there is
    none to look up first.
    """
    if isinstance(column.column, Cell):
        template = column.column
        return lambda row: template.render(row.record, table)
    if isinstance(column.column, Written):
        write, around = column.column.write, _around(table)
        return lambda row: _shown(write(around, row.record), table)
    render, signature = column.render, inspect.signature(column.render)
    takes = signature.parameters.keys()
    if column.column.empty_values or column.link or not takes <= {"record", "bound_column"}:
        column.render = _signed(render, signature)
        return lambda row: _shown(row.get_cell(column.name), table)
    more = {"bound_column": column} if "bound_column" in takes else {}
    return lambda row: _shown(render(record=row.record, **more), table)


def _signed(render: Callable[..., Any], signature: inspect.Signature) -> Callable[..., Any]:
    """Return the same function with what it takes written on it, so that it is not found out anew for each cell."""

    def signed(**given: Any) -> Any:
        return render(**given)

    signed.__signature__ = signature  # type: ignore[attr-defined]
    return signed


def _shown(content: Any, table: tables.Table) -> str:
    if isinstance(content, SafeString):
        return content
    return str(render_value_in_context(content, table.context))


def _start(name: str, attributes: dict[str, Any]) -> SafeString:
    return format_html("<{} {}>", name, AttributeDict(attributes).as_html())
