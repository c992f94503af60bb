"""In a real browser: a review is made, fifty rows are said from the keyboard alone, the results are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from reviews.models import AccessReview, Instance, Opinion
from reviews.services.applying import apply
from reviews.services.running import stop
from roles import ids
from roles.models import User
from tests.people import DAY, EXCHANGE_ADMINISTRATOR, MINUTE, OPERATOR, at, give, make_eligible, person, role
from tests.reviewing import chosen, started, turn
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
def petra(now) -> User:
    made = person("petra", name="Petra Lindqvist", now=now)
    give(made, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), now=now)
    return made


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


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_review_is_previewed_and_made(script, petra, adam, now, browse):
    make_eligible(person("ines", name="Ines Okafor", now=now), role(EXCHANGE_ADMINISTRATOR), now=now)
    page = browse(petra, java_script_enabled=script)
    page.goto("/manage/directory/reviews/add/")
    page.locator('input[name="name"]').fill("Mail, every quarter")
    page.locator('select[name="roles"]').select_option(str(EXCHANGE_ADMINISTRATOR))
    page.get_by_label("Find users and groups").fill("Adam")
    page.locator('button[name="find"]').click()
    page.locator(f'[name="reviewers_1"][value="{adam.pk}"]').check()
    page.locator('button[name="preview"]').click()
    expect(page.get_by_text("1 assignment would be reviewed.")).to_be_visible()
    assert not AccessReview.objects.exists()
    page.get_by_label("Code").fill(code_of(petra)["code"])
    page.get_by_role("button", name="Save the review").click()
    expect(page.get_by_text("The review is saved.")).to_be_visible()
    assert AccessReview.objects.get().name == "Mail, every quarter"


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


def test_letters_typed_as_a_reason_decide_nothing(adam, now, browse):
    instance = fifty(adam, now)
    page = browse(adam)
    page.goto(f"/tasks/reviews/{instance.pk}/")
    page.locator("fieldset.verdicts .reason").first.press_sequentially("add a jaunt")
    assert page.locator("fieldset.verdicts input:checked").count() == 0


def test_rows_are_said_by_the_form_without_javascript(adam, now, browse):
    instance = fifty(adam, now)
    page = browse(adam, java_script_enabled=False)
    page.goto(f"/tasks/reviews/{instance.pk}/")
    for number, value in enumerate(["approve", "deny", "dont_know"]):
        page.locator("fieldset.verdicts").nth(number).locator(f'[data-verdict="{value}"]').check()
    page.locator('textarea[name="reason"]').fill("Asked the team")
    page.get_by_label("Code").fill(code_of(adam)["code"])
    page.get_by_role("button", name="Save verdicts").click()
    expect(page.get_by_text("3 verdicts are saved.")).to_be_visible()
    counts = said(instance)
    assert (counts[Opinion.APPROVE], counts[Opinion.DENY], counts[Opinion.DONT_KNOW]) == (1, 1, 1)


def test_every_page_passes_axe_and_fits_a_phone(adam, petra, now, browse):
    instance = fifty(adam, now)
    ended = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)], now=now - 3 * DAY)
    stop(ended.pk, actor=OPERATOR, clock=at(now - 2 * DAY))
    apply(ended.pk, actor=OPERATOR, clock=at(now - MINUTE))
    turn(now)
    place, review = "/manage/directory/reviews", instance.review_id
    paths = {
        adam: ["/tasks/reviews/", f"/tasks/reviews/{instance.pk}/", f"/tasks/reviews/{instance.pk}/all/"],
        petra: [
            f"{place}/",
            f"{place}/add/",
            f"{place}/{review}/",
            f"{place}/{review}/{instance.pk}/",
            f"{place}/{ended.review_id}/{ended.pk}/",
        ],
    }
    faults = []
    for user, theirs in paths.items():
        for width, scheme in ((1280, "light"), (360, "dark")):
            page = browse(user, viewport={"width": width, "height": 800}, color_scheme=scheme)
            for path in theirs:
                page.goto(path)
                found = Axe().run(page)
                faults += [f"{path} at {width}: {one['id']}" for one in found.response["violations"]]
                if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                    faults.append(f"{path} at {width}: scrolls sideways")
    assert not faults
