"""The time of a journey: it stands still until somebody passes it, in the portal and in every browser alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import time_machine
from django.utils import timezone
from playwright.sync_api import BrowserContext

from pim_portal.operations.services import SEAL, SEND, WORKER, beat
from pim_portal.operations.vitals import SWEEP

# A Thursday morning in Paris, where most of the sample organisation works.
BEGIN = datetime(2026, 11, 26, 8, 40, tzinfo=UTC)


class StillClock:
    """Starts at `BEGIN`."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self.now = BEGIN
        self._traveller = traveller
        self._browsers: list[BrowserContext] = []

    def bring(self, browser: BrowserContext) -> None:
        """Let this browser show the same time."""
        self._browsers.append(browser)
        browser.clock.set_fixed_time(self.now)

    def pass_on(self, **span: float) -> None:
        """Let so much time pass, such as `minutes=5`."""
        self.now += timedelta(**span)
        self._traveller.move_to(self.now)
        self.let_the_worker_beat()
        for browser in self._browsers:
            browser.clock.set_fixed_time(self.now)

    def let_the_worker_beat(self) -> None:
        """The worker is there, or every administrator would be told that it is not."""
        for name in (WORKER, SWEEP, SEND, SEAL):
            beat(name, clock=timezone.now)
