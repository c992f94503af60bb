"""The bench itself, at a tiny size: that it loads, visits every page, does every act, and prints its tables."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.db import connection

from pim_portal.environment import BASE_DIR
from tests.bench.visits import ACTS, PAGES

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="It loads by COPY"),
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.timeout(900),
]


def test_the_bench_measures_every_page_and_act() -> None:
    command = [sys.executable, "-m", "tests.postgres", sys.executable, "-m", "tests.bench.run", "100", "200"]
    done = subprocess.run(
        [*command, "--samples", "1", "--seconds", "0.5", "--due", "20"],
        cwd=BASE_DIR,
        env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    measured = {line.split("|")[1].strip() for line in lines if line.startswith("| ")}
    assert {one.name for one in (*PAGES, *ACTS)} <= measured
    assert {"Audit history, CSV over HTTP", "The sweep", "A change recorded, ours"} <= measured
