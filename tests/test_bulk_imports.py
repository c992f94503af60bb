"""Imports are applied many lines at a time, and do exactly what giving one assignment after the other does."""

from __future__ import annotations

import io
import random
import uuid
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.canonical import commitment
from audit.kinds import Kind
from audit.models import Event, Pending
from audit.recording import subscribe
from pim_portal.imports.outcomes import Fate
from pim_portal.imports.reading import lines_of
from pim_portal.imports.services.assignments import Checker, dry_run, import_assignments
from pim_portal.models import Notification
from pim_portal.notifications.outbox import deliver
from roles.ids import OWNER, PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import Assignment, AssignmentType, Audience, NotifiedAct, Purpose, Role, User
from roles.refusals import Refused
from roles.selectors.settings import Cell
from roles.services.assignments import assign
from roles.services.principals import disable_person
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
    person,
    role,
    tree,
    unit,
)

HEADER = (
    "Assignment State,User Group Name,Role Name,PrincipalName,Member Type,"
    "Assignment Start Time (UTC),Assignment End Time (UTC),Scope Path"
)


def file_of(lines: list[str]) -> io.BytesIO:
    return io.BytesIO("\n".join([HEADER, *lines]).encode())


def bring(lines: list[str], *, actor=OPERATOR, reason="moved in", now=NOW) -> Counter[Fate]:
    return import_assignments(file_of(lines), reason=reason, actor=actor, clock=at(now))


def random_lines(chance: random.Random, places: list[Any]) -> list[str]:
    """Lines of every kind: for people and groups, planned and at once, permanent, too long, twice, at wrong places."""
    states = ["Eligible", "Active"]
    ends = ["Permanent", "2026-11-30T12:00:00Z", "2027-03-01T00:00:00Z", "2040-01-01T00:00:00Z", "2026-11-23T12:00:01Z"]
    starts = ["", "2026-01-01T00:00:00Z", "2026-12-24T12:00:00Z", "2026-11-23T11:58:00Z"]
    names = ["Exchange Administrator", "Reports Reader", "Security Reader", "Owner", "Reader", "Made here"]
    lines = []
    for _number in range(60):
        who = chance.choice(["User,{},ines", "User,{},adam", "User,{},gone", "Team,{},"])
        holder, role_name, name = who.split(",")
        role_name = chance.choice(names)
        place = chance.choice(places).scope_path
        lines.append(
            f"{chance.choice(states)},{holder},{role_name},{name},Direct,{chance.choice(starts)},{chance.choice(ends)},{place}"
        )
    return lines


def rows() -> list[Any]:
    named = ("principal", "role", "resource", "type", "starts_at", "ends_at", "ended_at", "end_reason", "created_at")
    return sorted(Assignment.objects.values_list(*named), key=str)


def events() -> list[Any]:
    """The history, but for what every event has of its own: ids, salts, the time of recording."""
    told = []
    for one in Event.objects.filter(outcome="done").exclude(kind=Kind.IMPORTED).select_related("text", "pending"):
        for name, value in one.text.fields.items():
            assert one.commitments[name] == commitment(value, salt=one.text.salts[name])
        ids = (one.actor_id, one.target_id, one.role_id, one.resource_id, one.request_id, one.authority_id)
        there = one.assignment_id is None or Assignment.objects.filter(pk=one.assignment_id).exists()
        assert Pending.objects.filter(event=one).exists()
        fields = sorted(one.text.fields.items())
        told.append((one.kind, one.realm, ids, one.details, fields, one.text.search, one.occurred_at, there))
    return sorted(told, key=str)


def undone(act: Any) -> tuple[Any, Any, Any]:
    """Do something, and return its answer with the rows and events afterwards; then nothing has happened."""
    with transaction.atomic():
        answer = act()
        seen = (answer, rows(), events())
        transaction.set_rollback(True)
    return seen


