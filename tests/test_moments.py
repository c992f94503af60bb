"""Moments are read from PostgreSQL as Django reads them, only sooner."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from psycopg import DataError
from psycopg.pq import Format

from pim_portal.moments import MOMENT

# Each number of digits behind the second, and the ends of what Python knows.
WRITTEN = [
    *(f"2026-11-28 03:04:05.{'123456'[:digits]}+00" for digits in range(1, 7)),
    "2026-11-28 03:04:05+00",
    "2024-02-29 23:59:59.999999+00",
    "0001-01-01 00:00:00+00",
    "9999-12-31 23:59:59.999999+00",
    "1969-12-31 23:59:59.000001+00",
]


def loader(of: Any = connection) -> Any:
    adapters: Any = of.connection.adapters
    return adapters.get_loader(adapters.types[MOMENT].oid, Format.TEXT)


def read(text: str, zone: str = "UTC") -> list[Any]:
    """What our loader and the one that it stands before make of a moment."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('timezone', %s, false)", [zone])
        try:
            cursor.execute("SELECT (%s::timestamptz)::text", [text])
            written = cursor.fetchone()[0].encode()
            ours = loader()
            return [made(0, connection.connection).load(written) for made in (ours, ours.__mro__[1])]
        finally:
            cursor.execute("SELECT set_config('timezone', 'UTC', false)")


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite keeps moments as text, which Django reads")
class TestMoments:
    def test_new_connections_read_them_sooner(self):
        another = connection.copy()
        with contextlib.closing(another), another.cursor() as cursor:
            assert loader(another).__name__ == "Sooner"
            cursor.execute("SELECT %s::timestamptz", ["2026-11-28 03:04:05.5+01"])
            assert cursor.fetchone() == (datetime(2026, 11, 28, 2, 4, 5, 500000, tzinfo=UTC),)

    @pytest.mark.parametrize("text", WRITTEN)
    def test_they_are_what_django_reads(self, text: str):
        ours, theirs = read(text)
        assert (ours, ours.tzinfo) == (theirs, UTC)
        assert ours == datetime.fromisoformat(text)

    @pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata"])
    def test_in_another_zone_django_reads_them(self, zone: str):
        ours, theirs = read("2026-11-28 03:04:05.5+00", zone)
        assert (ours, ours.tzinfo) == (theirs, theirs.tzinfo)

    @pytest.mark.parametrize("text", ["infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "10000-01-01 00:00:00+00"])
    def test_what_python_knows_no_moment_for_is_refused_as_before(self, text: str):
        with pytest.raises(DataError):
            read(text)
