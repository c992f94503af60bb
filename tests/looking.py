"""What is wrong with a page that is open in a browser, whatever it shows."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SCROLLS_SIDEWAYS = """
    [document.documentElement, ...document.querySelectorAll("dialog.panel, dialog.panel .body")]
        .some((one) => one.scrollWidth > one.clientWidth)
"""


WIDTHS = (1280, 360)


def faults_of(page: Page) -> list[str]:
    """Say what axe finds, and whether the page or an open panel is wider than its window."""
    faults = ["scrolls sideways"] if page.evaluate(SCROLLS_SIDEWAYS) else []
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return faults + [f"{one['id']} at {[node['html'] for node in one['nodes']][:3]}" for one in found]


def faults_at_each_width(page: Page) -> list[str]:
    """Say the same of the page at each width."""
    faults = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        faults += [f"at {width}: {fault}" for fault in faults_of(page)]
    return faults
