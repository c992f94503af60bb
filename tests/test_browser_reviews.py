"""In a real browser: a review is made, two hundred rows are said from the keyboard alone, the results are read."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from reviews.models import AccessReview, Instance, Opinion
from roles import ids
from roles.models import User
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    give,
    make_eligible,
    person,
    request_activation,
    role,
)
from tests.reviewing import chosen, row_of, say, started, turn
from tests.stepping import code_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(180)]
ROWS = 50
MANY = 200  # as many as one page shows
FITS = "table => table.scrollWidth <= table.closest('.card, .table-card').clientWidth"


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


def fifty(adam: User, now: datetime, rows: int = ROWS) -> Instance:
    """A running review of so many rows."""
    for number in range(rows):
        who = person(f"user{number}", name=f"Person {number:03}", factor=False, now=now)
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


def come_to(page: Page, there: str, most: int) -> None:
    """Press Tab until this holds of the page, as somebody without a mouse does."""
    for _tab in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(there):
            return
    pytest.fail(f"No way by Tab: {there}")


IN_FIRST_ROW = "document.querySelector('fieldset.verdicts').contains(document.activeElement)"
AT_CODE = "document.activeElement.name === 'code'"


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_page_of_rows_is_said_from_the_keyboard_alone(adam, now, browse):
    rows = MANY
    instance = fifty(adam, now, rows)
    approved, denied = 2 * rows // 5, 2 * rows // 5
    page = browse(adam)
    page.goto(f"/tasks/reviews/{instance.pk}/?per_page={MANY}")
    expect(page.locator("[data-keys]")).to_be_visible()
    come_to(page, "document.activeElement.textContent === 'Skip to the first row'", 8)
    page.keyboard.press("Enter")
    come_to(page, IN_FIRST_ROW, 1)
    for key in "a" * approved + "d" * denied + "u" * (rows - approved - denied):  # each goes on to the next row
        page.keyboard.press(key)
    # Back by two rows, and another mind.
    for key in "kka":
        page.keyboard.press(key)
    assert said(instance) == {Opinion.NOT_REVIEWED: rows}
    come_to(page, AT_CODE, 20)
    page.keyboard.type(code_of(adam)["code"])
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"{rows} verdicts are saved.")).to_be_visible()
    assert said(instance) == {
        Opinion.APPROVE: approved + 1,
        Opinion.DENY: denied,
        Opinion.DONT_KNOW: rows - approved - denied - 1,
    }
    expect(page.get_by_text("You have reviewed everything.")).to_be_visible()


def test_the_second_stage_reads_what_the_first_said_and_has_the_last_word(adam, petra, now, browse):
    ines = person("ines", name="Ines Okafor", now=now)
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), now=now - 3 * DAY)
    then = now - 2 * DAY
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam, days=1), chosen(petra)], now=then)
    say(instance, adam, Opinion.APPROVE, row_of(instance, ines), reason="Asked the team lead", now=then)
    turn(now)
    page = browse(petra, viewport={"width": 1280, "height": 800})
    page.goto(f"/tasks/reviews/{instance.pk}/")
    row = page.locator("tr[data-say]")
    expect(row.locator("td.before")).to_contain_text("Approved")
    expect(row.locator("td.before")).to_contain_text("Adam Weber: Asked the team lead")
    assert row.locator("input:checked").count() == 0  # the first stage's word is not put into the second one's mouth
    assert page.evaluate(FITS, page.query_selector("table"))
    row.locator('[data-verdict="deny"]').check()
    page.get_by_label("Code").fill(code_of(petra)["code"])
    page.get_by_role("button", name="Save verdicts").click()
    expect(page.get_by_text("1 verdict is saved.")).to_be_visible()
    assert row_of(instance, ines).verdict == Opinion.DENY
    page.goto(f"/manage/directory/reviews/{instance.review_id}/{instance.pk}/")
    expect(page.locator("ol.steps li").nth(0)).to_contain_text("ended")
    expect(page.locator("ol.steps li").nth(1)).to_contain_text("ends in")
    page.emulate_media(media="print")
    expect(page.locator("details.terms")).not_to_be_visible()
    said = page.locator("tbody time").last  # exactly when: paper is read later
    shown = said.evaluate("time => getComputedStyle(time, '::after').content + getComputedStyle(time).fontSize")
    assert shown == f'"{said.get_attribute("title")}"0px'


def test_letters_typed_as_a_reason_decide_nothing(adam, now, browse):
    used = person("used", name="Ariadne Papadopoulou", now=now)
    eligible = make_eligible(used, role(EXCHANGE_ADMINISTRATOR), now=now - 40 * DAY)
    request_activation(used, eligible, now=now - 23 * HOUR - 10 * MINUTE, hours=1)
    instance = fifty(adam, now)
    page = browse(adam, viewport={"width": 1280, "height": 800})
    page.goto(f"/tasks/reviews/{instance.pk}/")
    assert page.evaluate(FITS, page.query_selector("table"))
    page.locator("fieldset.verdicts .reason").first.press_sequentially("add a jaunt")
    assert page.locator("fieldset.verdicts input:checked").count() == 0
