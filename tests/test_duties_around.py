"""Separation of duties: the ways around it are closed. Activating, deciding, prolonging, keeping, enabling, moving,
importing, restoring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from approvals.models import Status, Verdict
from approvals.rules.activations import BEFOREHAND
from approvals.services.activations import Wanted, gather
from pim_portal.imports.outcomes import Fate
from pim_portal.imports.services.assignments import dry_run, import_assignments
from roles import ids
from roles.actors import Actor
from roles.models import Assignment, AssignmentType, DutyReach, Group, Purpose, Resource, ResourceKind, Role, User
from roles.refusals import Refused, broken
from roles.selectors.duties.conflicts import conflicts, conflicts_of
from roles.services.assignments import remove
from roles.services.changes import change, renew
from roles.services.custom_roles import restore_role, retire_role
from roles.services.elevation import elevate
from roles.services.groups import disable_group, enable_group
from roles.services.moves import move_resource
from roles.services.principals import disable_person, enable_person
from roles.services.resources import add_resource
from roles.services.retirements import restore_resource, retire_resource
from tests.emergencies import break_it
from tests.people import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    at,
    configure,
    custom_role,
    decide,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    request_prolonging,
    role,
    tree,
)
from tests.separating import kept_apart
from tests.test_bulk_imports import file_of

pytestmark = pytest.mark.django_db
ACTIVE, ELIGIBLE = AssignmentType.ACTIVE, AssignmentType.ELIGIBLE


@pytest.fixture
def ines(db) -> User:
    give(person("petra"), role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    return person("ines")


@pytest.fixture
def nodes(db) -> list[Resource]:
    return tree("Root", "Sub", "Group")


@pytest.fixture
def makes(nodes) -> Role:
    return custom_role(nodes[0], "Makes payments")


@pytest.fixture
def releases(nodes) -> Role:
    return custom_role(nodes[0], "Releases payments")


def test_of_two_eligibilities_one_can_be_active_at_a_time(ines, nodes, makes, releases):
    kept_apart(makes, releases, place=nodes[0], reach=DutyReach.ACTIVE)
    one, other = make_eligible(ines, makes, nodes[1]), make_eligible(ines, releases, nodes[1])
    first = request_activation(ines, one, hours=1)
    with pytest.raises(Refused, match="duties"):
        request_activation(ines, other, now=NOW + MINUTE)
    assert request_activation(ines, other, now=first.outcome.ends_at).status == Status.GRANTED


def test_the_panel_says_it_before_it_is_asked(ines, nodes, makes, releases):
    kept_apart(makes, releases, place=nodes[0], reach=DutyReach.ACTIVE, name="Paying")
    one, other = make_eligible(ines, makes, nodes[1]), make_eligible(ines, releases, nodes[1])
    request_activation(ines, one, hours=1)
    facts, _place = gather(ines, other.pk, wanted=Wanted(HOUR), actor=Actor(ines), now=NOW)
    (said,) = broken(BEFOREHAND, facts)
    assert str(said.message) == (
        "You hold Makes payments at Sub, until 23 Nov 2026, 13:00, "
        "and the rule “Paying” does not let Releases payments be active at the same time."
    )


def test_a_planned_activation_counts_from_its_start(ines, nodes, makes, releases):
    kept_apart(makes, releases, place=nodes[0], reach=DutyReach.ACTIVE)
    one, other = make_eligible(ines, makes, nodes[1]), make_eligible(ines, releases, nodes[1])
    request_activation(ines, one, start=NOW + 2 * HOUR)
    with pytest.raises(Refused, match="duties"):
        request_activation(ines, other, hours=3)
    assert request_activation(ines, other, hours=2).status == Status.GRANTED


def test_a_night_of_23_hours_does_not_hide_the_last_hour_of_a_planned_activation(ines, nodes, makes, releases):
    kept_apart(makes, releases, place=nodes[0], reach=DutyReach.ACTIVE)
    eligible = make_eligible(ines, makes, nodes[1])
    # On this clock 01:30 and four hours of the wall are 05:30, which is three hours later.
    start = datetime(2027, 3, 28, 1, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    evening = start.astimezone(UTC) - 6 * HOUR
    last_hour = start.astimezone(UTC) + 3 * HOUR
    give(ines, releases, nodes[1], starts_at=last_hour, ends_at=last_hour + HOUR)
    with pytest.raises(Refused, match="duties"):
        request_activation(ines, eligible, hours=4, start=start, now=evening)
    assert request_activation(ines, eligible, hours=3, start=start, now=evening).status == Status.GRANTED


def test_it_counts_from_when_the_form_was_sent(ines, nodes, makes, releases):
    kept_apart(makes, releases, place=nodes[0], reach=DutyReach.ACTIVE)
    eligible = make_eligible(ines, makes, nodes[1])
    give(ines, releases, nodes[1], starts_at=NOW + HOUR - MINUTE, ends_at=NOW + 2 * HOUR)
    with pytest.raises(Refused, match="duties"):
        request_activation(ines, eligible, start=NOW - 2 * MINUTE)


def test_it_counts_until_the_eligibility_ends(ines, nodes, makes, releases):
    kept_apart(makes, releases, place=nodes[0], reach=DutyReach.ACTIVE)
    eligible = make_eligible(ines, makes, nodes[1], starts_at=NOW, ends_at=NOW + HOUR)
    give(ines, releases, nodes[1], starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR)
    assert request_activation(ines, eligible, now=NOW + MINUTE).status == Status.GRANTED


def test_what_was_lost_is_kept_apart_from_nothing_before_somebody_wrote_that_down(ines, nodes, makes, releases):
    kept_apart(makes, releases, place=nodes[0], reach=DutyReach.ACTIVE)
    team = group("Team", ines)
    request_activation(ines, make_eligible(team, makes, nodes[1]))
    other = make_eligible(ines, releases, nodes[1])
    membership = Assignment.objects.get(principal=ines, role=ids.GROUP_MEMBER)
    remove(membership.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
    assert request_activation(ines, other, now=NOW + 2 * MINUTE).status == Status.GRANTED


def test_at_a_smaller_scope_it_counts_where_the_rule_reaches(ines, nodes, makes, releases):
    beside = add_resource(
        ResourceKind.SUBSCRIPTION, name="Beside", parent=nodes[0], actor=OPERATOR, clock=at(NOW - 400 * DAY)
    )
    kept_apart(makes, releases, place=nodes[1], reach=DutyReach.ACTIVE)
    one, other = make_eligible(ines, makes, nodes[1]), make_eligible(ines, releases, nodes[0])
    request_activation(ines, one)
    with pytest.raises(Refused, match="duties"):
        request_activation(ines, other, resource_id=nodes[2].pk)
    assert request_activation(ines, other, resource_id=beside.pk).status == Status.GRANTED


def test_who_had_both_before_the_rule_keeps_them_and_activates_neither(ines, nodes, makes, releases):
    one, other = make_eligible(ines, makes, nodes[1]), make_eligible(ines, releases, nodes[1])
    rule = kept_apart(makes, releases, place=nodes[0])
    for row in (one, other):
        with pytest.raises(Refused, match="duties"):
            request_activation(ines, row)
    assert len(conflicts_of(rule, NOW)) == 1
    remove(other.pk, actor=OPERATOR, clock=at(NOW))
    assert conflicts(NOW, nodes[0]) == []
    assert request_activation(ines, one).status == Status.GRANTED


def test_a_request_is_asked_again_when_it_is_decided(ines, nodes, makes, releases):
    adam = person("adam")
    kept_apart(makes, releases, place=nodes[0])
    one = make_eligible(ines, makes, nodes[1])
    configure(makes, nodes[1], approvers=[adam], permanent_eligible_allowed=True)
    pending = request_activation(ines, one)
    retired = remove(one.pk, actor=OPERATOR, clock=at(NOW)) and make_eligible(ines, makes, nodes[1], starts_at=NOW)
    assert retired
    with pytest.raises(Refused):
        decide(Verdict.APPROVE, pending, adam, now=NOW + MINUTE)


def test_what_somebody_came_to_while_they_waited_stands_in_the_way(ines, nodes, makes, releases):
    adam = person("adam")
    one = make_eligible(ines, makes, nodes[1])
    configure(makes, nodes[1], approvers=[adam], permanent_eligible_allowed=True)
    pending = request_activation(ines, one)
    give(ines, releases, nodes[1])
    kept_apart(makes, releases, place=nodes[0], reach=DutyReach.ACTIVE, now=NOW)
    with pytest.raises(Refused, match="duties"):
        decide(Verdict.APPROVE, pending, adam, now=NOW + MINUTE)
    assert decide(Verdict.DENY, pending, adam, now=NOW + MINUTE).status == Status.DENIED


def test_prolonging_does_not_reach_into_what_begins_later(ines, nodes, makes, releases):
    kept_apart(makes, releases, place=nodes[0], reach=DutyReach.ACTIVE)
    running = request_activation(ines, make_eligible(ines, makes, nodes[1]), hours=1).outcome
    give(ines, releases, nodes[1], starts_at=NOW + 2 * HOUR)
    with pytest.raises(Refused, match="duties"):
        request_prolonging(ines, running, now=NOW + 30 * MINUTE, hours=2)
    assert request_prolonging(ines, running, now=NOW + 30 * MINUTE, hours=1.5).status == Status.GRANTED


@pytest.mark.parametrize("days", [5, None])
def test_a_longer_time_is_asked_over_its_whole_span(days, ines, nodes, makes, releases):
    kept_apart(makes, releases, place=nodes[0])
    row = give(ines, makes, nodes[1], ends_at=NOW + 3 * DAY)
    give(ines, releases, nodes[1], starts_at=NOW + 4 * DAY)
    until = NOW + days * DAY if days else None
    with pytest.raises(Refused, match="duties"):
        change(row.pk, ends_at=until, reason="longer", actor=OPERATOR, clock=at(NOW))
    assert change(row.pk, ends_at=NOW + 4 * DAY, reason="longer", actor=OPERATOR, clock=at(NOW))


def test_less_time_is_never_refused(ines, nodes, makes, releases):
    row = give(ines, makes, nodes[1])
    give(ines, releases, nodes[1])
    kept_apart(makes, releases, place=nodes[0])
    assert change(row.pk, ends_at=NOW + DAY, reason="settle", actor=OPERATOR, clock=at(NOW)).ends_at == NOW + DAY


def test_what_ended_is_not_renewed_beside_another(ines, nodes, makes, releases):
    kept_apart(makes, releases, place=nodes[0])
    row = give(ines, makes, nodes[1], ends_at=NOW - DAY)
    give(ines, releases, nodes[1], starts_at=NOW - HOUR)
    with pytest.raises(Refused, match="duties"):
        renew(row.pk, type=ACTIVE, ends_at=NOW + DAY, reason="again", actor=OPERATOR, clock=at(NOW))


def test_a_membership_is_not_renewed_beside_another(ines, nodes, makes, releases):
    kept_apart(makes, releases, place=nodes[0])
    team = group("Team")
    give(team, releases, nodes[1])
    row = give(ines, role(ids.GROUP_MEMBER), team.resource, ends_at=NOW - DAY)
    give(ines, makes, nodes[1], starts_at=NOW - HOUR)
    with pytest.raises(Refused, match="duties"):
        renew(row.pk, type=ACTIVE, ends_at=NOW + DAY, reason="again", actor=OPERATOR, clock=at(NOW))


def test_enabling_somebody_brings_nothing_together(ines, nodes, makes, releases):
    team = group("Team", ines)
    make_eligible(ines, makes, nodes[1])
    disable_person(ines.pk, reason="leave", actor=OPERATOR, clock=at(NOW))
    kept_apart(makes, releases, place=nodes[0])
    given = give(team, releases, nodes[1])
    with pytest.raises(Refused, match="duties"):
        enable_person(ines.pk, actor=OPERATOR, clock=at(NOW))
    remove(given.pk, actor=OPERATOR, clock=at(NOW))
    assert enable_person(ines.pk, actor=OPERATOR, clock=at(NOW)).enabled


def test_enabling_a_group_brings_nothing_together(ines, nodes, makes, releases):
    team = group("Team", ines)
    make_eligible(team, makes, nodes[1])
    disable_group(team.pk, reason="pause", actor=OPERATOR, clock=at(NOW))
    kept_apart(makes, releases, place=nodes[0])
    given = give(ines, releases, nodes[1])
    with pytest.raises(Refused, match="duties"):
        enable_group(team.pk, actor=OPERATOR, clock=at(NOW))
    remove(given.pk, actor=OPERATOR, clock=at(NOW))
    assert enable_group(team.pk, actor=OPERATOR, clock=at(NOW)).enabled


def test_moving_a_place_brings_nothing_together(ines, makes, releases, nodes):
    def add(kind, name, parent):
        return add_resource(kind, name=name, parent=parent, actor=OPERATOR, clock=at(NOW - 400 * DAY))

    left, right = (add(ResourceKind.MANAGEMENT_GROUP, name, nodes[0]) for name in ("Left", "Right"))
    moved = add(ResourceKind.SUBSCRIPTION, "Moved", right)
    give(ines, makes, moved)
    given = give(ines, releases, left)
    kept_apart(makes, releases, place=left)
    with pytest.raises(Refused, match="duties"):
        move_resource(moved.pk, left.pk, seen=None, reason="tidy", actor=OPERATOR, clock=at(NOW))
    remove(given.pk, actor=OPERATOR, clock=at(NOW))
    assert move_resource(moved.pk, left.pk, seen=None, reason="tidy", actor=OPERATOR, clock=at(NOW))


def test_a_conflict_that_was_there_does_not_keep_a_place_where_it_is(ines, makes, releases, nodes):
    def add(kind, name, parent):
        return add_resource(kind, name=name, parent=parent, actor=OPERATOR, clock=at(NOW - 400 * DAY))

    left = add(ResourceKind.MANAGEMENT_GROUP, "Left", nodes[0])
    give(ines, makes, nodes[1])
    give(ines, releases, nodes[1])
    kept_apart(makes, releases, place=nodes[0])
    assert move_resource(nodes[1].pk, left.pk, seen=None, reason="tidy", actor=OPERATOR, clock=at(NOW))


def test_restoring_gives_nothing_back_that_could_clash(ines, nodes, makes, releases):
    kept_apart(makes, releases, place=nodes[0])
    give(ines, makes, nodes[1])
    retire_role(makes.pk, reason="old", actor=OPERATOR, clock=at(NOW))
    give(ines, releases, nodes[1])
    restore_role(makes.pk, reason="back", actor=OPERATOR, clock=at(NOW))
    assert conflicts(NOW, nodes[0]) == []
    retire_resource(nodes[1].pk, seen=None, reason="old", actor=OPERATOR, clock=at(NOW))
    give(ines, makes, nodes[0])
    restore_resource(nodes[1].pk, reason="back", actor=OPERATOR, clock=at(NOW))
    assert conflicts(NOW, nodes[0]) == []


def line(who: User | Group, what: Role, where: Resource) -> str:
    """A line that gives somebody an active role for ever, as an export writes it."""
    name = who.username if isinstance(who, User) else ""
    return f"Active,{who.name},{what.name},{name},Direct,,,{where.scope_path}"


def bring(*lines: str) -> None:
    import_assignments(file_of(list(lines)), reason="moved in", actor=OPERATOR, clock=at(NOW))


def test_an_import_asks_each_line(ines, nodes, makes, releases):
    kept_apart(makes, releases, place=nodes[0])
    give(ines, makes, nodes[1])
    with pytest.raises(Refused, match="wrong_line"):
        bring(line(ines, releases, nodes[1]))


def test_two_lines_of_one_file_are_kept_apart(ines, nodes, makes, releases):
    kept_apart(makes, releases, place=nodes[0])
    lines = [line(ines, makes, nodes[1]), line(ines, releases, nodes[2])]
    told = list(dry_run(file_of(lines), reason="moved in", actor=OPERATOR, now=NOW))
    assert [one.fate for one in told] == [Fate.MADE, Fate.WRONG]
    with pytest.raises(Refused, match="wrong_line"):
        bring(*lines)


@pytest.mark.parametrize("first", ["joining", "giving"])
def test_who_joins_a_group_by_the_file_that_gives_it_a_role_is_kept_out(first, ines, nodes, makes, releases):
    kept_apart(makes, releases, place=nodes[0])
    give(ines, makes, nodes[1])
    team = group("Team")
    lines = [line(ines, role(ids.GROUP_MEMBER), team.resource), line(team, releases, nodes[1])]
    with pytest.raises(Refused, match="wrong_line"):
        bring(*(lines if first == "joining" else reversed(lines)))


def test_an_emergency_is_no_way_around(ines, nodes, makes, releases):
    adam = person("adam")
    kept_apart(makes, releases, place=nodes[0], reach=DutyReach.ACTIVE)
    one = make_eligible(ines, makes, nodes[1])
    emergency = {"break_glass_allowed": True, "permanent_eligible_allowed": True}
    configure(makes, nodes[1], approvers=[adam], **emergency)
    give(ines, releases, nodes[1])
    with pytest.raises(Refused, match="duties"):
        break_it(ines, one)


def test_elevated_access_is_not_refused_and_listed(ines, nodes):
    gabi = person("gabi")
    give(gabi, role(ids.GLOBAL_ADMINISTRATOR))
    give(gabi, role(ids.READER), nodes[0])
    kept_apart(role(ids.READER), role(ids.USER_ACCESS_ADMINISTRATOR), place=nodes[0])
    elevate(reason="incident", actor=acting(gabi, Purpose.ELEVATE, gabi.pk), clock=at(NOW))
    assert len(conflicts(NOW, nodes[0])) == 1


def test_what_stands_later_is_a_conflict_already(ines, nodes, makes, releases):
    give(ines, makes, nodes[1])
    give(ines, releases, nodes[2], starts_at=NOW + 10 * DAY, ends_at=NOW + 20 * DAY)
    rule = kept_apart(makes, releases, place=nodes[0])
    (found,) = conflicts_of(rule, NOW)
    assert (found.starts_at, found.person.pk) == (NOW + 10 * DAY, ines.pk)
    assert conflicts_of(rule, NOW + 20 * DAY - timedelta(microseconds=1))
    assert conflicts_of(rule, NOW + 20 * DAY) == []
