"""How far a long download is: told beside it, to its reader alone, to the end, whatever the end is."""

from __future__ import annotations

import io
import uuid
import zipfile
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError
from django.urls import reverse

from audit import keys
from audit.kinds import Kind
from pim_portal.accounts.services.sessions import end_sessions_of
from pim_portal.activity import downloads, exports, paging, progress
from pim_portal.models import Download
from pim_portal.operations.services import sweep
from roles import ids
from roles.models import Assignment
from roles.services.assignments import remove
from tests.archived import happened
from tests.people import NOW, OPERATOR, at
from tests.sealed import happen, seal_all
from tests.stepping import verified
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    """Five events at a time, each told."""
    monkeypatch.setattr(downloads, "PART", 5)
    monkeypatch.setattr(downloads, "COPIED", 5)
    monkeypatch.setattr(exports, "PART", 5)
    monkeypatch.setattr("roles.downloads.islice", lambda rows, _count: list(islice(rows, 5)))
    monkeypatch.setattr("roles.workbooks._PART", 5)
    monkeypatch.setattr(progress, "EVERY", timedelta(0))


@pytest.fixture
def history(nina):
    """Whatever it took to have Nina, and thirty events more."""
    happen(30)


def asked(pk: uuid.UUID, page: str = "audit_download", format: str = "jsonl", **query: str) -> str:
    return reverse(page, query={"download": format, "id": str(pk), **query})


def far(client: Any, pk: uuid.UUID) -> str:
    answer = client.get(reverse("history_download", args=[pk]))
    assert answer.status_code == 200
    assert ("Refresh" in answer) == (b"data-follow" in answer.content)
    return " ".join(answer.content.decode().split())


def begun(client: Any, **query: str) -> tuple[uuid.UUID, Any]:
    """Begin a download of thirty events; return its id, and what comes of it."""
    pk = uuid.uuid4()
    answer = client.post(asked(pk, **{"kind": "session.signed_in", **query}))
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    return pk, iter(answer.streaming_content)


@pytest.mark.parametrize("page", ["audit", "my_audit"])
def test_a_long_list_leads_to_a_page_and_a_short_one_to_the_file(nina, history, page, monkeypatch):
    client = visiting(nina)
    assert 'href="?download=csv" download' in client.get(reverse(page)).content.decode()
    monkeypatch.setattr(paging.Stretch, "length", 2)
    happened(5, actor_id=nina.pk)
    html = client.get(reverse(page), {"outcome": "done"}).content.decode()
    there = f"{reverse(f'{page}_download')}?outcome=done&amp;download=csv"
    assert f'href="{there}">' in html
    html = client.get(there.replace("&amp;", "&")).content.decode()
    assert "Download as CSV" in html
    assert "The filters of the list apply." in html
    assert 'data-download="progress"' in html


def test_it_says_how_many_of_how_many_were_sent_until_all_are(nina, history):
    client = visiting(nina)
    pk, stream = begun(client)
    assert next(stream).count(b"\n") == 5
    assert "0 of 30 events were sent." in far(client, pk)
    next(stream)
    next(stream)
    html = far(client, pk)
    assert "10 of 30 events were sent." in html
    assert '<progress class="across" max="30" value="10"' in html
    assert sum(part.count(b"\n") for part in stream) == 15
    html = far(client, pk)
    assert "The file is complete." in html
    assert "30 of 30 events were sent." in html
    # From where it began leads there, too.
    answer = client.get(asked(pk))
    assert (answer.status_code, answer["Location"]) == (302, reverse("history_download", args=[pk]))


