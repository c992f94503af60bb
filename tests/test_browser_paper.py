"""Pages on paper, in a real browser: what was found stays, what is pressed or chosen does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext, expect

from roles import ids
from tests.looking import SCROLLS_SIDEWAYS
from tests.people import give, make_eligible, person, role
from tests.visitors import cookie_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(240)]

PAPER = {"width": 718, "height": 1000}  # A4 with its margins, in CSS pixels


def test_figures_are_printed_and_buttons_are_not(new_context: Callable[..., BrowserContext], live_server: Any):
    now = timezone.now()
    petra = person("petra", now=now)
    give(petra, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), now=now)
    make_eligible(person("ines", now=now), role(ids.GLOBAL_READER), now=now)
    context = new_context(base_url=live_server.url, viewport=PAPER)
    context.add_cookies([cookie_of(petra, live_server)])
    page = context.new_page()
    page.emulate_media(media="print")
    page.goto(reverse("insights", args=["directory"]))
    expect(page.locator("main .button.told").first).to_be_visible()
    for path in (reverse("insights", args=["directory"]), reverse("directory:assignments"), reverse("overview")):
        page.goto(path)
        pressed = page.locator("main :is(.button:not(.told), input, select)")
        assert pressed.filter(visible=True).count() == 0, path
        assert not page.evaluate(SCROLLS_SIDEWAYS), path
