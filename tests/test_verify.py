"""Verifying: whatever was changed behind the portal is found, and named; and what was not is not."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, models, transaction

from audit import keys, verifying
from audit.canonical import canonical, canonical_form, commitment
from audit.findings import Erasures
from audit.glance import glance
from audit.hands import hands
from audit.kinds import Kind
from audit.models import Batch, Event, EventText, Leaf
from audit.proofs import canonical_json, leaf_hash, link, merkle_root, statement, tips_in
from audit.reading import rows, sealed_bytes, waiting
from audit.recording import folded
from audit.services.sealing import stated
from pim_portal.activity.services import erase_texts, erase_texts_of
from roles import ids
from roles.actors import Actor
from roles.models import Purpose
from roles.refusals import Refused
from roles.service import record
from tests.people import DAY, HOUR, NOW, OPERATOR, acting, at, configure, give, person, role
from tests.sealed import NOWHERE, behind_the_portal, found, happen, here, key_in, seal_all, tamper, verified

pytestmark = pytest.mark.django_db
POSTGRES = connection.vendor == "postgresql"


@pytest.fixture
def key(tmp_path):
    return key_in(tmp_path)


@pytest.fixture
def history(key):
    """Ten events in batches of four, four and two."""
    made = happen(10)
    seal_all(key)
    return made


def leaf_of(event: Event) -> Leaf:
    return Leaf.objects.get(event=event.pk)


def test_a_history_that_nobody_touched_verifies(key, history):
    progress = verified(key)
    assert progress.finding is None
    assert (progress.batch, progress.leaves, progress.waiting) == (3, 10, 0)


def test_an_empty_history_verifies(key):
    assert found(key) == ""


def test_the_fast_reader_gives_the_very_form_that_is_sealed(key, petra, nina):
    """Whatever the portal records in its ordinary life."""
    configure(role(uuid.UUID("29232cdf-9323-42fd-ade2-1d097af3e4de")), max_activation=HOUR)
    happen(3)
    happen(1, now=datetime(2026, 11, 23, 12, 0, 0, 7, tzinfo=UTC))
    seal_all(key, limit=1000)
    read = {row.leaf: row for row in rows(1, Leaf.objects.count())}
    leaves = Leaf.objects.select_related("event__text").order_by("number")
    assert len(read) == len(leaves) > 4
    for leaf in leaves:
        assert canonical_json(read[leaf.number].event) == canonical_json(canonical_form(leaf.event))
        assert read[leaf.number].texts == leaf.event.text.fields
        assert read[leaf.number].salts == leaf.event.text.salts


# A changed byte in any column


def other(field: models.Field[Any, Any], value: Any) -> Any:
    """Return another value that this column can hold, as near to the old one as can be."""
    match field:
        case models.UUIDField():
            changed = uuid.UUID(int=(value.int ^ 1) if value else 1)
            return changed if POSTGRES else changed.hex
        case models.DateTimeField():
            moved = (value or NOW).replace(microsecond=((value or NOW).microsecond + 1) % 1_000_000)
            return moved if POSTGRES else moved.strftime("%Y-%m-%d %H:%M:%S.%f")
        case models.JSONField():
            return json.dumps((value or {}) | {"added": 1})
        case models.IntegerField() | models.OneToOneField() | models.ForeignKey():
            return int(value) + 5000
        case _:
            return value[:-1] + ("x" if value[-1:] != "x" else "y")


def columns(model: type[models.Model]) -> list[Any]:
    return [pytest.param(field, id=f"{model.__name__}.{field.column}") for field in model._meta.concrete_fields]


def change(field: Any, where: str, pk: Any) -> None:
    table, column = field.model._meta.db_table, field.column
    value = field.model._base_manager.values_list(field.attname, flat=True).get(**{where: pk})
    key = field.model._meta.get_field(where).column
    tamper(f"UPDATE {table} SET {column} = %s WHERE {key} = %s", other(field, value), pk)  # noqa: S608


@pytest.mark.parametrize("field", columns(Event))
def test_a_change_in_any_column_of_an_event_is_found(key, history, field):
    if field.primary_key:
        # Its text stays behind, as a foreign key of the database would have it.
        with without_keys("UPDATE audit_event SET id = id + 5000 WHERE id = %s", history[5].pk):
            assert found(key) == "event_removed"
        return
    change(field, "id", history[5].pk)
    finding = verified(key).finding
    assert finding.code == "event_changed"
    assert (finding.leaf, finding.batch) == (6, 2)
    assert finding.event in finding.sentence


@contextmanager
def without_keys(statement: str, *values: Any) -> Iterator[None]:
    """Change rows although another row names them, as whoever owns the database can; for a moment only."""
    with transaction.atomic():
        with behind_the_portal() as cursor:
            for name in foreign_keys("audit_eventtext", "audit_pending"):
                cursor.execute(name)
            cursor.execute(statement, values)
            assert cursor.rowcount == 1
        yield
        transaction.set_rollback(True)


def foreign_keys(*tables: str) -> list[str]:
    """Return what drops the foreign keys of these tables; on SQLite they are looked at with the commit only."""
    if not POSTGRES:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)",
            [list(tables)],
        )
        return [f'ALTER TABLE {table} DROP CONSTRAINT "{name}"' for table, name in cursor.fetchall()]


TEXT_CODES = {
    "fields": "text_changed",
    "salts": "text_changed",
    "search": "search_changed",
    "erased_at": "text_erased_silently",
}


@pytest.mark.parametrize("field", columns(EventText))
def test_a_change_in_any_column_of_a_text_is_found(key, history, field):
    if field.primary_key:
        with without_keys("UPDATE audit_eventtext SET event_id = event_id + 5000 WHERE event_id = %s", history[5].pk):
            assert found(key) == "text_removed"
        return
    change(field, "event", history[5].pk)
    assert found(key) == TEXT_CODES[field.column]


@pytest.mark.parametrize("name", ["actor", "reason"])
def test_one_letter_of_a_text_is_found_by_its_name(key, history, name):
    text = EventText.objects.get(pk=history[5].pk)
    fields = text.fields | {name: text.fields[name] + "."}
    tamper("UPDATE audit_eventtext SET fields = %s WHERE event_id = %s", json.dumps(fields), text.pk)
    finding = verified(key).finding
    assert finding.code == "text_changed"
    assert f"“{name}”" in finding.sentence


def texts(pk: Any, **values: Any) -> None:
    """Write columns of a text anew behind the portal."""
    named = ", ".join(f"{name} = %s" for name in values)
    made = [json.dumps(value) if isinstance(value, dict) else value for value in values.values()]
    tamper(f"UPDATE audit_eventtext SET {named} WHERE event_id = %s", *made, pk)  # noqa: S608


def test_letters_cannot_wander_from_a_text_into_its_salt(key, history):
    """Together they hash to the same: without its beginning a reason may say the opposite."""
    text = EventText.objects.get(pk=history[5].pk)
    reason, salt = text.fields["reason"], text.salts["reason"]
    short, longer = reason[4:], salt + reason[:4].encode().hex()
    assert commitment(short, salt=longer) == history[5].commitments["reason"]
    searched = text.search.replace(folded(reason), folded(short))
    texts(text.pk, fields=text.fields | {"reason": short}, salts=text.salts | {"reason": longer}, search=searched)
    finding = verified(key).finding
    assert (finding.code, finding.leaf) == ("text_changed", 6)
    assert "“reason”" in finding.sentence


FORMS: dict[str, Callable[[EventText], None]] = {
    "a salt": lambda text: texts(text.pk, salts=text.salts | {"reason": text.salts["reason"].upper()}),
    "a space in the search": lambda text: texts(text.pk, search=text.search.replace(" ", "\n", 1)),
    "the order in the search": lambda text: texts(text.pk, search=" ".join(reversed(text.search.split()))),
    "a signature": lambda text: tamper("UPDATE audit_batch SET signature = upper(signature) WHERE number = 2"),
    "a hash": lambda text: tamper("UPDATE audit_leaf SET hash = upper(hash) WHERE number = 6"),
}


@pytest.mark.parametrize("name", FORMS)
def test_what_means_the_same_in_another_form_is_found(key, history, name):
    FORMS[name](EventText.objects.get(pk=history[5].pk))
    codes = {"a salt": "text_changed", "a signature": "forged_signature", "a hash": "event_changed"}
    assert found(key) == codes.get(name, "search_changed")


@pytest.mark.skipif(POSTGRES, reason="a jsonb holds a name once")
def test_a_name_that_comes_twice_is_found(key, history):
    """SQLite takes the first, Python the last."""
    stored = EventText.objects.get(pk=history[5].pk).fields
    texts(history[5].pk, fields='{"actor": "Somebody else", ' + json.dumps(stored)[1:])
    assert found(key) == "text_changed"
    tamper("UPDATE audit_eventtext SET fields = %s WHERE event_id = %s", json.dumps(stored), history[5].pk)
    tamper("UPDATE audit_event SET details = %s WHERE id = %s", '{"number": 7, "number": 5}', history[5].pk)
    assert found(key) == "event_changed"


@pytest.mark.parametrize("name", ["erased_at", "fields", "salts", "search"])
def test_what_is_put_in_the_place_of_an_erased_text_is_found(key, history, name):
    erase_texts([history[5].uuid], reason="Asked for", actor=OPERATOR, clock=at(NOW))
    seal_all(key)
    assert found(key) == ""
    value: dict[str, Any] = {"erased_at": NOW + HOUR if POSTGRES else "2020-01-01 00:00:00", "search": "x"}
    texts(history[5].pk, **{name: value.get(name, {"actor": "Somebody else"})})
    finding = verified(key).finding
    assert (finding.code, finding.event) == ("text_changed", str(history[5].uuid))


@pytest.mark.skipif(not POSTGRES, reason="SQLite is looked at closely always")
def test_a_glance_is_enough_where_nothing_was_changed(key, history):
    """Erased and archived events among the others; whatever else is found is looked at closely."""
    erase_texts([history[5].uuid], reason="Asked for", actor=OPERATOR, clock=at(NOW))
    seal_all(key)
    seen = glance(2, 5, 8, Erasures(), {})
    assert seen is not None
    assert (seen.erased, seen.archived) == (1, 0)
    assert [one.hex() for one in seen.hashes] == list(
        Leaf.objects.filter(batch=2).order_by("number").values_list("hash", flat=True)
    )
    with behind_the_portal() as cursor:
        cursor.execute("DELETE FROM audit_eventtext WHERE event_id = %s", [history[6].pk])
        cursor.execute("DELETE FROM audit_event WHERE id = %s", [history[6].pk])
    assert glance(2, 5, 8, Erasures(), {}) is None
    assert glance(2, 5, 8, Erasures(), {7: "ab"}) is None
    seen = glance(2, 5, 8, Erasures(), {7: seen.hashes[2].hex()})
    assert seen is not None
    assert (seen.erased, seen.archived) == (1, 1)


@pytest.mark.parametrize("field", columns(Leaf))
def test_a_change_in_any_column_of_a_leaf_is_found(key, history, field):
    change(field, "number", 6)
    codes = {"number": "leaf_removed", "event_id": "event_removed", "hash": "event_changed", "batch_id": "leaf_changed"}
    assert found(key) == codes[field.column]


@pytest.mark.parametrize("field", columns(Batch))
def test_a_change_in_any_column_of_a_batch_is_found(key, history, field):
    change(field, "number", 2)
    codes = {"number": "batch_removed", "first": "chain_broken", "previous": "chain_broken", "key": "foreign_key"}
    assert found(key) == codes.get(field.column, "forged_signature")


# Removed, added, swapped


@pytest.mark.parametrize("place", [0, 5, 9])
def test_a_removed_event_is_found(key, history, place):
    with behind_the_portal() as cursor:
        cursor.execute("DELETE FROM audit_eventtext WHERE event_id = %s", [history[place].pk])
        cursor.execute("DELETE FROM audit_event WHERE id = %s", [history[place].pk])
    finding = verified(key).finding
    assert (finding.code, finding.leaf) == ("event_removed", place + 1)


@pytest.mark.parametrize("number", [1, 6, 10])
def test_a_removed_leaf_is_found(key, history, number):
    tamper("DELETE FROM audit_leaf WHERE number = %s", number)
    finding = verified(key).finding
    assert (finding.code, finding.leaf) == ("leaf_removed", number)


@pytest.mark.parametrize("number", [1, 2])
def test_a_removed_batch_is_found(key, history, number):
    tamper("DELETE FROM audit_batch WHERE number = %s", number)
    assert found(key) == "batch_removed"


def test_a_removed_last_batch_leaves_leaves_behind(key, history):
    tamper("DELETE FROM audit_batch WHERE number = 3")
    assert found(key) == "leaf_added"


def test_an_event_that_was_added_is_found(key, history):
    happen(1)
    tamper("DELETE FROM audit_pending")
    finding = verified(key).finding
    assert finding.code == "event_added"
    assert finding.event == str(Event.objects.order_by("-id")[0].uuid)


def test_an_event_that_waits_for_too_long_is_found_and_one_that_does_not_is_not(key, history):
    [late] = happen(1)
    assert found(key, now=late.recorded_at + verifying.GRACE) == ""
    assert found(key, now=late.recorded_at + verifying.GRACE + timedelta(microseconds=1)) == "unsealed"


def test_the_text_of_an_event_that_waits_is_checked_too(key, history):
    [late] = happen(1)
    tamper("UPDATE audit_eventtext SET fields = %s WHERE event_id = %s", '{"actor": "Somebody else"}', late.pk)
    assert found(key, now=late.recorded_at) == "text_changed"


@pytest.mark.parametrize(("number", "batch"), [(11, 3), (0, 1), (-5, 1), (99, 99)])
def test_an_event_that_was_added_with_a_leaf_is_found(key, history, number, batch):
    """Behind the last one, and before the first, where no batch would look."""
    [late] = happen(1)
    hashed = leaf_hash(canonical(Event.objects.get(pk=late.pk))).hex()
    columns = "number, event_id, hash, batch_id"
    tamper(f"INSERT INTO audit_leaf ({columns}) VALUES (%s, %s, %s, %s)", number, late.pk, hashed, batch)  # noqa: S608
    tamper("DELETE FROM audit_pending")
    finding = verified(key).finding
    assert (finding.code, finding.leaf) == ("leaf_added", number)


def test_swapped_events_are_found_and_said_to_be_swapped(key, history):
    """Their leaves point at each other's event."""
    tamper("UPDATE audit_leaf SET event_id = -1 WHERE number = 2")
    tamper("UPDATE audit_leaf SET event_id = %s WHERE number = 7", history[1].pk)
    tamper("UPDATE audit_leaf SET event_id = %s WHERE number = 2", history[6].pk)
    finding = verified(key).finding
    assert (finding.code, finding.leaf) == ("event_swapped", 2)
    assert "leaf 7" in finding.sentence


