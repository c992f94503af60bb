"""An eligible user asks for a role, holds it, sees it end, and keeps what they are eligible for."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from approvals.models import Request, Status, Verdict
from roles.models import Assignment, User
from tests.journeys.looks import DESK
from tests.people import decide

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_a_role_is_asked_for_held_and_over(organisation, sit_down, clock):
    ines = sit_down("ines")
    ines.sign_in()
    ines.expect_heading("Overview")
    ines.look_around()
    ines.menu("My roles")
    ines.look_around("my-roles", phone="my-roles-phone")

    ines.follow("Activate Exchange Administrator")
    ines.expect_panel("Activate: Exchange Administrator")
    ines.expect_text("Amélie Roy, Jonas Weber or Priya Raman approves.")
    ines.fill("Duration", "2")
    ines.fill("Reason", "Restore the shared mailbox of the board")
    ines.look_around("activate")
    ines.press("Ask for approval")
    ines.expect_heading("Your request for Exchange Administrator")
    ines.look_around()

    clock.pass_on(minutes=4)
    request = Request.objects.latest("made_at")
    decide(Verdict.APPROVE, request, User.objects.get(username="amelie"), now=clock.now, justification="Go on")
    ines.page.reload()
    ines.expect_text("2 roles active")
    ines.menu("My roles")
    ines.follow("Active")
    ines.look_around("active-roles")

    clock.pass_on(hours=3)
    ines.page.reload()
    ines.expect_text("Your session ended because nothing was done in it for a while. Sign in again.")
    ines.look_around()
    ines.sign_in()
    ines.expect_text("No role active")
    ines.follow("Expired")
    ines.expect_text("Exchange Administrator")
    ines.look_around()


def test_an_eligibility_is_extended(organisation, sit_down, clock):
    ines = sit_down("ines")
    ines.sign_in()
    ines.menu("My roles")
    ines.follow("Extend Contributor")
    ines.expect_panel("Extend: Contributor")
    ines.fill("Reason", "The upgrade goes on until March")
    ines.look_around()
    ines.press("Ask to extend")
    ines.expect_heading("Your request to extend Contributor")
    asked = Request.objects.latest("made_at")
    kept = asked.about

    clock.pass_on(minutes=2)
    olu = sit_down("olu")
    olu.go(reverse("approvals:request", args=[asked.pk]))
    olu.sign_in()
    olu.fill("Justification", "Until then")
    olu.look_around()
    olu.press("Approve")
    olu.expect_text("You approved this request.")
    ines.page.reload()
    ines.look_around()
    assert Assignment.objects.filter(pk=kept.pk, ends_at__gt=kept.ends_at).exists()


KEYS = 60


def come_to(page: Page, name: str) -> None:
    """Press Tab until the focus is on what has this name, as somebody without a mouse does."""
    seen = []
    for _tab in range(KEYS):
        page.keyboard.press("Tab")
        here = page.evaluate(
            "(e => e.ariaLabel || e.labels?.[0]?.textContent || e.textContent || '')(document.activeElement)"
        )
        seen.append(" ".join(here.split()))
        if seen[-1].startswith(name):
            return
    pytest.fail(f"No way by Tab to {name}: {seen}")


@pytest.mark.parametrize("look", [DESK], indirect=True, ids=["desk"])
def test_from_sign_in_to_activation_with_the_keyboard_alone(organisation, sit_down):
    ines = sit_down("ines")
    page = ines.page
    ines.go(reverse("sign_in"))
    for label, text in (("User name", "ines"), ("Password", "demo demo demo demo")):
        come_to(page, label)
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    ines.expect_heading("Your second factor")
    come_to(page, "Code")
    page.keyboard.type(ines.code())
    page.keyboard.press("Enter")
    ines.expect_heading("Overview")
    come_to(page, "My roles")
    page.keyboard.press("Enter")
    ines.expect_heading("My roles")
    come_to(page, "Skip to content")
    page.keyboard.press("Enter")
    come_to(page, "Activate Security Reader")
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="Activate: Security Reader")
    expect(panel).to_be_visible()
    come_to(page, "Reason")
    page.keyboard.type("Look into the alert")
    come_to(page, "Activate")
    page.keyboard.press("Enter")
    ines.expect_heading("Your request for Security Reader")
    assert Request.objects.latest("made_at").status == Status.GRANTED
