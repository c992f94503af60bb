"""People, groups and resources that come in through a page: tried, confirmed, applied, never out of reach."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django_q.models import OrmQ

from audit.kinds import Kind
from audit.models import Event
from pim_portal.imports import progress
from pim_portal.imports.kinds import choices_at
from pim_portal.imports.services import applying, uploads
from pim_portal.imports.services.trying import try_out
from pim_portal.models import EntryTicket, FileKind, Upload, UploadStatus
from roles import resource_files
from roles.downloads import csv_lines
from roles.ids import GROUP_MEMBER, OWNER, PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import Assignment, Group, Purpose, Resource, User
from roles.refusals import Refused
from roles.services.assignments import remove
from tests.people import MINUTE, OPERATOR, acting, directory, give, group, person, role, tree, unit
from tests.visitors import visiting

pytestmark = pytest.mark.django_db

PEOPLE = "User Name,Name,Manager\nboss,Boss,\nines,Ines,boss\n"
GROUPS = "Group,Members\nTeam,adam\n"
UNITS = "Kind,Name\nadministrative_unit,Berlin\n"
NODES = "Kind,Name,Type,Scope Path,Parent Path\n"
FILES = {FileKind.PEOPLE: PEOPLE, FileKind.GROUPS: GROUPS, FileKind.RESOURCES: UNITS}
PURPOSES = {FileKind.PEOPLE: Purpose.PEOPLE}


@pytest.fixture
def petra(db) -> User:
    petra = person("petra", now=timezone.now())
    give(petra, role(PRIVILEGED_ROLE_ADMINISTRATOR), now=timezone.now())
    person("adam", now=timezone.now())
    return petra


@pytest.fixture
def prod(db) -> Resource:
    return tree("Root", "Prod")[1]


@pytest.fixture
def olga(prod) -> User:
    olga = person("olga", now=timezone.now())
    give(olga, role(OWNER), prod, now=timezone.now())
    return olga


def sent(user: User, kind: FileKind, body: str | bytes, place: Resource | None = None) -> Upload:
    file = io.BytesIO(body.encode() if isinstance(body, str) else body)
    actor = acting(user, Purpose.ASSIGN, now=timezone.now())
    return uploads.receive(file, name="f.csv", place=place or directory(), kind=kind, actor=actor, clock=timezone.now)


def tried(user: User, kind: FileKind, body: str | bytes, place: Resource | None = None) -> Upload:
    upload = sent(user, kind, body, place)
    try_out(upload.pk, clock=timezone.now)
    upload.refresh_from_db()
    return upload


def confirmed(upload: Upload, **options: Any) -> Upload:
    purpose = PURPOSES.get(FileKind(upload.kind), Purpose.ASSIGN)
    actor = acting(upload.uploader, purpose, upload.pk, now=timezone.now())
    return uploads.confirm(upload.pk, reason="moved in", actor=actor, clock=timezone.now, **options)


def applied(upload: Upload, **options: Any) -> Upload:
    confirmed(upload, **options)
    applying.apply(upload.pk, clock=timezone.now)
    upload.refresh_from_db()
    return upload


def said(upload: Upload) -> list[tuple[str, str]]:
    return [(one.fate, one.sentence) for one in upload.report.order_by("number")]


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_tried_without_a_trace_then_applied_and_a_second_time_changes_nothing(petra, kind):
    before = (User.objects.count(), Group.objects.count(), Resource.objects.count(), Event.objects.count())
    upload = tried(petra, kind, FILES[kind])
    assert upload.status == UploadStatus.CHECKED
    assert {fate for fate, _sentence in said(upload)} == {"made"}
    assert (User.objects.count(), Group.objects.count(), Resource.objects.count(), Event.objects.count()) == before
    assert applied(upload).status == UploadStatus.APPLIED, upload.problem
    made = upload.counts["made"]
    assert made == len(FILES[kind].splitlines()) - 1
    event = Event.objects.get(kind=Kind.IMPORTED)
    assert (event.actor_id, event.details["made"], event.text.fields["reason"]) == (petra.pk, made, "moved in")
    assert tried(petra, kind, FILES[kind]).counts == {"exists": made}


def test_each_line_is_recorded_with_the_authority_by_which_it_was_done(petra):
    applied(tried(petra, FileKind.GROUPS, GROUPS))
    held = Assignment.objects.get(principal=petra)
    for kind in (Kind.GROUP_ADDED, Kind.ASSIGNMENT_ADDED):
        event = Event.objects.filter(kind=kind, actor_id=petra.pk).get()
        assert event.authority_id == held.pk
    assert Assignment.objects.get(principal__name="Adam").role_id == GROUP_MEMBER


@pytest.mark.parametrize("kind", FILES)
def test_a_code_given_for_another_kind_of_act_confirms_nothing(petra, kind):
    upload = tried(petra, kind, FILES[kind])
    right = PURPOSES.get(kind, Purpose.ASSIGN)
    for purpose in {Purpose.ASSIGN, Purpose.PEOPLE, Purpose.SIGN_IN, Purpose.EXPORT} - {right}:
        actor = acting(petra, purpose, upload.pk, now=timezone.now())
        with pytest.raises(Refused, match="second_factor"):
            uploads.confirm(upload.pk, reason="moved in", actor=actor, clock=timezone.now)


@pytest.mark.parametrize("kind", FILES)
def test_a_code_given_for_one_file_confirms_no_other(petra, kind):
    one, other = tried(petra, kind, FILES[kind]), tried(petra, kind, FILES[kind])
    actor = acting(petra, PURPOSES.get(kind, Purpose.ASSIGN), one.pk, now=timezone.now())
    with pytest.raises(Refused, match="second_factor"):
        uploads.confirm(other.pk, reason="moved in", actor=actor, clock=timezone.now)
    uploads.confirm(one.pk, reason="moved in", actor=actor, clock=timezone.now)


@pytest.mark.parametrize("kind", FILES)
def test_whoever_lost_the_role_after_they_confirmed_brings_nothing_in(petra, kind):
    paul = person("paul", now=timezone.now())
    given = give(paul, role(PRIVILEGED_ROLE_ADMINISTRATOR), now=timezone.now())
    upload = confirmed(tried(paul, kind, FILES[kind]))
    remove(given.pk, reason="moved on", actor=OPERATOR, clock=timezone.now)
    applying.apply(upload.pk, clock=timezone.now)
    upload.refresh_from_db()
    assert upload.status == UploadStatus.FAILED
    assert not Event.objects.filter(actor_id=paul.pk, outcome="done").exclude(kind=Kind.SIGNED_IN).exists()


def test_people_are_invited_where_that_was_ticked(petra):
    applied(tried(petra, FileKind.PEOPLE, PEOPLE), invite=True)
    assert set(EntryTicket.objects.values_list("user__username", flat=True)) == {"boss", "ines"}


def test_nobody_joins_a_group_that_holds_more_than_the_sender_may_assign(petra, prod):
    team = group("Team", now=timezone.now())
    give(team, role(OWNER), prod, now=timezone.now())
    upload = tried(petra, FileKind.GROUPS, GROUPS)
    [(fate, sentence)] = said(upload)
    assert fate == "wrong"
    assert "one that you may not see" in sentence
    assert "Prod" not in sentence


def test_one_wrong_line_and_the_file_cannot_be_confirmed(petra):
    upload = tried(petra, FileKind.PEOPLE, PEOPLE + "no name,,\n")
    assert [fate for fate, _sentence in said(upload)] == ["made", "made", "wrong"]
    with pytest.raises(Refused, match="not_checked"):
        confirmed(upload)


def test_an_owner_grows_their_own_tree_and_finds_it_again(olga, prod):
    body = NODES + f"resource_group,rg-one,,{prod.scope_path}/resourceGroups/rg-one,{prod.scope_path}\n"
    body += (
        f"resource,vault,Microsoft.KeyVault/vaults,{prod.scope_path}/resourceGroups/rg-one/providers/"
        f"Microsoft.KeyVault/vaults/vault,{prod.scope_path}/resourceGroups/rg-one\n"
    )
    upload = applied(tried(olga, FileKind.RESOURCES, body, prod))
    assert upload.status == UploadStatus.APPLIED, upload.problem
    assert Resource.objects.filter(path__startswith=prod.path).count() == 3
    rows = Resource.objects.filter(path__startswith=prod.path).order_by("path")
    lines = ([value(row) for _label, value in resource_files.COLUMNS] for row in rows)
    exported = b"".join(csv_lines([label for label, _value in resource_files.COLUMNS], lines))
    assert tried(olga, FileKind.RESOURCES, exported, prod).counts == {"exists": 3}


def test_an_owner_makes_nothing_outside_and_learns_nothing_of_what_stands_there(olga, prod):
    root = Resource.objects.get_parent(prod)
    other = tree("Other", "Secret", "rg")
    line = "{},x,,,{}\n"
    strange = [root.scope_path, *(one.scope_path for one in other), "/", "/subscriptions/" + str(uuid.UUID(int=7)), ""]
    body = NODES + "".join(line.format("subscription", path) for path in strange)
    body += "".join(line.format("administrative_unit", path) for path in ("", "/"))
    body += "".join(f"{kind},Secret,,{other[1].scope_path},{prod.scope_path}\n" for kind in ("subscription",))
    body += "root,Other,,,\nroot,Nowhere,,,\n"
    body += f"root,Other,,{other[0].scope_path},\n"
    there = said(tried(olga, FileKind.RESOURCES, body, prod))
    assert {fate for fate, _sentence in there} == {"wrong"}
    assert len(set(there[:9])) == 1, "What stands outside reads like what is nowhere."
    assert len(set(there[10:])) == 1


def test_an_id_that_is_taken_out_of_sight_reads_like_one_that_is_free(petra, prod):
    root = Resource.objects.get_parent(prod)
    olga = person("olga", now=timezone.now())
    give(olga, role(OWNER), root, now=timezone.now())
    elsewhere = tree("Other", "Secret")[1]
    counts = []
    for pk in (elsewhere.pk, uuid.UUID(int=7)):
        body = NODES + f"subscription,Mine {pk},,/subscriptions/{pk},{root.scope_path}\n"
        body += f"resource_group,rg,,/subscriptions/{pk}/resourceGroups/rg,/subscriptions/{pk}\n"
        upload = tried(olga, FileKind.RESOURCES, body, root)
        counts.append(said(upload))
        assert applied(upload).status == UploadStatus.APPLIED, upload.problem
        assert tried(olga, FileKind.RESOURCES, body, root).counts == {"exists": 2}
        mine = Resource.objects.get(name=f"Mine {pk}")
        assert Resource.objects.get_parent(mine) == root
        assert [node.name for node in Resource.objects.get_children(mine)] == ["rg"]
    assert counts[0] == counts[1] == [("made", ""), ("made", "")]
    assert Resource.objects.get_parent(Resource.objects.get(pk=elsewhere.pk)).name == "Other"
    assert Resource.objects.filter(pk=uuid.UUID(int=7)).exists(), "An id that is free is kept."


def test_the_kinds_of_files_are_those_of_the_place(petra, prod):
    berlin = unit("Berlin")
    assert dict(choices_at(directory())) == {
        "assignments": "Assignments",
        "people": "People",
        "groups": "Groups",
        "resources": "Administrative units",
    }
    assert dict(choices_at(prod)) == {"assignments": "Assignments", "resources": "Resources"}
    assert list(dict(choices_at(berlin))) == ["assignments"]


def test_an_owner_cannot_send_a_file_of_people(olga, prod):
    file = SimpleUploadedFile("people.csv", PEOPLE.encode(), "text/csv")
    answer = visiting(olga).post(f"/manage/resources/{prod.pk}/imports/", {"kind": "people", "file": file})
    assert answer.status_code == 422
    assert not Upload.objects.exists()
    upload = tried(olga, FileKind.PEOPLE, PEOPLE, prod)
    assert {fate for fate, _sentence in said(upload)} == {"wrong"}, "Not even past the page."


@pytest.mark.parametrize("kind", FILES)
def test_the_pages_lead_through_it(petra, kind):
    client = visiting(petra)
    page = client.get(f"/manage/directory/imports/?kind={kind}").content.decode()
    assert f'value="{kind}" required id' in page or f'value="{kind}"' in page
    file = SimpleUploadedFile("f.csv", FILES[kind].encode(), "text/csv")
    answer = client.post("/manage/directory/imports/", {"kind": str(kind), "file": file})
    upload = Upload.objects.get()
    assert OrmQ.objects.count() >= 1
    try_out(upload.pk, clock=timezone.now)
    page = client.get(answer["Location"]).content.decode()
    assert "Nothing has changed yet." in page
    page = client.get(f"{answer['Location']}confirm/").content.decode()
    assert ("Mail each new person" in page) == (kind == FileKind.PEOPLE)
    assert 'name="code"' in page
    applied(upload)
    assert "It is applied." in client.get(answer["Location"]).content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_lines_that_are_done_are_told_while_the_transaction_runs(petra, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0)
    seen: list[int] = []
    counts = progress.Progress.count

    def counting(self: progress.Progress, *line: object) -> None:
        counts(self, *line)
        seen.append(progress.done_of(upload))

    monkeypatch.setattr(progress.Progress, "count", counting)
    upload = sent(petra, FileKind.PEOPLE, PEOPLE)
    assert progress.done_of(upload) == 0
    try_out(upload.pk, clock=timezone.now)
    upload.refresh_from_db()
    applied(upload)
    assert seen == [1, 2, 1, 2]
    assert upload.status == UploadStatus.APPLIED


def test_a_file_whose_process_never_came_is_tried_anew_three_times_and_then_set_aside(petra):
    upload = sent(petra, FileKind.PEOPLE, PEOPLE)
    late = upload.made_at
    for attempt in range(applying.MOST_ATTEMPTS):
        OrmQ.objects.all().delete()
        late += applying.STARTS_WITHIN + timedelta(microseconds=1)
        applying.take_up_again(clock=lambda: late, limit=10)  # noqa: B023
        assert OrmQ.objects.count() == 1, attempt
        applying.take_up_again(clock=lambda: late + MINUTE, limit=10)  # noqa: B023
        assert OrmQ.objects.count() == 1
    applying.take_up_again(clock=lambda: late + applying.STARTS_WITHIN + MINUTE, limit=10)
    upload.refresh_from_db()
    assert upload.status == UploadStatus.FAILED
    assert upload.problem


def test_what_was_tried_is_not_tried_again(petra):
    upload = tried(petra, FileKind.PEOPLE, PEOPLE)
    try_out(upload.pk, clock=timezone.now)
    assert upload.report.count() == 2


def test_the_people_in_a_file_of_groups_count_too(petra, monkeypatch):
    monkeypatch.setattr(uploads, "most_lines", lambda kind: 2)
    assert sent(petra, FileKind.GROUPS, GROUPS).lines == 1
    with pytest.raises(Refused, match="unreadable"):
        sent(petra, FileKind.GROUPS, GROUPS.replace("adam", "adam;petra"))
