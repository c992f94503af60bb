"""No change without its event: on PostgreSQL the database refuses to commit one (DESIGN.md §5.8).

Each covered table has a deferred trigger that looks, when the transaction commits, for an event that this very
transaction has written. Which one, the history's own trigger says in the setting `pim.event`; that the event is there,
and ours, is read from its row, so that the setting alone opens nothing. A refused attempt tells of no change.

Whoever owns the tables and has to mend them by hand says `pim.unrecorded = on`; from anybody else it counts for
nothing. While migrations run there are no such triggers. SQLite has no deferred ones: there the tests alone hold it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

CHECK: Final = "audit_is_told"


@dataclass(frozen=True, slots=True)
class Covered:
    """A table whose rows change only together with an event.

    `but` names columns whose change alone needs none. `inserts` is off where rows are prepared before the event that
    tells of them. `unless` is a condition over OLD and NEW under which a change of a row needs none.
    """

    model: type[models.Model]
    but: tuple[str, ...] = ()
    inserts: bool = True
    unless: str = ""

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def triggers(self) -> dict[str, str]:
        """The statements that make this table's triggers, by the names of these."""
        deferred = f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW {{when}} EXECUTE FUNCTION {CHECK}()"
        rows = "INSERT OR DELETE" if self.inserts else "DELETE"
        made = f"CREATE CONSTRAINT TRIGGER is_told AFTER {rows} ON {self.table} {deferred.format(when='')}"
        changed = f"CREATE CONSTRAINT TRIGGER change_is_told AFTER UPDATE ON {self.table}"
        changed = f"{changed} {deferred.format(when=f'WHEN ({self._changes})')}"
        emptied = f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {self.table} FOR EACH STATEMENT"
        emptied = f"{emptied} EXECUTE FUNCTION {CHECK}()"
        return {"is_told": made, "change_is_told": changed, "never_emptied": emptied}

    def absent_from(self, columns: Set[tuple[str, str]]) -> list[str]:
        """Return the fields that have no column among these, each with its table."""
        return [one.name for one in self.model._meta.local_concrete_fields if (self.table, one.column) not in columns]

    @property
    def _changes(self) -> str:
        columns = [field.column for field in self.model._meta.local_concrete_fields if field.name not in self.but]
        old, new = (", ".join(f"{side}.{column}" for column in columns) for side in ("OLD", "NEW"))
        differs = f"ROW({old}) IS DISTINCT FROM ROW({new})"
        return f"{differs} AND NOT ({self.unless})" if self.unless else differs


# An event stands in the row with the number that `pim.event` tells. It is ours if the transaction that wrote it (ours,
# or one of our savepoints, whose numbers follow on ours) is still going on: nobody else's row would be seen by then.
_FUNCTIONS: Final = (
    """
    CREATE OR REPLACE FUNCTION audit_tells() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.outcome <> 'refused' THEN
            PERFORM set_config('pim.event', NEW.id::text, true);
        END IF;
        RETURN NULL;
    END $$""",
    """
    CREATE OR REPLACE FUNCTION {check}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        told text := current_setting('pim.event', true);
        written bigint;
        ours bigint;
    BEGIN
        IF TG_OP <> 'TRUNCATE' AND told <> '' THEN
            SELECT xmin::text::bigint INTO written FROM {schema}.audit_event WHERE id = told::bigint;
            IF FOUND THEN
                ours := pg_current_xact_id()::text::bigint;
                written := (written - (ours & 4294967295) + 4294967296) % 4294967296;
                IF written < 2147483648 AND pg_xact_status((ours + written)::text::xid8) = 'in progress' THEN
                    RETURN NULL;
                END IF;
            END IF;
        END IF;
        IF current_setting('pim.unrecorded', true) = 'on' AND pg_has_role(
            current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE'
        ) THEN
            RETURN NULL;
        END IF;
        RAISE EXCEPTION 'A change of % without an event in the audit history.', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END $$""",
)
_TELLS: Final = """
    CREATE TRIGGER audit_event_tells AFTER INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION audit_tells()"""


def install(connection: BaseDatabaseWrapper, covered: Sequence[Covered]) -> None:
    """Put the triggers of these tables in place, where they are not yet as this version wants them."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        covered = _as_far_as_migrated(cursor, covered)
        cursor.execute("SELECT quote_ident(current_schema())")
        functions = [text.format(check=CHECK, schema=cursor.fetchone()[0]) for text in _FUNCTIONS[1:]]
        wanted = [_FUNCTIONS[0], *functions, _TELLS, *(text for one in covered for text in one.triggers.values())]
        digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()
        if _installed(cursor) == digest and not missing(connection, covered):
            return
        with transaction.atomic(using=connection.alias):
            for text in (_FUNCTIONS[0], *functions):
                cursor.execute(text)
            cursor.execute("DROP TRIGGER IF EXISTS audit_event_tells ON audit_event")
            cursor.execute(_TELLS)
            for one in covered:
                for name, text in one.triggers.items():
                    cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {one.table}")
                    cursor.execute(text)
            cursor.execute(f"COMMENT ON FUNCTION {CHECK}() IS '{digest}'")


def _as_far_as_migrated(cursor: Any, covered: Sequence[Covered]) -> list[Covered]:
    """Return the same tables without the columns that they have only in a later migration."""
    cursor.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
    )
    there = set(cursor.fetchall())
    return [replace(one, but=(*one.but, *one.absent_from(there))) for one in covered]


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers of all tables away, for migrations: a column that one of them names cannot be altered."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('DROP TRIGGER %%I ON %%s', t.tgname, t.tgrelid::regclass) FROM pg_trigger t"
            " WHERE t.tgfoid = to_regproc(%s)",
            [CHECK],
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)


def _installed(cursor: Any) -> str:
    cursor.execute("SELECT obj_description(to_regproc(%s), 'pg_proc')", [CHECK])
    return str(cursor.fetchone()[0] or "")


def missing(connection: BaseDatabaseWrapper, covered: Sequence[Covered]) -> set[str]:
    """Return the tables that should be covered and are not, wholly."""
    if connection.vendor != "postgresql":
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE t.tgenabled IN ('O', 'A') AND pg_table_is_visible(c.oid)"
        )
        there = set(cursor.fetchall())
    wanted = {(one.table, name) for one in covered for name in one.triggers} | {("audit_event", "audit_event_tells")}
    return {table for table, _name in wanted - there}


@contextmanager
def unrecorded(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Change covered tables in one transaction without an event; only who owns the tables can.

    For what is part of the product, not a change that somebody makes.
    """
    with transaction.atomic(using=connection.alias):
        let(connection, on=True, for_this_transaction=True)
        yield


def let(connection: BaseDatabaseWrapper, *, on: bool, for_this_transaction: bool = False) -> None:
    """Let the owner of the tables change them without an event, from here on or no longer."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            value = "on" if on else "off"
            cursor.execute("SELECT set_config('pim.unrecorded', %s, %s)", [value, for_this_transaction])