ENDS: dict[str, Any] = {
    "the role is taken away": lambda nina: remove(
        Assignment.objects.get(principal=nina, role_id=ids.GLOBAL_READER).pk, actor=OPERATOR, reason="x", clock=at(NOW)
    ),
    "the session is ended": lambda nina: end_sessions_of(nina, now=NOW),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("format", ["csv", "jsonl", "xlsx"])
def test_one_that_ends_with_the_right_to_it_says_so_where_the_right_is_gone(nina, history, end, format):
    client = visiting(nina)
    pk, stream = begun(client, format=format)
    for _part in range(1 if format == "xlsx" else 2):  # of a workbook most stays in the compressor
        next(stream)
    ENDS[end](nina)
    rest = b"".join(stream)
    assert format == "xlsx" or b"INCOMPLETE" in rest
    client = visiting(nina)
    html = far(client, pk)
    assert "It was cut off: your right to read it, or your session, was over." in html
    assert Download.objects.get().sent < 30


def test_one_that_is_broken_off_says_so(nina, history):
    client, pk = visiting(nina), uuid.uuid4()
    answer: Any = client.post(asked(pk, kind="session.signed_in"))
    stream = iter(answer.streaming_content)
    next(stream)
    next(stream)
    answer._iterator.close()
    assert "It broke off" in far(client, pk)
    assert "5 of 30 events were sent." in far(client, pk)


def test_one_that_stands_still_says_since_when(nina, history):
    client = visiting(nina)
    pk, stream = begun(client)
    next(stream)
    with time_machine.travel(NOW + progress.STANDS_STILL, tick=False):
        assert "Nothing has been sent since" not in far(client, pk)
    with time_machine.travel(NOW + progress.STANDS_STILL + timedelta(microseconds=1), tick=False):
        assert "Nothing has been sent since" in far(client, pk)
    b"".join(stream)


def test_a_form_that_is_sent_twice_sends_one_file(nina, history):
    client = visiting(nina)
    pk, stream = begun(client)
    answer = client.post(asked(pk))
    assert (answer.status_code, answer["Location"]) == (302, reverse("history_download", args=[pk]))
    assert b"".join(stream).count(b"\n") == 30


def test_how_far_others_are_is_as_unknown_as_what_is_not_there(nina, petra, history):
    pk, stream = begun(visiting(nina))
    b"".join(stream)
    client = visiting(petra)
    assert client.get(reverse("history_download", args=[pk])).status_code == 404
    assert client.get(asked(pk)).status_code == 200
    answer = client.post(asked(pk))
    assert client.get(answer["Location"]).status_code == 404
    assert Download.objects.get().reader == nina


def test_whoever_may_not_read_the_history_begins_nothing(zoe):
    answer = visiting(zoe).post(asked(uuid.uuid4()))
    assert answer.status_code == 403
    assert not Download.objects.exists()


def test_that_it_cannot_be_told_ends_no_file(nina, history, monkeypatch):
    client = visiting(nina)
    _pk, stream = begun(client)

    def full(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("The disk is full.")

    monkeypatch.setattr(Download.objects, "filter", full)
    assert b"".join(stream).count(b"\n") == 30


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_ones_own_history_is_told_as_well(ines, format):
    happened(12, kind=Kind.SIGNED_IN, actor_id=ines.pk)
    client = visiting(ines)
    pk = uuid.uuid4()
    answer: Any = client.post(asked(pk, "my_audit_download", format, kind="session.signed_in"))
    b"".join(answer.streaming_content)
    assert "12 of 12 events were sent." in far(client, pk)


def test_an_export_with_proof_is_told_as_well(nina, history, tmp_path, settings):
    settings.PIM_AUDIT_KEY = tmp_path / "key.pem"
    seal_all(keys.make(settings.PIM_AUDIT_KEY))
    client, pk = verified(nina), uuid.uuid4()
    there = reverse("audit_export", query={"id": str(pk), "kind": "session.signed_in"})
    assert f'data-at="{there.replace("&", "&amp;")}"' in client.get(there).content.decode()
    answer: Any = client.post(there)
    assert "0 of 30 events were sent." not in far(client, pk)  # nobody has taken a byte
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.read("events.jsonl").count(b"\n") == 30
    assert "30 of 30 events were sent." in far(client, pk)
    assert client.get(there).status_code == 302


def test_a_day_later_it_is_forgotten(nina, history):
    _pk, stream = begun(visiting(nina))
    b"".join(stream)
    sweep(clock=at(NOW + progress.KEPT))
    assert Download.objects.exists()
    sweep(clock=at(NOW + progress.KEPT + timedelta(microseconds=1)))
    assert not Download.objects.exists()
