"""The tabs of a page in a real browser: nothing is out of view, from a telephone to a desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from roles import ids
from tests.people import give, person, role
from tests.visitors import cookie_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(240)]

WITHIN = "nav => nav.scrollWidth <= nav.clientWidth && document.documentElement.scrollWidth <= window.innerWidth"


def in_view(page: Page, width: int) -> list[str]:
    """The tabs that are seen at once; each lies wholly inside the window."""
    tabs = page.locator("nav.tabs > a:visible")
    for tab in tabs.all():
        box = tab.bounding_box()
        assert box
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width
    assert page.locator("nav.tabs").evaluate(WITHIN)
    return [text.strip() for text in tabs.all_inner_texts()]


@pytest.mark.parametrize("width", [1280, 1024, 360])
def test_the_current_tab_is_in_view_and_every_other_within_reach(
    new_context: Callable[..., BrowserContext], live_server: Any, width: int
):
    petra = person("petra", now=timezone.now())
    give(petra, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), now=timezone.now())
    context = new_context(base_url=live_server.url, viewport={"width": width, "height": 740})
    context.add_cookies([cookie_of(petra, live_server)])
    page = context.new_page()
    page.goto(reverse("directory:roles"))
    assert page.evaluate("scrollY") == 0
    first = in_view(page, width)
    assert len(first) == (1 if width == 360 else 7)
    more = page.locator("nav.tabs summary")
    more.focus()
    page.keyboard.press("Enter")
    listed = [text.strip() for text in page.locator("nav.tabs details a:visible").all_inner_texts()]
    assert len(first) + len(listed) == 9
    assert not set(first) & set(listed)
    assert not Axe().run(page).response["violations"]
    box = page.locator("nav.tabs details ul").bounding_box()
    assert box
    assert box["x"] + box["width"] <= width
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Who can do what")).to_be_hidden()
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Who can do what").click()
    # What stands behind "More" stands in the row while one looks at it.
    expect(page.locator("nav.tabs > a[aria-current=page]")).to_have_text("Who can do what")
    assert "Who can do what" in in_view(page, width)


IN_THE_STRIP = """
    tab => {
        const [box, strip] = [tab.getBoundingClientRect(), tab.parentElement.getBoundingClientRect()];
        const within = strip.left <= box.left + 1 && box.right <= strip.right + 1;
        return within && document.documentElement.scrollWidth <= innerWidth;
    }
"""


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])
@pytest.mark.parametrize("width", [1280, 360])
def test_many_tabs_stand_in_one_line_with_the_current_one_in_view(
    new_context: Callable[..., BrowserContext], live_server: Any, width: int, script: bool
):
    adam = person("adam", now=timezone.now())
    context = new_context(
        base_url=live_server.url, viewport={"width": width, "height": 740}, java_script_enabled=script
    )
    context.add_cookies([cookie_of(adam, live_server)])
    page = context.new_page()
    for name, current in (("approvals:approvals", "Activations (0)"), ("approvals:deputies", "Deputies")):
        page.goto(reverse(name))
        tabs = page.locator("nav.tabs > a")
        assert len({round(tab.bounding_box()["y"]) for tab in tabs.all()}) == 1  # type: ignore[index]
        tab = page.locator("nav.tabs > a[aria-current]")
        expect(tab).to_have_text(current)
        assert tab.evaluate(IN_THE_STRIP)


@pytest.mark.parametrize(("width", "columns"), [(1280, 4), (1000, 2), (700, 2), (360, 2)])
def test_four_tiles_never_stand_as_three_and_one(
    new_context: Callable[..., BrowserContext], live_server: Any, width: int, columns: int
):
    ines = person("ines", now=timezone.now())
    context = new_context(base_url=live_server.url, viewport={"width": width, "height": 740})
    context.add_cookies([cookie_of(ines, live_server)])
    page = context.new_page()
    page.goto("/")
    tiles = page.locator(".tiles").first.locator("> *").all()
    rows = [round(tile.bounding_box()["y"]) for tile in tiles]  # type: ignore[index]
    assert [rows.count(row) for row in sorted(set(rows))] == [columns] * (len(tiles) // columns)
