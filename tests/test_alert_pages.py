"""The pages of alerts as administrators use them."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from pim_portal.alerts.services.scanning import scan
from pim_portal.models import AlertSettings, Incident
from roles import ids
from roles.models import Assignment
from tests.alerting import scanned
from tests.people import EXCHANGE_ADMINISTRATOR, give, make_eligible, person, role, tree
from tests.stepping import code_of, errors_in
from tests.visitors import visiting

pytestmark = pytest.mark.django_db
ALERTS = "/manage/directory/alerts/"
UNUSED = f"{ALERTS}unused_roles/"


@pytest.fixture
def unused(ines, petra) -> Incident:
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), now=timezone.now())
    return scanned("unused_roles", now=timezone.now())[0]


def test_scan_now_finds_and_the_list_and_the_tab_say_so(ines, petra):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), now=timezone.now())
    client = visiting(petra)
    assert client.post(f"{ALERTS}scan/").status_code == 302
    page = client.get(ALERTS).content.decode()
    assert "Eligible roles that are not used" in page
    assert "1 eligible assignment has not been activated for the days set." in page
    assert 'Alerts <span class="muted">(' in client.get("/manage/directory/").content.decode()


def test_the_list_is_searched_and_filtered_by_what_the_alerts_are_called(unused, petra):
    scan(clock=timezone.now, seconds=600)
    client = visiting(petra)
    searched = client.get(f"{ALERTS}?q=worker").content.decode()
    assert "The worker does not keep up" in searched
    assert "Eligible roles that are not used" not in searched
    low = client.get(f"{ALERTS}?severity=low&state=some").content.decode()
    assert "Eligible roles that are not used" in low
    assert "Roles activated too often" not in low


def test_an_alert_says_why_it_matters_what_is_set_and_what_it_found(unused, petra):
    page = visiting(petra).get(UNUSED).content.decode()
    for part in ("Why it matters", "How to prevent it", "30 days", "never activated", "Ines", "Exchange Administrator"):
        assert part in page


def test_the_incidents_are_downloaded(unused, petra):
    lines = visiting(petra).get(f"{UNUSED}?download=csv").getvalue().decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "Ines" in lines[1]


def test_who_only_looks_sees_no_button(unused, adam):
    give(adam, role(ids.GLOBAL_READER), now=timezone.now())
    client = visiting(adam)
    page = client.get(UNUSED).content.decode()
    assert "Ines" in page
    assert "Dismiss" not in page.replace("Dismissed", "")
    assert "Scan now" not in client.get(ALERTS).content.decode()
    assert client.post(f"{ALERTS}scan/").status_code == 403


def test_a_security_administrator_answers_what_concerns_the_portal_and_nothing_else(unused, adam):
    give(adam, role(ids.SECURITY_ADMINISTRATOR), now=timezone.now())
    client = visiting(adam)
    assert client.get(f"{ALERTS}worker_late/settings/").status_code == 200
    assert client.get(f"{UNUSED}settings/").status_code == 404


def test_a_directory_administrator_sees_no_alert_of_a_resource(petra):
    root = tree("Contoso")[0]
    assert visiting(petra).get(f"/manage/resources/{root.pk}/alerts/").status_code == 404
    assert visiting(petra).get(f"{ALERTS}too_many_owners/").status_code == 404


def test_incidents_are_dismissed_with_a_reason(unused, petra):
    client = visiting(petra)
    refused = client.post(f"{UNUSED}dismiss/", {"chosen": unused.pk, "reason": "", **code_of(petra)})
    assert refused.status_code == 422
    sent = {"chosen": unused.pk, "reason": "on leave", **code_of(petra)}
    assert client.post(f"{UNUSED}dismiss/", sent).status_code == 302
    assert "on leave" in client.get(f"{UNUSED}?tab=dismissed").content.decode()
    assert "Nothing is open: there is nothing to do." in client.get(UNUSED).content.decode()


def test_of_chosen_incidents_that_are_over_meanwhile_no_other_one_is_dismissed_in_their_place(unused, petra, zoe):
    make_eligible(zoe, role(EXCHANGE_ADMINISTRATOR), now=timezone.now())
    other = next(one for one in scanned("unused_roles", now=timezone.now()) if one.principal_id == zoe.pk)
    Incident.objects.filter(pk=other.pk).update(resolved_at=timezone.now(), resolution="gone")
    client = visiting(petra)
    page = client.get(f"{UNUSED}dismiss/?chosen={other.pk}").content.decode()
    assert "None of these is open any more." in page
    sent = {"chosen": re.findall(r'name="chosen" value="([^"]+)"', page), "reason": "on leave", **code_of(petra)}
    answer = client.post(f"{UNUSED}dismiss/", sent)
    assert "None of these incidents is open any more." in errors_in(answer.content.decode())
    assert Incident.objects.open().filter(pk=unused.pk).exists()


def test_who_dismisses_all_dismisses_what_their_page_showed_and_nothing_found_since(unused, petra, zoe):
    client = visiting(petra)
    page = client.get(f"{UNUSED}dismiss/").content.decode()
    shown = {"shown_at": re.findall(r'name="shown_at" value="([^"]+)"', page)[0]}
    make_eligible(zoe, role(EXCHANGE_ADMINISTRATOR), now=timezone.now())
    scanned("unused_roles", now=timezone.now())
    answer = client.post(f"{UNUSED}dismiss/", shown | {"reason": "", **code_of(petra)})
    assert re.findall(r'name="shown_at" value="([^"]+)"', answer.content.decode()) == [shown["shown_at"]]
    assert client.post(f"{UNUSED}dismiss/", shown | {"reason": "on leave", **code_of(petra)}).status_code == 302
    assert [one.principal.name for one in Incident.objects.open()] == ["Zoe"]


def test_an_incident_of_elsewhere_is_as_unknown_as_any(unused, petra):
    other = scanned("stale_accounts", now=timezone.now())[0]
    assert visiting(petra).get(f"{UNUSED}fix/?chosen={other.pk}").status_code == 404


def test_a_fix_is_shown_before_it_is_done(unused, petra):
    client = visiting(petra)
    page = client.get(f"{UNUSED}fix/?chosen={unused.pk}").content.decode()
    assert "Ines is no longer eligible for Exchange Administrator at Directory." in page
    seen = page.split(f'name="seen-{unused.pk}" value="')[1].split('"')[0]
    sent = {"chosen": unused.pk, f"seen-{unused.pk}": seen, "reason": "not used", **code_of(petra)}
    assert client.post(f"{UNUSED}fix/", sent).status_code == 302
    assert "Fixed" in client.get(reverse("results")).content.decode()
    assert Assignment.objects.get(pk=unused.assignment_id).end_reason == "removed"


def test_what_somebody_else_has_answered_meanwhile_is_said(unused, petra, zoe):
    """Of two that were chosen one is no longer open: it is left alone and named, the other is fixed."""
    make_eligible(zoe, role(EXCHANGE_ADMINISTRATOR), now=timezone.now())
    other = next(one for one in scanned("unused_roles", now=timezone.now()) if one.principal_id == zoe.pk)
    client = visiting(petra)
    page = client.get(f"{UNUSED}fix/?chosen={unused.pk}&chosen={other.pk}").content.decode()
    seen = {f"seen-{one.pk}": page.split(f'name="seen-{one.pk}" value="')[1].split('"')[0] for one in (unused, other)}
    Incident.objects.filter(pk=other.pk).update(
        dismissed_at=timezone.now(), dismissed_by=petra, dismissed_because="on leave"
    )
    sent = {"chosen": [unused.pk, other.pk], "reason": "not used", **seen, **code_of(petra)}
    html = client.post(f"{UNUSED}fix/", sent, follow=True).content.decode()
    assert "This incident is no longer open." in html
    kept = Assignment.objects.filter(ended_at=None, principal__in=[unused.principal_id, other.principal_id])
    assert [one.principal_id for one in kept if one.type == "eligible"] == [zoe.pk]


def test_a_fix_that_nobody_looked_at_is_refused(unused, petra):
    client = visiting(petra)
    sent = {"chosen": unused.pk, "reason": "not used", **code_of(petra)}
    answer = client.post(f"{UNUSED}fix/", sent, follow=True)
    assert "Something has changed since you looked." in answer.content.decode()
    assert Assignment.objects.get(pk=unused.assignment_id).ended_at is None


def test_thresholds_are_set_in_their_range(unused, petra):
    client, page = visiting(petra), f"{UNUSED}settings/"
    seen = client.get(page).content.decode().split('name="seen" value="')[1].split('"')[0]
    sent = {"enabled": "on", "mails": "on", "days": "101", "seen": seen}
    refused = client.post(page, sent | code_of(petra))
    assert refused.status_code == 422
    assert "Write a whole number from 0 to 100." in errors_in(refused.content.decode())
    assert client.post(page, sent | {"days": "60"} | code_of(petra)).status_code == 302
    assert AlertSettings.objects.get().values == {"days": 60}


def test_a_list_costs_the_same_for_one_incident_and_for_twenty(unused, petra):
    client = visiting(petra)
    counts = []
    for number in (0, 20):
        for one in range(number):
            make_eligible(person(f"p{one}", factor=False), role(EXCHANGE_ADMINISTRATOR), now=timezone.now())
        scanned("unused_roles", now=timezone.now())
        client.get(UNUSED)
        with CaptureQueriesContext(connection) as queries:
            client.get(UNUSED)
        counts.append(len(queries))
    assert counts[0] == counts[1]
