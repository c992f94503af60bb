"""In a real browser: fifty rows are reviewed from the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from reviews.models import Instance, Opinion
from roles.models import User
from tests.people import EXCHANGE_ADMINISTRATOR, make_eligible, person, role
from tests.reviewing import chosen, started
from tests.stepping import code_of
from tests.visitors import cookie_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(180)]
ROWS = 50


@pytest.fixture
def now() -> datetime:
    return timezone.now().replace(microsecond=0)


@pytest.fixture
def adam(now) -> User:
    return person("adam", name="Adam Weber", now=now)


@pytest.fixture
def browse(new_context: Callable[..., BrowserContext], live_server: Any) -> Callable[..., Page]:
    """Open a browser of its own in which this person is signed in."""

    def open_page(user: User, **options: Any) -> Page:
        context = new_context(base_url=live_server.url, **options)
        context.add_cookies([cookie_of(user, live_server)])
        return context.new_page()

    return open_page


def fifty(adam: User, now: datetime) -> Instance:
    """A running review of so many rows."""
    for number in range(ROWS):
        who = person(f"user{number}", name=f"Person {number:02}", factor=False, now=now)
        make_eligible(who, role(EXCHANGE_ADMINISTRATOR), now=now)
    return started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)], now=now)


def said(instance: Instance) -> dict[str, int]:
    found: dict[str, int] = {}
    for verdict in instance.verdicts.values_list("verdict", flat=True):
        found[verdict] = found.get(verdict, 0) + 1
    return found


def test_fifty_rows_are_said_from_the_keyboard_alone(adam, now, browse):
    instance = fifty(adam, now)
    page = browse(adam)
    page.goto(f"/tasks/reviews/{instance.pk}/")
    expect(page.locator("[data-keys]")).to_be_visible()
    first = page.locator("fieldset.verdicts").first
    for _tab in range(80):  # as somebody without a mouse comes to the list
        page.keyboard.press("Tab")
        if first.evaluate("row => row.contains(document.activeElement)"):
            break
    for key in "a" * 20 + "d" * 20 + "u" * 10:  # each goes on to the next row
        page.keyboard.press(key)
    # Back by two rows, and another mind.
    for key in "kka":
        page.keyboard.press(key)
    assert said(instance) == {Opinion.NOT_REVIEWED: ROWS}
    for _tab in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "code":
            break
    page.keyboard.type(code_of(adam)["code"])
    page.keyboard.press("Enter")
    expect(page.get_by_text("50 verdicts are saved.")).to_be_visible()
    assert said(instance) == {Opinion.APPROVE: 21, Opinion.DENY: 20, Opinion.DONT_KNOW: 9}
    expect(page.get_by_text("You have reviewed everything.")).to_be_visible()
