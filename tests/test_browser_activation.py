"""In a real browser: asked for in one, approved in another, seen active and ended; with and without JavaScript."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from approvals.models import Request, Status
from roles import ids
from roles.models import Assignment, User
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    configure,
    group,
    make_eligible,
    person,
    role,
)
from tests.stepping import code_of

pytestmark = pytest.mark.django_db(transaction=True)


class Stage:
    """Ines is eligible for a role that Adam or Berta approves, and for another without approval."""

    def __init__(self) -> None:
        self.now: datetime = timezone.now().replace(microsecond=0)
        self.ines = person("ines", name="Ines Okafor", department="Platform", now=self.now)
        self.adam = person("adam", name="Adam Weber", now=self.now)
        self.berta = person("berta", name="Berta Raman", now=self.now)
        self.asked = make_eligible(self.ines, role(EXCHANGE_ADMINISTRATOR), now=self.now)
        configure(self.asked.role, approvers=[self.adam, self.berta])
        self.free = make_eligible(group("Blue team", self.ines, now=self.now), role(ids.SECURITY_READER), now=self.now)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def ask_for(page: Page, name: str, user: User, *, reason: str) -> None:
    page.goto(reverse("approvals:my_roles"))
    page.get_by_role("link", name=f"Activate {name}").click()
    page.get_by_label("Duration").fill("2")
    page.get_by_label("Reason").fill(reason)
    page.get_by_label("Code").fill(code_of(user)["code"])


def test_a_refusal_in_the_panel_keeps_what_was_typed(stage, browse, console_errors):
    page = browse(stage.ines)
    ask_for(page, "Security Reader", stage.ines, reason="Look into the alert")
    panel = page.get_by_role("dialog", name="Activate: Security Reader")
    panel.get_by_label("Duration").fill("99")
    panel.get_by_role("button", name="Activate").click()
    expect(panel.get_by_text("This role can be active for at most 8 h.")).to_be_visible()
    expect(panel.get_by_label("Reason")).to_have_value("Look into the alert")
    expect(panel.get_by_label("Code")).to_have_count(0)
    panel.get_by_label("Duration").fill("1:30")
    panel.get_by_role("button", name="Activate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your request for Security Reader")
    assert Assignment.objects.filter(activated_from=stage.free).count() == 1
    # Chromium reports every answer of 422.
    console_errors[:] = [one for one in console_errors if "422" not in one]


@pytest.mark.parametrize(("width", "height"), [(1280, 600), (360, 640)])
def test_the_first_wrong_field_comes_into_sight_with_its_sentence(stage, browse, console_errors, width, height):
    configure(stage.free.role, break_glass_allowed=True, approvers=[stage.adam])
    page = browse(stage.ines)
    page.set_viewport_size({"width": width, "height": height})
    page.goto(reverse("approvals:my_roles"))
    page.get_by_role("link", name="Activate Security Reader").click()
    panel = page.get_by_role("dialog", name="Activate: Security Reader")
    panel.get_by_role("button", name="Ask for approval").click()
    reason = panel.get_by_label("Reason")
    expect(reason).to_be_focused()
    said = panel.get_by_text("Say why you need this role.").bounding_box()
    footer = panel.locator("footer").bounding_box()
    assert said["y"] + said["height"] <= footer["y"]
    console_errors[:] = [one for one in console_errors if "422" not in one]


def test_several_are_chosen_activated_and_told_one_by_one(stage, browse):
    page = browse(stage.ines)
    page.goto(reverse("approvals:my_roles"))
    expect(page.get_by_role("button", name="Activate selected")).to_be_disabled()
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name="Activate selected").click()
    panel = page.get_by_role("dialog", name="Activate 2 roles")
    panel.get_by_label("Reason").fill("Incident")
    panel.get_by_label("Code").fill(code_of(stage.ines)["code"])
    panel.get_by_role("button", name="Activate or ask for approval").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What became of the 2 roles")
    expect(page.get_by_text("Waiting for approval")).to_be_visible()
    assert Request.objects.filter(status=Status.PENDING).count() == 1


def test_the_panel_is_left_by_keyboard(stage, browse):
    page = browse(stage.ines)
    page.goto(reverse("approvals:my_roles"))
    link = page.get_by_role("link", name="Activate Security Reader")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(link).to_be_focused()
