"""Names and addresses of sixty letters without a space, in a real browser: no page is wider than its window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext

from roles import ids
from tests.looking import SCROLLS_SIDEWAYS
from tests.people import custom_role, directory, give, group, make_eligible, person, request_activation, role
from tests.visitors import cookie_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(240)]

LONG = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewis"


@pytest.mark.parametrize("width", [1280, 1000, 360])
def test_a_name_of_sixty_letters_makes_no_page_wider(
    new_context: Callable[..., BrowserContext], live_server: Any, width: int
):
    now = timezone.now()
    petra, wolfe = person("petra", now=now), person(LONG.lower(), name=LONG, now=now)
    give(petra, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), now=now)
    assignment = make_eligible(wolfe, role(ids.GLOBAL_READER), directory(), now=now)
    team = group(LONG[::-1], wolfe, now=now)
    context = new_context(base_url=live_server.url, viewport={"width": width, "height": 740})
    context.add_cookies([cookie_of(petra, live_server)])
    page = context.new_page()
    paths = [
        reverse("people"),
        reverse("groups"),
        reverse("group", args=[team.pk]),
        reverse("search") + "?q=wolfe",
        *(reverse(name, args=[wolfe.pk]) for name in ("person", "person_access", "person_disable", "person_leave")),
        reverse("directory:assignments"),
        reverse("directory:assignment", args=[assignment.pk]),
        reverse("directory:assignment_remove", args=[assignment.pk]),
        reverse("directory:reach"),
        reverse("audit"),
    ]
    wide = []
    for path in paths:
        answer = page.goto(path)
        assert answer
        assert answer.ok, path
        if page.evaluate(SCROLLS_SIDEWAYS):
            wide.append(path)
    assert not wide


def test_a_long_name_of_the_viewer_makes_no_page_wider(new_context: Callable[..., BrowserContext], live_server: Any):
    rosario = person(
        "rosario", name="María Fernanda del Rosario Etxeberria-Goikoetxea y Villanueva", now=timezone.now()
    )
    context = new_context(base_url=live_server.url)
    context.add_cookies([cookie_of(rosario, live_server)])
    page = context.new_page()
    page.goto("/")
    for width in (1280, 1101, 1000, 861):
        page.set_viewport_size({"width": width, "height": 740})
        assert not page.evaluate(SCROLLS_SIDEWAYS), width


SCROLLS_IN_ITS_CARD = """
    [...document.querySelectorAll(".table-card")].some((one) => one.scrollWidth > one.clientWidth)
"""


def test_no_list_of_long_names_scrolls_in_its_card(new_context: Callable[..., BrowserContext], live_server: Any):
    now = timezone.now()
    petra, wolfe = person("petra", now=now), person("wolfe", name=LONG, now=now)
    give(petra, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), now=now)
    made = custom_role(directory(), LONG, now=now)
    request_activation(wolfe, make_eligible(wolfe, made, now=now), reason=LONG, now=now)
    context = new_context(base_url=live_server.url)
    context.add_cookies([cookie_of(petra, live_server)])
    page = context.new_page()
    scrolled = []
    for path in ("assignments/", "assignments/?tab=active", "requests/", "reach/", "roles/", "settings/"):
        page.goto(f"/manage/directory/{path}")
        for width in (1280, 1101, 1000, 861):
            page.set_viewport_size({"width": width, "height": 740})
            if page.evaluate(SCROLLS_IN_ITS_CARD):
                scrolled.append((path, width))
    assert not scrolled