def test_events_that_are_swapped_with_their_hashes_are_found(key, history):
    first, second = leaf_of(history[4]), leaf_of(history[6])
    tamper("UPDATE audit_leaf SET event_id = -1, hash = 'x' WHERE number = %s", first.number)
    statement = "UPDATE audit_leaf SET event_id = %s, hash = %s WHERE number = %s"
    tamper(statement, first.event_id, first.hash, second.number)
    tamper(statement, second.event_id, second.hash, first.number)
    finding = verified(key).finding
    assert (finding.code, finding.batch) == ("rewritten", 2)


def rewrite(history: list[Event], place: int) -> Event:
    """Change an event and its leaf alike."""
    tamper("UPDATE audit_event SET outcome = 'failed' WHERE id = %s", history[place].pk)
    event = Event.objects.get(pk=history[place].pk)
    hashed = leaf_hash(canonical_json(canonical_form(event))).hex()
    tamper("UPDATE audit_leaf SET hash = %s WHERE event_id = %s", hashed, event.pk)
    return event


def test_an_event_that_was_rewritten_with_its_leaf_is_found_by_the_root(key, history):
    rewrite(history, 5)
    finding = verified(key).finding
    assert (finding.code, finding.batch) == ("rewritten", 2)


def reseal(number: int, key: keys.SigningKey, **changes: Any) -> None:
    """Write a batch anew over its leaves, and sign it with this key."""
    hashes = Leaf.objects.filter(batch=number).order_by("number").values_list("hash", flat=True)
    batch = Batch.objects.get(number=number)
    batch.root = merkle_root([bytes.fromhex(one) for one in hashes]).hex()
    batch.key = changes.pop("key_id", key.id)
    if number > 1:
        batch.previous = link(stated(Batch.objects.get(number=number - 1)))
    batch.signature = key.sign(statement(stated(batch)))
    values = [batch.root, batch.previous, batch.key, batch.signature, number]
    tamper("UPDATE audit_batch SET root = %s, previous = %s, key = %s, signature = %s WHERE number = %s", *values)


