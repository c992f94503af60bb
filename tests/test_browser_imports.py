"""The pages of imports and of the export in a real browser: a file goes all its way, with JavaScript and without."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from pim_portal.imports.services import applying, uploads
from pim_portal.models import Upload
from roles import ids
from roles.models import Assignment, User
from roles.places import address
from tests.people import directory, give, person, role
from tests.stepping import code_of
from tests.test_import_pages import GOOD, HEADER, WRONG, checked, confirmed
from tests.visitors import cookie_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def now(transactional_db: None) -> datetime:
    return timezone.now().replace(microsecond=0)


@pytest.fixture
def petra(now: datetime) -> User:
    user = person("petra", now=now)
    give(user, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), now=now)
    person("ines", now=now)
    return user


@pytest.fixture
def browse(new_context: Callable[..., BrowserContext], live_server: Any) -> Callable[..., Page]:
    """Open a browser of its own in which this person is signed in."""

    def open_page(user: User, **options: Any) -> Page:
        context = new_context(base_url=live_server.url, **options)
        context.add_cookies([cookie_of(user, live_server)])
        return context.new_page()

    return open_page


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_file_is_sent_watched_confirmed_and_applied(petra, browse, javascript):
    page = browse(petra, java_script_enabled=javascript)
    page.goto(address(directory(), "imports"))
    body = f"{HEADER}\n{GOOD}".encode()
    page.get_by_label("CSV file").set_input_files({"name": "roles.csv", "mimeType": "text/csv", "buffer": body})
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text("0 of 1 lines are checked.")).to_be_visible()

    upload = Upload.objects.get()
    uploads.check(upload.pk, clock=timezone.now)
    if not javascript:
        page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("Nothing has changed yet.")).to_be_visible()
    page.get_by_role("link", name="Make 1 assignment").click()
    page.get_by_label("Justification (required)").fill("moved in")
    page.get_by_label("Code (required)").fill(code_of(petra)["code"])
    page.get_by_role("button", name="Apply").last.click()  # the first one is that of the filters
    expect(page.get_by_text("It is being applied, all of it in one go: 0 of 1 lines are done.")).to_be_visible()

    applying.apply(upload.pk, clock=timezone.now)
    if not javascript:
        page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("It is applied.")).to_be_visible()
    assert Assignment.objects.filter(principal__name="Ines").count() == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_are_accessible(petra, browse, theme):
    User.objects.filter(pk=petra.pk).update(theme=theme)
    good, wrong, running = checked(petra, GOOD), checked(petra, GOOD, WRONG), checked(petra, GOOD)
    confirmed(running)
    page = browse(petra)
    reports = [address(directory(), "import", pk=one.pk) for one in (good, wrong, running)]
    others = [address(directory(), "import_confirm", pk=good.pk), reverse("directory_export")]
    for path in (address(directory(), "imports"), *reports, *others):
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(path)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{path}: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} is too wide at {width}"
