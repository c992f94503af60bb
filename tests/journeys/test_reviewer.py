"""A reviewer says of each assignment whether it is still needed: from the keyboard, or on a phone."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from reviews.models import Opinion, Verdict

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

AT_FIRST_ROW = "document.querySelector('fieldset.verdicts').contains(document.activeElement)"


def test_a_review_is_done(organisation, sit_down, clock, look):
    kaisa = sit_down("kaisa")
    kaisa.sign_in()
    kaisa.menu("Review access")
    kaisa.look_around()
    kaisa.follow("Directory roles of the teams")
    kaisa.expect_heading("Directory roles of the teams")
    rows = kaisa.page.locator("fieldset.verdicts")
    count = rows.count()
    assert count > 2
    kaisa.look_around("review")
    if look.width > 600:
        kaisa.page.set_viewport_size({"width": 900, "height": 800})  # the verdict takes a line of its own
        kaisa.look_around()
        kaisa.page.set_viewport_size({"width": look.width, "height": look.height})

    if look.script:
        for _tab in range(80):
            kaisa.page.keyboard.press("Tab")
            if kaisa.page.evaluate(AT_FIRST_ROW):
                break
        for key in "d" + "a" * (count - 1):  # each goes on to the next row
            kaisa.page.keyboard.press(key)
    else:
        rows.first.locator('[data-verdict="deny"]').check()
        for number in range(1, count):
            rows.nth(number).locator('[data-verdict="approve"]').check()
    kaisa.page.locator('textarea[name="reason"]').fill("Asked each of them")
    kaisa.press("Save verdicts")
    kaisa.expect_text(f"{count} verdicts are saved.")
    kaisa.look_around()
    kaisa.menu("Review access")
    kaisa.look_around()
    said = Verdict.objects.filter(reason="Asked each of them")
    assert said.filter(verdict=Opinion.DENY).count() == 1
    assert said.filter(verdict=Opinion.APPROVE).count() == count - 1
    expect(kaisa.page.get_by_role("link", name="Look again")).to_be_visible()
    assert reverse("reviews:reviews") in kaisa.page.url
