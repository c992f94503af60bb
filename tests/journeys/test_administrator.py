"""An administrator makes somebody eligible, sets the rules, imports, lets somebody go, and answers alerts."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from pim_portal.imports.services import applying, uploads
from pim_portal.models import Upload
from roles.models import Assignment, User
from roles.places import address
from roles.selectors.settings import settings_of
from tests.people import HOUR, directory
from tests.test_import_pages import HEADER

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_somebody_is_made_eligible_and_the_rules_are_set(organisation, sit_down, clock):
    jonas = sit_down("jonas")
    jonas.sign_in()
    jonas.page.get_by_role("heading", name="Directory roles", level=2).evaluate("e => scrollTo(0, e.offsetTop - 72)")
    jonas.look_around("overview-administrator", scrolled=True)
    jonas.menu("Directory roles")
    jonas.look_around()
    jonas.tab("Assignments")
    jonas.look_around()
    jonas.follow("Add assignments")
    jonas.page.get_by_label("Role (required)").select_option(label="SharePoint Administrator")
    jonas.fill("Find", "Thiago")
    jonas.press("Find")
    jonas.page.get_by_label("Thiago").check()
    jonas.page.get_by_label("Eligible").check()
    jonas.fill("Justification", "Looks after the sites of Messaging")
    jonas.look_around("assign", whole=True)
    jonas.press("Assign")
    jonas.look_around()
    given = Assignment.objects.get(principal__name="Thiago Moraes", role__name="SharePoint Administrator")
    assert given.type == "eligible"

    jonas.go(address(directory(), "role_settings", pk=given.role_id))
    jonas.look_around("role-settings")
    clock.pass_on(minutes=6)
    jonas.follow("Edit")
    jonas.fill("Maximum duration (required)", "2")
    jonas.give_code()
    jonas.look_around()
    jonas.press("Save")
    jonas.expect_text("The settings are changed: Maximum duration")
    assert settings_of(given.role, directory()).max_activation == 2 * HOUR


def test_a_file_is_imported_somebody_leaves_and_an_alert_is_answered(organisation, sit_down, clock):
    jonas = sit_down("jonas")
    jonas.sign_in()
    jonas.go(address(directory(), "imports"))
    jonas.look_around()
    lines = [HEADER, "Eligible,,Reports Reader,ruth,Direct,,,", "Eligible,,Message Center Reader,ruth,Direct,,,"]
    file = {"name": "office.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    jonas.page.get_by_label("CSV file").set_input_files(file)
    jonas.press("Check the file")
    upload = Upload.objects.get()
    uploads.check(upload.pk, clock=timezone.now)
    jonas.page.reload()
    jonas.expect_text("Nothing has changed yet.")
    jonas.look_around()
    jonas.follow("Make 2 assignments")
    jonas.expect_panel("Make 2 assignments")
    jonas.fill("Justification", "Moves to the office")
    clock.pass_on(minutes=1)
    jonas.give_code()
    jonas.look_around()
    jonas.press("Apply")
    jonas.expect_text("It is being applied")
    applying.apply(upload.pk, clock=timezone.now)
    jonas.page.reload()
    jonas.expect_text("It is applied.")
    jonas.look_around()

    kofi = User.objects.get(username="kofi")
    jonas.go(reverse("person", args=[kofi.pk]))
    jonas.look_around()
    clock.pass_on(minutes=6)
    jonas.follow("Leaves or moves")
    jonas.fill("Justification", "Leaves at the end of the month")
    jonas.look_around("leaver")
    jonas.give_code()
    jonas.press("End what is chosen")
    jonas.look_around()
    assert not Assignment.objects.in_effect(clock.now).filter(principal=kofi, resource__kind="directory").exists()

    jonas.go(address(directory(), "alerts"))
    jonas.look_around("alerts")
    jonas.follow("Eligible roles that are not used")
    jonas.look_around()
    jonas.follow("Dismiss all")
    jonas.look_around()
    expect(jonas.panel.get_by_role("button", name="Dismiss")).to_be_visible()