def test_a_batch_that_was_signed_with_another_key_is_found(key, history, tmp_path):
    (tmp_path / "other").mkdir()
    rewrite(history, 5)
    reseal(2, key_in(tmp_path / "other"))
    assert found(key) == "foreign_key"


def test_a_signature_that_was_forged_under_the_name_of_the_key_is_found(key, history, tmp_path):
    (tmp_path / "other").mkdir()
    rewrite(history, 5)
    reseal(2, key_in(tmp_path / "other"), key_id=key.id)
    assert found(key) == "forged_signature"


def test_a_batch_that_was_signed_anew_with_the_real_key_breaks_the_chain(key, history):
    rewrite(history, 5)
    reseal(2, key)
    finding = verified(key).finding
    assert (finding.code, finding.batch) == ("chain_broken", 3)


def test_a_history_that_the_holder_of_the_key_wrote_anew_is_found_by_an_anchor(key, history):
    """From the first changed batch to the tip; only what was kept outside can tell."""
    tip = here()
    rewrite(history, 5)
    reseal(2, key)
    reseal(3, key)
    assert found(key) == ""
    finding = verified(key, tips=[tip]).finding
    assert (finding.code, finding.batch) == ("anchor_differs", 3)


def test_a_key_that_is_not_known_is_foreign(key, history):
    assert found(key, others=True) == "foreign_key"


