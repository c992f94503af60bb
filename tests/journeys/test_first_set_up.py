"""An empty installation: its first administrator, by the server's code, and the first person with a role."""

from __future__ import annotations

import base64
import time

import pytest
from django.utils import timezone
from django_otp.oath import TOTP
from playwright.sync_api import expect

from approvals.models import Request, Status
from pim_portal.setup.services import make_code
from roles.models import User
from tests.journeys.walking import Walker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PASSWORD = "correct horse battery staple"


def enrol(who: Walker, username: str) -> None:
    """Add an authenticator app, whose code comes from the key on the page."""
    who.expect_heading("Add a second factor")
    who.look_around()
    key = "".join(who.page.locator("#secret").inner_text().split())
    totp = TOTP(base64.b32decode(key + "=" * (-len(key) % 8)), 30, 0, 6, 0)
    totp.time = time.time()
    who.fill("Code that the app shows now", f"{totp.token():06d}")
    who.press("Add and sign in")
    who.expect_heading("Keep these recovery codes")
    who.look_around()
    who.follow("I have kept them")
    who.user = User.objects.get(username=username)


def test_from_an_empty_installation_to_the_first_activation(clock, sit_down):
    code = make_code(clock=timezone.now)
    clock.let_the_worker_beat()
    ada = sit_down()
    ada.go("/")
    ada.expect_heading("Set up the portal")
    ada.fill("Your name", "Ada Mbeki")
    ada.fill("User name", "ada")
    ada.fill("E-mail", "ada@example.org")
    ada.fill("New password", PASSWORD)
    ada.fill("The same password again", PASSWORD)
    ada.fill("First resource root", "Harbourline")
    ada.look_around("set-up", whole=True)
    ada.fill("Set-up code", code)
    ada.press("Set up the portal")
    ada.expect_text("The portal is set up. Sign in, and add your second factor.")
    ada.fill("User name or e-mail", "ada")
    ada.fill("Password", PASSWORD)
    ada.press("Continue")
    enrol(ada, "ada")
    ada.expect_heading("Overview")
    ada.look_around("checklist")

    ada.menu("People and groups")
    ada.follow("Invite somebody")
    ada.fill("Name", "Ben Osei")
    ada.fill("User name", "ben")
    ada.fill("E-mail", "ben@example.org")
    ada.look_around()
    ada.press("Make the link")
    ada.expect_heading("A link for Ben Osei")
    ada.look_around()
    link = ada.page.locator("#entry-link").inner_text()

    ben = sit_down()
    ben.go(link.partition("8000")[2])
    ben.expect_heading("Welcome, Ben Osei")
    ben.fill("New password", PASSWORD)
    ben.fill("The same password again", PASSWORD)
    ben.look_around()
    ben.press("Set password")
    ben.look_around()
    ben.go("/")
    ben.fill("User name or e-mail", "ben")
    ben.fill("Password", PASSWORD)
    ben.press("Continue")
    enrol(ben, "ben")
    ben.expect_text("You are not eligible for any role.")
    ben.look_around()

    clock.pass_on(minutes=2)
    ada.menu("Directory roles")
    ada.tab("Assignments")
    ada.look_around()
    ada.follow("Add assignments")
    ada.page.get_by_label("Role (required)").select_option(label="User Administrator")
    ada.fill("Find", "ben")
    ada.press("Find")
    ada.page.get_by_label("Ben Osei").check()
    ada.page.get_by_label("Eligible").check()
    ada.fill("Justification", "Keeps the accounts")
    ada.give_code()
    ada.press("Assign")
    ada.look_around("first-eligibility")

    ben.menu("My roles")
    ben.follow("Activate User Administrator")
    ben.expect_panel("Activate: User Administrator")
    ben.fill("Reason", "The first accounts")
    ben.press("Activate")
    ben.expect_heading("Your request for User Administrator")
    ben.look_around()
    expect(ben.page.get_by_role("link", name="1 role active")).to_be_visible()
    assert Request.objects.get().status == Status.GRANTED