@pytest.fixture
def world(db):
    ines, adam = person("ines"), person("adam")
    give(person("petra"), role(PRIVILEGED_ROLE_ADMINISTRATOR))
    disable_person(person("gone", factor=False).pk, reason="left", actor=OPERATOR, clock=at(NOW - DAY))
    team = group("Team", adam)
    berlin, root = unit("Berlin"), tree("Root", "Prod")
    configure(role(EXCHANGE_ADMINISTRATOR), permanent_eligible_allowed=False, expire_eligible_after=30 * DAY)
    custom_role(directory(), "Made here")
    give(ines, Role.objects.get(name="Reports Reader"))
    # Over by the clock, and nobody has written it down.
    give(adam, role(EXCHANGE_ADMINISTRATOR), starts_at=NOW - 9 * DAY, ends_at=NOW - HOUR)
    give(team, Role.objects.get(name="Reports Reader"), starts_at=NOW - 9 * DAY, ends_at=NOW)
    return [directory(), berlin, *root]


@pytest.mark.parametrize("seed", range(6))
def test_an_import_makes_the_rows_and_the_history_that_assigning_one_by_one_makes(seed, world):
    lines = random_lines(random.Random(seed), world)
    petra = User.objects.get(username="petra")
    give(petra, role(OWNER), world[2])
    everybody = [petra.pk, *Assignment.objects.values_list("principal", flat=True)]
    everybody += [one.wanted.principal.pk for one in _read(lines)]
    actor = acting(petra, Purpose.ASSIGN, *everybody)

    def one_by_one() -> Counter[str]:
        fates: Counter[str] = Counter()
        for one in (line.wanted for line in _read(lines)):
            try:
                assign(
                    one.principal.pk,
                    role=one.role,
                    resource=one.resource,
                    type=one.type,
                    starts_at=one.starts_at,
                    ends_at=one.ends_at,
                    reason="moved in",
                    actor=actor,
                    clock=at(NOW),
                )
                fates["made"] += 1
            except Refused as refused:
                exists = "already_assigned" in refused.codes
                fates["exists" if exists else refused.sentence] += 1
        return fates

    def together() -> Counter[str]:
        said = list(dry_run(file_of(lines), reason="moved in", actor=actor, now=NOW))
        fates = Counter(
            one.sentence if one.fate is Fate.WRONG else str(one.fate) for one in said if one.line.number in numbers
        )
        good = [lines[one.line.number - 2] for one in said if one.fate is Fate.MADE]
        assert bring(good, actor=actor) == {Fate.MADE: len(good)}
        return fates

    numbers = {one.line.number for one in _read(lines)}
    ways = undone(one_by_one), undone(together)
    assert ways[0][0]["made"] > 5
    assert ways[0] == ways[1]


def _read(lines: list[str]) -> list[Any]:
    """The lines that ask for an assignment, whether or not it may be given."""
    read = Checker(actor=OPERATOR, now=NOW, reason="").read(list(lines_of(file_of(lines))))
    return [one for one in read if one.wanted]


def eligible(*names: str, role_name: str = "Exchange Administrator") -> list[str]:
    return [f"Eligible,User,{role_name},{name},Direct,,," for name in names]


def test_a_line_costs_a_fraction_of_a_query(db):
    names = [person(f"p{number}", factor=False).username for number in range(60)]
    with CaptureQueriesContext(
        connection,
    ) as few:
        bring(eligible(*names[:10]))
    with CaptureQueriesContext(connection) as many:
        bring(eligible(*names[10:]))
    assert len(many) - len(few) < 15, "Forty more lines fill a few more batches of one INSERT, and nothing else."


def test_somebody_is_told_once_of_all_that_an_import_gave_them_and_the_administrators_of_the_import(ines, petra, adam):
    group("Team", ines, adam)
    Notification.objects.all().delete()
    team = ["Active,Team,Reports Reader,,Direct,,,"]
    bring([*eligible("ines"), *eligible("ines", role_name="Reports Reader"), *team])
    told = Counter((one.recipient.name, one.mail) for one in Notification.objects.select_related("recipient"))
    assert told == {("Ines", "roles_imported"): 1, ("Adam", "roles_imported"): 1, ("Petra", "imported"): 1}
    assert deliver(clock=timezone.now) == 3
    bodies = {one.to[0]: str(one.body) for one in mail.outbox}
    assert "Exchange Administrator" in bodies["ines@example.org"]
    assert "Reports Reader, through the group Team" in bodies["ines@example.org"]
    assert "Exchange Administrator" not in bodies["adam@example.org"]
    assert "3" in bodies["petra@example.org"]


