"""Downloads of the history: what PostgreSQL says is what Python says; they end with the right to them."""

from __future__ import annotations

import io
import json
from itertools import islice
from typing import Any

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.db import connection, transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from audit import recording
from audit.kinds import Kind, Outcome, Realm
from audit.models import Event, EventText
from audit.recording import Entry, Ids, write_many
from pim_portal.accounts.services.sessions import end_sessions_of
from pim_portal.activity import copying, downloads
from pim_portal.people.services import disable
from roles import ids
from roles.downloads import plain, protected
from roles.models import Assignment
from roles.services.assignments import remove
from tests.people import HOUR, NOW, OPERATOR, at
from tests.sealed import happen
from tests.visitors import visiting

pytestmark = pytest.mark.django_db
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="COPY is PostgreSQL's")
FORMATS = ("csv", "xlsx", "jsonl")


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


DETAILS: list[dict[str, object]] = [
    {},
    {"type": "eligible", "justified": False, "note": "=1+1,-2;\t@x"},
    {"type": "active", "starts_at": (NOW + HOUR).isoformat(), "instead_of": "x"},
    {"starts_at": NOW.isoformat(), "action": "extend", "justified": True},
    {"starts_at": "yesterday", "action": "renew", "nested": {"ü": [1, 2.5, None, True]}},
    {"starts_at": None, "action": "prolong"},
]


def everything(ines: Any, adam: Any) -> None:
    """Every kind with every outcome, by oneself, for somebody else, by nobody; with texts and without."""
    names = {
        "actor": "Ines {target} %s",
        "target": 'Zoë "Z", =x',
        "role": "-Role",
        "reason": "@a\nb,\t+c",
        "ticket": "|=1",
        "address": "192.0.2.7",
    }
    entries = []
    for number, (kind, outcome) in enumerate((kind, outcome) for kind in Kind for outcome in Outcome):
        for other, details in enumerate(DETAILS):
            target = (ines.pk, adam.pk, None)[(number + other) % 3]
            actor = (ines.pk, None)[other == 4]
            text = names | {"resource": "Vault", "justification": "why", "instead": "Bo", "review": "Q3"}
            entries.append(
                Entry(
                    kind,
                    NOW,
                    list(Realm)[other % 3],
                    actor,
                    Ids(
                        target=target,
                        role=ids.READER if other % 4 else None,
                        resource=ids.DIRECTORY if other % 2 else None,
                    ),
                    outcome,
                    details,
                    {} if other == 3 else names if other == 0 else text,
                )
            )
    with transaction.atomic():
        write_many(entries, batch=ids.DIRECTORY)
    erased = EventText.objects.filter(fields__has_key="review").order_by("pk")[:40]
    EventText.objects.filter(pk__in=list(erased.values_list("pk", flat=True))).update(
        fields={}, salts={}, search="", erased_at=NOW
    )


@on_postgresql
def test_postgresql_says_every_event_as_python_does(ines, adam, petra, monkeypatch):
    monkeypatch.setattr(recording, "_subscribers", [])  # these tell of nothing that happened
    everything(ines, adam)
    rows = Event.objects.select_related("text").newest_first()
    expected = [[str(plain(value(one))) for _label, value in downloads.COLUMNS] for one in rows.all()]
    assert len(expected) > 1000
    assert copying.cells(rows.all()) == expected
    for reader in (ines, adam):
        own = [[str(plain(value(one))) for value in downloads._columns(reader.pk)] for one in rows.all()]
        assert copying.cells(rows.all(), own=reader.pk) == own
    lines = [json.loads(downloads.json_line(one)) for one in rows.all()]
    assert [json.loads(line) for line in copying.json_lines(rows.all())] == lines


@on_postgresql
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.text(alphabet=st.sampled_from("=+-@\t\r\n'\" ,;|ab＝＋".replace("\x00", ""))))
def test_postgresql_protects_as_python_does(text):
    said = copying._protected("c")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {said} FROM (SELECT {copying._quoted(text)}) AS r(c)")  # noqa: S608 - quoted by the driver
        assert cursor.fetchone()[0] == protected(text)