# Cut off, restored


def cut_off(number: int) -> None:
    with behind_the_portal() as cursor:
        leaves = Leaf.objects.filter(batch__gte=number)
        events = list(leaves.values_list("event_id", flat=True))
        marks = ", ".join(["%s"] * len(events))
        cursor.execute("DELETE FROM audit_batch WHERE number >= %s", [number])
        cursor.execute("DELETE FROM audit_leaf WHERE batch_id >= %s", [number])
        cursor.execute(f"DELETE FROM audit_eventtext WHERE event_id IN ({marks})", events)  # noqa: S608
        cursor.execute(f"DELETE FROM audit_event WHERE id IN ({marks})", events)  # noqa: S608


def test_a_tail_that_was_cut_off_cleanly_is_found_by_an_anchor_only(key, history):
    tip = here()
    cut_off(3)
    assert found(key) == ""
    finding = verified(key, tips=[tip]).finding
    assert finding.code == "cut_off"
    assert "older backup" in finding.sentence


def test_an_older_backup_that_went_on_is_found_by_an_anchor(key, history):
    """Restored, then sealed on: as many batches as before, but not the same."""
    tip = here()
    cut_off(3)
    happen(2)
    seal_all(key)
    assert Batch.objects.count() == 3
    assert found(key) == ""
    assert found(key, tips=[tip]) == "anchor_differs"


