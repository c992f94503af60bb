"""The triggers that keep the history append-only, on both databases.

They are installed after every migration, not in one: on SQLite any migration that alters a table rebuilds it and
silently drops its triggers, and cannot where those of another table name it, so that they are lifted before. A system
check says when they are missing.

Erasing personal text is the one change allowed: `EventText` may be emptied, never rewritten, once. An event goes only
where a tombstone of its very leaf stands in this database and it was recorded 90 days ago; a tombstone is refused for
any other event, too.
"""

# ruff: noqa: S608 - the statements are constants; nothing from outside stands in them
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

REFUSAL = "The audit history is append-only."
UNSEALED = "An event stops waiting only by being sealed."
UNARCHIVED = "The audit history is append-only: an event goes only 90 days after it was recorded, once it is archived."
TABLES = (
    "audit_event",
    "audit_eventtext",
    "audit_pending",
    "audit_leaf",
    "audit_batch",
    "audit_archive",
    "audit_archived",
)
# Written once, as events are.
_KEPT = {
    "audit_leaf": "number = NEW.number OR event_id = NEW.event_id",
    "audit_batch": "number = NEW.number",
    "audit_archive": "number = NEW.number OR name = NEW.name OR event = NEW.event",
    "audit_archived": "leaf = NEW.leaf OR event = NEW.event OR uuid = NEW.uuid",
}

_LEFT = """
    SELECT 1 FROM audit_archived a JOIN audit_leaf l ON l.number = a.leaf AND l.event_id = a.event AND l.hash = a.hash
    WHERE a.event = {event}"""
_SQLITE_OLD = "datetime({recorded_at}) <= datetime('now', '-90 days')"

SQLITE = {
    "audit_event_no_update": f"""
        CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    "audit_event_no_delete": f"""
        CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
        WHEN NOT ({_SQLITE_OLD.format(recorded_at="OLD.recorded_at")} AND EXISTS ({_LEFT.format(event="OLD.id")}))
        BEGIN SELECT RAISE(ABORT, '{UNARCHIVED}'); END""",
    # INSERT OR REPLACE deletes the old row without asking the delete trigger unless recursive_triggers is on; this one
    # refuses it whatever the connection's pragmas are.
    "audit_event_no_replace": f"""
        CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON audit_event
        WHEN EXISTS (SELECT 1 FROM audit_event WHERE id = NEW.id OR uuid = NEW.uuid)
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    "audit_eventtext_erase_only": f"""
        CREATE TRIGGER audit_eventtext_erase_only BEFORE UPDATE ON audit_eventtext
        WHEN OLD.erased_at IS NOT NULL OR NEW.erased_at IS NULL OR NEW.event_id <> OLD.event_id
             OR NEW.fields <> '{{}}' OR NEW.salts <> '{{}}' OR NEW.search <> ''
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    "audit_eventtext_no_delete": f"""
        CREATE TRIGGER audit_eventtext_no_delete BEFORE DELETE ON audit_eventtext
        WHEN NOT EXISTS ({_LEFT.format(event="OLD.event_id")}) OR EXISTS (SELECT 1 FROM audit_event e
             WHERE e.id = OLD.event_id AND NOT ({_SQLITE_OLD.format(recorded_at="e.recorded_at")}))
        BEGIN SELECT RAISE(ABORT, '{UNARCHIVED}'); END""",
    "audit_archived_old_only": f"""
        CREATE TRIGGER audit_archived_old_only BEFORE INSERT ON audit_archived
        WHEN NOT EXISTS (SELECT 1 FROM audit_leaf l JOIN audit_event e ON e.id = l.event_id
             WHERE l.number = NEW.leaf AND l.event_id = NEW.event AND l.hash = NEW.hash
             AND {_SQLITE_OLD.format(recorded_at="e.recorded_at")})
        BEGIN SELECT RAISE(ABORT, '{UNARCHIVED}'); END""",
    "audit_eventtext_no_replace": f"""
        CREATE TRIGGER audit_eventtext_no_replace BEFORE INSERT ON audit_eventtext
        WHEN EXISTS (SELECT 1 FROM audit_eventtext WHERE event_id = NEW.event_id)
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    "audit_pending_no_update": f"""
        CREATE TRIGGER audit_pending_no_update BEFORE UPDATE ON audit_pending
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    "audit_pending_sealed_only": f"""
        CREATE TRIGGER audit_pending_sealed_only BEFORE DELETE ON audit_pending
        WHEN NOT EXISTS (SELECT 1 FROM audit_leaf WHERE event_id = OLD.event_id)
        BEGIN SELECT RAISE(ABORT, '{UNSEALED}'); END""",
}
for _table_kept, _same in _KEPT.items():
    SQLITE |= {
        f"{_table_kept}_no_update": f"""
        CREATE TRIGGER {_table_kept}_no_update BEFORE UPDATE ON {_table_kept}
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
        f"{_table_kept}_no_delete": f"""
        CREATE TRIGGER {_table_kept}_no_delete BEFORE DELETE ON {_table_kept}
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
        f"{_table_kept}_no_replace": f"""
        CREATE TRIGGER {_table_kept}_no_replace BEFORE INSERT ON {_table_kept}
        WHEN EXISTS (SELECT 1 FROM {_table_kept} WHERE {_same})
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    }

