"""Ends that are written down together: with few queries, told as each alone would be, and none held up by another."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.kinds import Kind
from audit.models import Event
from audit.recording import Entry
from pim_portal.models import Notification
from pim_portal.notifications.subscriber import tell
from roles import ids
from roles.models import Assignment, AssignmentType, Audience, EndReason, Group, NotifiedAct, Purpose, User
from roles.selectors.settings import Cell
from roles.service import entry_of
from roles.services.assignments import remove
from roles.services.ends import EndedMeanwhile, end, end_together, write_down_ends
from roles.services.groups import disable_group
from roles.services.principals import disable_person
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    at,
    configure,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
    unit,
)

LATER = NOW + 3 * HOUR


@pytest.fixture
def due(petra: User, paul: User, ines: User, zoe: User, adam: User) -> list[Assignment]:
    """Everything that can end by itself, of people and groups, in each world, under settings that tell others, too."""
    root = tree("Contoso")[0]
    besides = Cell(NotifiedAct.ASSIGNED_ELIGIBLE, Audience.HOLDER, additional=("desk@example.org",))
    silent = Cell(NotifiedAct.ASSIGNED_ACTIVE, Audience.ADMINISTRATORS, default_recipients=False)
    configure(role(EXCHANGE_ADMINISTRATOR), approval_required=False, cells=(besides, silent))
    soon = {"ends_at": NOW + HOUR}
    eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), **soon)
    request_activation(ines, eligible, hours=0.5)
    lasting = make_eligible(zoe, role(ids.USER_ADMINISTRATOR))
    lost = request_activation(zoe, lasting, hours=8).outcome
    assert lost is not None
    # What it came from is gone and was told of already: the activation alone is left to write down.
    Assignment.objects.filter(pk=lasting.pk).update(ended_at=NOW + MINUTE, end_reason=EndReason.REMOVED)
    team = group("Team", ines, adam)
    give(team, role(EXCHANGE_ADMINISTRATOR), **soon)
    give(adam, role(ids.READER), root, **soon)
    give(adam, role(ids.USER_ADMINISTRATOR), unit("North"), **soon)
    give(zoe, role(ids.GROUP_MEMBER), team.resource, **soon)
    give(paul, role(ids.SECURITY_READER), **soon, type=AssignmentType.ELIGIBLE)
    return list(Assignment.objects.overdue(LATER) | Assignment.objects.filter(pk=lost.pk))


def told(rows: list[Notification]) -> list[tuple[object, ...]]:
    return sorted((str(one.event_id), one.mail, str(one.recipient_id), one.address) for one in rows)


def test_they_are_told_as_each_would_be_alone(due: list[Assignment]):
    Notification.objects.all().delete()
    last = Event.objects.latest("pk").pk
    assert write_down_ends(clock=at(LATER)) == len(due)
    together = told(list(Notification.objects.all()))
    assert {"assignment_ended", "role_expired", "activation_ended"} == {mail for _event, mail, *_who in together}
    assert "desk@example.org" in {address for *_told, address in together}

    Notification.objects.all().delete()
    events = Event.objects.filter(pk__gt=last).select_related("text").order_by("pk")
    assert {Kind(one.kind) for one in events} == {
        Kind.ASSIGNMENT_EXPIRED,
        Kind.ACTIVATION_EXPIRED,
        Kind.ACTIVATION_ENDED,
    }
    for event in events:
        tell(event)
    assert together == told(list(Notification.objects.all()))


def test_none_is_said_to_end_later_than_it_was_written_down(due: list[Assignment]):
    last = Event.objects.latest("pk").pk
    write_down_ends(clock=at(LATER))
    ends = {one.assignment_id: one.occurred_at for one in Event.objects.filter(pk__gt=last)}
    assert ends == dict(Assignment.objects.filter(pk__in=[one.pk for one in due]).values_list("pk", "ended_at"))
    assert {LATER, NOW + HOUR} < set(ends.values()) <= {LATER, NOW + HOUR, NOW + HOUR / 2}


def test_what_somebody_has_ended_meanwhile_is_not_ended_again(petra: User, zoe: User):
    row = give(zoe, role(ids.SECURITY_READER))
    stale = Assignment.objects.get(pk=row.pk)
    assert end(row, EndReason.REMOVED, actor=OPERATOR, at=NOW)
    assert not end(stale, EndReason.EXPIRED, actor=OPERATOR, at=LATER)
    with pytest.raises(EndedMeanwhile):
        end_together({EndReason.EXPIRED: [stale]}, actor=OPERATOR, at=LATER)
    row.refresh_from_db()
    assert (row.end_reason, row.ended_at) == (EndReason.REMOVED, NOW)


def test_fifty_take_as_many_queries_as_five(petra: User):
    roles = [role(EXCHANGE_ADMINISTRATOR), role(ids.SECURITY_READER), role(ids.USER_ADMINISTRATOR)]
    configure(roles[0], approval_required=True)

    def queries(first: int, people: int, over: int) -> int:
        for number in range(first, first + people):
            holder = person(f"holder{number}", factor=False)
            for one in roles:
                give(holder, one, ends_at=NOW + over * DAY)
        with CaptureQueriesContext(connection) as asked:
            assert write_down_ends(clock=at(NOW + over * DAY)) == people * len(roles)
        return len(asked)

    few = queries(0, 2, 1)
    assert queries(2, 16, 2) <= few
    assert few <= 30


def test_one_that_always_fails_stops_no_other(due: list[Assignment], monkeypatch):
    broken = due[len(due) // 2]

    def fails_for_one(kind: Kind, assignment: Assignment, **told: Any) -> Entry:
        if assignment.pk == broken.pk:
            raise ValueError("This one cannot be told.")
        return entry_of(kind, assignment, **told)

    monkeypatch.setattr("roles.services.ends.entry_of", fails_for_one)
    with pytest.raises(ValueError, match="cannot be told"):
        write_down_ends(clock=at(LATER))
    assert set(Assignment.objects.overdue(LATER) | Assignment.objects.orphaned(LATER)) == {broken}


def _the_eligibility_is_removed(admin: User, activation: Assignment) -> None:
    eligibility = activation.activated_from
    assert eligibility is not None
    actor = acting(admin, Purpose.ASSIGN, eligibility.pk, now=LATER)
    remove(eligibility.pk, reason="gone", actor=actor, clock=at(LATER))


def _its_holder_is_disabled(admin: User, activation: Assignment) -> None:
    actor = acting(admin, Purpose.PEOPLE, admin.pk, now=LATER)
    disable_person(activation.principal_id, reason="gone", actor=actor, clock=at(LATER))


def _the_group_is_disabled(admin: User, activation: Assignment) -> None:
    actor = acting(admin, Purpose.PEOPLE, admin.pk, now=LATER)
    disable_group(Group.objects.get().pk, reason="gone", actor=actor, clock=at(LATER))


@pytest.mark.parametrize("act", [_the_eligibility_is_removed, _its_holder_is_disabled, _the_group_is_disabled])
@pytest.mark.parametrize("hours", [1, 3])
def test_nobody_is_said_to_have_ended_what_was_over_when_they_came(act: Any, hours: int, ines: User, petra: User):
    """Nothing has written that down yet, and so whoever takes the rest away does: in the name of the portal."""
    give(petra, role(ids.USER_ADMINISTRATOR))
    team = group("Team", ines)
    configure(role(EXCHANGE_ADMINISTRATOR), approval_required=False)
    activation = request_activation(ines, make_eligible(team, role(EXCHANGE_ADMINISTRATOR)), hours=hours).outcome
    assert activation is not None
    act(petra, activation)
    event = Event.objects.get(assignment_id=activation.pk, kind=Kind.ACTIVATION_EXPIRED)
    assert (event.actor_id, event.authority_id, event.occurred_at) == (None, None, NOW + hours * HOUR)
