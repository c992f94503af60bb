"""Old events move into sealed archives: nothing is lost, nothing that is needed goes, and the rest still verifies."""

# ruff: noqa: S608 - the statements are made of constants
from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit import archive_files, archiving, proofs
from audit.archive_files import file_of
from audit.groups import FOR_EVER, Group, group_of, kinds_in
from audit.kinds import Kind, Realm
from audit.models import Archive, Archived, Event, EventText, Leaf
from audit.proofs import texts_beside
from audit.recording import Ids
from audit.verifying import sentence_of
from pim_portal.activity.services import erase_texts, erase_texts_of
from pim_portal.keeping import staying
from pim_portal.models import Notification, WebHook
from pim_portal.streams.leaves import told
from roles import ids
from roles.models import Assignment
from tests import people
from tests.archived import LONG_AGO, archive, happened, keep, places, sealed
from tests.people import OPERATOR, configure, give, make_eligible, person, request_activation, role
from tests.sealed import behind_the_portal, key_in, tamper, verified

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def key(tmp_path):
    return key_in(tmp_path)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "archives"


@pytest.fixture
def key_file(tmp_path):
    return tmp_path / "key.pem"


@pytest.fixture
def moved(key, folder, key_file):
    """Ten events of long ago in an archive, two younger ones here."""
    old = happened(10)
    happened(2, ago=80 * DAY)
    sealed(key)
    keep(90)
    (made,) = archive(folder, key_file)
    sealed(key)
    return made, old


def verify(key: Any, folder: Path) -> Any:
    return verified(key, now=timezone.now(), archives=folder)


def code(key: Any, folder: Path) -> str:
    finding = verify(key, folder).finding
    return finding.code if finding else ""


def test_every_kind_is_in_a_group_or_kept_for_ever():
    for kind in Kind:
        assert (group_of(kind) is None) == (kind.value.partition(".")[0] in FOR_EVER)
    assert set(kinds_in(Group)) | {kind for kind in Kind if group_of(kind) is None} == set(Kind)


def test_what_is_old_leaves_the_database_and_stands_in_the_archive_once(moved, key, folder):
    made, old = moved
    assert not Event.objects.filter(pk__in=[one.pk for one in old]).exists()
    assert not EventText.objects.filter(pk__in=[one.pk for one in old]).exists()
    assert set(Archived.objects.values_list("uuid", flat=True)) == {one.uuid for one in old}
    assert set(places(folder).values()) == {1}
    assert {one.uuid for one in old} <= places(folder).keys()
    progress = verify(key, folder)
    assert (progress.finding, progress.archived, progress.archive, progress.absent) == (None, 10, 1, [])
    said = sentence_of(progress)
    assert "10 of them are in archives" in said
    assert "1 of 1 archive is at hand, and unchanged" in said
    told_of = Event.objects.get(uuid=made.event)
    assert told_of.kind == Kind.HISTORY_ARCHIVED
    assert told_of.details["sha256"] == archive_files.sha256_of(file_of(folder, made.name))
    assert "Okafor" not in file_of(folder, made.name).read_text()
    assert "Okafor" in texts_beside(file_of(folder, made.name)).read_text()


def test_an_archive_verifies_alone(moved, folder, tmp_path, key):
    made, _old = moved
    script = tmp_path / "verify.py"
    script.write_bytes(Path(proofs.__file__).read_bytes())
    command = [sys.executable, "-I", script, file_of(folder, made.name), "--key", key.public.hex()]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "10 events, leaves 1 to 10, are unchanged" in ran.stdout
    file_of(folder, made.name).write_text(file_of(folder, made.name).read_text().replace('"number":7', '"number":8'))
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "leaf 8" in ran.stderr


def _edit(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Path], None]:
    def edit(file: Path) -> None:
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        change(rows)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))

    return edit


FILES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "an event changed": (_edit(lambda rows: rows[3]["event"].update(kind="x")), "archive_changed", "leaf"),
    "an event removed": (_edit(lambda rows: rows.pop(3)), "archive_changed", "says that it holds 10"),
    "two swapped": (_edit(lambda rows: rows.__setitem__(slice(2, 4), rows[3:1:-1])), "archive_changed", "order"),
    "a seal forged": (_edit(lambda rows: rows[1]["seal"].update(size=9)), "archive_changed", "signature"),
    "cut off": (lambda file: file.write_bytes(file.read_bytes()[:-40]), "archive_changed", "cannot be read"),
    "not json": (lambda file: file.write_text("{"), "archive_changed", "cannot be read"),
    "only respaced": (_edit(lambda rows: None), "archive_changed", "not the one that was sealed"),
    "a text changed": (
        lambda file: texts_beside(file).write_text(texts_beside(file).read_text().replace("ticket 4", "ticket 5")),
        "archive_changed",
        "reason",
    ),
    "a text taken out": (_edit(lambda rows: None), "archive_changed", "not the one"),
}


