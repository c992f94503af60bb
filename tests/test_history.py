"""The history: append-only on both databases, written with every change or the change does not happen."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from string import Formatter
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from approvals.models import Decision, Request
from approvals.selectors.showing import shown_digest
from approvals.services.closing import cancel, lapse_overdue
from approvals.services.decisions import approve, deny
from audit import triggers
from audit.appending import append
from audit.apps import lift_triggers
from audit.canonical import canonical, commitment
from audit.kinds import Kind, Outcome, Realm
from audit.models import Event, EventText, Pending
from audit.recording import Ids, write
from audit.sentences import ENDINGS, NAMELESS, sentence, why
from audit.wordings import VARIANTS, WORDINGS
from roles import ids
from roles.models import Assignment, AssignmentType, Principal, Purpose, Resource, ResourceKind, RoleSettings
from roles.refusals import Refused
from roles.services.assignments import deactivate, remove
from roles.services.ends import write_down_ends
from roles.services.groups import add_group
from roles.services.principals import add_person, disable_person, enable_person
from roles.services.resources import add_resource
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    NOW,
    OPERATOR,
    acting,
    at,
    configure,
    directory,
    give,
    make_eligible,
    person,
    request_activation,
    role,
)

POSTGRES = connection.vendor == "postgresql"


def event(**fields: Any) -> Event:
    with transaction.atomic():
        return write(
            Kind.ASSIGNMENT_ADDED,
            at=NOW,
            realm=Realm.DIRECTORY,
            actor_id=None,
            ids=Ids(),
            text=fields.pop("text", {"actor": "Ines Okafor", "reason": "Ticket 7"}),
            **fields,
        )


def run(statement: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def refused(statement: str, *values: object) -> None:
    """Check that the database itself refuses, whoever asks."""
    with pytest.raises(DatabaseError, match="append-only"):
        run(statement, *values)


# Append-only


@pytest.mark.django_db
def test_an_event_cannot_be_changed_or_deleted():
    one = event()
    refused("UPDATE audit_event SET outcome = 'failed' WHERE id = %s", one.pk)
    refused("UPDATE audit_event SET id = id + 1000")
    refused("DELETE FROM audit_event WHERE id = %s", one.pk)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event.objects.filter(pk=one.pk).update(kind=Kind.SIGNED_IN)
    assert Event.objects.get(pk=one.pk).kind == Kind.ASSIGNMENT_ADDED


@pytest.mark.django_db
@pytest.mark.skipif(not POSTGRES, reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize("tables", ["audit_event CASCADE", "audit_eventtext", "audit_event, audit_eventtext CASCADE"])
def test_the_history_cannot_be_truncated(tables):
    event()
    connection.check_constraints()  # what is deferred would refuse for a reason of its own
    refused(f"TRUNCATE {tables}")
    assert Event.objects.exists()


@pytest.mark.django_db
@pytest.mark.skipif(POSTGRES, reason="PostgreSQL has no INSERT OR REPLACE")
@pytest.mark.parametrize("recursive", ["ON", "OFF"])
@pytest.mark.parametrize("table", ["audit_event", "audit_eventtext"])
def test_a_row_cannot_be_replaced(table, recursive):
    event()
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA recursive_triggers={recursive}")
    try:
        refused(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")  # noqa: S608
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA recursive_triggers=ON")


@pytest.mark.django_db
def test_a_row_cannot_be_written_over_by_a_conflict():
    one = event()
    statement = (
        "INSERT INTO audit_eventtext (event_id, fields, salts, search) VALUES (%s, '{}', '{}', 'x') "
        "ON CONFLICT (event_id) DO UPDATE SET search = excluded.search"
    )
    refused(statement, one.pk)


def erase(one: Event, **changes: Any) -> int:
    values = {"fields": {}, "salts": {}, "search": "", "erased_at": NOW} | changes
    with transaction.atomic():
        return EventText.objects.filter(pk=one.pk).update(**values)


@pytest.mark.django_db
def test_text_can_be_erased_once():
    one = event()
    assert erase(one) == 1
    with pytest.raises(DatabaseError, match="append-only"):
        erase(one, erased_at=NOW + DAY)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"fields": {"reason": "Another"}},
        {"salts": {"reason": "00"}},
        {"search": "another"},
        {"erased_at": None},
        {"event": 999_999_999},
    ],
    ids=lambda change: next(iter(change)),
)
def test_text_cannot_be_rewritten(change):
    one = event()
    with pytest.raises(DatabaseError, match="append-only"):
        erase(one, **change)
    assert EventText.objects.get(pk=one.pk).fields["reason"] == "Ticket 7"


@pytest.mark.django_db
def test_text_cannot_be_deleted():
    one = event()
    refused("DELETE FROM audit_eventtext WHERE event_id = %s", one.pk)


@pytest.mark.django_db
def test_an_erased_event_still_verifies_and_says_that_it_was_erased():
    one = event()
    before = canonical(one)
    erase(one)
    fresh = Event.objects.get(pk=one.pk)
    assert canonical(fresh) == before
    assert sentence(fresh).startswith("(erased) assigned")
    assert why(fresh) == "(erased)"


# The triggers themselves


@pytest.mark.django_db(transaction=True)
def test_a_second_migrate_leaves_the_triggers_in_place():
    call_command("migrate", verbosity=0)
    assert triggers.missing(connection) == set()
    one = event()
    refused("DELETE FROM audit_event WHERE id = %s", one.pk)


def rebuild(max_length: int) -> None:
    """Alter a column as a migration would; SQLite makes the whole table anew for that."""
    lift_triggers(using="default")
    old = Event._meta.get_field("outcome")
    new = models.CharField(max_length=max_length)
    new.set_attributes_from_name("outcome")
    new.model = Event
    with connection.schema_editor() as editor:
        editor.alter_field(Event, old, new, strict=True)


@pytest.mark.django_db(transaction=True)
def test_the_triggers_are_back_after_a_migration_that_rebuilds_the_table():
    rebuild(11)
    try:
        assert POSTGRES or "audit_event_no_update" in triggers.missing(connection)
        call_command("migrate", verbosity=0)
        assert triggers.missing(connection) == set()
        refused("UPDATE audit_event SET outcome = 'failed' WHERE id = %s", event().pk)
    finally:
        rebuild(10)
        call_command("migrate", verbosity=0)


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(triggers.POSTGRES if POSTGRES else triggers.SQLITE))
def test_a_missing_trigger_is_told_by_the_system_check(name):
    assert run_checks(tags=["database"], databases=["default"]) == []
    with connection.cursor() as cursor:
        triggers._drop(connection, cursor, name)
    [error] = run_checks(tags=["database"], databases=["default"])
    assert error.id == "audit.E001"
    assert name in error.msg


@pytest.mark.django_db
@pytest.mark.skipif(not POSTGRES, reason="SQLite cannot disable a trigger")
def test_a_disabled_trigger_counts_as_missing():
    run("ALTER TABLE audit_event DISABLE TRIGGER audit_event_append_only")
    assert triggers.missing(connection) == {"audit_event_append_only"}


# What is recorded


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused():
    with pytest.raises(transaction.TransactionManagementError):
        write(Kind.SIGNED_IN, at=NOW, realm=Realm.DIRECTORY, actor_id=None, ids=Ids())
    assert not Event.objects.exists()


HEX = "[0-9a-f]{64}"
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ROW = r'"id":\d+'
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00"

GOLDEN = (
    '{"actor_id":"00000000-0000-4000-8000-000000000001","assignment_id":null,"authority_id":null,'
    '"commitments":{"reason":"ab"},"details":{"z":"ü","ä":[1,true,null]},"format_version":1,"id":7,"kind":"assignment.added",'
    '"occurred_at":"2026-11-23T12:00:00.000000+00:00","outcome":"done","realm":"directory",'
    '"recorded_at":"2026-11-23T12:00:00.000001+00:00","request_id":null,"resource_id":null,"role_id":null,'
    '"target_id":null,"uuid":"00000000-0000-4000-8000-000000000002"}'
)


def test_the_canonical_form_is_what_it_always_was():
    one = Event(
        id=7,
        uuid=uuid.UUID("00000000-0000-4000-8000-000000000002"),
        occurred_at=NOW,
        recorded_at=NOW.replace(microsecond=1),
        kind=Kind.ASSIGNMENT_ADDED,
        outcome=Outcome.DONE,
        realm=Realm.DIRECTORY,
        actor_id=uuid.UUID("00000000-0000-4000-8000-000000000001"),
        details={"z": "ü", "ä": [1, True, None]},
        commitments={"reason": "ab"},
    )
    assert canonical(one) == GOLDEN.encode()


def test_a_moment_in_another_zone_has_the_same_canonical_form():
    moment = datetime(2026, 11, 23, 12, tzinfo=UTC)
    common: dict[str, Any] = {"uuid": uuid.UUID(int=1), "recorded_at": moment, "kind": "x", "outcome": "done"}
    utc = Event(occurred_at=moment, **common)
    elsewhere = Event(occurred_at=moment.astimezone(timezone.get_fixed_timezone(330)), **common)
    assert canonical(utc) == canonical(elsewhere)


def test_a_commitment_is_what_it_always_was():
    # SHA-256 of the byte 00 and "a".
    assert commitment("a", salt="00") == "022a6979e6dab7aa5ae4c3e5e45f7e977112a7e63593820dbec1ec738a24f93c"


@pytest.fixture
def busy_day(petra, ines, adam, with_approval):
    """Somebody was assigned, asked, was approved and deactivated; something was refused."""
    asked = request_activation(ines, with_approval, reason="Mailbox of Zoë Ångström", ticket="INC-4711")
    approve(
        asked.pk,
        actor=acting(adam, Purpose.DECIDE, asked.pk),
        justification="Zoë confirmed by phone",
        seen=shown_digest(asked),
        clock=at(NOW),
    )
    asked.refresh_from_db()
    deactivate(asked.outcome_id, actor=acting(ines, Purpose.ACTIVATE), reason="Done with Ångström", clock=at(NOW))
    with pytest.raises(Refused):
        deactivate(asked.outcome_id, actor=acting(adam, Purpose.ACTIVATE), clock=at(NOW))
    return list(Event.objects.select_related("text").order_by("id"))


def test_every_event_reads_back_from_the_database_in_its_canonical_form(busy_day, monkeypatch):
    made: list[bytes] = []

    def remember(event: Event, text: EventText) -> None:
        append(event, text)
        made.append(canonical(event))

    monkeypatch.setattr("audit.recording.append", remember)
    first = Event.objects.order_by("-id").first()
    configure(role(EXCHANGE_ADMINISTRATOR), max_activation=HOUR)
    give(person("late"), role(ids.SECURITY_READER), ends_at=NOW + DAY)
    assert first is not None
    assert [canonical(one) for one in Event.objects.filter(pk__gt=first.pk).order_by("id")] == made
    assert len(made) == 3


@pytest.mark.django_db
def test_an_event_its_text_and_its_place_in_the_queue_take_one_statement_where_they_can(django_assert_num_queries):
    who = person("ines")
    with django_assert_num_queries(1 if connection.vendor == "postgresql" else 3):
        event = write(
            Kind.GROUP_CHANGED,
            at=NOW,
            realm=Realm.GROUP,
            actor_id=who.pk,
            ids=Ids(target=who.pk),
            text={"actor": "Ines", "reason": "Straße"},
        )
    stored = EventText.objects.get(pk=event.pk)
    assert (stored.fields, stored.search) == ({"actor": "Ines", "reason": "Straße"}, "ines strasse")
    assert event.text == stored
    assert Pending.objects.filter(event=event).exists()
    assert Event.objects.get(uuid=event.uuid).pk == event.pk
    assert (event._state.adding, event._state.db) == (False, "default")


def test_every_commitment_verifies_against_the_text_beside_it(busy_day):
    for one in busy_day:
        assert one.commitments.keys() == one.text.fields.keys() == one.text.salts.keys()
        for name, text in one.text.fields.items():
            assert commitment(text, salt=one.text.salts[name]) == one.commitments[name]


def test_each_salt_is_its_own(busy_day):
    salts = [salt for one in busy_day for salt in one.text.salts.values()]
    assert len(salts) == len(set(salts))
    assert {len(bytes.fromhex(salt)) for salt in salts} == {16}


def test_an_event_itself_holds_no_personal_text(busy_day):
    personal = ["ines", "adam", "petra", "ångström", "4711", "phone", "127.0.0.1", "@example.org", "for the test"]
    for one in busy_day:
        # What is random, or a time, may spell "4711" by chance: it is known by its form, and taken out.
        assert all(re.fullmatch(HEX, promised) for promised in one.commitments.values())
        row = re.sub(f"{HEX}|{UUID}|{TIME}|{ROW}", "", canonical(one).decode()).casefold()
        assert not [word for word in personal if word in row]


def test_every_text_is_found_by_its_folded_form(busy_day):
    assert EventText.objects.filter(search__contains="ångström").count() == 3


def test_every_event_waits_to_be_sealed(busy_day):
    assert set(Pending.objects.values_list("event", flat=True)) == {one.pk for one in busy_day}


def test_what_was_decided_names_the_authority_it_was_done_by(busy_day, with_approval):
    [started] = [one for one in busy_day if one.kind == Kind.ACTIVATION_STARTED]
    assert started.authority_id == with_approval.pk


# One event for each change, and no change without one

Change = Callable[[Any], Any]


class Scene:
    """People and assignments on which every service can be tried once."""

    def __init__(self) -> None:
        self.petra = person("petra")
        give(self.petra, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        self.ines, self.adam, self.dora = person("ines"), person("adam"), person("dora")
        self.off = disable_person(person("pauli").pk, reason="left", actor=OPERATOR, clock=at(NOW - DAY))
        self.eligibility = make_eligible(self.ines, role(EXCHANGE_ADMINISTRATOR))
        self.open = make_eligible(self.ines, role(ids.SECURITY_READER))
        configure(role(EXCHANGE_ADMINISTRATOR), approvers=[self.adam])
        self.request = request_activation(self.ines, self.eligibility)
        self.active = request_activation(self.dora, make_eligible(self.dora, role(ids.GLOBAL_READER)), hours=2).outcome
        self.disposable = give(self.adam, role(ids.GLOBAL_READER))

    def decide(self, verdict: Callable[..., Request]) -> Request:
        actor = acting(self.adam, Purpose.DECIDE, self.request.pk)
        return verdict(
            self.request.pk, actor=actor, justification="fine", seen=shown_digest(self.request), clock=at(NOW)
        )

    def in_effect(self) -> Assignment:
        assert self.active is not None
        return self.active


CHANGES: dict[str, tuple[Change, list[Kind]]] = {
    "assign": (lambda s: give(s.dora, role(ids.SECURITY_READER)), [Kind.ASSIGNMENT_ADDED]),
    "make eligible": (
        lambda s: give(s.adam, role(ids.SECURITY_READER), type=AssignmentType.ELIGIBLE),
        [Kind.ASSIGNMENT_ADDED],
    ),
    "remove": (
        lambda s: remove(
            s.disposable.pk, actor=acting(s.petra, Purpose.ASSIGN, s.disposable.pk), reason="over", clock=at(NOW)
        ),
        [Kind.ASSIGNMENT_REMOVED],
    ),
    "activate": (lambda s: request_activation(s.ines, s.open), [Kind.REQUEST_MADE, Kind.ACTIVATION_STARTED]),
    "deactivate": (
        lambda s: deactivate(s.active.pk, actor=acting(s.dora, Purpose.ACTIVATE), clock=at(NOW)),
        [Kind.ACTIVATION_DEACTIVATED],
    ),
    "approve": (lambda s: s.decide(approve), [Kind.REQUEST_APPROVED, Kind.ACTIVATION_STARTED]),
    "deny": (lambda s: s.decide(deny), [Kind.REQUEST_DENIED]),
    "cancel": (
        lambda s: cancel(s.request.pk, actor=acting(s.ines, Purpose.ACTIVATE), clock=at(NOW)),
        [Kind.REQUEST_CANCELLED],
    ),
    "lapse": (lambda s: lapse_overdue(clock=at(s.request.lapses_at)), [Kind.REQUEST_LAPSED]),
    "expire": (lambda s: write_down_ends(clock=at(s.active.ends_at)), [Kind.ACTIVATION_EXPIRED]),
    "change settings": (
        lambda s: configure(role(ids.GLOBAL_READER), max_activation=HOUR),
        [Kind.ROLE_SETTINGS_CHANGED],
    ),
    "add a person": (
        lambda s: add_person(username="new", name="New", actor=OPERATOR, clock=at(NOW)),
        [Kind.PERSON_ADDED],
    ),
    "disable": (
        lambda s: disable_person(s.dora.pk, reason="left", actor=OPERATOR, clock=at(NOW)),
        [Kind.PERSON_DISABLED, Kind.ACTIVATION_ENDED],
    ),
    "enable": (lambda s: enable_person(s.off.pk, actor=OPERATOR, clock=at(NOW)), [Kind.PERSON_ENABLED]),
    "add a group": (lambda s: add_group("Blue team", actor=OPERATOR, clock=at(NOW)), [Kind.GROUP_ADDED]),
    "add a resource": (
        lambda s: add_resource(
            ResourceKind.ADMINISTRATIVE_UNIT, name="Lagos", parent=directory(), actor=OPERATOR, clock=at(NOW)
        ),
        [Kind.RESOURCE_ADDED],
    ),
}

every_change = pytest.mark.parametrize(("change", "kinds"), CHANGES.values(), ids=CHANGES.keys())


def everything() -> dict[str, list[Any]]:
    """What the domain holds, to compare before and after."""
    kept: tuple[Any, ...] = (Assignment, Request, Decision, Principal, RoleSettings, Resource)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in kept}


@pytest.mark.django_db
@every_change
def test_a_change_is_recorded_once(change, kinds):
    scene = Scene()
    before = Event.objects.order_by("-id").values_list("pk", flat=True)[0]
    change(scene)
    events = Event.objects.filter(pk__gt=before).order_by("id")
    assert [Kind(one.kind) for one in events] == kinds
    assert {one.outcome for one in events} == {Outcome.DONE}


@pytest.mark.django_db
@every_change
def test_a_change_that_cannot_be_recorded_does_not_happen(change, kinds, monkeypatch):
    scene = Scene()
    before = everything()

    def broken(*events: Any) -> None:
        raise DatabaseError("The disk is full.")

    monkeypatch.setattr("audit.recording.append", broken)
    monkeypatch.setattr(Event.objects, "bulk_create", broken)
    with pytest.raises(DatabaseError, match="disk is full"):
        change(scene)
    assert everything() == before


@pytest.mark.django_db
@every_change
def test_a_change_is_undone_when_only_its_last_event_cannot_be_told(change, kinds, monkeypatch):
    scene = Scene()
    before, events = everything(), Event.objects.count()
    told: list[Event] = []

    def listen(one: Event) -> None:
        told.append(one)
        if len(told) == len(kinds):
            raise DatabaseError("The outbox is gone.")

    monkeypatch.setattr("audit.recording._subscribers", [listen])
    with pytest.raises(DatabaseError, match="outbox is gone"):
        change(scene)
    assert everything() == before
    assert Event.objects.count() == events


@pytest.mark.django_db
def test_a_refused_attempt_is_recorded_with_what_it_was_refused_for(zoe, petra):
    before = Event.objects.count()
    assignment = Assignment.objects.get(principal=petra)
    with pytest.raises(Refused):
        remove(assignment.pk, actor=acting(zoe, Purpose.ASSIGN, assignment.pk), clock=at(NOW))
    last = Event.objects.order_by("-id").first()
    assert last is not None
    assert Event.objects.count() == before + 1
    assert (last.kind, last.outcome, last.actor_id) == (Kind.ASSIGNMENT_REMOVED, Outcome.REFUSED, zoe.pk)
    assert "not_allowed" in last.details["refused"]


# Sentences


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("outcome", Outcome)
def test_every_kind_has_a_sentence_for_every_outcome(kind, outcome):
    names = {"actor": "Ines", "target": "Adam", "role": "Reader", "resource": "Directory"}
    for details in ({}, {"type": "eligible"}):
        for target in (uuid.UUID(int=1), uuid.UUID(int=2), None):
            one = Event(kind=kind, outcome=outcome, actor_id=uuid.UUID(int=1), target_id=target, details=details)
            one.commitments = dict.fromkeys(names, "")
            one.text = EventText(fields=names)
            said = sentence(one)
            assert said.endswith(".")
            assert "{" not in said
            assert outcome == Outcome.DONE or said.endswith(f": {outcome.value}.")
            assert outcome == Outcome.DONE or said.startswith("Ines tried to ")


def test_whatever_a_sentence_names_has_words_where_it_has_no_name():
    wordings = [*WORDINGS.values(), *(wording for variants in VARIANTS.values() for _, wording in variants)]
    for text in [str(text) for wording in wordings for text in wording]:
        assert {name for _, name, _, _ in Formatter().parse(text) if name is not None} <= set(NAMELESS)
    assert set(ENDINGS) == {Outcome.REFUSED, Outcome.FAILED}


def test_the_sentences_read_like_this(busy_day):
    assert [sentence(one) for one in busy_day[-5:]] == [
        "Ines asked for Exchange Administrator at Directory.",
        "Adam approved the request of Ines for Exchange Administrator at Directory.",
        "Exchange Administrator at Directory was activated for Ines, approved by Adam.",
        "Ines deactivated Exchange Administrator at Directory.",
        "Adam tried to deactivate Exchange Administrator at Directory: refused.",
    ]


def test_braces_in_a_name_are_only_a_name():
    one = Event(kind=Kind.GROUP_ADDED, outcome=Outcome.REFUSED)
    one.commitments = {"target": "", "actor": ""}
    one.text = EventText(fields={"target": "{attempt} {0}", "actor": "{role.pk}"})
    assert sentence(one) == "{role.pk} tried to add the group {attempt} {0}: refused."


def test_a_name_that_was_never_known_is_not_called_erased():
    one = Event(kind=Kind.ACTIVATION_STARTED, outcome=Outcome.REFUSED, commitments={"actor": ""})
    one.text = EventText(fields={"actor": "Ines"})
    assert sentence(one) == "Ines tried to activate a role at a resource: refused."


def test_an_activation_planned_for_later_does_not_read_as_begun(ines, eligibility):
    request_activation(ines, eligibility, start=NOW + 2 * HOUR)
    event = Event.objects.get(kind=Kind.ACTIVATION_STARTED)

    assert sentence(event) == "Ines planned to have Exchange Administrator at Directory later."
