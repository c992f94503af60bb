"""In a real browser: activated in an emergency, reviewed by somebody else; with and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from approvals.models import EmergencyReview, Request
from roles.models import Assignment, User
from tests.emergencies import glass_allowed
from tests.looking import faults_at_each_width
from tests.people import EXCHANGE_ADMINISTRATOR, person
from tests.stepping import code_of
from tests.visitors import cookie_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.mark.parametrize(("scheme", "script"), [("dark", True), ("light", False)])
def test_an_emergency_from_the_panel_to_its_review(scheme, script, new_context, live_server):
    now = timezone.now()
    ines, adam = person("ines", name="Ines Okafor", now=now), person("adam", name="Adam Weber", now=now)
    eligible = glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam, now=now)

    page = open_as(ines, new_context, live_server, scheme=scheme, script=script)
    page.goto(f"/tasks/roles/activate/?eligibility={eligible.pk}")
    faults = look(page, "panel", script=script)
    page.get_by_role("link", name="Activate now, without waiting").click()
    expect(page.get_by_role("heading", name="Emergency: Exchange Administrator")).to_be_visible()
    # The page behind the panel has a reason and a code of its own.
    form = page.get_by_role("dialog") if script else page.get_by_role("main")
    form.get_by_label("Reason").fill("The mail of the board is down")
    faults += look(page, "glass", script=script)
    # Last: looking takes longer than a code lasts.
    form.get_by_label("Code").fill(code_of(ines)["code"])
    page.get_by_role("button", name="Activate now (emergency)").click()
    expect(page.get_by_text("Everybody who would have approved it was told")).to_be_visible()
    expect(page.get_by_role("heading", name="Review of the emergency")).to_be_visible()
    faults += look(page, "request", script=script)
    assert Assignment.objects.get(activated_from=eligible).break_glass

    page = open_as(adam, new_context, live_server, scheme=scheme, script=script)
    page.goto("/tasks/approvals/")
    faults += look(page, "approvals", script=script)
    page.get_by_role("link", name="Review Ines Okafor").click()
    page.get_by_label("No", exact=True).check()
    page.get_by_label("What you found").fill("It could have waited until the morning")
    page.get_by_label("End the activation now").check()
    faults += look(page, "review", script=script)
    if page.get_by_label("Code").count():
        page.get_by_label("Code").fill(code_of(adam)["code"])
    page.get_by_role("button", name="Close the review").click()
    expect(page.get_by_text("Not justified", exact=True)).to_be_visible()
    faults += look(page, "closed", script=script)
    assert EmergencyReview.objects.get().justified is False
    outcome = Request.objects.get().outcome
    assert outcome is not None
    assert outcome.ended_at is not None
    assert not faults, "\n".join(faults)


def open_as(user: User, new_context: Callable[..., BrowserContext], server: Any, *, scheme: str, script: bool) -> Page:
    context = new_context(base_url=server.url, color_scheme=scheme, java_script_enabled=script)
    context.add_cookies([cookie_of(user, server)])
    return context.new_page()


def look(page: Page, label: str, *, script: bool) -> list[str]:
    """Return what is wrong with the page as it is, at each width; without JavaScript there is nobody to ask."""
    return [f"{label} {fault}" for fault in faults_at_each_width(page)] if script else []
