"""Fifty thousand lines: how much it costs, in queries and memory, never in seconds."""

from __future__ import annotations

import io
import time
import tracemalloc
from collections.abc import Iterator

import pytest
from django.db import connection

from audit.models import Event
from pim_portal.imports.outcomes import Fate
from pim_portal.imports.services.assignments import import_assignments
from roles.models import Assignment, Role
from tests.people import NOW, OPERATOR, at, person

PEOPLE, LINES = 500, 50_000
HEADER = b"Assignment State,User Group Name,Role Name,PrincipalName,Member Type,"
HEADER += b"Assignment Start Time (UTC),Assignment End Time (UTC)\n"


def lines(people: int, wanted: int) -> Iterator[bytes]:
    roles = list(Role.objects.filter(kind="directory", retired_at=None).order_by("name_key"))
    for number in range(wanted):
        type = "Eligible" if number // people < len(roles) else "Active"
        role = roles[number // people % len(roles)]
        yield f"{type},,{role.name},p{number % people},Direct,,2027-03-01T00:00:00Z\n".encode()


def file_of(people: int, wanted: int) -> io.BytesIO:
    return io.BytesIO(HEADER + b"".join(lines(people, wanted)))


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("wanted", [LINES // 10, LINES])
def test_fifty_thousand_lines_take_few_queries(db, wanted):
    for number in range(PEOPLE):
        person(f"p{number}", factor=False)
    file = file_of(PEOPLE, wanted)
    statements = 0

    def counting(execute, sql, params, many, context):
        nonlocal statements
        statements += 1
        return execute(sql, params, many, context)

    started = time.process_time()
    with connection.execute_wrapper(counting):
        assert import_assignments(file, reason="moved in", actor=OPERATOR, clock=at(NOW)) == {Fate.MADE: wanted}
    print(f"{time.process_time() - started:.1f} s, {statements} statements")  # noqa: T201 - for whoever measures
    assert statements < wanted / 8
    assert Assignment.objects.count() == wanted
    assert Event.objects.filter(kind="assignment.added").count() == wanted


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(120)
def test_memory_does_not_grow_with_the_file(db):
    for number in range(50):
        person(f"p{number}", factor=False)
    peaks = []
    for wanted in (1_500, 6_000):
        file = file_of(50, wanted)
        tracemalloc.start()
        import_assignments(file, reason="moved in", actor=OPERATOR, clock=at(NOW))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]