def test_an_address_that_the_settings_name_is_told_once_of_what_an_import_gave_under_them(ines, adam):
    cells = (
        Cell(NotifiedAct.ASSIGNED_ELIGIBLE, Audience.ADMINISTRATORS, additional=("Desk@example.org",)),
        Cell(NotifiedAct.ASSIGNED_ELIGIBLE, Audience.HOLDER, additional=("desk@example.org",)),
        Cell(NotifiedAct.ASSIGNED_ACTIVE, Audience.HOLDER, additional=("quiet@example.org",), critical_only=True),
    )
    configure(role(EXCHANGE_ADMINISTRATOR), cells=cells)
    bring([*eligible("ines", "adam"), *eligible("ines", role_name="Reports Reader")])
    assert list(Notification.objects.exclude(address="").values_list("address", "mail")) == [
        ("Desk@example.org", "roles_imported")
    ]
    deliver(clock=timezone.now)
    (told,) = [one for one in mail.outbox if one.to == ["Desk@example.org"]]
    assert told.subject == "PIM: An import gave 2 roles"
    assert "Ines: Exchange Administrator" in told.body
    assert "Adam: Exchange Administrator" in told.body
    assert "Reports Reader" not in told.body
    assert "The settings of this role name this address." in told.body


def test_parts_of_one_import_tell_somebody_once(ines, monkeypatch):
    monkeypatch.setattr("pim_portal.imports.services.assignments.CHUNK", 1)
    bring([*eligible("ines"), *eligible("ines", role_name="Reports Reader")])
    assert Notification.objects.filter(recipient=ines, mail="roles_imported").count() == 1


def test_a_subscriber_that_knows_nothing_of_imports_hears_of_each_event(ines, monkeypatch):
    heard: list[Event] = []
    monkeypatch.setattr("audit.recording._subscribers", [])
    subscribe(heard.append)
    bring([*eligible("ines"), *eligible("ines", role_name="Reports Reader")])
    assert [one.kind for one in heard] == [Kind.ASSIGNMENT_ADDED, Kind.ASSIGNMENT_ADDED, Kind.IMPORTED]


def test_an_import_that_cannot_be_recorded_does_not_happen(ines, monkeypatch):
    def broken(event: Event) -> None:
        raise RuntimeError("The history is out of order.")

    monkeypatch.setattr("audit.recording._subscribers", [broken])
    with pytest.raises(RuntimeError):
        bring(eligible("ines"))
    assert not Assignment.objects.exists()


def test_a_wrong_line_in_the_last_part_undoes_the_first(ines, monkeypatch):
    monkeypatch.setattr("pim_portal.imports.services.assignments.CHUNK", 1)
    with pytest.raises(Refused, match="wrong_line"):
        bring([*eligible("ines"), *eligible("nobody")])
    assert not Assignment.objects.exists()
    assert Event.objects.filter(kind=Kind.ASSIGNMENT_ADDED).count() == 0


def test_active_roles_that_ask_for_a_code_of_their_own_get_one_or_are_refused(ines, petra):
    what = role(EXCHANGE_ADMINISTRATOR)
    configure(what, second_factor_on_assign=True)
    line = ["Active,Ines,Exchange Administrator,ines,Direct,,,"]
    with pytest.raises(Refused, match="wrong_line"):
        bring(line, actor=acting(petra, Purpose.SIGN_IN, petra.pk))
    assert bring(line, actor=acting(petra, Purpose.ASSIGN, petra.pk))[Fate.MADE] == 1
    assert Assignment.objects.get(principal=ines).type == AssignmentType.ACTIVE


def test_a_second_factor_serves_one_import(ines, petra):
    actor = acting(petra, Purpose.ASSIGN, petra.pk)
    bring(eligible("ines"), actor=actor)
    again = acting(petra, Purpose.ASSIGN, petra.pk)
    assert actor.presented is not None
    second_form = replace(actor, presented=replace(actor.presented, form=uuid.uuid4()))
    with pytest.raises(Refused, match="second_factor"):
        bring(eligible("ines", role_name="Reports Reader"), actor=second_form)
    assert bring(eligible("ines", role_name="Reports Reader"), actor=again)[Fate.MADE] == 1
