"""Assignments that come in by a file."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from audit.kinds import Kind
from audit.models import Event
from pim_portal.imports.outcomes import Fate
from pim_portal.imports.reading import lines_of
from pim_portal.imports.services.assignments import dry_run, import_assignments
from roles.assignment_files import COLUMNS
from roles.downloads import csv_lines
from roles.ids import OWNER
from roles.models import Assignment, Purpose
from roles.refusals import Refused
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    NOW,
    OPERATOR,
    acting,
    at,
    give,
    make_eligible,
    person,
    role,
    tree,
)
from tests.races import race
from tests.visitors import visiting

HEADER = (
    "Assignment State,User Group Name,Role Name,PrincipalName,Member Type,"
    "Assignment Start Time (UTC),Assignment End Time (UTC)"
)
LINE = "Eligible,Ines,Exchange Administrator,ines@example.org,Direct,11/24/2026 10:00:00 AM,Permanent"


def hosted(*lines: str, encoding: str = "utf-8") -> io.BytesIO:
    return io.BytesIO("\r\n".join([HEADER, *lines]).encode(encoding))


def bring(file, *, actor=OPERATOR):
    return import_assignments(file, reason="moved in", actor=actor, clock=at(NOW))


def exported() -> io.BytesIO:
    rows = Assignment.objects.select_related("principal__user", "role", "resource", "activated_from").order_by("pk")
    lines = ([value(row) for _label, value in COLUMNS] for row in rows)
    return io.BytesIO(b"".join(csv_lines([label for label, _value in COLUMNS], lines)))


def test_the_hosted_file_makes_directory_roles_once(ines):
    assert bring(hosted(LINE))[Fate.MADE] == 1
    made = Assignment.objects.get(principal=ines)
    assert (made.type, made.role_id, made.ends_at) == ("eligible", EXCHANGE_ADMINISTRATOR, None)
    assert made.starts_at == NOW.replace(day=24, hour=10)
    assert bring(hosted(LINE)) == {Fate.EXISTS: 1}
    assert Event.objects.filter(kind=Kind.IMPORTED).count() == 1
    assert Event.objects.filter(kind=Kind.ASSIGNMENT_ADDED).count() == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_semicolons_and_the_mark_of_utf8_are_taken(ines, encoding):
    body = hosted(LINE).getvalue().decode().replace(",", ";").encode(encoding)
    assert bring(io.BytesIO(body))[Fate.MADE] == 1


def test_columns_stand_in_any_order_and_a_cell_may_have_lines(ines):
    body = "Member Type,PrincipalName,Role Name,Assignment End Time (UTC),Note,Assignment Start Time (UTC),"
    body += 'User Group Name,Assignment State\nDirect,ines,Exchange Administrator,,"two\nlines",,"I\n,nes",Eligible'
    assert bring(io.BytesIO(body.encode())) == {Fate.MADE: 1}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_the_unicode_text_of_a_spreadsheet_is_taken(ines, encoding):
    body = hosted(LINE).getvalue().decode().replace(",", "\t").encode(encoding)
    assert bring(io.BytesIO(body)) == {Fate.MADE: 1}


@given(st.binary(max_size=400), st.sampled_from([b"", HEADER.encode() + b"\n", b"\xff\xfe", b"\xfe\xff"]))
def test_any_bytes_are_read_or_refused_in_a_sentence(body, before):
    try:
        for line in lines_of(io.BytesIO(before + body)):
            assert isinstance(line["Role Name"], str)
    except Refused as refused:
        assert refused.sentence.endswith(".")  # noqa: PT017 - most bytes are no file, and some are


def test_what_came_through_a_group_or_was_activated_is_reported_only(ines):
    lines = [LINE.replace("Direct", "Group"), LINE.replace("Eligible", "Activated", 1)]
    assert bring(hosted(*lines)) == {Fate.LEFT_OUT: 2}
    assert not Assignment.objects.exists()


def test_one_wrong_line_and_nothing_is_made(ines):
    with pytest.raises(Refused) as refused:
        bring(hosted(LINE, LINE.replace("ines@", "nobody@")))
    assert "Line 3:" in refused.value.sentence
    assert not Assignment.objects.exists()


def test_a_dry_run_changes_nothing(ines):
    fates = [one.fate for one in dry_run(hosted(LINE, LINE), reason="x", actor=OPERATOR, now=NOW)]
    assert fates == [Fate.MADE, Fate.EXISTS]
    assert not Assignment.objects.exists()


def test_what_was_exported_changes_nothing_and_comes_back_to_the_same_place(ines):
    zoë = person("zoe", name="=Zoë, Ωμέγα 漢字")
    root = tree("Root", "Prod")[1]
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + 30 * DAY)
    give(zoë, role(OWNER), root)
    file = exported()
    assert bring(file) == {Fate.EXISTS: 2}
    before = set(Assignment.objects.values_list("principal", "role", "resource", "type", "ends_at"))
    Assignment.objects.all().delete()
    assert bring(file)[Fate.MADE] == 2
    assert set(Assignment.objects.values_list("principal", "role", "resource", "type", "ends_at")) == before


def test_places_that_the_importer_cannot_see_read_like_unknown_ones(ines, petra):
    hidden = tree("Root")[0].scope_path
    header = HEADER + ",Scope Path"
    sentences = []
    for path in (hidden, "/subscriptions/unknown"):
        body = f"{header}\n{LINE.replace('Exchange Administrator', 'Owner')},{path}"
        [one] = dry_run(io.BytesIO(body.encode()), reason="x", actor=acting(petra, Purpose.ASSIGN), now=NOW)
        sentences.append((one.fate, one.sentence))
    assert sentences[0] == sentences[1]
    assert sentences[0][0] is Fate.WRONG


def test_an_import_needs_a_fresh_second_factor_over_all_of_it(ines, petra):
    with pytest.raises(Refused, match="second_factor"):
        bring(hosted(LINE), actor=acting(petra, Purpose.ASSIGN))
    assert bring(hosted(LINE), actor=acting(petra, Purpose.ASSIGN, petra.pk, ines.pk))[Fate.MADE] == 1


@pytest.mark.parametrize(
    "body", [b"", b"\n", b"\xff\xfe\x00", b"\xff\xfe\x00\xd8", b"a\x00b", b"Name;Role\nx;y", b"x" * 300_000]
)
def test_a_broken_file_is_refused_in_a_sentence(db, body):
    with pytest.raises(Refused, match="unreadable"):
        bring(io.BytesIO(body))


def test_a_huge_field_is_refused(ines):
    with pytest.raises(Refused, match="unreadable"):
        bring(hosted(LINE.replace("Ines", "x" * 200_000)))


def test_the_command_runs_dry_and_then_applies(ines, tmp_path, capsys):
    file = tmp_path / "roles.csv"
    file.write_bytes(hosted("Eligible,Ines,Exchange Administrator,ines,Direct,,").getvalue())
    call_command("import_assignments", str(file))
    assert not Assignment.objects.exists()
    call_command("import_assignments", str(file), "--apply")
    assert Assignment.objects.count() == 1
    with pytest.raises(CommandError):
        call_command("import_assignments", str(tmp_path / "none.csv"))


def test_the_list_of_assignments_downloads_what_can_be_imported_again(ines, petra):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    answer: Any = visiting(petra).get("/manage/directory/assignments/?tab=eligible&download=csv")
    file = io.BytesIO(b"".join(answer.streaming_content))
    assert file.getvalue().startswith(b"\xef\xbb\xbfAssignment State,User Group Name,Role Name")
    assert bring(file) == {Fate.EXISTS: 1}


def test_somebody_without_authority_imports_nothing(ines, nina):
    with pytest.raises(Refused, match="wrong_line"):
        bring(hosted(LINE), actor=acting(nina, Purpose.ASSIGN, nina.pk, ines.pk))
    assert not Assignment.objects.filter(principal=ines).exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_imports_at_once_one_makes_and_the_other_finds_it_there():
    tables = role(EXCHANGE_ADMINISTRATOR)
    person("ines")
    first, second = race(lambda: bring(hosted(LINE)), lambda: bring(hosted(LINE)))
    assert (first.error, second.error) == (None, None)
    assert first.value[Fate.MADE] == second.value[Fate.EXISTS] == 1
    assert Assignment.objects.filter(role=tables).count() == 1
