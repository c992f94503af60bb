"""The PostgreSQL roles of docs/deploy/roles.sql, made for real: what web process and worker can and cannot do."""

# ruff: noqa: S608 - the statements are constants
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit.models import Archived, Event, EventText, Leaf, Pending
from audit.triggers import TABLES
from pim_portal.activity.services import erase_texts_of
from pim_portal.keeping.services import may_delete
from pim_portal.models import Notification
from roles import ids
from roles.models import Principal
from tests.archived import DAY, archive, happened, keep
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    NOW,
    OPERATOR,
    at,
    give,
    make_eligible,
    person,
    request_activation,
    role,
)
from tests.sealed import NOWHERE, found, happen, key_in, seal_all

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite knows no roles"),
]
COLUMNS = {"audit_event": "kind", "audit_batch": "size", "audit_archive": "name", "audit_archived": "hash"}
FILE = Path(settings.BASE_DIR) / "docs" / "deploy" / "roles.sql"


@pytest.fixture
def roles_made(db: None) -> Iterator[None]:
    """Run what docs/running.md says to run; the roles go with the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("CREATE ROLE pim_web; CREATE ROLE pim_worker; CREATE ROLE pim_archivist")
        run_the_file()
        cursor.execute("GRANT pim_web, pim_worker, pim_archivist TO CURRENT_USER")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def run_the_file() -> None:
    """As psql does, which names the database by itself."""
    database = connection.ops.quote_name(str(connection.settings_dict["NAME"]))
    with connection.cursor() as cursor:
        cursor.execute(FILE.read_text().replace(':"DBNAME"', database))


@contextmanager
def as_role(name: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {name}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def refuses(statement: str, why: str = "permission denied|must be owner") -> None:
    with pytest.raises(DatabaseError, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_web_process_does_what_the_portal_does(roles_made):
    with as_role("pim_web"):
        ines = person("ines")
        request_activation(ines, make_eligible(ines, role(EXCHANGE_ADMINISTRATOR)))
        assert Pending.objects.exists()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as at the end of its transactions


@pytest.mark.parametrize("name", ["pim_web", "pim_worker"])
def test_nobody_who_serves_changes_the_history(roles_made, tmp_path, name):
    happen(2)
    seal_all(key_in(tmp_path))
    happen(1)
    with as_role(name):
        for table in TABLES:
            refuses(f"UPDATE {table} SET {COLUMNS.get(table, 'event_id')} = NULL")
            refuses(f"TRUNCATE {table} CASCADE")
            refuses(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            refuses(f"DROP TABLE {table} CASCADE")
            if (table, name) != ("audit_pending", "pim_worker"):
                refuses(f"DELETE FROM {table}")
        refuses("DROP TRIGGER audit_event_append_only ON audit_event")
        refuses("DROP TRIGGER is_told ON roles_assignment")
        refuses("CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
        refuses("SET session_replication_role = replica")
        refuses("UPDATE audit_eventtext SET event_id = event_id")
        refuses("INSERT INTO django_migrations (app, name, applied) VALUES ('x', 'x', now())")
        refuses("CREATE TEMPORARY TABLE audit_event (id bigint)")
        refuses("CREATE TABLE mine (id bigint)")


def test_what_a_migration_brings_is_closed_by_running_the_file_again(roles_made):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE brought (id bigint)")
        cursor.execute("GRANT INSERT, UPDATE, DELETE ON audit_archive, audit_event TO pim_web")  # as a new table gives
    run_the_file()
    with as_role("pim_web"):
        refuses("INSERT INTO audit_archive (name) VALUES ('x')")
        refuses("DELETE FROM audit_event")
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO brought VALUES (1)")


def test_only_the_worker_seals(roles_made, tmp_path):
    key = key_in(tmp_path)
    happen(3)
    with as_role("pim_web"):
        refuses("INSERT INTO audit_leaf (number, event_id, hash, batch_id) VALUES (1, 1, 'x', 1)")
        refuses("DELETE FROM audit_pending")
    with as_role("pim_worker"):
        seal_all(key)
    assert Leaf.objects.count() > 0
    assert not Pending.objects.exists()
    assert found(key) == ""


def test_the_worker_takes_no_event_off_the_waiting_ones_unsealed(roles_made):
    happen(1)
    with as_role("pim_worker"):
        refuses("DELETE FROM audit_pending", "only by being sealed")


def test_the_web_process_can_empty_personal_text_and_not_rewrite_it(roles_made):
    ines = person("ines")
    with as_role("pim_web"):
        refuses("UPDATE audit_eventtext SET search = 'x'", "append-only")
        assert erase_texts_of(ines.pk, reason="asked to", actor=OPERATOR, clock=at(NOW), archives=NOWHERE) > 0
    assert EventText.objects.filter(erased_at=NOW).exists()


def test_the_web_process_cannot_say_that_a_change_needs_no_event(roles_made):
    ines = person("ines")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        with as_role("pim_web"):
            # An event of this very transaction stands; the web process only claims another one.
            cursor.execute("SELECT set_config('pim.event', '', true), set_config('pim.unrecorded', 'on', true)")
            Principal.objects.filter(pk=ines.pk).update(enabled=False)
            refuses("SET CONSTRAINTS change_is_told IMMEDIATE", "without an event")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # the owner of the tables may


def test_only_the_archivist_moves_events_out_and_nothing_that_is_not_archived(roles_made, tmp_path):
    key, folder = key_in(tmp_path), tmp_path / "archives"
    give(person("nina"), role(ids.GLOBAL_READER))
    happened(3)
    young = happened(1, ago=10 * DAY)
    seal_all(key, now=timezone.now())
    keep(90)
    for name in ("pim_web", "pim_worker"):
        with as_role(name):
            assert not may_delete()
            refuses("INSERT INTO audit_archived (leaf) VALUES (1)")
            refuses("INSERT INTO audit_archive (number) VALUES (1)")
    with as_role("pim_archivist"):
        assert may_delete()
        refuses("DELETE FROM audit_event", "only 90 days after")
        refuses("UPDATE audit_event SET kind = kind")
        refuses("UPDATE audit_archived SET hash = ''")
        refuses("INSERT INTO audit_leaf (number, event_id, hash, batch_id) VALUES (9, 9, 'x', 1)")
        refuses("UPDATE roles_principal SET enabled = true")
        refuses("ALTER TABLE audit_event DISABLE TRIGGER ALL")
        (made,) = archive(folder, tmp_path / "key.pem")
        refuses("DELETE FROM audit_eventtext", "only 90 days after")
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as at the end of its transactions
    assert made.leaves == 3
    assert Notification.objects.filter(mail="history_archived").exists()
    assert Event.objects.filter(pk=young[0].pk).exists()
    assert not Event.objects.filter(uuid__in=Archived.objects.values("uuid")).exists()