def test_anchors_of_every_batch_agree_with_a_history_that_is_whole(key):
    tips = []
    for _each in range(4):
        happen(3)
        seal_all(key)
        tips.append(here())
    progress = verified(key, tips=tips)
    assert progress.finding is None
    assert len(progress.tips) == 4


def test_what_is_sealed_while_it_verifies_is_no_finding(key, history):
    tip = here()
    progress = verifying.begin([tip])
    happen(5)
    seal_all(key)
    later = here()
    progress.tips.append(later)
    verifying.advance(progress, {key.id: key.private.public_key()}, now=NOW, archives=NOWHERE)
    assert progress.done
    assert progress.finding is None


def test_what_cannot_even_be_read_is_a_finding(key, history):
    if POSTGRES:
        pytest.skip("PostgreSQL takes no broken JSON.")
    with behind_the_portal() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute("UPDATE audit_event SET details = '{broken' WHERE id = %s", [history[5].pk])
        cursor.execute("PRAGMA ignore_check_constraints = OFF")
    finding = verified(key).finding
    assert (finding.code, finding.batch) == ("unreadable", 2)


# Erased text


def test_erased_text_verifies_and_is_counted(key, history):
    assert erase_texts([history[5].uuid], reason="Asked for by letter", actor=OPERATOR, clock=at(NOW)) == 1
    seal_all(key)
    progress = verified(key)
    assert progress.finding is None
    assert progress.erased == 1
    assert "erased on request" in verifying.sentence_of(progress)
    text = EventText.objects.get(pk=history[5].pk)
    assert (text.fields, text.salts, text.search, text.erased_at) == ({}, {}, "", NOW)


