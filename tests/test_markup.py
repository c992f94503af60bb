"""What puts cells together escapes as Django does, whatever it is given."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.utils import html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from roles import markup
from roles.models import AssignmentType


class Spoken:
    """Says itself that it is HTML, as forms and widgets do."""

    def __html__(self) -> str:
        return "<i>&amp;</i>"

    def __str__(self) -> str:
        return "<i>&</i>"


class Plain:
    def __str__(self) -> str:
        return "<b onclick='x'>"


VALUES: list[Any] = [
    *('<script>alert("1")</script>', "'", "&amp;", "{0}", "{name}", "%s", "", "ß\u202e\x00"),
    *(html.format_html("<b>{}</b>", "<"), SafeString("<i>"), Spoken(), Plain()),
    *(gettext_lazy("<Now> & then"), AssignmentType.ELIGIBLE, AssignmentType.ELIGIBLE.label),
    *(None, 0, 12.5, True, Decimal("1.0"), date(2026, 11, 27), b"<", ["<"], Exception("<")),
]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_escaped_as_django_does(value: Any):
    expected = html.format_html("<p class='{}'>{{{}}}</p>{name}", value, "<", name=value)
    found = markup.format_html("<p class='{}'>{{{}}}</p>{name}", value, "<", name=value)
    assert (found, type(found)) == (expected, type(expected))


@given(
    st.lists(st.tuples(st.text(), st.sampled_from(VALUES)), max_size=4),
    st.sampled_from(["", "\n", "<", SafeString("<br>")]),
)
def test_rows_are_joined_as_django_does(rows: list[tuple[str, Any]], between: str):
    expected = html.format_html_join(between, "<li>{}: {}</li>", rows)
    assert markup.format_html_join(between, "<li>{}: {}</li>", rows) == expected
