"""Role settings in a real browser: edited without JavaScript, copied, and accessible at every width."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from approvals.services.settings_changes import change_or_ask
from roles import ids
from roles.models import Purpose, User
from roles.places import address
from roles.selectors.settings import settings_of
from tests.looking import faults_at_each_width
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    acting,
    at,
    configure,
    directory,
    give,
    make_eligible,
    person,
    role,
)
from tests.stepping import code_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def now(transactional_db: None) -> datetime:
    return timezone.now().replace(microsecond=0)


@pytest.fixture
def petra(now: datetime) -> User:
    user = person("petra", now=now)
    give(user, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), now=now)
    return user


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


def test_the_pages_of_a_change_that_waits_are_accessible_and_fit(petra, now, browse, console_errors):
    """Its author's, the second administrator's, a refused decision, what can be made alone, and how it ended."""
    paul = person("paul", now=now)
    give(paul, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), now=now)
    make_eligible(petra, role(EXCHANGE_ADMINISTRATOR), now=now)
    what, since = role(EXCHANGE_ADMINISTRATOR), now - 25 * HOUR
    actor = acting(petra, Purpose.SETTINGS, what.pk, now=since)
    asked = change_or_ask(what, resource=directory(), values={"max_activation": 9 * HOUR}, actor=actor, clock=at(since))
    waiting = reverse("approvals:request", args=[asked.pk])
    faults: dict[str, list[str]] = {}
    author, second = browse(petra), browse(paul)
    for page, path in (
        (author, waiting),
        (author, reverse("approvals:change_alone", args=[asked.pk])),
        (author, at_directory("edit")),
        (second, waiting),
        (second, reverse("approvals:approvals") + "?tab=changes"),
    ):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200
        faults[f"{page.url} {path}"] = faults_at_each_width(page)
    second.goto(waiting)
    second.get_by_role("button", name="Deny").click()
    expect(second.get_by_text("Say why you decide so.")).to_be_visible()
    faults["refused"] = faults_at_each_width(second)
    console_errors.clear()  # a browser complains of every 422
    second.get_by_label("Justification").fill("Nine hours are too many")
    for name, value in code_of(paul).items():
        second.locator(f"[name={name}]").first.evaluate("(field, value) => { field.value = value }", value)
    second.get_by_role("button", name="Deny").click()
    expect(second.get_by_text("You denied this request.")).to_be_visible()
    faults["denied"] = faults_at_each_width(second)
    assert {name: found for name, found in faults.items() if found} == {}
