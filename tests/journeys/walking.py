"""Somebody at a browser of their own: signs in as people do, and each page on the way is looked at."""

from __future__ import annotations

import re

from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from pim_portal.demo.codes import device_of, next_code
from pim_portal.demo.loader import PASSWORD
from roles.models import User
from tests.journeys import pictures
from tests.journeys.clock import StillClock
from tests.journeys.looks import DESK, PHONE, Look
from tests.looking import faults_of

UNDER_WAY = "[aria-busy=true], form[data-sent]"  # a panel that is fetched, a form that is sent
MOVED = "Promise.all(document.getAnimations().map((one) => one.finished)).then(() => null)"


class Walker:
    """One person on their way; `faults` gathers what is wrong with the pages they come by."""

    def __init__(self, page: Page, user: User | None, *, look: Look, clock: StillClock, faults: list[str]) -> None:
        self.page = page
        self.user = user
        self.look = look
        self.clock = clock
        self.faults = faults

    # Going

    def sign_in(self, password: str = PASSWORD) -> None:
        """Give password and code where the portal asks for them; it then leads to the page that was meant."""
        assert self.user is not None
        if self.page.url == "about:blank":
            self.go(reverse("sign_in"))
        self.page.get_by_label("User name or e-mail").fill(self.user.username)
        self.page.get_by_label("Password").fill(password)
        self.press("Continue")
        self.expect_heading("Your second factor")
        self.page.get_by_label("Code").fill(self.code())
        self.press("Sign in")
        expect(self.page.locator("nav#menu")).to_be_attached()  # folded away on a phone

    def go(self, path: str) -> None:
        self.page.goto(path)

    def menu(self, name: str) -> None:
        """Choose an entry of the menu, which is folded on a phone."""
        if self.look.width < 600:
            self.page.get_by_role("button", name="Menu").click()
        # What waits there is counted behind the name.
        entry = re.compile(rf"^{name}( \d+ waiting)?$")
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name=entry).click()

    def follow(self, name: str) -> None:
        """Follow the first link whose name begins so."""
        self.panel.get_by_role("link", name=re.compile("^" + re.escape(name))).first.click()

    def tab(self, name: str) -> None:
        """Choose a page of this place; on a phone they stand behind "More"."""
        tabs = self.page.get_by_role("navigation", name="Pages of this place")
        if self.look.width < 600:
            tabs.get_by_text("More").click()
        tabs.get_by_role("link", name=name).filter(visible=True).click()

    def press(self, name: str, *, exact: bool = True) -> None:
        self.panel.get_by_role("button", name=name, exact=exact).first.click()

    # Filling in

    @property
    def panel(self) -> Locator:
        """Where a form stands: the side panel that is open, else the page."""
        panel = self.page.get_by_role("dialog")
        return panel if self.look.script and panel.count() else self.page.get_by_role("main")

    def fill(self, label: str, value: str) -> None:
        """Fill in the field of this label."""
        self.panel.get_by_label(label).first.fill(value)

    def code(self) -> str:
        """What the app of this person shows now."""
        assert self.user is not None
        device = device_of(self.user)
        assert device is not None
        return next_code(device)

    def give_code(self) -> None:
        """Type a code into the form, which asks for one."""
        self.panel.get_by_label(re.compile("^Code")).fill(self.code())

    # Looking

    def expect_heading(self, text: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(text)

    def expect_panel(self, text: str) -> None:
        """The form of this name is shown: in a side panel, or as a page."""
        if self.look.script:
            expect(self.page.get_by_role("dialog", name=text)).to_be_visible()
        else:
            self.expect_heading(text)

    def expect_text(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def look_around(self, picture: str = "", *, phone: str = "", whole: bool = False, scrolled: bool = False) -> None:
        """Look at the page as it is: accessible, and no wider than its window. Leaves a picture where one is wanted."""
        self._let_it_settle()
        where = f"{self.page.url} ({self.look.scheme}, {self.look.width})"
        self.faults += [f"{where}: {fault}" for fault in faults_of(self.page)]
        name = {DESK: picture, PHONE: phone}.get(self.look)
        if name and pictures.WANTED:
            pictures.take(self.page, name, whole=whole, scrolled=scrolled)

    def _let_it_settle(self) -> None:
        """Wait for what was pressed to have answered, and for a panel to have slid in."""
        expect(self.page.locator(UNDER_WAY)).to_have_count(0)
        self.page.wait_for_load_state()
        self.page.evaluate(MOVED)
