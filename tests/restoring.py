"""After a test that commits, the database is put back as the migrations left it.

Django's own way, to empty every table and run what follows migrations, takes seconds here: hundreds of built-in roles
and permissions, and every trigger. Here SQLite's file is copied back, and PostgreSQL deletes what came, and puts back
what was changed or is gone.
"""

# ruff: noqa: S608 - the names of tables are our own
from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase

from audit.covering import let


@pytest.fixture(autouse=True, scope="session")
def _committed_rows_are_taken_back() -> Iterator[None]:
    """Every test database is as it was after its migrations, once a test that commits is over."""
    original = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]
    TransactionTestCase._fixture_teardown = lambda self: put_back()  # type: ignore[attr-defined]
    yield
    TransactionTestCase._fixture_teardown = original  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        take_picture()


_picture: list[Any] = []


def take_picture() -> None:
    """Remember every row that the migrations and what follows them have made."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        memory = sqlite3.connect(":memory:", check_same_thread=False)
        connection.connection.backup(memory)
        _picture[:] = [memory]
        return
    with transaction.atomic(), connection.cursor() as cursor:
        filled = [table for table in _tables() if _any_row(cursor, table)]
        cursor.execute("CREATE SCHEMA picture")
        for table in filled:
            cursor.execute(f'CREATE TABLE picture."{table}" AS TABLE public."{table}"')
    _picture[:] = filled


def put_back() -> None:
    """Have every table hold what the picture holds."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        _picture[0].backup(connection.connection)
        return
    with transaction.atomic(), connection.cursor() as cursor:
        let(connection, on=True, for_this_transaction=True)
        changed = _changed(cursor)
        for table in changed:
            cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        # In any order: what points to a row is looked at in the end.
        for table in changed:
            cursor.execute(f'DELETE FROM "{table}"')
        for table in set(changed) & set(_picture):
            cursor.execute(f'INSERT INTO "{table}" TABLE picture."{table}"')
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in changed:
            cursor.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')


def _tables() -> list[str]:
    return [table for table in connection.introspection.table_names() if table != "django_migrations"]


def _any_row(cursor: Any, table: str) -> bool:
    cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}")')
    return bool(cursor.fetchone()[0])


def _changed(cursor: Any) -> list[str]:
    """Return the tables that do not hold what the picture holds, found by one statement."""
    asked = []
    for table in _tables():
        rows = f'(SELECT FROM "{table}")'
        if table in _picture:
            old, new = f'TABLE picture."{table}"', f'TABLE public."{table}"'
            rows = f"(({new} EXCEPT {old}) UNION ALL ({old} EXCEPT {new}))"
        asked.append(f"SELECT '{table}' WHERE EXISTS {rows}")
    cursor.execute(" UNION ALL ".join(asked))
    return [row[0] for row in cursor.fetchall()]
