"""Every page that a GET shows, in a real browser: accessible, no wider than its window, and the console is quiet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page

from roles import ids
from roles.models import User
from tests.looking import faults_at_each_width
from tests.people import give, person, role
from tests.test_every_page import PAGES, Row, path_of, people, sealing_key, targets  # noqa: F401
from tests.visitors import cookie_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(300)]


# What answers with a file or a word, not with a page.
NO_PAGES = {"healthz", "healthz_worker", "readyz", "robots_txt", "security_txt", "audit_proof"}

# Who sees most of a page that everybody may open; whoever comes first here looks at the others.
SEES_MOST = {"approvals:approvals": "adam", "reviews:reviews": "adam", "overview": "petra"}
ORDER = ("ines", "petra", "olga", "adam", "sven", "amelie", "gina")

# Shown to whoever the table of all pages does not know: a stranger, or a Global Administrator.
OTHERS = {"sign_in": "a stranger", "elevate": "grace"}


def viewer_of(name: str, row: Row) -> str | None:
    """Return who looks at a page: somebody who may see it, or nobody where it shows none."""
    if row.only_post or name in NO_PAGES:
        return None
    found = SEES_MOST.get(name) or OTHERS.get(name)
    return found or next((who for who in ORDER if who in row.who), None)


def part_of(name: str) -> str:
    """Return the part of the portal that a page stands in: so many pages are looked at in one go."""
    space, _, page = name.rpartition(":")
    if space in ("directory", "unit", "resource", "group"):
        half = "settings and reviews" if page.startswith(("role", "settings", "review")) else "the others"
        return f"{space}, {half}"
    return space or "portal"


def looks() -> dict[tuple[str, str], list[str]]:
    """Return the pages by who looks and where they stand."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, row in PAGES.items():
        if who := viewer_of(name, row):
            found.setdefault((who, part_of(name)), []).append(name)
    return found


LOOKS = looks()


def test_every_page_that_somebody_may_see_is_looked_at():
    looked_at = {name for names in LOOKS.values() for name in names}
    left = {name for name, row in PAGES.items() if not row.only_post} - looked_at - NO_PAGES
    # Nobody of the cast has one to see: no role is custom at a unit, and these come before anybody is verified.
    unseen = {name for name in left if not PAGES[name].who}
    assert left == unseen


@pytest.mark.parametrize(("who", "part"), sorted(LOOKS), ids=map(": ".join, sorted(LOOKS)))
def test_the_pages_are_accessible_and_fit(who, part, people, targets, new_context, live_server):  # noqa: F811
    if who == "grace":
        people[who] = person(who, now=timezone.now())
        give(people[who], role(ids.GLOBAL_ADMINISTRATOR), now=timezone.now())
    page = open_as(people.get(who), new_context, live_server)
    faults: list[str] = []
    for name in LOOKS[who, part]:
        answer = page.goto(path_of(name, targets))
        assert answer is not None
        if answer.status != 200:
            faults.append(f"{name}: {answer.status}")
        faults += [f"{name} {fault}" for fault in faults_at_each_width(page)]
    assert not faults, "\n".join(faults)


def open_as(user: User | None, new_context: Callable[..., BrowserContext], server: Any) -> Page:
    context = new_context(base_url=server.url)
    if user:
        context.add_cookies([cookie_of(user, server)])
    return context.new_page()