@pytest.mark.parametrize("how", FILES)
def test_a_changed_archive_is_named(moved, key, folder, how):
    made, _old = moved
    change, expected, said = FILES[how]
    change(file_of(folder, made.name))
    finding = verify(key, folder).finding
    assert finding.code == expected
    assert f"{made.name}.jsonl" in finding.sentence
    assert said in finding.sentence


def test_a_text_that_is_silently_taken_out_of_an_archive_is_named(moved, key, folder):
    made, old = moved
    archive_files.erase_texts(folder, made.name, [3])
    finding = verify(key, folder).finding
    assert (finding.code, finding.event) == ("text_erased_silently", str(old[2].uuid))


def test_an_archive_that_is_not_at_hand_is_said_and_no_finding(moved, key, tmp_path):
    made, _old = moved
    progress = verify(key, tmp_path / "elsewhere")
    assert progress.finding is None
    assert progress.absent == [made.name]
    assert f"Not at hand, and not checked: {made.name}.jsonl." in sentence_of(progress)


BEHIND: dict[str, tuple[str, str]] = {
    "a tombstone changed": ("UPDATE audit_archived SET hash = '00' WHERE leaf = 3", "tombstone_changed"),
    "a tombstone removed": ("DELETE FROM audit_archived WHERE leaf = 3", "event_removed"),
    "the row changed": ("UPDATE audit_archive SET sha256 = '00'", "archive_row_changed"),
    "the digest changed": ("UPDATE audit_archive SET digest = '00'", "archive_row_changed"),
    "the kinds changed": ("UPDATE audit_archive SET kinds = '[]'", "tombstone_changed"),
    "when it was made changed": ("UPDATE audit_archive SET made_at = oldest", "tombstone_changed"),
    "the oldest changed": ("UPDATE audit_archive SET oldest = made_at", "tombstone_changed"),
    **{
        f"the {column} of a tombstone changed": (
            f"UPDATE audit_archived SET {column} = {value} WHERE leaf = 3",
            "tombstone_changed",
        )
        for column, value in (
            ("event", "event + 1000"),
            *((one, "'1f2e3d4c5b6a79880123456789abcdef'") for one in ("uuid", "actor_id", "target_id", "resource_id")),
            *((one, "'1f2e3d4c5b6a79880123456789abcdef'") for one in ("request_id", "assignment_id", "authority_id")),
            ("kind", "'session.signed_in'"),
            ("realm", "'group'"),
            ("occurred_at", "'2020-01-01 00:00:00'"),
        )
    },
}


@pytest.mark.parametrize("how", BEHIND)
def test_what_is_changed_behind_the_portal_is_found(moved, key, folder, how):
    statement, expected = BEHIND[how]
    tamper(statement)
    assert code(key, folder) == expected


def test_an_archive_of_which_nothing_is_known_any_more_is_found(moved, key, folder):
    """Somebody puts the events back, and takes the archive away as if it had never been."""
    made, _old = moved
    with behind_the_portal() as cursor:
        cursor.execute("DELETE FROM audit_archived")
        cursor.execute("DELETE FROM audit_archive")
    assert code(key, folder) == "event_removed"
    assert made.number == 1


@pytest.mark.usefixtures("moved")
def test_events_removed_with_tombstones_of_their_own_are_found(key, folder):
    with behind_the_portal() as cursor:
        row = Archived.objects.filter(leaf=10).values().get()
        leaf = Leaf.objects.select_related("event").get(number=11)
        Archived.objects.create(
            **row | {"leaf": 11, "event": leaf.event_id, "uuid": leaf.event.uuid, "hash": leaf.hash}
        )
        cursor.execute("DELETE FROM audit_eventtext WHERE event_id = %s", [leaf.event_id])
        cursor.execute("DELETE FROM audit_event WHERE id = %s", [leaf.event_id])
    assert code(key, folder) == "tombstone_changed"


