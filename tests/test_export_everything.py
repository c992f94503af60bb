"""Everything of one world as a zip: who may take it, what it holds, and that it comes back as it was."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from audit.kinds import Kind
from audit.models import Event
from pim_portal.exports import contents
from pim_portal.imports.outcomes import Fate
from pim_portal.imports.services.assignments import import_assignments
from roles.ids import GROUP_MEMBER, OWNER, PRIVILEGED_ROLE_ADMINISTRATOR, READER
from roles.models import Assignment, EndReason, Purpose, User
from roles.services.assignments import remove
from roles.zipping import zipped
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    NOW,
    OPERATOR,
    acting,
    at,
    configure,
    custom_role,
    directory,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
    unit,
)
from tests.stepping import verified

pytestmark = pytest.mark.django_db
FORMULA = "=1+1"


@pytest.fixture(autouse=True)
def today():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def petra(db) -> User:
    petra = person("petra")
    give(petra, role(PRIVILEGED_ROLE_ADMINISTRATOR))
    return petra


def taken(user: User, world: str = "directory", reason: str = "to move") -> zipfile.ZipFile:
    answer: Any = verified(user).post(reverse(f"{world}_export"), {"reason": reason})
    assert answer.status_code == 200, answer.content.decode()
    assert answer["Content-Disposition"].startswith("attachment")
    return zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))


def rows_of(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))


def given() -> set[Any]:
    rows = Assignment.objects.open().filter(activated_from=None).exclude(principal__name__in=["Petra", "Olga"])
    return set(rows.values_list("principal", "role", "resource", "type", "ends_at"))


def take_all_away() -> None:
    for one in Assignment.objects.open().exclude(principal__name__in=["Petra", "Olga"]):
        if not Assignment.objects.open().filter(pk=one.pk).exists():
            continue  # an activation that ended with what it was made from
        remove(one.pk, reason="gone", actor=OPERATOR, clock=at(NOW))
    assert given() == set()


def test_directory_assignments_of_every_place_and_of_a_custom_role_come_back(petra):
    ines, berlin = person("ines"), unit("Berlin")
    mine = custom_role(directory(), "Made here")
    team = group("Team", ines)
    give(ines, role(EXCHANGE_ADMINISTRATOR), berlin, starts_at=NOW - HOUR, ends_at=NOW + 30 * DAY)
    make_eligible(ines, role(READER), tree("Root")[0], starts_at=NOW - HOUR, ends_at=NOW + DAY)
    make_eligible(team, mine)
    give(ines, mine, berlin, starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)
    activated = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    request_activation(ines, activated)
    archive = taken(petra)
    before = given()
    names = set(archive.namelist())
    assert names >= {"assignments.csv", "roles.csv", "settings.csv", "resources.csv", "people.csv", "groups.csv"}
    assert "Reader" not in {row["Role Name"] for row in rows_of(archive, "assignments.csv")}, "Of the other world."
    Assignment.objects.filter(resource__kind="root").update(ended_at=NOW, end_reason=EndReason.REMOVED)
    take_all_away()
    for name, made in (("assignments.csv", 4), ("memberships.csv", 1)):
        file = io.BytesIO(archive.read(name))
        counts = import_assignments(file, reason="moved in", actor=OPERATOR, clock=at(NOW))
        assert (counts[Fate.MADE], counts[Fate.WRONG]) == (made, 0)
    assert given() == {row for row in before if row[1] != READER}
    again = import_assignments(io.BytesIO(archive.read("assignments.csv")), reason="x", actor=OPERATOR, clock=at(NOW))
    assert again[Fate.MADE] == 0


def test_an_owner_takes_what_they_own_and_it_comes_back_by_their_own_hand(petra):
    olga, ines = person("olga"), person("ines")
    root, prod, _rest = tree("Root", "Prod", "Group")
    other = tree("Other")[0]
    give(olga, role(OWNER), prod)
    custom = custom_role(root, "Made above")
    for what, where in ((role(READER), prod), (custom, prod), (role(READER), root), (role(READER), other)):
        give(ines, what, where, starts_at=NOW - HOUR, ends_at=NOW + 30 * DAY)
    configure(role(READER), other, permanent_eligible_allowed=True)
    archive = taken(olga, "resources")
    rows = rows_of(archive, "assignments.csv")
    assert {row["Scope Path"] for row in rows} == {prod.scope_path}
    assert {row["Role Name"] for row in rows} == {"Reader", "Made above", "Owner"}
    assert "Made above" in {row["Role Name"] for row in rows_of(archive, "roles.csv")}
    assert {row["Scope Path"] for row in rows_of(archive, "resources.csv")} >= {prod.scope_path}
    assert other.scope_path not in archive.read("settings.csv").decode()
    assert "people.csv" not in archive.namelist()
    before = {row for row in given() if row[2] == prod.pk}
    for one in Assignment.objects.filter(resource=prod, principal=ines):
        remove(one.pk, reason="gone", actor=OPERATOR, clock=at(NOW))
    import_assignments(
        io.BytesIO(archive.read("assignments.csv")),
        reason="back",
        actor=acting(olga, Purpose.ASSIGN, olga.pk),
        clock=at(NOW),
    )
    assert {row for row in given() if row[2] == prod.pk} == before


def test_people_and_groups_are_in_it_managers_first_and_no_cell_is_a_formula(petra):
    boss = person("zboss", name=FORMULA)
    ines = person("ines", manager=boss)
    person("adam", manager=ines)
    team = group("Team", ines)
    give(boss, role(GROUP_MEMBER), team.resource, starts_at=NOW - HOUR, ends_at=NOW + DAY)
    archive = taken(petra)
    people = [row["User Name"] for row in rows_of(archive, "people.csv")]
    assert people.index("zboss") < people.index("ines") < people.index("adam")
    [row] = rows_of(archive, "groups.csv")
    assert (row["Group"], row["Members"]) == ("Team", "ines")
    assert {row["PrincipalName"] for row in rows_of(archive, "memberships.csv")} == {"ines", "zboss"}
    for name in archive.namelist():
        cells = csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig")))
        assert not any(cell.startswith("=") for row in cells for cell in row)


def test_it_is_recorded_with_its_reason_before_the_first_byte(petra):
    answer: Any = verified(petra).post(reverse("directory_export"), {"reason": "to move"})
    told = Event.objects.get(kind=Kind.EXPORTED)
    assert (told.actor_id, told.outcome, told.text.fields["reason"]) == (petra.pk, "done", "to move")
    assert told.details["world"] == "directory"
    assert told.authority_id is not None
    b"".join(answer.streaming_content)


def test_without_a_reason_or_a_fresh_second_factor_nothing_is_sent(petra):
    answer = verified(petra).post(reverse("directory_export"), {"reason": ""})
    assert answer.status_code == 422
    client = verified(petra)
    with time_machine.travel(NOW + HOUR / 4, tick=False):
        late = client.post(reverse("directory_export"), {"reason": "to move"})
    assert late.status_code == 422
    assert 'name="code"' in late.content.decode()
    assert not Event.objects.filter(kind=Kind.EXPORTED, outcome="done").exists()


def test_who_loses_the_right_while_it_is_sent_gets_no_more_and_is_told(petra, monkeypatch):
    monkeypatch.setattr(contents, "PART", 1)
    for name in ("ines", "adam", "berta"):
        give(person(name), role(EXCHANGE_ADMINISTRATOR))
    parts = zipped(contents.files(petra, world=contents.World.DIRECTORY, now=NOW), at=NOW)
    begun = next(parts)
    Assignment.objects.filter(principal=petra).update(ended_at=NOW, end_reason=EndReason.REMOVED)
    archive = zipfile.ZipFile(io.BytesIO(begun + b"".join(parts)))
    assert archive.namelist() == ["assignments.csv", "INCOMPLETE.txt"]


def test_it_is_read_in_parts(petra, monkeypatch):
    for number in range(12):
        give(person(f"p{number:02}"), role(EXCHANGE_ADMINISTRATOR))
    whole = {name: sorted(map(str, rows_of(taken(petra), name))) for name in ("assignments.csv", "people.csv")}
    monkeypatch.setattr(contents, "PART", 5)
    assert {name: sorted(map(str, rows_of(taken(petra), name))) for name in whole} == whole
