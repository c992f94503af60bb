"""An Owner of resources gives and takes at their own place, and sees nothing of the directory."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from approvals.models import Request
from roles.models import Assignment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_an_owner_administers_a_resource_and_sees_no_directory_role(organisation, sit_down, console_errors):
    olu = sit_down("olu")
    olu.sign_in()
    olu.look_around()
    expect(olu.page.get_by_text("Directory roles")).to_have_count(0)
    answer = olu.page.goto(reverse("directory:overview"))
    assert answer is not None
    assert answer.status == 403
    console_errors.clear()  # Chromium reports the 403

    olu.go(reverse("resources"))
    olu.look_around("resources")
    olu.fill("Search this list", "prod-brs")
    olu.press("Apply")
    expect(olu.page.get_by_role("link", name="Clear")).to_be_visible()
    olu.follow("prod-brs")
    olu.expect_heading("prod-brs")
    olu.look_around("resource")
    olu.tab("Assignments")
    olu.look_around()
    olu.follow("Add assignments")
    olu.page.get_by_label("Role (required)").select_option(label="Reader")
    olu.fill("Find", "Suparno")
    olu.press("Find")
    olu.page.get_by_label("Suparno").check()
    olu.page.get_by_label("Eligible").check()
    olu.fill("Justification", "Looks after Brazil at night")
    olu.look_around()
    olu.press("Assign")
    olu.look_around()
    assert Assignment.objects.filter(principal__name="Suparno", role__name="Reader", type="eligible").exists()

    olu.menu("Approve requests")
    olu.follow("Review Emeka Nwosu")
    olu.look_around()
    assert Request.objects.exists()
