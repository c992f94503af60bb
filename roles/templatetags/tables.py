"""The rows of a table in its template."""

from __future__ import annotations

from django import template

from roles import cells

register = template.Library()

register.simple_tag(cells.body)
