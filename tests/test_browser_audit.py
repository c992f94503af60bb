"""The pages of the history for auditors and operators, in a real browser: accessible, and right on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page

from audit import keys
from audit.kinds import Kind
from audit.models import Archived, Event
from pim_portal.activity.services import go_on_verifying, start_verification
from pim_portal.models import Download
from roles import ids
from roles.models import User
from tests.archived import archive, happened, keep, sealed
from tests.hooks import hook_of
from tests.people import OPERATOR, give, person, role
from tests.visitors import cookie_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(300)]

WIDTHS = {"wide": 1280, "phone": 360}


@pytest.fixture
def pages(transactional_db: None, settings: Any, tmp_path: Any) -> dict[str, str]:
    """A history of which a part is archived, verified, and sent to a web hook that fails."""
    settings.PIM_AUDIT_KEY, settings.PIM_AUDIT_ARCHIVES = tmp_path / "key.pem", tmp_path / "archives"
    key, now = keys.make(settings.PIM_AUDIT_KEY), timezone.now()
    give(person("sven", now=now), role(ids.SECURITY_ADMINISTRATOR), now=now)
    happened(30)
    sealed(key)
    keep(90)
    (made,) = archive(settings.PIM_AUDIT_ARCHIVES, settings.PIM_AUDIT_KEY)
    hook = hook_of("SIEM of the security operations centre", now=now)
    hook.failures, hook.failing_since, hook.last_error = 12, now, "The target answered 503."
    hook.save(update_fields=["failures", "failing_since", "last_error"])
    sealed(key)
    row = start_verification(actor=OPERATOR, clock=timezone.now)
    go_on_verifying(row.pk, key_file=settings.PIM_AUDIT_KEY, archives=settings.PIM_AUDIT_ARCHIVES, clock=timezone.now)
    event = Event.objects.get(kind=Kind.RETENTION_CHANGED)
    sven = User.objects.get(username="sven")
    sent = Download.objects.create(reader=sven, name="audit-history.csv", sent=4_711, total=1_000_000, begun_at=now)
    return {
        "event": reverse("audit_event", args=[event.uuid]),
        "archived": reverse("audit_event", args=[Archived.objects.filter(leaf__gt=1).latest("leaf").uuid]),
        "verification": reverse("audit_verification"),
        "export": reverse("audit_export"),
        "download": reverse("audit_download"),
        "sent": reverse("history_download", args=[sent.pk]),
        "keeping": reverse("keeping"),
        "change": reverse("keeping_change"),
        "take": reverse("archive_take", args=[made.event]),
        "hooks": reverse("web_hooks"),
        "hook": reverse("web_hook", args=[hook.pk]),
        "hook_add": reverse("web_hook_add"),
    }


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth"))


def test_the_pages_of_auditors_are_accessible_and_fit(pages, new_context, live_server, django_user_model):
    make: Callable[..., BrowserContext] = new_context
    sven = django_user_model.objects.get(username="sven")
    wrong = {}
    for width, scheme in (("wide", "light"), ("wide", "dark"), ("phone", "light"), ("phone", "dark")):
        viewport = {"width": WIDTHS[width], "height": 800}
        context = make(base_url=live_server.url, viewport=viewport, color_scheme=scheme)
        context.add_cookies([cookie_of(sven, live_server)])
        page = context.new_page()
        for name, address in pages.items():
            page.goto(address)
            found = [one["id"] for one in Axe().run(page).response["violations"]]
            if found or scrolls_sideways(page):
                wrong[f"{name} {width} {scheme}"] = (found, scrolls_sideways(page))
    assert wrong == {}


@pytest.mark.parametrize("scripts", [True, False])
def test_a_file_that_was_begun_shows_how_far_it_is(pages, new_context, live_server, django_user_model, scripts):
    context = new_context(base_url=live_server.url, java_script_enabled=scripts, accept_downloads=True)
    context.add_cookies([cookie_of(django_user_model.objects.get(username="sven"), live_server)])
    page = context.new_page()
    page.goto(pages["download"] + "?download=csv")
    assert "The download has not begun." in page.inner_text("#progress")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.path().read_text().startswith("\ufeffEvent,When,")
    if not scripts:
        page.get_by_role("link", name="Look how far it is").click()
    page.wait_for_url("**/activity/downloads/**")
    assert page.inner_text("#progress").startswith("The file is complete.")
