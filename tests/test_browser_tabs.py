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
    page.goto(reverse("directory:overview"))
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
    page.goto(reverse("approvals:deputies"))
    assert {"Decided", "Deputies"} <= set(in_view(page, width))
