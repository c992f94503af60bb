"""Role settings in a real browser: edited without JavaScript, copied, and accessible at every width."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from roles import ids
from roles.models import User
from roles.places import address
from roles.selectors.settings import settings_of
from tests.people import EXCHANGE_ADMINISTRATOR, HOUR, configure, directory, give, make_eligible, person, role
from tests.stepping import code_of
from tests.visitors import cookie_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def now(transactional_db: None) -> datetime:
    return timezone.now().replace(microsecond=0)


@pytest.fixture
def petra(now: datetime) -> User:
    user = person("petra", now=now)
    give(user, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), now=now)
    return user


@pytest.fixture
def browse(new_context: Callable[..., BrowserContext], live_server: Any) -> Callable[..., Page]:
    """Open a browser of its own in which this person is signed in."""

    def open_page(user: User, **options: Any) -> Page:
        context = new_context(base_url=live_server.url, **options)
        context.add_cookies([cookie_of(user, live_server)])
        return context.new_page()

    return open_page


def at_directory(act: str = "") -> str:
    name = f"role_settings_{act}" if act else "role_settings"
    return address(directory(), name, pk=EXCHANGE_ADMINISTRATOR)


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_stages_are_arranged_and_saved(petra, now, browse, javascript):
    person("adam", name="Adam Weber", now=now)
    person("berta", name="Berta Raman", now=now)
    page = browse(petra, java_script_enabled=javascript)
    page.goto(at_directory("edit"))
    page.get_by_label("Maximum duration (required)").fill("2")
    page.get_by_label("Require approval").check()
    page.get_by_label("Find users and groups").fill("adam")
    page.get_by_role("button", name="Find for stage 1").click()
    page.get_by_role("group", name="Approvers").get_by_label("Adam Weber (adam)").check()
    page.get_by_role("button", name="Add a stage").click()
    second = page.get_by_role("group", name="Stage 2")
    second.get_by_label("Find users and groups").fill("berta")
    second.get_by_role("button", name="Find for stage 2").click()
    second.get_by_role("group", name="Approvers").get_by_label("Berta Raman (berta)").check()
    page.get_by_role("button", name="Earlier (stage 2)").click()
    expect(page.get_by_label("Maximum duration (required)")).to_have_value("2")
    page.get_by_label("Code (required)").fill(code_of(petra)["code"])
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings are changed: Maximum duration, Approval, Stage 1, Stage 2")).to_be_visible()
    expect(page.get_by_text("Berta Raman: 1 must agree").first).to_be_visible()
    found = settings_of(role(EXCHANGE_ADMINISTRATOR), directory())
    assert found.max_activation == 2 * HOUR
    assert [len(one.approvers) for one in found.stages] == [1, 1]


def test_settings_are_copied_after_they_were_shown(petra, now, browse):
    configure(role(EXCHANGE_ADMINISTRATOR), directory(), max_activation=HOUR)
    make_eligible(petra, role(ids.USER_ADMINISTRATOR), now=now)
    page = browse(petra)
    page.goto(at_directory("copy"))
    page.get_by_label("User Administrator", exact=True).check()
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_role("heading", name="Copy settings: 1 role would change")).to_be_visible()
    page.get_by_label("Code (required)").fill(code_of(petra)["code"])
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("heading", name="What became of copying the settings")).to_be_visible()
    assert settings_of(role(ids.USER_ADMINISTRATOR), directory()).max_activation == HOUR


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_are_accessible(petra, now, browse, theme):
    User.objects.filter(pk=petra.pk).update(theme=theme)
    make_eligible(petra, role(EXCHANGE_ADMINISTRATOR), now=now)
    configure(role(EXCHANGE_ADMINISTRATOR), directory(), approvers=[[petra], [petra]], max_activation=HOUR)
    page = browse(petra)
    others = [at_directory(act) for act in ("", "edit", "reset", "copy")]
    compared = f"{at_directory('difference')}?with=default"
    for path in (address(directory(), "settings"), *others, compared):
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(path)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{path}: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} is too wide at {width}"
