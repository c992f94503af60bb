"""Seals: every event in one leaf of one batch, however many seal, whenever it committed, wherever it is killed."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit import keys, proofs
from audit.anchors import named, tip
from audit.kinds import Kind
from audit.models import Anchoring, Batch, Event, Leaf, Pending
from audit.proofs import GENESIS, inclusion_path, leaf_hash, link, merkle_root, node_hash, root_by_path
from audit.services.sealing import seal, stated
from pim_portal.models import Heartbeat, Notification
from pim_portal.operations import services
from roles import ids
from tests.people import DAY, HOUR, NOW, at, give, person, role
from tests.races import at_once, race
from tests.sealed import found, happen, key_in, seal_all

POSTGRES = connection.vendor == "postgresql"


@pytest.fixture
def key(tmp_path):
    return key_in(tmp_path)


def sealed_once() -> bool:
    """Every event is exactly one leaf, leaves and batches are dense, and nothing waits."""
    numbers = list(Leaf.objects.order_by("number").values_list("number", flat=True))
    events = set(Leaf.objects.values_list("event_id", flat=True))
    batches = list(Batch.objects.order_by("number"))
    assert numbers == list(range(1, len(numbers) + 1))
    assert [batch.number for batch in batches] == list(range(1, len(batches) + 1))
    assert sum(batch.size for batch in batches) == len(numbers)
    assert not Pending.objects.filter(event__in=events).exists()
    return events == set(Event.objects.values_list("pk", flat=True)) and not Pending.objects.exists()


# The tree


def naive_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962 §2.1, word by word."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


@pytest.mark.parametrize("size", [*range(1, 34), 100, 127, 128, 129])
def test_the_root_is_that_of_rfc_6962_and_every_path_leads_to_it(size):
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    root = merkle_root(leaves)
    assert root == naive_root(leaves)
    for index, leaf in enumerate(leaves):
        path = inclusion_path(leaves, index)
        assert root_by_path(leaf, index, size, path) == root
        assert index + 1 == size or root_by_path(leaf, index + 1, size, inclusion_path(leaves, index + 1)) != root
        with pytest.raises(proofs.Broken):
            root_by_path(leaf, index, size, [*path, leaf])
        if path:
            with pytest.raises(proofs.Broken):
                root_by_path(leaf, index, size, path[:-1])


def test_leaf_and_node_are_told_apart_by_their_first_byte():
    assert leaf_hash(b"x") == hashlib.sha256(b"\x00x").digest()
    assert node_hash(b"a" * 32, b"b" * 32) == hashlib.sha256(b"\x01" + b"a" * 32 + b"b" * 32).digest()
    assert merkle_root([]) == hashlib.sha256(b"").digest()


# The key


def test_the_key_is_for_its_owner_only_and_never_written_over(tmp_path):
    file = tmp_path / "key.pem"
    made = keys.make(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert keys.read(file).public == made.public
    with pytest.raises(FileExistsError):
        keys.make(file)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["key.pem", "key.pem.pub"]


def test_a_key_that_others_can_read_is_not_used(tmp_path):
    file = tmp_path / "key.pem"
    keys.make(file)
    file.chmod(0o640)
    with pytest.raises(keys.KeyUnusable, match="open to others"):
        keys.read(file)


@pytest.mark.parametrize("content", ["", "-----BEGIN PRIVATE KEY-----\nno\n-----END PRIVATE KEY-----\n"])
def test_a_file_that_holds_no_key_says_so(tmp_path, content):
    file = tmp_path / "key.pem"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(keys.KeyUnusable, match="holds no key"):
        keys.read(file)


@pytest.mark.django_db
def test_what_the_key_before_signed_stays_trusted(tmp_path, capsys, settings):
    settings.PIM_AUDIT_KEY = tmp_path / "key.pem"
    call_command("audit_key")
    first = keys.read(settings.PIM_AUDIT_KEY)
    happen(3)
    seal_all(first)
    call_command("audit_key", "--rotate")
    second = keys.read(settings.PIM_AUDIT_KEY)
    assert second.id != first.id
    assert set(keys.trusted(settings.PIM_AUDIT_KEY)) == {first.id, second.id}
    seal_all(second)
    call_command("verify_audit")
    printed = capsys.readouterr().out
    assert "are as they were sealed" in printed
    assert first.public.hex() in printed
    assert Event.objects.filter(kind=Kind.AUDIT_KEY_MADE).count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("lost", ["gone", "empty"])
def test_public_keys_that_are_lost_are_written_anew_beside_the_key(tmp_path, capsys, settings, lost):
    """What everybody is told to do who finds no public key."""
    settings.PIM_AUDIT_KEY = tmp_path / "key.pem"
    call_command("audit_key")
    key = keys.read(settings.PIM_AUDIT_KEY)
    public = keys.public_file(settings.PIM_AUDIT_KEY)
    happen(3)
    seal_all(key)
    public.unlink() if lost == "gone" else public.write_text("\n")
    with pytest.raises(CommandError, match="There is no public key at"):
        call_command("verify_audit")
    capsys.readouterr()

    call_command("audit_key")

    assert set(keys.trusted(settings.PIM_AUDIT_KEY)) == {key.id}
    assert "those before it" in capsys.readouterr().out
    call_command("verify_audit")
    call_command("audit_key")
    assert "those before it" not in capsys.readouterr().out
    assert Event.objects.filter(kind=Kind.AUDIT_KEY_MADE).count() == 1


# Sealing


@pytest.mark.django_db
def test_every_event_becomes_a_leaf_and_stops_waiting(key):
    happen(10)
    batches = seal_all(key)
    assert sealed_once()
    assert [batch.size for batch in batches] == [4, 4, 2]
    assert batches[0].previous == GENESIS
    assert batches[1].previous == link(stated(batches[0]))
    assert found(key) == ""


@pytest.mark.django_db
def test_nothing_to_seal_makes_no_batch(key):
    assert seal(key, clock=at(NOW)) is None
    assert not Batch.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_that_commits_late_is_in_a_later_batch(key):
    """Its number was drawn first; the sealer neither waits for it nor leaves it out."""
    if not POSTGRES:
        pytest.skip("SQLite has one writer, so that events commit in their order.")

    def late() -> Event:
        return happen(1)[0]

    def seals_meanwhile() -> Batch | None:
        happen(2)
        return seal(key, clock=at(NOW))

    first, second = race(late, seals_meanwhile)
    assert first.error is None
    assert second.error is None
    assert second.value.size == 2
    seal_all(key)
    assert sealed_once()
    numbers = dict(Leaf.objects.values_list("event_id", "number"))
    assert first.value.pk < min(pk for pk in numbers if pk != first.value.pk)
    assert numbers[first.value.pk] == 3
    assert found(key) == ""


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not POSTGRES, reason="SQLite has one writer")
def test_recording_waits_for_no_sealer(key):
    """A sealer that has done everything but commit keeps nobody from recording."""
    happen(3)
    first, second = race(lambda: seal(key, clock=at(NOW)), lambda: (happen(1), time.monotonic())[1])
    assert first.error is None
    assert second.error is None
    assert Pending.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_any_number_of_sealers_seal_every_event_once(key):
    happen(60)
    results = at_once(*(lambda: seal_all(key, limit=5) for _each in range(6)))
    assert [result.error for result in results if result.error] == []
    seal_all(key)
    assert sealed_once()
    assert found(key) == ""


@pytest.mark.django_db(transaction=True)
def test_sealers_and_recorders_at_once_lose_and_double_nothing(key):
    def record_some() -> None:
        for _each in range(15):
            happen(1)

    results = at_once(*[record_some] * 3, *[lambda: seal_all(key)] * 3)
    assert [result.error for result in results if result.error] == []
    seal_all(key)
    assert Event.objects.count() == 45
    assert sealed_once()
    assert found(key) == ""


STATEMENTS = ["audit_batch", "audit_leaf", "audit_pending"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broken_at", STATEMENTS)
def test_what_fails_half_way_leaves_nothing_behind(key, broken_at):
    happen(5)
    before = connection.execute_wrapper

    def fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if sql.startswith(("INSERT", "DELETE")) and broken_at in sql:
            raise DatabaseError("The disk is full.")
        return answer

    with before(fail), pytest.raises(DatabaseError, match="disk is full"):
        seal(key, clock=at(NOW))
    assert not Batch.objects.exists()
    assert not Leaf.objects.exists()
    assert Pending.objects.count() == 5
    seal_all(key)
    assert sealed_once()


def killed_after(statements: int, key: keys.SigningKey) -> bool:
    """Seal in a process of its own that is killed after so many statements; return whether it was."""
    connection.close()  # no connection lives through a fork
    child = os.fork()
    if child == 0:
        count = 0

        def die(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal count
            answer = execute(sql, params, many, context)
            count += 1
            if count == statements:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        try:
            with connection.execute_wrapper(die):
                while seal(key, clock=timezone.now, limit=3):
                    pass
        except BaseException:  # noqa: BLE001 - the child must never come back into the tests
            os._exit(2)
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_kill_between_any_two_statements_loses_and_doubles_nothing(key):
    """A real process, killed for real after its first statement, its second, and so on, until it comes through."""
    happen(7)
    kills = 0
    while killed_after(kills + 1, key):
        kills += 1
        assert kills < 60
        if not Pending.objects.exists():
            happen(4)
    assert kills > 6
    assert sealed_once()
    assert found(key, now=timezone.now()) == ""


# The triggers of the seals


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_leaf SET hash = 'x'",
        "DELETE FROM audit_leaf",
        "UPDATE audit_batch SET size = 1",
        "DELETE FROM audit_batch",
        "UPDATE audit_pending SET event_id = event_id + 1000",
    ],
)
def test_seals_cannot_be_changed(key, statement):
    happen(3)
    seal_all(key)
    happen(1)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert found(key) == ""


@pytest.mark.django_db
def test_an_event_stops_waiting_only_by_being_sealed():
    happen(1)
    with pytest.raises(DatabaseError, match="only by being sealed"), transaction.atomic():
        Pending.objects.all().delete()
    assert Pending.objects.count() == 1


# The job


@pytest.fixture
def portal(tmp_path, settings, db):
    settings.PIM_AUDIT_KEY = tmp_path / "key.pem"
    return tmp_path


def run_job(folder: Path, *names: str, now: Any = NOW) -> int:
    return services.seal(key_file=folder / "key.pem", anchors=named(names), clock=at(now))


def test_the_job_seals_beats_and_logs_the_tip(portal, caplog):
    happen(5)
    caplog.set_level("INFO")
    assert run_job(portal) == 5
    here = tip()
    assert here.line in caplog.text
    assert here.line.startswith("pim-audit-tip 1 1 5 ")
    assert Heartbeat.objects.filter(name="seal").exists()


def test_the_first_key_makes_itself_and_a_lost_one_does_not(portal):
    happen(1)
    run_job(portal)
    (portal / "key.pem").unlink()
    happen(1)
    with pytest.raises(keys.KeyUnusable, match="There is no key"):
        run_job(portal)
    assert not (portal / "key.pem").exists()
    assert Pending.objects.count() > 0


def test_the_auditors_get_the_tip_once_a_day(portal, nina):
    run_job(portal)
    run_job(portal, now=NOW + HOUR)
    assert Notification.objects.filter(mail="audit_tip", recipient=nina).count() == 1
    run_job(portal, now=NOW + DAY)
    assert Notification.objects.filter(mail="audit_tip", recipient=nina).count() == 2
    assert Event.objects.filter(kind=Kind.HISTORY_ANCHORED).count() == 2


def test_without_auditors_it_goes_to_who_looks_after_the_portal(portal):
    sven = person("sven")
    give(sven, role(ids.SECURITY_ADMINISTRATOR))
    run_job(portal)
    assert [one.recipient_id for one in Notification.objects.filter(mail="audit_tip")] == [sven.pk]


def test_a_file_keeps_every_tip(portal, tmp_path):
    file = tmp_path / "tips"
    for _each in range(2):
        happen(2)
        run_job(portal, f"file:{file}")
    lines = file.read_text().splitlines()
    assert len(lines) == 2
    assert lines[-1].startswith(tip().line)


def test_an_anchor_that_fails_is_told_of_and_tried_again(portal, tmp_path):
    file = tmp_path / "not-yet" / "tips"
    happen(2)
    with pytest.raises(FileNotFoundError):
        run_job(portal, f"file:{file}")
    [row] = Anchoring.objects.filter(name=f"file:{file}")
    assert "not-yet" in row.error
    assert sealed_or_told()
    file.parent.mkdir()
    run_job(portal, f"file:{file}")
    row.refresh_from_db()
    assert (row.error, row.batch) == ("", tip().batch)


def test_an_anchor_whose_function_is_gone_keeps_nothing_from_being_sealed(portal, tmp_path):
    happen(2)
    file = tmp_path / "tips"
    with pytest.raises(ImportError):
        run_job(portal, "nowhere.at.all", f"file:{file}")
    assert sealed_or_told()
    assert "nowhere" in Anchoring.objects.get(name="nowhere.at.all").error
    assert file.read_text().startswith(tip().line)


def test_an_anchor_that_is_no_longer_named_is_waited_for_no_more(portal, tmp_path):
    happen(2)
    with pytest.raises(FileNotFoundError):
        run_job(portal, f"file:{tmp_path / 'nowhere' / 'tips'}")
    run_job(portal, f"file:{tmp_path / 'tips'}")
    assert set(Anchoring.objects.values_list("name", flat=True)) == {f"file:{tmp_path / 'tips'}", "mail"}
    run_job(portal)
    assert set(Anchoring.objects.values_list("name", flat=True)) == {"mail"}


def sealed_or_told() -> bool:
    """All but the event that tells of the tip is sealed."""
    return set(Event.objects.filter(pending__isnull=False).values_list("kind", flat=True)) <= {Kind.HISTORY_ANCHORED}


def test_the_worker_seals_what_waits_without_waiting_for_the_minute(portal):
    from django_q.models import OrmQ

    OrmQ.objects.all().delete()
    services.seal_soon()
    assert not OrmQ.objects.exists()
    happen(1)
    services.seal_soon()
    services.seal_soon()
    assert [row.func() for row in OrmQ.objects.all()] == ["pim_portal.tasks.seal"]


def test_tick_seals_too(portal):
    happen(3)
    call_command("tick")
    assert Leaf.objects.count() >= 3
    assert settings.PIM_AUDIT_KEY.exists()
