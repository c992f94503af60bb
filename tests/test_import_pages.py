"""Importing through the pages: a file is sent, looked at by the worker, confirmed, applied."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from audit.kinds import Kind
from audit.models import Event
from pim_portal.imports.reading import NEEDED
from pim_portal.imports.services import applying, uploads
from pim_portal.models import Upload, UploadLine, UploadPart, UploadStatus
from roles.ids import OWNER, PRIVILEGED_ROLE_ADMINISTRATOR, READER
from roles.models import Assignment, Purpose, StepUp, TotpDevice, User
from roles.refusals import Refused
from roles.services.principals import disable_person
from tests.people import OPERATOR, acting, directory, give, person, role, tree
from tests.visitors import visiting

HEADER = ",".join(NEEDED) + ",Scope Path"
GOOD = "Eligible,,Reports Reader,ines,Direct,,,"
WRONG = "Eligible,,No such role,ines,Direct,,,"


@pytest.fixture
def petra(db) -> User:
    petra = person("petra", now=timezone.now())
    give(petra, role(PRIVILEGED_ROLE_ADMINISTRATOR), now=timezone.now())
    return petra


@pytest.fixture
def ines(db) -> User:
    return person("ines", now=timezone.now())


def sent(user: User, *lines: str, place=None) -> Upload:
    body = "\n".join([HEADER, *lines]).encode()
    place = place or directory()
    return uploads.receive(io.BytesIO(body), name="roles.csv", place=place, actor=_as(user), clock=timezone.now)


def _as(user: User):
    return acting(user, Purpose.ASSIGN, now=timezone.now())


def checked(user: User, *lines: str, place=None) -> Upload:
    upload = sent(user, *lines, place=place)
    uploads.check(upload.pk, clock=timezone.now)
    upload.refresh_from_db()
    return upload


def confirmed(upload: Upload, *, purpose=Purpose.ASSIGN) -> Upload:
    actor = acting(upload.uploader, purpose, upload.pk, now=timezone.now())
    return uploads.confirm(upload.pk, reason="moved in", actor=actor, clock=timezone.now)


def posted(user: User, body: bytes, path="/manage/directory/imports/"):
    return visiting(user).post(path, {"kind": "assignments", "file": SimpleUploadedFile("roles.csv", body, "text/csv")})


def test_a_file_is_sent_looked_at_confirmed_and_applied(petra, ines):
    answer = posted(petra, f"{HEADER}\n{GOOD}".encode())
    upload = Upload.objects.get()
    assert answer["Location"] == f"/manage/directory/imports/{upload.pk}/"
    uploads.check(upload.pk, clock=timezone.now)
    client = visiting(petra)
    page = client.get(answer["Location"]).content.decode()
    assert "Make 1 assignment" in page
    assert not Assignment.objects.filter(principal=ines).exists()
    form = client.get(f"{answer['Location']}confirm/").content.decode()
    assert 'name="code"' in form, "The code of the sign-in is not enough."
    confirmed(upload)
    applying.apply(upload.pk, clock=timezone.now)
    made = Assignment.objects.get(principal=ines)
    event = Event.objects.get(kind=Kind.ASSIGNMENT_ADDED, assignment_id=made.pk)
    assert (event.actor_id, event.text.fields["reason"]) == (petra.pk, "moved in")
    assert "It is applied." in client.get(answer["Location"]).content.decode()
    assert not UploadPart.objects.exists()
    applying.apply(upload.pk, clock=timezone.now)
    assert Assignment.objects.filter(principal=ines).count() == 1


def test_a_file_with_a_wrong_line_cannot_be_confirmed(petra, ines):
    upload = checked(petra, GOOD, WRONG)
    assert upload.counts == {"made": 1, "wrong": 1}
    with pytest.raises(Refused, match="not_checked"):
        confirmed(upload)
    page = visiting(petra).get(f"/manage/directory/imports/{upload.pk}/?fate=wrong").content.decode()
    assert "No such role" in page
    assert "Reports Reader" not in page


def test_a_file_is_confirmed_with_a_code_of_its_own(petra, ines):
    with pytest.raises(Refused, match="second_factor"):
        confirmed(checked(petra, GOOD), purpose=Purpose.SIGN_IN)


def test_looking_goes_on_where_the_last_task_stopped_and_finds_a_second_such_line(petra, ines, monkeypatch):
    monkeypatch.setattr("pim_portal.imports.services.uploads.CHUNK", 1)
    upload = sent(petra, GOOD, GOOD, WRONG)
    for _task in range(4):
        uploads.check(upload.pk, clock=timezone.now, seconds=-1)
    upload.refresh_from_db()
    assert (upload.status, upload.checked) == (UploadStatus.CHECKED, 3)
    assert [(one.number, one.fate) for one in upload.report.all()] == [(2, "made"), (3, "exists"), (4, "wrong")]


def test_nobody_else_sees_a_file_not_even_another_administrator(petra, ines):
    paul = person("paul", now=timezone.now())
    give(paul, role(PRIVILEGED_ROLE_ADMINISTRATOR), now=timezone.now())
    upload = checked(petra, GOOD)
    client = visiting(paul)
    for rest in ("", "confirm/", "?download=csv"):
        assert client.get(f"/manage/directory/imports/{upload.pk}/{rest}").status_code == 404
    assert client.post(f"/manage/directory/imports/{upload.pk}/discard/").status_code == 404
    assert "roles.csv" not in client.get("/manage/directory/imports/").content.decode()


def test_an_owner_imports_at_and_below_their_place_and_learns_of_no_other(ines, petra):
    olga = person("olga", now=timezone.now())
    root, prod = tree("Root", "Prod")
    other = tree("Other")[0]
    give(olga, role(OWNER), prod, now=timezone.now())
    line = "Active,,Reader,ines,Direct,,,{}"
    upload = checked(olga, line.format(prod.scope_path), line.format(root.scope_path), place=prod)
    fates = {one.number: (one.fate, one.sentence) for one in upload.report.all()}
    assert fates[2][0] == "made"
    unknown = checked(olga, line.format(other.scope_path), line.format("/no/such"), GOOD, place=prod)
    assert {(one.fate, one.sentence) for one in unknown.report.all()} == {fates[3]}
    assert fates[3][0] == "wrong"


def test_what_the_sender_may_no_longer_do_is_not_applied(petra, ines):
    paul = person("paul", now=timezone.now())
    given = give(paul, role(PRIVILEGED_ROLE_ADMINISTRATOR), now=timezone.now())
    upload = confirmed(checked(paul, GOOD))
    disable_person(paul.pk, reason="left", actor=OPERATOR, clock=timezone.now)
    applying.apply(upload.pk, clock=timezone.now)
    upload.refresh_from_db()
    assert given.pk
    assert upload.status == UploadStatus.FAILED
    assert upload.problem
    assert not Assignment.objects.filter(principal=ines).exists()
    assert Event.objects.filter(kind=Kind.IMPORTED, outcome="refused").exists()


def test_a_file_that_was_changed_after_it_was_confirmed_is_not_applied(petra, ines):
    upload = confirmed(checked(petra, GOOD))
    part = upload.parts.get()
    part.data = bytes(part.data).replace(b"Eligible", b"Active")
    part.save()
    applying.apply(upload.pk, clock=timezone.now)
    upload.refresh_from_db()
    assert upload.status == UploadStatus.FAILED
    assert not Assignment.objects.filter(principal=ines).exists()


def test_a_worker_that_comes_an_hour_late_applies_nothing(petra, ines):
    upload = confirmed(checked(petra, GOOD))
    assert upload.confirmed_at is not None
    late: datetime = upload.confirmed_at + applying.CONFIRMED_FOR + timedelta(microseconds=1)
    applying.apply(upload.pk, clock=lambda: late)
    assert Upload.objects.get().status == UploadStatus.FAILED
    assert not Assignment.objects.filter(principal=ines).exists()


def test_the_page_says_when_the_worker_does_not_answer(petra, ines):
    upload = sent(petra, GOOD)
    page = visiting(petra).get(f"/manage/directory/imports/{upload.pk}/").content.decode()
    assert "The worker does not answer." in page
    assert "0 of 1 lines are checked." in page
    assert "Look again" in page


def test_files_are_gone_after_a_day(petra, ines):
    upload = checked(petra, GOOD)
    assert uploads.prune_uploads(clock=lambda: upload.made_at + uploads.KEPT, limit=10) == 0
    over = upload.made_at + uploads.KEPT + timedelta(microseconds=1)
    assert uploads.prune_uploads(clock=lambda: over, limit=10) == 1
    assert (Upload.objects.count(), UploadLine.objects.count(), UploadPart.objects.count()) == (0, 0, 0)


def test_a_file_that_is_thrown_away_is_gone(petra, ines):
    upload = checked(petra, GOOD)
    assert visiting(petra).post(f"/manage/directory/imports/{upload.pk}/discard/").status_code == 302
    assert not UploadPart.objects.exists()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "This file is empty."),
        (b"a,b\n1,2", "These columns are missing"),
        (HEADER.encode() + b"\n", "no lines"),
        (HEADER.encode() + b"\n" + GOOD.encode() + b"\x00", "no text has"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_beside_the_field(petra, body, sentence):
    answer = posted(petra, body)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()


def test_too_many_lines_and_too_many_bytes_are_refused_in_a_sentence(petra, monkeypatch):
    monkeypatch.setattr("pim_portal.imports.services.uploads.most_lines", lambda kind: 2)
    assert "more than 2 lines" in posted(petra, f"{HEADER}\n{GOOD}\n{GOOD}\n{GOOD}".encode()).content.decode()
    monkeypatch.setattr("pim_portal.imports.receiving.MOST_BYTES", 100)
    answer = posted(petra, b"x" * 100_000)
    assert (answer.status_code, "larger than" in answer.content.decode()) == (422, True)
    assert not Upload.objects.exists()


def test_no_other_page_takes_a_file(petra, ines):
    answer = visiting(petra).post("/manage/people/invite/", {"file": SimpleUploadedFile("f.csv", b"x", "text/csv")})
    assert answer.status_code == 200, "The form as it stands, with nothing in it."
    assert not answer.wsgi_request.FILES


def test_somebody_keeps_a_few_files_at_most(petra, ines):
    for _number in range(uploads.MOST_WAITING):
        sent(petra, GOOD)
    with pytest.raises(Refused, match="too_many"):
        sent(petra, GOOD)


def test_a_confirmation_goes_through_the_page(petra, ines):
    upload = checked(petra, GOOD)
    client = visiting(petra)
    device = TotpDevice.objects.get(user=petra)
    path = f"/manage/directory/imports/{upload.pk}/confirm/"
    answer = client.post(path, {"reason": "moved in", "device": device.persistent_id, "code": "000000"})
    assert answer.status_code == 422
    assert Upload.objects.get().status == UploadStatus.CHECKED
    assert not StepUp.objects.filter(purpose=Purpose.ASSIGN, used_at__isnull=False).exists()
    assert role(READER)
