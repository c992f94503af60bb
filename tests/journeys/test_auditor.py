"""An auditor reads the history, follows one request through it, takes proofs away and has it verified."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from audit.kinds import Kind
from audit.models import Event, Verification
from pim_portal import tasks
from pim_portal.operations import sealing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_the_history_is_read_proven_and_verified(organisation, sit_down, clock, tmp_path):
    sealing.seal()
    noor = sit_down("noor")
    noor.sign_in()
    noor.menu("Audit history")
    noor.fill("Search this list", "Ines Okafor")
    noor.press("Apply")
    expect(noor.page.get_by_role("link", name="Clear")).to_be_visible()
    noor.look_around("audit-history")
    granted = Event.objects.filter(kind=Kind.ACTIVATION_STARTED).exclude(request_id=None).latest("id")
    noor.go(reverse("audit_event", args=[granted.uuid]))
    noor.look_around()
    with noor.page.expect_download() as proof:
        noor.follow("Download proof")
    assert json.loads(proof.value.path().read_text())
    noor.follow("Story of the request")
    noor.look_around("story")

    noor.go(reverse("audit"))
    noor.follow("Export with proof")
    noor.expect_heading("Export with proof")
    noor.look_around()
    with noor.page.expect_download() as taken:
        noor.press("Download")
    if noor.look.script:  # the page then leads to how the file ended
        noor.expect_text("The file is complete.")
        noor.look_around()
    with zipfile.ZipFile(taken.value.path()) as archive:
        archive.extractall(tmp_path)
    (verifier,) = tmp_path.rglob("*.py")
    subprocess.run([sys.executable, str(verifier)], cwd=verifier.parent, check=True, timeout=60)

    noor.go(reverse("audit_verification"))
    noor.press("Verify")
    row = Verification.objects.get()
    while not row.finished_at:
        tasks.verify(str(row.pk))
        row.refresh_from_db()
    noor.go(reverse("audit_verification"))
    noor.expect_text("Verified by Noor Haddad")
    noor.look_around("verified")