def refuses(statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.usefixtures("moved")
def test_nothing_else_can_ever_be_deleted():
    for table in ("audit_archive", "audit_archived"):
        refuses(f"DELETE FROM {table}")
        refuses(f"UPDATE {table} SET {'leaf = leaf + 100' if table == 'audit_archived' else 'number = 7'}")
    for event in Event.objects.all():
        refuses(f"DELETE FROM audit_eventtext WHERE event_id = {event.pk}")
        refuses(f"DELETE FROM audit_event WHERE id = {event.pk}")


@pytest.mark.parametrize(("ago", "goes"), [(89 * DAY, False), (91 * DAY, True)])
@pytest.mark.usefixtures("moved")
def test_a_tombstone_is_for_what_is_90_days_old_by_the_clock_of_the_database(key, ago, goes):
    (event,) = happened(1, ago=ago)
    sealed(key)
    leaf = Leaf.objects.get(event=event.pk)
    row = Archived.objects.filter(leaf=10).values().get()
    new = row | {"leaf": leaf.number, "event": event.pk, "uuid": event.uuid, "hash": leaf.hash}
    for wrong in ({"hash": "00"}, {"leaf": 1000}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Archived.objects.create(**new | wrong)
    if goes:
        Archived.objects.create(**new)
    else:
        with pytest.raises(DatabaseError), transaction.atomic():
            Archived.objects.create(**new)


def test_what_something_needs_stays(key, folder, key_file):
    ines, adam = person("ines"), person("adam")
    configure(role(people.EXCHANGE_ADMINISTRATOR), approvers=[adam])
    eligible = make_eligible(ines, role(people.EXCHANGE_ADMINISTRATOR))
    request = request_activation(ines, eligible)
    over = uuid.uuid4()
    about: dict[str, list[Event]] = {
        "an open assignment": happened(kind=Kind.ASSIGNMENT_ENDED, ids=Ids(assignment=eligible.pk)),
        "an open request": happened(kind=Kind.SESSIONS_ENDED, ids=Ids(request=request.pk)),
        "a mail": happened(kind=Kind.SESSIONS_ENDED),
        "last seen": happened(kind=Kind.SIGNED_IN, actor_id=adam.pk),
        "the history": happened(kind=Kind.AUDIT_KEY_MADE),
    }
    goes = [
        *happened(kind=Kind.ASSIGNMENT_ENDED, ids=Ids(assignment=over)),
        *happened(kind=Kind.SIGNED_IN, actor_id=adam.pk, ago=LONG_AGO + DAY),
        *happened(kind=Kind.SESSIONS_ENDED, ids=Ids(request=over)),
    ]
    mailed = about["a mail"][0]
    Notification.objects.create(event=mailed, recipient=ines, mail="x", dedupe_key="x")
    unsealed = Event.objects.count()
    sealed(key)
    waiting = happened()
    keep(90)
    assert {one.uuid for one in staying.may_go(staying.old(timezone.now(), kept=staying.retention()))} == {
        one.uuid for one in goes
    }
    archive(folder, key_file)
    assert set(Archived.objects.values_list("uuid", flat=True)) == {one.uuid for one in goes}
    assert Event.objects.filter(pk=waiting[0].pk).exists()
    assert unsealed

    # Once nothing needs it any more it goes.
    Notification.objects.filter(dedupe_key="x").delete()
    archive(folder, key_file)
    assert Archived.objects.filter(uuid=mailed.uuid).exists()


def test_what_a_web_hook_has_not_taken_stays_even_while_it_is_paused(key, folder, key_file):
    old = happened(10)
    sealed(key)
    keep(90)
    people.person("sven")
    with transaction.atomic():
        hook = WebHook(name="SIEM", url="https://siem.example", secret="whsec_x", position=4, paused_at=timezone.now())
        happened(kind=Kind.WEB_HOOK_ADDED)
        hook.save()
    (made,) = archive(folder, key_file)
    assert (made.first, made.last, made.leaves) == (1, 4, 4)
    assert Event.objects.filter(pk=old[4].pk).exists()


def test_worlds_do_not_share_an_archive(key, folder, key_file):
    happened(2)
    happened(3, realm=Realm.RESOURCE)
    sealed(key)
    keep(90)
    made = archive(folder, key_file)
    assert [(one.realm, one.leaves) for one in made] == [("directory", 2), ("resource", 3)]


def test_archives_have_a_limit_and_follow_on_each_other(key, folder, key_file):
    happened(10)
    sealed(key)
    keep(90)
    made = archive(folder, key_file, limit=4)
    assert [(one.number, one.first, one.last) for one in made] == [(1, 1, 4), (2, 5, 8), (3, 9, 10)]
    assert archive(folder, key_file) == []
    sealed(key)
    progress = verify(key, folder)
    assert (progress.finding, progress.archived, progress.archive) == (None, 10, 3)


def test_what_was_erased_stays_erased_and_what_is_archived_can_be(key, folder, key_file):
    ines = person("ines")
    old = happened(6, actor_id=ines.pk, kind=Kind.ACTIVATION_DEACTIVATED)
    sealed(key)
    erase_texts([old[0].uuid], reason="Asked for", actor=OPERATOR, clock=timezone.now)
    keep(90)
    (made,) = archive(folder, key_file)
    texts = texts_beside(file_of(folder, made.name))
    assert archive_files.leaves_with_text(folder, made.name) == {
        one.leaf for one in Archived.objects.filter(uuid__in=[one.uuid for one in old[1:]])
    }
    sealed(key)
    assert code(key, folder) == ""
    erased = erase_texts_of(ines.pk, reason="Asked for", actor=OPERATOR, clock=timezone.now, archives=folder)
    assert erased >= 5
    assert texts.read_text() == ""
    sealed(key)
    assert code(key, folder) == ""
    assert archive_files.sha256_of(file_of(folder, made.name)) == made.sha256


def test_text_that_is_erased_between_the_file_and_the_removal_goes_from_the_file_too(
    key, folder, key_file, monkeypatch
):
    old = happened(4)
    sealed(key)
    keep(90)
    real = archiving.remove

    def late(**how: Any) -> tuple[int, int]:
        if Archived.objects.exists() and EventText.objects.filter(pk=old[1].pk, erased_at=None).exists():
            erase_texts([old[1].uuid], reason="Asked for", actor=OPERATOR, clock=timezone.now)
        return real(**how)

    monkeypatch.setattr(archiving, "remove", late)
    (made,) = archive(folder, key_file)
    assert archive_files.leaves_with_text(folder, made.name) == {1, 3, 4}
    sealed(key)
    assert code(key, folder) == ""


def test_whoever_reads_in_leaf_order_is_told_that_an_event_is_archived(moved):
    made, old = moved
    forms = [json.loads(one.json) for one in told(1, 11) if one.json]
    assert [form["missing"] for form in forms] == [True] * 10 + [False]
    assert forms[0]["archive"] == made.name
    assert forms[0]["id"] == str(old[0].uuid)


def test_the_command_says_beforehand_what_it_would_do(key, folder, key_file, settings, capsys):
    settings.PIM_AUDIT_ARCHIVES, settings.PIM_AUDIT_KEY = folder, key_file
    ines = person("ines")
    eligible = make_eligible(ines, role(people.EXCHANGE_ADMINISTRATOR))
    happened(3, kind=Kind.ASSIGNMENT_ENDED)
    happened(kind=Kind.ASSIGNMENT_ENDED, ids=Ids(assignment=eligible.pk))
    sealed(key)
    keep(90, Group.ASSIGNMENTS)
    before = Event.objects.count()
    call_command("archive_history", "--dry-run")
    said = capsys.readouterr().out
    assert "Assignments and activations: kept for 90 days; 3 events would be moved, 1 older one stays, since" in said
    assert "Access reviews: kept for ever." in said
    assert (Event.objects.count(), Archive.objects.count(), folder.exists()) == (before, 0, False)
    call_command("archive_history")
    assert "3 events of directory are in pim-audit-" in capsys.readouterr().out
    assert Assignment.objects.filter(pk=eligible.pk).exists()
    sealed(key)
    call_command("verify_audit", "--json")
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["archived"], answer["archives"], answer["archives_not_at_hand"]) == (True, 3, 1, [])


def test_the_auditors_are_told_of_each_archive(key, folder, key_file):
    nina = person("nina")
    give(nina, role(ids.GLOBAL_READER))
    happened(2)
    sealed(key)
    keep(90)
    archive(folder, key_file)
    mails = set(Notification.objects.filter(recipient=nina).values_list("mail", flat=True))
    assert {"retention_changed", "history_archived"} <= mails
