"""The pages about mails, and the mails themselves, in a real browser: accessible, and right on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page

from pim_portal.models import Notification
from pim_portal.notifications.outbox import deliver
from roles import ids
from roles.models import User
from tests.people import EXCHANGE_ADMINISTRATOR, configure, give, make_eligible, person, request_activation, role
from tests.visitors import cookie_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(240)]

WIDTHS = {"wide": 1280, "phone": 360}
LONG = "Temitọpẹ Balógun-Etxeberria"
REASON = "Scheme sent new credentials, and the old ones end tonight."


@pytest.fixture
def sven(transactional_db: None) -> User:
    user = person("sven", now=timezone.now())
    give(user, role(ids.SECURITY_ADMINISTRATOR), now=timezone.now())
    Notification.objects.update(state="failed", attempts=8, last_error="550 5.1.1 No such person here")
    return user


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth"))


def violations(page: Page) -> list[str]:
    return [one["id"] for one in Axe().run(page).response["violations"]]


@pytest.mark.parametrize(("scheme", "width"), [("light", "wide"), ("dark", "phone")])
@pytest.mark.parametrize("name", ["notifications", "mails"])
def test_the_pages_about_mails_are_accessible_and_fit(sven, new_context, live_server, name, width, scheme):
    make: Callable[..., BrowserContext] = new_context
    viewport = {"width": WIDTHS[width], "height": 800}
    context = make(base_url=live_server.url, viewport=viewport, color_scheme=scheme)
    context.add_cookies([cookie_of(sven, live_server)])
    page = context.new_page()
    page.goto(reverse(name))
    assert violations(page) == []
    assert not scrolls_sideways(page)


def test_the_mail_that_asks_shows_all_of_it_and_its_button_on_the_first_screen_of_a_phone(
    transactional_db: None, new_context: Any
):
    now = timezone.now()
    ines = person("ines", name=LONG, job_title="Payments engineer", department="Payments", now=now)
    adam = person("adam", now=now)
    eligibility = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), now=now)
    configure(eligibility.role, approvers=[adam])
    Notification.objects.all().delete()
    request_activation(ines, eligibility, now=now, hours=4, reason=REASON, ticket="CHG0007715")
    deliver(clock=timezone.now)
    (message,) = mail.outbox

    for scheme in ("light", "dark"):
        page = new_context(viewport={"width": 360, "height": 640}, color_scheme=scheme).new_page()
        page.set_content(message.alternatives[0].content)
        assert not scrolls_sideways(page)
        # A mail is a part of the mail program's page, which brings the landmarks.
        assert set(violations(page)) <= {"landmark-one-main", "region"}
        buttons = page.locator("a.button")
        assert buttons.count() == 1
        shown = page.locator("td.body").inner_text()
        for said in (LONG, "Exchange Administrator", "Directory", "4 h", REASON, "Decide by"):
            assert said in shown
        box = buttons.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 640
