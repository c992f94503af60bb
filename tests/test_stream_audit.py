"""The history as lines on standard output: in leaf order, from a cursor, and none lost by a kill."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from pim_portal.models import AuditCursor
from pim_portal.streams.leaves import LeafGone
from pim_portal.streams.lines import LEASE, Busy, FileCursor, RowCursor, write_out
from tests.people import NOW, at
from tests.sealed import tamper
from tests.test_web_hooks import fill, key

__all__ = ["key"]

pytestmark = pytest.mark.django_db(transaction=True)


def cursor(name: str = "here", **how: Any) -> RowCursor:
    return RowCursor(name, clock=at(NOW), **how)


def leaves_in(lines: bytes) -> list[int]:
    return [json.loads(line)["leaf"] for line in lines.splitlines() if line]


def written(by: Any) -> list[int]:
    out = io.BytesIO()
    write_out(out, by)
    return leaves_in(out.getvalue())


def test_each_event_is_one_line_once_in_leaf_order(key):
    last = fill(key, 260)
    assert written(cursor()) == list(range(1, last + 1))
    assert written(cursor()) == []
    assert written(cursor("another")) == list(range(1, last + 1))
    later = fill(key, 2)
    assert written(cursor()) == list(range(last + 1, later + 1))


def test_a_cursor_can_begin_later_and_live_in_a_file(key, tmp_path):
    last = fill(key, 5)
    file = FileCursor(tmp_path / "cursor", start=2)
    assert written(file) == list(range(3, last + 1))
    assert (tmp_path / "cursor").read_text() == f"{last}\n"
    assert written(FileCursor(tmp_path / "cursor")) == []
    assert written(cursor(start=last - 1)) == [last]


class Broken(io.BytesIO):
    def flush(self) -> None:
        raise BrokenPipeError


def test_what_could_not_be_written_is_written_the_next_time(key):
    last = fill(key, 3)
    with pytest.raises(BrokenPipeError):
        write_out(Broken(), cursor())
    assert written(cursor()) == list(range(1, last + 1))


@pytest.mark.parametrize("kind", ["row", "file"])
def test_after_a_kill_in_the_middle_of_a_line_the_next_one_begins_anew(key, tmp_path, kind):
    last = fill(key, 3)
    by = cursor() if kind == "row" else FileCursor(tmp_path / "cursor")
    if kind == "row":
        AuditCursor.objects.create(name="here", lease=by.lease, leased_until=NOW)
    else:
        (tmp_path / "cursor").write_text("0 writing\n")
    out = io.BytesIO()
    out.write(b'{"leaf": 1, "id')
    write_out(out, by)
    assert leaves_in(b"\n".join(out.getvalue().splitlines()[1:])) == list(range(1, last + 1))
    assert b"\n\n" not in out.getvalue()
    fill(key, 1)
    assert written(by) == [last + 1]


def test_of_two_at_one_cursor_one_writes(key):
    fill(key, 3)
    with cursor().held(), pytest.raises(Busy):
        write_out(io.BytesIO(), cursor())
    AuditCursor.objects.update(lease="00000000-0000-0000-0000-000000000001", leased_until=NOW + LEASE)
    with pytest.raises(Busy):
        written(cursor())
    assert written(RowCursor("here", clock=at(NOW + LEASE)))


def test_a_leaf_that_is_gone_ends_it(key, capsysbinary):
    fill(key, 4)
    tamper("DELETE FROM audit_leaf WHERE number = 2")
    with pytest.raises(LeafGone):
        written(cursor())
    with pytest.raises(CommandError, match="Leaf 2 of the history is gone"):
        call_command("stream_audit")


@pytest.mark.parametrize("kind", ["row", "file"])
def test_a_cursor_beyond_the_end_of_the_history_skips_nothing_silently(key, tmp_path, kind, capsysbinary):
    """A backup was restored: what happens from now on gets the numbers of what was written out already."""
    last = fill(key, 3)
    by = cursor() if kind == "row" else FileCursor(tmp_path / "cursor")
    which = ("--cursor=here",) if kind == "row" else (f"--cursor-file={tmp_path / 'cursor'}",)
    written(by)
    if kind == "row":
        AuditCursor.objects.update(position=last + 2)
    else:
        (tmp_path / "cursor").write_text(f"{last + 2}\n")
    told = f"leaf {last + 2}, .* leaf {last}:"
    with pytest.raises(CommandError, match=told):
        call_command("stream_audit", *which)
    assert capsysbinary.readouterr().out == b""


def test_a_new_cursor_may_begin_with_a_leaf_that_is_still_to_come(key, tmp_path):
    last = fill(key, 3)
    assert written(FileCursor(tmp_path / "cursor", start=last + 5)) == []
    assert written(cursor(start=last + 5)) == []


@pytest.mark.parametrize("file", ["nowhere/cursor", "."])
def test_a_cursor_that_cannot_be_kept_is_said_in_a_sentence(key, tmp_path, file):
    fill(key, 3)
    with pytest.raises(CommandError, match="cannot be read or written"):
        call_command("stream_audit", f"--cursor-file={tmp_path / file}")


@pytest.mark.parametrize("wrong", ["0", "-3"])
def test_leaves_are_numbered_from_one(wrong):
    with pytest.raises(CommandError, match="from 1"):
        call_command("stream_audit", f"--from={wrong}")


FOLLOWER = """
import sys
import django
django.setup()
from django.db import connections
connections["default"].settings_dict["NAME"] = sys.argv[1]
from django.core.management import call_command
call_command("stream_audit", "--follow")
"""


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_follower_that_is_killed_again_and_again_loses_no_line(key, tmp_path):
    """A real process, killed while it writes; the next one goes on, after the lease of the one before."""
    output = tmp_path / "lines"
    name = str(connection.settings_dict["NAME"])
    last = 0
    for _each in range(3):
        last = fill(key, 400)
        with output.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-c", FOLLOWER, name],
                stdout=out,
                cwd=settings.BASE_DIR,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
            )
            until = time.monotonic() + 60
            size = output.stat().st_size
            while output.stat().st_size == size and time.monotonic() < until:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.wait()
        _let_the_lease_be_over()
    with output.open("ab") as out:
        write_out(out, RowCursor("stdout", clock=at(NOW)))
    whole = [line for line in output.read_bytes().splitlines() if _is_whole(line)]
    assert sorted(set(leaves_in(b"\n".join(whole)))) == list(range(1, last + 1))
    firsts = [leaf for leaf, _again in groupby(_in_order_of_first(leaves_in(b"\n".join(whole))))]
    assert firsts == list(range(1, last + 1))


def _let_the_lease_be_over() -> None:
    AuditCursor.objects.exclude(lease=None).update(leased_until=NOW)


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _in_order_of_first(leaves: list[int]) -> list[int]:
    """Leave out what came before."""
    seen: set[int] = set()
    return [leaf for leaf in leaves if not (leaf in seen or seen.add(leaf))]  # type: ignore[func-returns-value]


def test_the_command_writes_to_standard_output(key, capsysbinary):
    last = fill(key, 2)
    call_command("stream_audit", "--cursor-file", str(Path(settings.PIM_DATA_DIR) / f"cursor-{last}-{os.getpid()}"))
    assert leaves_in(capsysbinary.readouterr().out) == list(range(1, last + 1))