def started(nina: Any, format: str, monkeypatch: Any) -> tuple[Any, Any]:
    """Begin a download in parts of five events; return the client and the stream, of which some has come."""
    happen(30)
    monkeypatch.setattr(downloads, "PART", 5)
    monkeypatch.setattr(downloads, "COPIED", 5)
    monkeypatch.setattr("roles.downloads.islice", lambda rows, _count: list(islice(rows, 5)))
    monkeypatch.setattr("roles.workbooks._PART", 5)
    client = visiting(nina)
    answer: Any = client.get(reverse("audit"), {"download": format})
    return client, iter(answer.streaming_content)


def ended(stream: Any, format: str, folder: Any) -> str:
    """Read what is left; return the last line of the file."""
    rest = b"".join(stream)
    if format != "xlsx":
        return rest.decode().strip().splitlines()[-1]
    return rest.decode("latin-1")


ENDS: dict[str, Any] = {
    "the role is taken away": lambda nina, client: remove(
        Assignment.objects.get(principal=nina, role_id=ids.GLOBAL_READER).pk, actor=OPERATOR, reason="x", clock=at(NOW)
    ),
    "the person is disabled": lambda nina, client: disable(nina.pk, actor=OPERATOR, reason="x", clock=at(NOW)),
    "the session is ended": lambda nina, client: end_sessions_of(nina, now=NOW),
    "they sign out": lambda nina, client: client.session.flush(),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_a_download_ends_with_the_right_to_it_and_says_so(nina, petra, paul, format, end, monkeypatch, tmp_path):
    client, stream = started(nina, format, monkeypatch)
    first = next(stream) + next(stream)
    assert first.count(b"\n") <= 11
    ENDS[end](nina, client)
    last = ended(stream, format, tmp_path)
    assert "INCOMPLETE" in last


@pytest.mark.parametrize("end", ENDS)
def test_a_workbook_says_so_in_its_last_row(nina, petra, paul, end, monkeypatch, tmp_path):
    client, stream = started(nina, "xlsx", monkeypatch)
    file = tmp_path / "history.xlsx"
    with open(file, "wb") as made:
        made.write(next(stream))
        ENDS[end](nina, client)
        made.writelines(stream)
    rows = list(load_workbook(file).active.iter_rows(values_only=True))
    assert "INCOMPLETE" in str(rows[-1][0])
    assert len(rows) < 25


@pytest.mark.parametrize("format", FORMATS)
def test_a_download_goes_on_while_the_right_to_it_does(nina, format, monkeypatch):
    client, stream = started(nina, format, monkeypatch)
    assert SESSION_KEY in client.session
    assert b"INCOMPLETE" not in b"".join(stream)


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_ones_own_history_comes_as_fast_without_the_addresses_of_others(ines, petra, monkeypatch, format):
    with transaction.atomic():
        for actor, address in ((ines.pk, "192.0.2.1"), (petra.pk, "192.0.2.2"), (None, "192.0.2.3")):
            about = Entry(
                Kind.SESSIONS_ENDED, NOW, Realm.DIRECTORY, actor, Ids(target=ines.pk), text={"address": address}
            )
            write_many([about], batch=ids.DIRECTORY)
    client = visiting(ines)
    answer: Any = client.get(reverse("my_audit"), {"download": format})
    body = b"".join(answer.streaming_content)
    said = body.decode() if format == "csv" else str(list(load_workbook(io.BytesIO(body)).active.values))
    assert "192.0.2.1" in said
    assert "192.0.2.2" not in said
    assert "192.0.2.3" in said
    monkeypatch.setattr(downloads, "PART", 2)
    monkeypatch.setattr(downloads, "COPIED", 2)
    answer = client.get(reverse("my_audit"), {"download": "csv"})
    stream = iter(answer.streaming_content)
    next(stream)
    client.session.flush()
    assert "INCOMPLETE" in b"".join(stream).decode()