def test_erasing_is_an_event_that_names_what_was_erased_and_by_whom(key, history):
    erase_texts([history[5].uuid], reason="Asked for by letter", actor=OPERATOR, clock=at(NOW))
    told = Event.objects.get(kind=Kind.TEXT_ERASED)
    assert told.details == {"events": [str(history[5].uuid)], "count": 1}
    assert told.text.fields["reason"] == "Asked for by letter"


def test_text_that_was_erased_behind_the_portal_is_found(key, history):
    tamper(
        "UPDATE audit_eventtext SET fields = '{}', salts = '{}', search = '', erased_at = %s WHERE event_id = %s",
        NOW,
        history[5].pk,
    )
    finding = verified(key).finding
    assert finding.code == "text_erased_silently"
    assert finding.event == str(history[5].uuid)


def test_erasing_again_erases_and_tells_nothing(key, history):
    erase_texts([history[5].uuid], reason="Asked", actor=OPERATOR, clock=at(NOW))
    assert erase_texts([history[5].uuid], reason="Asked", actor=OPERATOR, clock=at(NOW)) == 0
    assert Event.objects.filter(kind=Kind.TEXT_ERASED).count() == 1


def test_all_that_concerns_somebody_is_erased_by_the_operator(key, ines, petra):
    give(ines, role(uuid.UUID("5d6b6bb7-de71-4623-b4af-96380a352509")))
    seal_all(key, limit=1000)
    concerned = Event.objects.concerning(ines.pk).count()
    assert concerned > 1
    assert erase_texts_of(ines.pk, reason="Asked", actor=OPERATOR, clock=at(NOW), archives=NOWHERE) == concerned
    assert not EventText.objects.filter(search__contains="ines").exists()
    seal_all(key, limit=1000)
    assert found(key) == ""


