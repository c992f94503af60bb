"""People, groups and resources that come in by a file, and go out by one."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.kinds import Kind
from audit.models import Event
from pim_portal.imports import sheets
from pim_portal.imports.bar import Bar
from pim_portal.imports.outcomes import Fate
from pim_portal.imports.services.things import SHEETS, bring_in
from pim_portal.models import EntryTicket, Notification
from roles import resource_files
from roles.downloads import csv_lines
from roles.ids import GROUP_MEMBER, GROUP_OWNER
from roles.models import Assignment, Group, Resource, ResourceKind, User
from roles.refusals import Refused
from tests.people import NOW, OPERATOR, at, person, tree, unit
from tests.visitors import visiting

pytestmark = pytest.mark.django_db
PEOPLE = "User Name,Name,E-mail,Manager\n"


def bring(what: str, body: str | bytes, **options: Any):
    file = io.BytesIO(body.encode() if isinstance(body, str) else body)
    return bring_in(SHEETS[what], file, reason="moved in", actor=OPERATOR, clock=at(NOW), **options)


def exported(columns, rows) -> bytes:
    lines = ([value(row) for _label, value in columns] for row in rows)
    return b"".join(csv_lines([label for label, _value in columns], lines))


def test_people_come_without_a_password_and_a_second_time_change_nothing():
    body = PEOPLE + "boss,Boss,boss@example.org,\nines,Ines,ines@example.org,boss\n"
    assert bring("people", body) == {Fate.MADE: 2}
    ines = User.objects.get(username="ines")
    assert (ines.manager.username, ines.has_usable_password()) == ("boss", False)
    assert not EntryTicket.objects.exists()
    assert bring("people", body) == {Fate.EXISTS: 2}
    assert Event.objects.filter(kind=Kind.IMPORTED).count() == 1


def test_people_are_invited_where_that_is_asked_for():
    bring("people", PEOPLE + "ines,Ines,ines@example.org,\n", invite=True)
    assert EntryTicket.objects.get().user.username == "ines"


def test_a_dry_run_of_people_says_the_same_and_leaves_nothing():
    said: list[Any] = []
    body = PEOPLE + "ines,Ines,,\nadam,Adam,,nobody\nines,Ines,,\n"
    assert bring("people", body, dry=True, told=said.append) == {Fate.MADE: 1, Fate.WRONG: 1, Fate.EXISTS: 1}
    assert "nobody" in said[1].sentence
    assert not User.objects.exists()
    assert not Event.objects.filter(kind=Kind.PERSON_ADDED).exists()


def test_one_wrong_person_and_nobody_is_added():
    with pytest.raises(Refused, match="wrong_line"):
        bring("people", PEOPLE + "ines,Ines,,\nbad name,Bad,,\n")
    assert not User.objects.exists()


def test_groups_come_with_their_members_and_owners_and_get_only_what_they_lack():
    ines, adam = person("ines"), person("adam")
    assert bring("groups", "Group,Description,Members,Owners\nTeam,We,ines; adam,adam\n") == {Fate.MADE: 1}
    team = Group.objects.get(name="Team")
    held = set(Assignment.objects.filter(resource=team.resource).values_list("principal", "role"))
    assert held == {(ines.pk, GROUP_MEMBER), (adam.pk, GROUP_MEMBER), (adam.pk, GROUP_OWNER)}
    assert bring("groups", "Group,Members\nteam,ines\n") == {Fate.EXISTS: 1}
    assert bring("groups", "Group,Owners\nteam,ines\n") == {Fate.MADE: 1}
    with pytest.raises(Refused, match="wrong_line"):
        bring("groups", "Group,Members\nOther,nobody\n")
    assert not Group.objects.filter(name="Other").exists()


def test_what_is_exported_of_people_and_groups_comes_back_the_same():
    boss = person("boss", factor=False, job_title="=Boss")
    person("ines", factor=False, manager=boss, department="Zoë, Ωμέγα")
    bring("groups", "Group,Description,Members,Owners\nTeam,We,ines; boss,boss\n")
    people = exported(sheets.PEOPLE, User.objects.order_by("username"))
    groups = exported(sheets.GROUPS, Group.objects.all())
    assert bring("people", people) == {Fate.EXISTS: 2}
    assert bring("groups", groups) == {Fate.EXISTS: 1}
    fields = ("username", "name", "email", "job_title", "department", "manager__username")
    before = set(User.objects.values_list(*fields))
    Notification.objects.all().delete()
    Assignment.objects.all().delete()
    Group.objects.all().delete()
    Resource.objects.filter(kind=ResourceKind.GROUP).delete()
    User.objects.update(manager=None)
    User.objects.all().delete()
    assert bring("people", people) == {Fate.MADE: 2}
    assert bring("groups", groups) == {Fate.MADE: 1}
    assert set(User.objects.values_list(*fields)) == before
    assert exported(sheets.GROUPS, Group.objects.all()).split(b",Enabled")[0] == groups.split(b",Enabled")[0]


def test_what_is_exported_of_resources_comes_back_to_the_same_places():
    unit("Berlin")
    tree("Root", "Prod", "rg-one", "vault")
    rows = Resource.objects.exclude(kind=ResourceKind.GROUP).order_by("path")
    file = exported(resource_files.COLUMNS, rows)
    assert bring("resources", file) == {Fate.EXISTS: 6}
    before = list(rows.values_list("kind", "name", "scope_path", "depth"))
    for row in Resource.objects.exclude(kind__in=["directory", "group"]).order_by("-depth"):
        Resource.objects.get(pk=row.pk).delete()
    assert bring("resources", file)[Fate.MADE] == 5
    assert list(rows.values_list("kind", "name", "scope_path", "depth")) == before


def test_a_resource_in_the_wrong_place_and_of_an_unknown_kind_is_refused():
    for line in ("subscription,Prod,", "planet,Mars,", "resource_group,rg,/no/such"):
        with pytest.raises(Refused, match="wrong_line"):
            bring("resources", f"Kind,Name,Parent Path\n{line}\n")


@pytest.mark.parametrize(("what", "columns"), [("people", sheets.PEOPLE), ("groups", sheets.GROUPS)])
def test_the_lists_download_the_columns_that_come_back(what, columns, petra):
    answer: Any = visiting(petra).get(f"/manage/{what}/?download=csv")
    header = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()[0]
    assert header == ",".join(label for label, _value in columns)


def test_the_command_runs_dry_and_then_applies(tmp_path, capsys):
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE + "ines,Ines,,\n")
    call_command("import_people", str(file))
    assert not User.objects.exists()
    call_command("import_people", str(file), "--apply", "--invite")
    assert User.objects.count() == 1
    with pytest.raises(CommandError):
        call_command("import_groups", str(file))


def test_a_terminal_sees_how_many_lines_are_done():
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    file = io.BytesIO((PEOPLE + "ines,Ines,,\nadam,Adam,,\n").encode())
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        bar = Bar(file, needed=(sheets.USERNAME,), stream=stream)
        bar.count()
        bar.count()
        bar.clear()
    assert "1 of 2 lines" in terminal.getvalue()
    assert "2 of 2 lines" in terminal.getvalue()
    assert pipe.getvalue() == ""
