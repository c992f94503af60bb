"""Proof to take away: the verifier of an export, alone in its folder, against tampered exports; one for each way."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from audit import keys, proofs
from audit.kinds import Kind
from audit.models import Event, Leaf
from audit.proofs import Broken, canonical_json, leaf_hash, link, merkle_root, statement
from pim_portal.activity import exports
from pim_portal.activity.selectors.sight import in_sight
from pim_portal.activity.services import erase_texts
from roles import ids
from roles.models import Assignment
from roles.services.assignments import remove
from tests.people import NOW, OPERATOR, at, give, person, role, tree
from tests.sealed import happen, key_in, seal_all
from tests.stepping import verified
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def key(tmp_path, settings):
    settings.PIM_AUDIT_KEY = tmp_path / "key.pem"
    return keys.make(settings.PIM_AUDIT_KEY)


def taken(user: Any, folder: Path, **query: str) -> Path:
    """Export as this person and unpack it."""
    address = reverse("audit_export") + ("?" + "&".join(f"{name}={value}" for name, value in query.items()))
    answer: Any = verified(user).post(address)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def export(nina, key, tmp_path):
    """Everything, as an auditor takes it away: several batches, one erased text."""
    made = happen(9)
    erase_texts([made[3].uuid], reason="Asked for", actor=OPERATOR, clock=at(NOW))
    seal_all(key)
    return taken(nina, tmp_path / "export")


def code(folder: Path, **how: Any) -> str:
    """What the verifier finds; empty when all is well."""
    try:
        proofs.verify_export(folder, how.get("trusted"), how.get("tips", ()))
    except Broken as broken:
        return broken.code
    return ""


def lines(folder: Path, name: str = "events.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def write(folder: Path, rows: list[dict[str, Any]], name: str = "events.jsonl") -> None:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_an_export_verifies_with_nothing_but_python_and_cryptography(export):
    """A process that knows neither the portal nor Django."""
    command = [sys.executable, "-I", str(export / "verify.py"), str(export)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env={"PATH": "/usr/bin:/bin"})
    assert ended.returncode == 0, ended.stderr
    assert f"{Leaf.objects.count()} events" in ended.stdout
    assert "every sealed event, none left out" in ended.stdout
    assert "compare it" in ended.stdout
    rows = lines(export)
    rows[2]["event"]["outcome"] = "failed"
    write(export, rows)
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env={"PATH": "/usr/bin:/bin"})
    assert ended.returncode == 1
    assert rows[2]["event"]["uuid"] in ended.stderr


def test_the_verifier_knows_nothing_of_django(export):
    source = (export / "verify.py").read_text(encoding="utf-8")
    assert "django" not in source
    assert "from audit" not in source


def changed_event(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    rows[4]["event"]["details"] = {"number": 99}


def changed_column(name: str) -> Callable[..., None]:
    def change(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
        rows[4]["event"][name] = "changed"

    return change


def changed_text(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    last = next(row for row in reversed(rows) if row["text"])
    last["text"]["actor"] = "Somebody else"


def text_in_its_salt(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    last = next(row for row in reversed(rows) if row["text"])
    text = last["text"]["actor"]
    last["text"]["actor"] = text[2:]
    last["salts"]["actor"] += text[:2].encode().hex()


def removed_text(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    last = next(row for row in reversed(rows) if row["text"])
    del last["text"]["actor"], last["salts"]["actor"]


def removed_texts(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    last = next(row for row in reversed(rows) if row["text"])
    last |= {"text": {}, "salts": {}}


def respelled_signature(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    batches[1]["signature"] = batches[1]["signature"].upper()


def added_text(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    last = next(row for row in reversed(rows) if row["text"])
    last["text"]["invented"], last["salts"]["invented"] = "x", "00"


def removed_event(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    del rows[4]


def cut_off_events(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    del rows[-1]


def doubled_event(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    rows.insert(4, rows[4])


def added_event(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    rows.append(rows[4] | {"leaf": rows[-1]["leaf"] + 1})


def swapped_events(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    rows[4]["event"], rows[5]["event"] = rows[5]["event"], rows[4]["event"]
    for name in ("text", "salts"):
        rows[4][name], rows[5][name] = rows[5][name], rows[4][name]


def moved_event(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    rows[4]["batch"] = 1


def shortened_path(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    rows[4]["path"].pop()


def removed_batch(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    del batches[1]


def cut_off_batches(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    gone = batches.pop()
    rows[:] = [row for row in rows if row["batch"] != gone["number"]]


def forged_root(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    batches[1]["root"] = "ab" * 32


def forged_signature(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    batches[1]["signature"] = batches[0]["signature"]


def foreign_key(rows: list[dict[str, Any]], batches: list[dict[str, Any]]) -> None:
    batches[1]["key"] = "ab" * 16


WAYS: dict[str, tuple[Callable[..., None], set[str]]] = {
    "a changed event": (changed_event, {"event_changed"}),
    **{
        f"a changed {name}": (changed_column(name), {"event_changed"})
        for name in ("kind", "outcome", "realm", "actor_id", "occurred_at", "recorded_at", "id", "format_version")
    },
    "a changed text": (changed_text, {"text_changed"}),
    "an added text": (added_text, {"text_changed"}),
    "a text cut in front, into its salt": (text_in_its_salt, {"text_changed"}),
    "a removed text": (removed_text, {"text_changed"}),
    "all texts of an event removed": (removed_texts, {"text_changed"}),
    "a respelled signature": (respelled_signature, {"forged_signature"}),
    "a removed event": (removed_event, {"event_removed"}),
    "a cut-off end": (cut_off_events, {"event_removed"}),
    "a doubled event": (doubled_event, {"event_twice"}),
    "an added event": (added_event, {"leaf_wrong", "event_changed", "event_removed"}),
    "swapped events": (swapped_events, {"event_changed"}),
    "an event moved to another batch": (moved_event, {"leaf_wrong"}),
    "a shortened path": (shortened_path, {"path_wrong", "event_changed"}),
    "a removed batch": (removed_batch, {"batch_missing"}),
    "cut-off batches": (cut_off_batches, {"cut_off"}),
    "a forged root": (forged_root, {"forged_signature", "chain_broken"}),
    "a forged signature": (forged_signature, {"forged_signature"}),
    "a foreign key": (foreign_key, {"foreign_key"}),
}


def test_every_way_of_tampering_with_an_export_is_found(export):
    events, seals = lines(export), lines(export, "seals.jsonl")
    assert code(export) == ""
    for name, (tamper, codes) in WAYS.items():
        rows, batches = json.loads(json.dumps(events)), json.loads(json.dumps(seals))
        tamper(rows, batches)
        write(export, rows)
        write(export, batches, "seals.jsonl")
        assert code(export) in codes, name


def test_an_export_that_somebody_signed_with_a_key_of_their_own_fails_by_the_real_key(export, key, tmp_path):
    """Rewritten from end to end, with their own public key put beside it: in itself it is consistent."""
    (tmp_path / "theirs").mkdir()
    theirs = key_in(tmp_path / "theirs")
    rows, batches = lines(export), lines(export, "seals.jsonl")
    rows[4]["event"]["outcome"] = "refused"
    before = proofs.GENESIS
    for batch in batches:
        mine = [row for row in rows if row["batch"] == batch["number"]]
        hashes = [leaf_hash(canonical_json(row["event"])) for row in mine]
        for index, row in enumerate(mine):
            row["path"] = [one.hex() for one in proofs.inclusion_path(hashes, index)]
        batch |= {"root": merkle_root(hashes).hex(), "previous": before, "key": theirs.id}
        batch["signature"] = theirs.sign(statement(batch))
        before = link(batch)
    write(export, rows)
    write(export, batches, "seals.jsonl")
    about = json.loads((export / "export.json").read_text())
    last = batches[-1]
    about["tip"] = proofs.tip_line(last["number"], last["first"] + last["size"] - 1, before)
    (export / "export.json").write_text(json.dumps(about))
    (export / "public-key.txt").write_text(theirs.public.hex())
    assert code(export) == ""
    assert code(export, trusted=proofs.read_keys([key.public.hex()])) == "foreign_key"


def test_a_tip_that_was_kept_tells_an_export_that_was_written_anew(export):
    batches = lines(export, "seals.jsonl")
    kept = (batches[0]["number"], batches[0]["size"], "ab" * 32)
    assert code(export, tips=[kept]) == "tip_differs"
    assert code(export, tips=[(len(batches) + 1, 99, "ab" * 32)]) == "cut_off"


def test_erased_text_is_missing_and_still_verifies(export):
    erased = [row for row in lines(export) if row["erased_at"]]
    assert len(erased) == 1
    assert erased[0]["text"] == {}
    assert erased[0]["event"]["commitments"]
    assert "Erased texts: 2" in proofs.verify_export(export, None)


def test_the_readme_says_in_words_what_it_proves(export):
    words = (export / "README.txt").read_text(encoding="utf-8")
    assert "WHAT IT DOES NOT PROVE" in words
    assert "This is a selection" not in words
    assert f"It holds {len(lines(export))} events: every sealed one." in words


def test_the_readme_counts_one_as_one(nina, key, tmp_path):
    happen(1)
    seal_all(key)
    folder = taken(nina, tmp_path / "export", kind="session.signed_in")
    assert "It holds 1 event, a selection." in (folder / "README.txt").read_text(encoding="utf-8")


def test_a_filtered_export_says_that_it_is_a_selection(nina, key, tmp_path):
    happen(6)
    seal_all(key)
    folder = taken(nina, tmp_path / "export", kind="session.signed_in")
    assert len(lines(folder)) == 6
    assert json.loads((folder / "export.json").read_text())["whole"] is False
    assert "This is a selection" in (folder / "README.txt").read_text(encoding="utf-8")
    assert "what it leaves out proves nothing" in proofs.verify_export(folder, None)
    rows = lines(folder)
    rows[2]["event"]["outcome"] = "failed"
    write(folder, rows)
    assert code(folder) == "event_changed"


def test_an_export_holds_only_what_its_reader_may_read(key, tmp_path, nina):
    root, _plan = tree("Contoso", "Production")
    olga = person("olga")
    give(olga, role(ids.OWNER), root)
    happen(3)
    seal_all(key, limit=1000)
    rows = lines(taken(olga, tmp_path / "export"))
    assert rows
    assert {row["event"]["realm"] for row in rows} == {"resource"}
    assert len(rows) < Leaf.objects.count()
    assert json.loads((tmp_path / "export" / "export.json").read_text())["whole"] is False


def test_an_export_is_recorded_and_needs_a_fresh_second_factor(nina, key):
    happen(2)
    seal_all(key)
    refused = visiting_late(nina)
    assert refused.status_code == 422
    assert not Event.objects.filter(kind=Kind.EXPORTED, outcome="done").exists()
    answer: Any = verified(nina).post(reverse("audit_export"))
    b"".join(answer.streaming_content)
    told = Event.objects.get(kind=Kind.EXPORTED, outcome="done")
    assert (told.actor_id, told.details["whole"]) == (nina.pk, True)


def test_an_export_ends_when_the_right_to_it_ends_and_says_so(nina, key, tmp_path, monkeypatch):
    happen(9)
    seal_all(key)
    monkeypatch.setattr(exports, "PART", 4)
    held = Assignment.objects.get(principal=nina, role=ids.GLOBAL_READER)
    answer: Any = verified(nina).post(reverse("audit_export"))
    looks = 0

    def lost(authority: Any, **how: Any) -> Any:
        nonlocal looks
        looks += 1
        if looks == 2:
            remove(held.pk, reason="gone", actor=OPERATOR, clock=at(NOW))
        return in_sight(authority, **how)

    monkeypatch.setattr("pim_portal.activity.downloads.in_sight", lost)
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        archive.extractall(tmp_path / "export")
    about = json.loads((tmp_path / "export" / "export.json").read_text())
    assert (about["cut_off"], about["whole"], about["events"]) == (True, False, 8)
    assert len(lines(tmp_path / "export")) == 8
    assert "INCOMPLETE" in (tmp_path / "export" / "README.txt").read_text()
    assert "INCOMPLETE" in proofs.verify_export(tmp_path / "export", None)


def visiting_late(user: Any) -> Any:
    client = visiting(user)
    with time_machine.travel(NOW.replace(minute=20), tick=False):
        return client.post(reverse("audit_export"))


# The proof of one event


@pytest.fixture
def proof(nina, key):
    made = happen(7)
    seal_all(key)
    answer = visiting(nina).get(reverse("audit_proof", args=[made[5].uuid]))
    assert answer["Content-Disposition"].startswith("attachment")
    return json.loads(answer.content)


def test_a_proof_verifies_alone(proof, key, tmp_path):
    assert "stands unchanged as leaf" in proofs.verify_proof(proof, None)
    assert "stands unchanged" in proofs.verify_proof(proof, proofs.read_keys([key.public.hex()]))
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof))
    assert proofs.main([str(file), "--key", key.public.hex()]) == 0
    assert len(file.read_text()) < 5000


PROOF_WAYS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "event": lambda p: p["event"].update(outcome="failed"),
    "text": lambda p: p["text"].update(actor="Somebody else"),
    "leaf": lambda p: p.update(leaf=p["leaf"] - 1),
    "path": lambda p: p["path"].pop(),
    "root": lambda p: p["seal"].update(root="ab" * 32),
    "signature": lambda p: p["seal"].update(signature="00" * 64),
    "public key": lambda p: p.update(public_key="11" * 32),
}


@pytest.mark.parametrize("name", PROOF_WAYS)
def test_a_tampered_proof_is_found(proof, name):
    PROOF_WAYS[name](proof)
    with pytest.raises(Broken):
        proofs.verify_proof(proof, None)


def test_what_is_no_proof_says_so(tmp_path, capsys):
    file = tmp_path / "proof.json"
    for content in ("", "[]", "{}", '{"seal": 1}'):
        file.write_text(content)
        assert proofs.main([str(file)]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_an_event_that_waits_has_no_proof_yet(nina, key):
    [one] = happen(1)
    assert visiting(nina).get(reverse("audit_proof", args=[one.uuid])).status_code == 404
