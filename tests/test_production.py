"""What production sends and refuses, asked of a process with production's own environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from pim_portal.environment import BASE_DIR

pytestmark = pytest.mark.slow

SECRET = "7b0QmX2wVt9sLzR4eJc8uYpA6hNfGk3dDiToHrPxWqEnZlCaSvMgByUj"


def run(tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PIM_", "DJANGO_"))}
    variables.pop("DATABASE_URL", None)
    variables.update(PIM_SECRET_KEY=SECRET, PIM_BASE_URL="https://pim.example.org", PIM_DATA_DIR=str(tmp_path))
    return subprocess.run(
        [sys.executable, *command], cwd=BASE_DIR, env=variables, capture_output=True, text=True, check=False
    )


def test_django_finds_nothing_to_warn_of(tmp_path: Path) -> None:
    checked = run(tmp_path, "manage.py", "check", "--deploy", "--tag", "security", "--fail-level", "WARNING")

    assert checked.returncode == 0, checked.stderr


def test_cookies_are_bound_to_the_host_over_https(tmp_path: Path) -> None:
    told = run(
        tmp_path,
        "-c",
        "from pim_portal import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.DEBUG)",
    )

    assert told.stdout.split() == ["__Host-pim", "__Host-csrf", "True", "True", "False"]


@pytest.mark.django_db
def test_every_answer_carries_its_headers(client: Client) -> None:
    headers = client.get("/there-is-no-such-page/").headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Robots-Tag"] == "noindex, nofollow"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert "camera=()" in headers["Permissions-Policy"]
