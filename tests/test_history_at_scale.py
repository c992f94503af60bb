"""A history of 200,000 events on PostgreSQL: what pages ask, how fast files come, how fast it is verified.

What is compared is measured in one run, so that a busy machine slows both sides.
"""

from __future__ import annotations

import subprocess
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from audit import keys, verifying
from audit.models import Event
from pim_portal.activity import copying, downloads
from roles.models import User
from roles.workbooks import xlsx
from tests import postgres
from tests.bench import history, organisation
from tests.bench.pages import ask, questions
from tests.visitors import visiting

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="COPY and the plans are PostgreSQL's"),
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.timeout(1800),
]
EVENTS = 200_000


@pytest.fixture(scope="module", autouse=True)
def large(django_db_setup: Any, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[keys.SigningKey]:
    """A database of its own with two hundred thousand sealed events, committed, so that psql sees them."""
    key = keys.make(tmp_path_factory.mktemp("keys") / "key.pem")
    used = connection.settings_dict["NAME"]
    large = f"{used}_large"
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {large}")
        connection.close()
        connection.settings_dict["NAME"] = large
        try:
            call_command("migrate", verbosity=0)
            organisation.build()
            history.fill(EVENTS, key, until=timezone.now())
            yield key
        finally:
            connection.close()
            connection.settings_dict["NAME"] = used
            with connection.cursor() as cursor:
                cursor.execute(f"DROP DATABASE {large} WITH (FORCE)")


@pytest.mark.parametrize(("username", "path"), organisation.PAGES)
def test_no_page_reads_the_whole_history_whatever_is_asked(username: str, path: str) -> None:
    user = User.objects.get(username=username)
    client = visiting(user)
    about = organisation.request_seen_by(user, path)
    wrong = {}
    numbers = set()
    for query in questions(about):
        asked = ask(client, path, query)
        numbers.add(asked.queries)
        if asked.whole_tables:
            wrong[str(query)] = asked
    assert wrong == {}
    assert max(numbers) <= 20  # whatever is asked; a filter by a name looks the name up, a search looks thrice


EVERYTHING = downloads.Reading(may_read=Q)


def test_a_file_comes_at_no_less_than_half_the_speed_of_psql(tmp_path: Path) -> None:
    rows = Event.objects.newest_first()
    ours, theirs = [], []
    for again in range(3):
        began = time.perf_counter()
        with open(tmp_path / f"ours{again}.csv", "wb") as file:
            file.writelines(downloads._copied_csv(["Event"], rows.all(), EVERYTHING))
        ours.append(time.perf_counter() - began)
        theirs.append(psql_copies(copying.table(rows.all()), tmp_path / f"theirs{again}.csv"))
    header, _, rest = (tmp_path / "ours0.csv").read_bytes().partition(b"\n")
    assert header.endswith(b"Event\r")
    assert rest == (tmp_path / "theirs0.csv").read_bytes()
    assert min(ours) <= 2 * min(theirs), (ours, theirs)


def psql_copies(statement: str, into: Path) -> float:
    """Let psql copy the same columns into a file; return the seconds that it took."""
    settings = connection.settings_dict
    script = into.with_suffix(".sql")
    script.write_text(f"\\copy ({statement}) TO '{into}' (FORMAT csv)\n")
    programs = postgres.binaries()
    assert programs is not None
    began = time.perf_counter()
    # fmt: off
    subprocess.run(
        [programs / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", settings["HOST"], "-U", settings["USER"],
         "-d", settings["NAME"], "-f", script],
        check=True,
    )
    # fmt: on
    return time.perf_counter() - began


@pytest.mark.parametrize("format", ["csv", "jsonl", "xlsx"])
def test_memory_does_not_grow_with_the_file(format: str) -> None:
    def peak(count: int) -> int:
        some = Event.objects.newest_first().filter(pk__lte=count)
        made: dict[str, Any] = {
            "csv": lambda: downloads._copied_csv([], some, EVERYTHING),
            "jsonl": lambda: downloads._json_lines(some, EVERYTHING),
            "xlsx": lambda: xlsx([], downloads._copied_rows(some, EVERYTHING)),
        }
        tracemalloc.start()
        for _part in made[format]():
            pass
        reached = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return reached

    assert peak(80_000) < 1.5 * peak(20_000)


def test_a_million_events_are_verified_in_a_minute_of_one_processor(large: keys.SigningKey, tmp_path: Path) -> None:
    """The portal's own part, whatever else the machine does; the command uses every processor."""
    progress = verifying.begin()
    began = time.process_time()
    verifying.advance(progress, {large.id: large.private.public_key()}, now=timezone.now(), archives=tmp_path / "none")
    took = time.process_time() - began
    assert progress.finding is None
    assert progress.leaves >= EVENTS
    assert took < 60 * progress.leaves / 1_000_000, took
