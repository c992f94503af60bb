"""Columns whose cells are templates."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import django_tables2 as tables
from django.template import Context
from django.template import Template as Compiled
from django.template.loader import get_template


class Cell(tables.TemplateColumn):
    """A column whose cells are a template: it is given the row as `record`, and what the page around it knows.

    The library renders each cell as a page of its own: it looks the template up, copies all that the page knows and
    asks every context processor again. With fifty rows of six columns that took longer than all the rest of a page.
    """

    def render(self, record: Any, table: Any, value: Any, bound_column: Any, **kwargs: Any) -> Any:
        around: Context = getattr(table, "context", None) or Context()
        own = self.get_context_data(record=record, table=table, value=value, bound_column=bound_column, **kwargs)
        with around.update({"request": getattr(table, "request", None), **own}):
            return self._compiled.render(around)

    @cached_property
    def _compiled(self) -> Compiled:
        """The template; looked up once for a table, which has columns of its own."""
        compiled: Compiled = (
            Compiled(self.template_code) if self.template_code else get_template(self.template_name).template
        )
        return compiled


def cell(template_name: str, label: Any, *order: str, look: str = "", **more: Any) -> Cell:
    """Return a column whose cells are this template; ordered by these columns, or not at all."""
    if look:
        more["attrs"] = {"th": {"class": look}, "td": {"class": look}}
    return Cell(template_name=template_name, verbose_name=label, order_by=order, **{"orderable": bool(order)} | more)