@pytest.mark.parametrize("reason", ["", "  ", "\u200b"])
def test_nothing_is_erased_without_a_reason(key, history, reason):
    with pytest.raises(Refused, match="reason_missing"):
        erase_texts([history[5].uuid], reason=reason, actor=OPERATOR, clock=at(NOW))
    assert EventText.objects.get(pk=history[5].pk).fields


def test_an_auditor_erases_nothing(key, history, nina):
    actor = acting(nina, Purpose.PEOPLE, history[5].uuid)
    with pytest.raises(Refused, match="not_allowed"):
        erase_texts([history[5].uuid], reason="Because", actor=actor, clock=at(NOW))
    assert EventText.objects.get(pk=history[5].pk).fields


def test_who_looks_after_the_portal_erases_with_a_fresh_second_factor(key, history):
    sven = person("sven")
    give(sven, role(ids.SECURITY_ADMINISTRATOR))
    with pytest.raises(Refused, match="second_factor"):
        erase_texts([history[5].uuid], reason="Asked", actor=Actor(sven), clock=at(NOW))
    actor = acting(sven, Purpose.PEOPLE, history[5].uuid)
    assert erase_texts([history[5].uuid], reason="Asked", actor=actor, clock=at(NOW)) == 1
    assert Event.objects.get(kind=Kind.TEXT_ERASED, outcome="done").authority_id is not None


# The command


@pytest.fixture
def portal(tmp_path, settings, key):
    settings.PIM_AUDIT_KEY = tmp_path / "key.pem"
    return tmp_path


def test_the_command_says_that_all_is_well(portal, history, capsys):
    call_command("verify_audit", "--json")
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is True
    assert (answer["events"], answer["batches"], answer["finding"]) == (10, 3, None)


def test_the_command_exits_with_1_and_names_the_first_wrong_thing(portal, history, capsys):
    tamper("UPDATE audit_event SET outcome = 'failed' WHERE id = %s", history[5].pk)
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit")
    assert ended.value.code == 1
    out = capsys.readouterr().out
    assert str(history[5].uuid) in out
    assert "[event_changed]" in out
    with pytest.raises(SystemExit):
        call_command("verify_audit", "--json")
    assert json.loads(capsys.readouterr().out)["finding"]["leaf"] == 6


def test_the_command_takes_tips_out_of_any_text(portal, history, capsys, settings):
    number, leaves, hashed = here()
    log = portal / "portal.log"
    log.write_text(f"2026 INFO The audit history was sealed up to pim-audit-tip 1 {number} {leaves} {hashed}\n")
    call_command("verify_audit", "--anchors", str(log))
    assert "1 anchor agrees" in capsys.readouterr().out
    cut_off(3)
    with pytest.raises(SystemExit):
        call_command("verify_audit", "--anchors", str(log))
    assert "[cut_off]" in capsys.readouterr().out
    settings.PIM_AUDIT_ANCHORS = [f"file:{log}"]
    with pytest.raises(SystemExit):
        call_command("verify_audit")


def test_one_of_each_is_told_of_as_one():
    progress = verifying.Progress(1, 1, batch=1, leaves=1, archived=1, archive=1, waiting=1, tips=[(1, 1, "ab")])
    assert verifying.sentence_of(progress) == (
        "1 sealed event in 1 batch is as it was sealed. 1 of them is in an archive; its hash is kept here. "
        "1 of 1 archive is at hand, and unchanged. 1 more waits to be sealed. 1 anchor agrees."
    )


def test_what_only_looks_like_a_tip_is_no_tip():
    line = "pim-audit-tip 1 {} {} " + "ab" * 32
    assert [*tips_in(line.format(3, 9))] == [(3, 9, "ab" * 32)]
    assert [*tips_in(line.format("9" * 5000, 9) + " " + line.format("three", 9) + " pim-audit-tip 1 3")] == []