POSTGRES_FUNCTIONS = (
    f"""
    CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    f"""
    CREATE OR REPLACE FUNCTION audit_sealed_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM audit_leaf WHERE event_id = OLD.event_id) THEN
            RAISE EXCEPTION '{UNSEALED}' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END $$""",
    f"""
    CREATE OR REPLACE FUNCTION audit_archived_only() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        gone bigint := CASE TG_TABLE_NAME WHEN 'audit_event' THEN (to_jsonb(OLD) ->> 'id')::bigint
                                          ELSE (to_jsonb(OLD) ->> 'event_id')::bigint END;
    BEGIN
        IF NOT EXISTS ({_LEFT.format(event="gone")})
           OR EXISTS (SELECT 1 FROM audit_event e WHERE e.id = gone AND e.recorded_at > now() - interval '90 days') THEN
            RAISE EXCEPTION '{UNARCHIVED}' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END $$""",
    f"""
    CREATE OR REPLACE FUNCTION audit_old_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM audit_leaf l JOIN audit_event e ON e.id = l.event_id
                       WHERE l.number = NEW.leaf AND l.event_id = NEW.event AND l.hash = NEW.hash
                       AND e.recorded_at <= now() - interval '90 days') THEN
            RAISE EXCEPTION '{UNARCHIVED}' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$""",
)

POSTGRES = {
    "audit_event_append_only": """
        CREATE TRIGGER audit_event_append_only BEFORE UPDATE ON audit_event
        FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
    "audit_event_archived_only": """
        CREATE TRIGGER audit_event_archived_only BEFORE DELETE ON audit_event
        FOR EACH ROW EXECUTE FUNCTION audit_archived_only()""",
    "audit_event_no_truncate": """
        CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    "audit_eventtext_erase_only": """
        CREATE TRIGGER audit_eventtext_erase_only BEFORE UPDATE ON audit_eventtext FOR EACH ROW
        WHEN (OLD.erased_at IS NOT NULL OR NEW.erased_at IS NULL OR NEW.event_id <> OLD.event_id
              OR NEW.fields <> '{}'::jsonb OR NEW.salts <> '{}'::jsonb OR NEW.search <> '')
        EXECUTE FUNCTION audit_refuse()""",
    "audit_eventtext_no_delete": """
        CREATE TRIGGER audit_eventtext_no_delete BEFORE DELETE ON audit_eventtext
        FOR EACH ROW EXECUTE FUNCTION audit_archived_only()""",
    "audit_archived_old_only": """
        CREATE TRIGGER audit_archived_old_only BEFORE INSERT ON audit_archived
        FOR EACH ROW EXECUTE FUNCTION audit_old_only()""",
    "audit_eventtext_no_truncate": """
        CREATE TRIGGER audit_eventtext_no_truncate BEFORE TRUNCATE ON audit_eventtext
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    "audit_pending_no_update": """
        CREATE TRIGGER audit_pending_no_update BEFORE UPDATE ON audit_pending
        FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
    "audit_pending_sealed_only": """
        CREATE TRIGGER audit_pending_sealed_only BEFORE DELETE ON audit_pending
        FOR EACH ROW EXECUTE FUNCTION audit_sealed_only()""",
    "audit_pending_no_truncate": """
        CREATE TRIGGER audit_pending_no_truncate BEFORE TRUNCATE ON audit_pending
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
}
for _table_kept in _KEPT:
    POSTGRES |= {
        f"{_table_kept}_append_only": f"""
        CREATE TRIGGER {_table_kept}_append_only BEFORE UPDATE OR DELETE ON {_table_kept}
        FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        f"{_table_kept}_no_truncate": f"""
        CREATE TRIGGER {_table_kept}_no_truncate BEFORE TRUNCATE ON {_table_kept}
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    }


def _triggers(connection: BaseDatabaseWrapper) -> dict[str, str]:
    return POSTGRES if connection.vendor == "postgresql" else SQLITE


def _table(name: str) -> str:
    return max((table for table in TABLES if name.startswith(table)), key=len)


def install(connection: BaseDatabaseWrapper) -> None:
    """Put every trigger in place, newly made; safe to run again."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for function in POSTGRES_FUNCTIONS:
                cursor.execute(function)
        for name, statement in _triggers(connection).items():
            _drop(connection, cursor, name)
            cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take every trigger away; only a test's teardown and a migration of these tables have a reason to."""
    with connection.cursor() as cursor:
        for name in _triggers(connection):
            _drop(connection, cursor, name)


def _drop(connection: BaseDatabaseWrapper, cursor: Any, name: str) -> None:
    if connection.vendor == "postgresql":
        cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {_table(name)}")
    else:
        cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def missing(connection: BaseDatabaseWrapper) -> set[str]:
    """Return the names of the triggers that should be there and are not."""
    if connection.vendor == "postgresql":
        query = "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        return set(_triggers(connection)) - {row[0] for row in cursor.fetchall()}


@contextmanager
def lifted(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Lift the triggers for a moment, as a test's teardown must to empty the tables."""
    remove(connection)
    try:
        yield
    finally:
        install(connection)


def check_triggers(*, databases: list[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Tell when a trigger is missing (system check, run by `migrate` and `check --database default`)."""
    errors: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        try:
            # Before the migrations that make them all have run, there is nothing to guard.
            if not set(TABLES) <= set(connection.introspection.table_names()):
                continue
            gone = missing(connection)
        except DatabaseError:
            continue
        if gone:
            names = ", ".join(sorted(gone))
            errors.append(
                Error(
                    f"Triggers that keep the history append-only are missing: {names}.",
                    hint="Run migrate.",
                    id="audit.E001",
                )
            )
    return errors
