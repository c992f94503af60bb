"""No change without its event: every domain table is covered, and PostgreSQL refuses to commit one without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.db import IntegrityError, OperationalError, connection, transaction
from django_otp.oath import totp

from approvals.models import Request
from audit.covering import missing, unrecorded
from audit.kinds import Kind, Outcome, Realm
from audit.models import Event
from audit.recording import Ids, write
from pim_portal.apps import cover_the_tables, let_migrations_change
from pim_portal.covered import COVERED, EXEMPT, check_cover
from roles import ids
from roles.models import Assignment, Role, TotpDevice, User
from roles.services.built_in import install_built_in
from tests.people import EXCHANGE_ADMINISTRATOR, NOW, make_eligible, person, request_activation, role

APPS = ("audit", "roles", "approvals", "reviews", "pim_portal")
postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="deferred triggers are PostgreSQL's")


def tell(outcome: Outcome = Outcome.DONE) -> Event:
    return write(
        Kind.PERSON_CHANGED, at=NOW, realm=Realm.DIRECTORY, actor_id=None, ids=Ids(), outcome=outcome, details={}
    )


@contextmanager
def refused(table: str) -> Iterator[None]:
    with pytest.raises(IntegrityError, match=f"A change of {table} without an event"):
        yield


def test_every_model_is_covered_or_exempt_with_a_reason():
    ours = {model for app in APPS for model in apps.get_app_config(app).get_models(include_auto_created=True)}
    covered = {one.model for one in COVERED}
    assert covered.isdisjoint(EXEMPT)
    assert covered | EXEMPT.keys() == ours
    assert all(EXEMPT.values())


def test_what_is_left_out_of_a_table_are_columns_of_it():
    for one in COVERED:
        assert {field.name for field in one.model._meta.local_concrete_fields}.issuperset(one.but), one


def test_the_password_is_never_left_out():
    covered = next(one for one in COVERED if one.model is User)
    assert covered.but == ("last_login", "theme")


@postgres
@pytest.mark.django_db
def test_the_check_names_a_table_that_lost_its_trigger():
    assert check_cover(databases=["default"]) == []
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER is_told ON roles_assignment")
    assert missing(connection, COVERED) == {"roles_assignment"}
    assert [(error.id, "roles_assignment" in error.msg) for error in check_cover(databases=["default"])] == [
        ("pim_portal.E010", True)
    ]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE approvals_request DISABLE TRIGGER change_is_told")
    assert missing(connection, COVERED) == {"roles_assignment", "approvals_request"}


def test_a_database_that_does_not_answer_is_not_said_to_be_well(monkeypatch):
    def refuse(*args):
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection.introspection, "table_names", refuse)
    assert [(one.id, "connection refused" in one.msg) for one in check_cover(databases=["default"])] == [
        ("pim_portal.W010", True)
    ]


@postgres
@pytest.mark.django_db(transaction=True)
def test_a_change_without_an_event_is_not_committed():
    ines = person("ines")
    with refused("roles_principal"):
        type(ines).objects.filter(pk=ines.pk).update(enabled=False)
    ines.refresh_from_db()
    assert ines.enabled
    with refused("roles_user"):
        User.objects.filter(pk=ines.pk).update(password="!")


@postgres
@pytest.mark.django_db(transaction=True)
def test_neither_a_row_nor_its_end_is_committed_without_an_event():
    held = make_eligible(person("ines"), role(EXCHANGE_ADMINISTRATOR))
    with refused("roles_assignment"):
        Assignment.objects.filter(pk=held.pk).delete()
    held.pk, held.resource_id = None, ids.DIRECTORY
    copied = Assignment(**{f.name: getattr(held, f.name) for f in Assignment._meta.fields if f.name != "id"})
    copied.type = "active"
    with refused("roles_assignment"):
        copied.save(force_insert=True)
    with connection.cursor() as cursor, refused("roles_assignment"):
        cursor.execute("TRUNCATE roles_assignment CASCADE")


@postgres
@pytest.mark.django_db(transaction=True)
def test_an_event_in_the_same_transaction_lets_a_change_pass_before_or_after_it():
    ines = person("ines")
    with transaction.atomic():
        User.objects.filter(pk=ines.pk).update(enabled=False)
        tell()
    with transaction.atomic():
        with transaction.atomic():
            tell()
        with transaction.atomic():
            User.objects.filter(pk=ines.pk).update(enabled=True)


@postgres
@pytest.mark.django_db(transaction=True)
def test_an_event_that_was_rolled_back_tells_of_nothing():
    ines = person("ines")
    with refused("roles_principal"), transaction.atomic():
        point = transaction.savepoint()
        tell()
        transaction.savepoint_rollback(point)
        User.objects.filter(pk=ines.pk).update(enabled=False)


@postgres
@pytest.mark.django_db(transaction=True)
def test_an_event_of_before_or_a_refused_attempt_tells_of_nothing():
    ines = person("ines")
    with transaction.atomic():
        before = tell()
    with refused("roles_principal"), transaction.atomic():
        tell(Outcome.REFUSED)
        User.objects.filter(pk=ines.pk).update(enabled=False)
    for claimed in (before.pk, before.pk + 1, Event.objects.earliest("id").pk):
        with refused("roles_principal"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('pim.event', %s, true)", [str(claimed)])
            User.objects.filter(pk=ines.pk).update(enabled=False)


@postgres
@pytest.mark.django_db(transaction=True)
def test_what_needs_no_event_passes_without_one():
    ines = person("ines")
    User.objects.filter(pk=ines.pk).update(last_login=NOW)
    User.objects.filter(pk=ines.pk).update(enabled=True)  # it is already
    with unrecorded(connection):
        Role.objects.filter(pk=ids.SECURITY_READER).update(description="As an older version called it.")
    assert install_built_in() > 100


@postgres
@pytest.mark.django_db
def test_migrations_find_no_trigger_in_their_way_and_leave_every_one_behind():
    let_migrations_change(using="default", plan=[])
    assert missing(connection, COVERED) == set()
    let_migrations_change(using="default", plan=["a migration"])
    assert missing(connection, COVERED) == {one.table for one in COVERED}
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE roles_role ALTER COLUMN category TYPE varchar(90)")
    cover_the_tables(using="default")
    assert missing(connection, COVERED) == set()


@postgres
@pytest.mark.django_db(transaction=True)
def test_the_owner_of_the_tables_can_mend_rows_and_nobody_else():
    ines = person("ines")
    with unrecorded(connection):
        User.objects.filter(pk=ines.pk).update(enabled=False)
    with refused("roles_principal"):
        User.objects.filter(pk=ines.pk).update(enabled=True)  # for that transaction only


@postgres
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_every_covered_table_refuses_what_no_event_tells_of():
    """Each table's own triggers are there and fire: a row of each kind that a small portal has."""
    ines = person("ines")
    request_activation(ines, make_eligible(ines, role(EXCHANGE_ADMINISTRATOR)))
    assert Request.objects.exists()
    for one in COVERED:
        row = one.model._default_manager.first()
        if row is None:
            continue
        with refused(one.table), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS is_told IMMEDIATE")  # before what refers to the row is looked at
            cursor.execute(f"DELETE FROM {one.table} WHERE ctid = (SELECT min(ctid) FROM {one.table})")  # noqa: S608


@postgres
@pytest.mark.django_db(transaction=True)
def test_a_wrong_code_is_counted_and_a_right_one_spent_without_an_event_of_the_device():
    device = TotpDevice.objects.get(user=person("ines"))
    assert not device.verify_token("000000x")
    assert device.verify_token(f"{totp(bytes.fromhex(device.key)):06d}") or device.throttling_failure_count
    with refused("roles_totpdevice"):
        device.save()  # stores its key anew