def test_the_command_cannot_verify_without_keys_or_with_anchors_that_hold_no_tip(portal, history):
    (portal / "empty").write_text("nothing here")
    with pytest.raises(CommandError, match="no tip") as refused:
        call_command("verify_audit", "--anchors", str(portal / "empty"))
    assert refused.value.returncode == 2
    (portal / "key.pem.pub").unlink()
    with pytest.raises(CommandError, match="no public key"):
        call_command("verify_audit")


def test_the_command_verifies_by_public_keys_alone(portal, history, capsys, key):
    (portal / "key.pem").unlink()
    (portal / "trusted").write_text(key.public.hex() + "\n")
    call_command("verify_audit", "--public-keys", str(portal / "trusted"))
    assert "are as they were sealed" in capsys.readouterr().out


@pytest.mark.parametrize("begin", [DatabaseError("the server is gone"), RuntimeError("a process died")])
def test_what_keeps_the_command_from_verifying_is_no_wrong_thing(portal, history, monkeypatch, begin):
    """A monitor takes an exit with 1 for a history that was tampered with."""

    def fail(*_args: object, **_more: object) -> None:
        raise begin

    monkeypatch.setattr(verifying, "advance", fail)
    with pytest.raises(CommandError, match=str(begin)) as ended:
        call_command("verify_audit")
    assert ended.value.returncode == 2


@pytest.mark.slow
def test_many_events_verify_fast_and_in_few_queries(key, django_assert_max_num_queries):
    """No query for each event; the pace of a million is measured elsewhere, here only that it is not lost by far."""
    happen(2000)
    seal_all(key, limit=1000)
    began = time.monotonic()
    with django_assert_max_num_queries(40):
        progress = verifying.begin()
        verifying.advance(progress, {key.id: key.private.public_key()}, now=NOW + DAY, archives=NOWHERE)
    assert progress.finding is None
    assert time.monotonic() - began < 10


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_several_processes_find_the_same_as_one(key):
    """Two things are wrong, and two batches apart: the first is named, whoever comes to the second sooner."""
    happen(40)
    seal_all(key)
    trusted = {key.id: key.private.public_key()}
    with hands(2) as leaves:
        progress = verifying.advance(verifying.begin(), trusted, now=NOW, archives=NOWHERE, leaves=leaves)
    assert (progress.done, progress.finding, progress.leaves) == (True, None, 40)
    tamper("UPDATE audit_event SET kind = 'portal.set_up' WHERE id IN (SELECT event_id FROM audit_leaf"
           " WHERE number IN (22, 31))")  # fmt: skip
    tamper("UPDATE audit_batch SET root = 'x' WHERE number = 9")
    with hands(2) as leaves:
        progress = verifying.advance(verifying.begin(), trusted, now=NOW, archives=NOWHERE, leaves=leaves)
    alone = verified(key).finding
    assert progress.finding == alone
    assert alone is not None
    assert (alone.code, alone.leaf) == ("event_changed", 22)


@pytest.mark.django_db
def test_what_is_read_fast_is_the_canonical_form(key):
    """Of events with all that JSON can hold, before and after they are sealed."""
    odd = {
        "ü\u2028\x7f": ['"', "\\", "\n", "\x01", "😀", 1e300, -0.5, 10**20, True, None, {}, []],
        "": {"b": 1, "a": 2},
    }
    with transaction.atomic():
        for details in ({}, odd, {"nested": odd}):
            record(Kind.SIGNED_IN, actor=OPERATOR, at=NOW, details=details)
    events = {event.pk: canonical(event) for event in Event.objects.all()}
    assert {form["id"]: sealed_bytes(form) for form in waiting(10)} == events
    seal_all(key)
    assert [sealed_bytes(row.event) for row in rows(1, 3)] == [events[pk] for pk in sorted(events)]
    if POSTGRES:
        seen = glance(1, 1, 3, Erasures(), {})
        assert seen is not None
        assert seen.hashes == [leaf_hash(events[pk]) for pk in sorted(events)]
