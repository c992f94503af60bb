"""The shell and the look: templates, style sheet, words of time, lists, panels."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import django_tables2 as tables
import pytest
from django import forms
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template import Context, Template
from django.template.loader import get_template
from django.test import RequestFactory
from django.utils import timezone
from django.utils.html import escape

from pim_portal.panels import PanelMiddleware
from pim_portal.shell import Shell
from roles import wording
from roles.lists import ListPage, ListPaginator, SelectColumn
from roles.models import Role
from roles.pills import ChoicePill, ListFilter

FOLDER = Path(settings.BASE_DIR) / "templates"
STATIC = Path(settings.BASE_DIR) / "static"
TEMPLATES = {path.relative_to(FOLDER).as_posix(): path.read_text() for path in sorted(FOLDER.rglob("*.html"))}
EXTENDS = {name: re.search(r"{% extends ['\"](.+?)['\"]", source) for name, source in TEMPLATES.items()}
EXTENDED = {match[1] for match in EXTENDS.values() if match}
PAGES = [name for name, match in EXTENDS.items() if match and name not in EXTENDED]
DOCUMENTS = [name for name, source in TEMPLATES.items() if "<!doctype" in source and not name.startswith("mails/")]
# Mail programs read no style sheet: their styles are inlined, and no policy of ours reaches them.
SHOWN = [name for name in TEMPLATES if not name.startswith("mails/")]

NOW = datetime(2026, 11, 23, 20, 4, tzinfo=UTC)


# Templates


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_compiles(name: str) -> None:
    get_template(name)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_layout_has_exactly_one_h1(name: str) -> None:
    assert TEMPLATES[name].count("<h1") == 1


@pytest.mark.parametrize("name", sorted(set(SHOWN) - set(DOCUMENTS)))
def test_only_layouts_have_an_h1(name: str) -> None:
    assert "<h1" not in TEMPLATES[name]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_fills_its_title_and_its_heading(name: str) -> None:
    assert "{% block title %}" in TEMPLATES[name]
    assert "{% block heading %}" in TEMPLATES[name]


@pytest.mark.parametrize("name", SHOWN)
def test_no_template_holds_inline_style_or_script(name: str) -> None:
    assert not re.search(r"\s(style|on[a-z]+)\s*=|<style|<script(?![^>]*\ssrc=)|javascript:", TEMPLATES[name])


@pytest.mark.parametrize("name", SHOWN)
def test_no_template_loads_anything_from_elsewhere(name: str) -> None:
    assert not re.search(r"(src|href)=[\"'](https?:)?//", TEMPLATES[name])


def test_the_style_sheet_has_no_colour_outside_its_tokens() -> None:
    _tokens, rest = (STATIC / "portal.css").read_text().split("\n}\n", 1)
    colours = re.findall(r"#[0-9a-f]{3,8}\b|\b(?:rgb|rgba|hsl|oklch|light-dark)\(|:\s*(?:white|black|red|gray)\b", rest)
    assert colours == []


def test_the_server_error_page_needs_no_context() -> None:
    assert "Something went wrong" in get_template("500.html").render()


def test_a_bad_request_is_answered_without_context() -> None:
    assert "cannot understand" in get_template("400.html").render()


# The words of time


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(minutes=5, seconds=40), "5 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=1, minutes=30), "1 h 30 min"),
        (timedelta(hours=24), "24 h"),
        (timedelta(hours=36), "1 day 12 h"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=15), "15 days"),
        (timedelta(days=30), "1 month"),
        (timedelta(days=180), "6 months"),
        (timedelta(days=181), "181 days"),
        (timedelta(days=365), "1 year"),
        (timedelta(days=730), "2 years"),
    ],
)
def test_a_span_is_said_exactly(duration: timedelta, words: str) -> None:
    assert wording.span(duration) == words


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=-30), "just now"),
        (timedelta(seconds=30), "in less than a minute"),
        (timedelta(hours=2, minutes=14), "in 2 h 14 min"),
        (timedelta(hours=7, minutes=59, seconds=50), "in 8 h"),
        (timedelta(hours=28), "in 1 day 4 h"),
        (timedelta(days=9, hours=20), "in 9 days"),
        (timedelta(minutes=-41), "41 min ago"),
        (timedelta(days=-3), "3 days ago"),
        (timedelta(days=100), "3 Mar 2027"),
        (timedelta(days=-100), "15 Aug 2026"),
    ],
)
def test_a_moment_is_said_as_seen_from_now(distance: timedelta, words: str) -> None:
    assert wording.relative(NOW + distance, NOW) == words


def test_an_exact_time_is_the_readers_own() -> None:
    with timezone.override("Europe/Paris"):
        assert wording.exact(NOW) == "23 Nov 2026, 21:04"


def test_no_end_is_permanent() -> None:
    assert wording.until(None, NOW) == "Permanent"


def test_the_script_counts_down_in_the_same_words() -> None:
    words = TEMPLATES["components/words.html"]
    assert all(f"'{text}'" in words for text in (wording.UNDER_A_MINUTE, wording.MINUTES, wording.HOURS))


def render(source: str, **context: Any) -> str:
    request = HttpRequest()
    request.now = NOW  # type: ignore[attr-defined]
    return Template(source).render(Context({"request": request, **context}))


def test_a_relative_time_carries_the_exact_one() -> None:
    assert render("{% moment at %}", at=NOW + timedelta(hours=2)) == (
        '<time datetime="2026-11-23T22:04:00+00:00" title="23 Nov 2026, 22:04 (UTC)">in 2 h</time>'
    )


def test_time_left_is_a_sentence_and_a_meter() -> None:
    html = render("{% time_left a b %}", a=NOW - timedelta(hours=1), b=NOW + timedelta(hours=3))
    assert ">3 h left</time>" in html
    assert 'max="14400"' in html
    assert 'value="10800"' in html


def test_initials_stand_for_a_person() -> None:
    assert ">IO<" in render("{% avatar who %}", who="Ines Marie Okafor")


def test_a_label_of_a_status_is_escaped() -> None:
    assert "&lt;b&gt;" in render("{% tag 'good' label %}", label="<b>")


# Forms


class Reason(forms.Form):
    reason = forms.CharField(help_text="Auditors see this.")


def test_what_is_wrong_with_a_field_is_said_beside_it() -> None:
    html = render("{% field form.reason %}", form=Reason({"reason": ""}))
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_reason_helptext id_reason_error"' in html
    assert '<div class="error" id="id_reason_error">' in html
    assert '<p class="help" id="id_reason_helptext">' in html


# Lists


class RoleFilter(ListFilter):
    search_in = ("name_key__contains", "category__icontains")
    privileged = ChoicePill(label="Privileged", choices=[("True", "Yes"), ("False", "No")])


class RoleTable(tables.Table):
    chosen = SelectColumn("selection", label=lambda role: str(role.name))
    name = tables.Column(order_by="name_key")
    privileged = tables.Column()

    class Meta:
        empty_text = "No role is defined."


class RoleList(ListPage):
    table_class = RoleTable
    filter_class = RoleFilter

    def rows(self) -> Any:
        return Role.objects.filter(kind="directory")


def listed(**query: Any) -> dict[str, Any]:
    page = RoleList()
    page.setup(RequestFactory().get("/", query))
    return page.get_context_data()


def html_of(context: dict[str, Any], **query: Any) -> str:
    request = RequestFactory().get("/", query)
    return Template("{% load django_tables2 %}{% render_table table %}").render(
        Context({"request": request, **context})
    )


@pytest.mark.django_db
@pytest.mark.parametrize("size", ["7", "0", "-1", "1000000", "x", "9" * 5000])
def test_a_page_has_one_of_the_offered_sizes(size: str) -> None:
    assert listed(per_page=size)["table"].paginator.per_page == ListPaginator.SIZES[0]


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["999999999999", "-1", "0", "x"])
def test_a_page_that_is_not_there_shows_one_that_is(page: str) -> None:
    assert len(listed(page=page)["table"].page.object_list) > 0


@pytest.mark.django_db
def test_rows_that_sort_alike_stand_on_one_page_each() -> None:
    pages = [listed(sort="privileged", page=number)["table"] for number in range(1, 7)]
    keys = [row.record.pk for table in pages for row in table.page.object_list]
    assert len(keys) == len(set(keys)) == Role.objects.filter(kind="directory").count()


@pytest.mark.django_db
def test_every_word_of_a_search_must_be_found() -> None:
    names = [row.record.name for row in listed(q="ADMINISTRATOR exchange")["table"].rows]
    assert "Exchange Administrator" in names
    assert all("Exchange" in name for name in names)


@pytest.mark.django_db
def test_filters_narrow_a_list() -> None:
    assert {row.record.privileged for row in listed(privileged="True")["table"].rows} == {True}


@pytest.mark.django_db
@pytest.mark.parametrize("query", [{"privileged": "forged"}, {"q": "\x00"}, {"q": "x" * 101}, {"sort": "password"}])
def test_a_forged_query_string_is_no_error(query: dict[str, str]) -> None:
    assert len(listed(**query)["table"].rows) > 0


@pytest.mark.django_db
def test_filtering_keeps_the_sorting_and_starts_at_the_first_page() -> None:
    assert listed(q="x", sort="-name", page="3")["kept"] == [("sort", "-name")]


@pytest.mark.django_db
def test_paging_keeps_the_search() -> None:
    query = {"q": "administrator", "sort": "-name"}
    assert escape(f"?{urlencode(query)}&page=2") in html_of(listed(**query), **query)


@pytest.mark.django_db
def test_a_table_says_its_order_and_names_its_cells() -> None:
    html = html_of(listed(sort="-name"))
    assert 'aria-sort="descending"' in html
    assert '<td data-label="Name"' in html
    assert 'aria-label="Select Exchange Administrator"' in html_of(listed(q="exchange administrator"))


@pytest.mark.django_db
def test_nothing_here_and_nothing_matching_are_different_news() -> None:
    assert "Nothing matches" in html_of(listed(q="zzzz"))
    assert "No role is defined." in html_of({"table": RoleTable(Role.objects.none())})


# Panels and the shell


def answered(response: HttpResponse, **headers: str) -> Any:
    return PanelMiddleware(lambda request: response)(RequestFactory().post("/", headers=headers))


def test_a_panel_is_told_where_to_go() -> None:
    response = redirect("/tasks/roles/")
    response.set_cookie("kept", "yes")
    answer = answered(response, **{"X-Panel": "1"})
    assert (answer.status_code, answer["X-Panel-Location"]) == (204, "/tasks/roles/")
    assert answer.cookies["kept"].value == "yes"


def test_a_page_is_redirected_as_ever() -> None:
    assert answered(redirect("/tasks/roles/")).status_code == 302


def test_a_stranger_is_shown_nothing_of_the_portal() -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    shell = Shell(request)
    assert (shell.navigation, shell.held, shell.waiting, shell.theme) == ([], None, 0, "system")
