"""The services beside a model that knows only the rules: whatever is done, both say the same of who holds what.

Hypothesis makes up the life of a small organisation. After each step the two are compared now and at every boundary to
come, a microsecond before and after it. What a service refuses changes nothing; what it must not refuse, it does not.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from approvals.models import Request, Status, Verdict
from approvals.services.closing import cancel, lapse_overdue
from pim_portal.people.services import disable
from roles import ids
from roles.actors import Actor
from roles.models import Assignment, AssignmentType, Group, Principal, Resource, Role, User
from roles.refusals import Refused
from roles.services.assignments import assign, deactivate, remove
from roles.services.changes import change
from roles.services.ends import write_down_ends
from roles.services.groups import disable_group, enable_group
from roles.services.principals import enable_person
from tests.held_model import DIRECTORY, GROUP, UNIT, Model, Row
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    at,
    configure,
    decide,
    directory,
    give,
    group,
    person,
    request_activation,
    role,
    unit,
)

MICROSECOND = timedelta(microseconds=1)
LONGEST = 2 * HOUR
PEOPLE = ("ines", "ida")
spans = st.sampled_from([30 * MINUTE, HOUR, LONGEST, 5 * HOUR, 2 * DAY])
ends = st.one_of(st.none(), spans)
delays = st.sampled_from([timedelta(0), timedelta(0), timedelta(0), timedelta(0), HOUR, DAY])
picks = st.integers(0, 30)
people = st.sampled_from(PEOPLE)
places = st.sampled_from([DIRECTORY, UNIT])


class Organisation(RuleBasedStateMachine):
    """What administrators, holders and an approver do to one role, with the clock at every boundary."""

    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        give(person("petra"), role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        users: dict[str, User] = {name: person(name) for name in (*PEOPLE, "adam", "berta")}
        team: Group = group(GROUP)
        self.adam, self.berta = users["adam"], users["berta"]
        self.principals: dict[str, Principal] = {**users, GROUP: team}
        self.users = users
        self.places: dict[str, Resource] = {DIRECTORY: directory(), UNIT: unit("Berlin")}
        self.role: Role = role(EXCHANGE_ADMINISTRATOR)
        self.member: Role = role(ids.GROUP_MEMBER)
        self.team_node = team.resource
        configure(self.role, max_activation=LONGEST)
        self.model = Model(NOW)
        self.pks: dict[Row, Any] = {}
        self.waiting: dict[Any, tuple[Row, timedelta]] = {}

    @initialize(span=ends)
    def the_group_is_eligible_and_ines_belongs_to_it(self, span: timedelta | None) -> None:
        self.somebody_is_given_the_role(who=GROUP, eligible=True, place=DIRECTORY, delay=timedelta(0), span=None)
        self.somebody_joins_the_group(who="ines", delay=timedelta(0), span=span)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    @property
    def now(self) -> datetime:
        return self.model.now

    def done(self, act: Callable[[], Any]) -> Any:
        """Do something as its person would; return what came of it, or None where it was refused."""
        try:
            return act()
        except Refused as refused:
            event(f"refused: {refused.violations[0].code}")
            return None

    def chosen(self, pick: int, *what: str) -> Row | None:
        rows = [row for row in self.model.of(*what) if not row.ended] or self.model.of(*what)
        return rows[pick % len(rows)] if rows else None

    def noted(self, made: Assignment, what: str, who: str, place: str, source: Row | None = None) -> Row:
        row = Row(what, who, place, made.starts_at, made.ends_at, self.now, source)
        event(f"made: {what}")
        self.model.rows.append(row)
        self.pks[row] = made.pk
        return row

    @rule(
        who=st.sampled_from([*PEOPLE, GROUP]),
        eligible=st.booleans(),
        place=places,
        delay=delays,
        span=ends,
    )
    def somebody_is_given_the_role(
        self, who: str, eligible: bool, place: str, delay: timedelta, span: timedelta | None
    ) -> None:
        starts = self.now + delay
        given = self.done(
            lambda: assign(
                self.principals[who].pk,
                role=self.role,
                resource=self.places[place],
                type=AssignmentType.ELIGIBLE if eligible else AssignmentType.ACTIVE,
                starts_at=starts,
                ends_at=starts + span if span else None,
                reason="model",
                actor=OPERATOR,
                clock=at(self.now),
            )
        )
        if given:
            self.noted(given, "eligible" if eligible else "active", who, place)

    @rule(who=people, delay=delays, span=ends)
    def somebody_joins_the_group(self, who: str, delay: timedelta, span: timedelta | None) -> None:
        # Nobody activates, leaves and comes back within one microsecond: a membership that begins with an activation
        # may be the one behind it.
        self.model.pass_to(self.now + MICROSECOND)
        starts = self.now + delay
        given = self.done(
            lambda: assign(
                self.principals[who].pk,
                role=self.member,
                resource=self.team_node,
                type=AssignmentType.ACTIVE,
                starts_at=starts,
                ends_at=starts + span if span else None,
                reason="model",
                actor=OPERATOR,
                clock=at(self.now),
            )
        )
        if given:
            self.noted(given, "member", who, GROUP)

    @rule(pick=picks)
    def something_is_taken_away(self, pick: int) -> None:
        row = self.chosen(pick, "eligible", "active", "member", "activation")
        if row:
            self.taken_away(row)

    def taken_away(self, row: Row) -> None:
        if self.done(lambda: remove(self.pks[row], actor=OPERATOR, reason="model", clock=at(self.now))):
            assert self.not_written(row)
            self.model.end(row)

    @rule(who=people, gone=st.sampled_from([timedelta(0), MICROSECOND, 10 * MINUTE]), runs_out=st.booleans())
    def a_member_activates_leaves_and_comes_back(self, who: str, gone: timedelta, runs_out: bool) -> None:
        self.activated_through_the_group(who)
        left = self.now + 10 * MINUTE if runs_out else self.now
        for row in [row for row in self.model.of("member") if row.who == who and not row.ended]:
            if runs_out:
                self.end_moved(row, left)
            else:
                self.taken_away(row)
        self.model.pass_to(left + gone)
        self.somebody_joins_the_group(who=who, delay=timedelta(0), span=None)

    def activated_through_the_group(self, who: str) -> None:
        """Have a member of the group hold the role by it, if they may."""
        held = [row.source for row in self.model.holds(who, self.now) if row.source]
        sources = [row for row in self.model.may_activate(who, self.now) if row.who == GROUP and row not in held]
        if sources:
            self.asked_for(sources[0], who, place=sources[0].place, hours=1)
            for pk in [pk for pk, (source, _asked) in self.waiting.items() if source is sources[0]]:
                self.decided(pk, Verdict.APPROVE)

    @rule(pick=picks, span=ends)
    def an_end_is_moved(self, pick: int, span: timedelta | None) -> None:
        row = self.chosen(pick, "eligible", "active", "member")
        if row is None:
            return
        self.end_moved(row, max(row.start, self.now) + span if span else None)

    @rule(who=people, pick=picks, kept=st.sampled_from([MICROSECOND, 10 * MINUTE, HOUR]), later=ends)
    def an_end_is_moved_there_and_back(self, who: str, pick: int, kept: timedelta, later: timedelta | None) -> None:
        """What was activated meanwhile ends with the earlier end, and is not lengthened with the later one."""
        self.activated_through_the_group(who)
        running = [row.source for row in self.model.holds(who, self.now) if row.source]
        row = running[pick % len(running)] if running else self.chosen(pick, "eligible", "active", "member")
        if row:
            self.end_moved(row, max(row.start, self.now) + kept)
            if pick % 2:
                self.end_moved(row, max(row.start, self.now) + later if later else None)

    def end_moved(self, row: Row, end: datetime | None) -> None:
        if self.done(lambda: change(self.pks[row], ends_at=end, reason="model", actor=OPERATOR, clock=at(self.now))):
            assert not row.ended
            self.model.move_end(row, end)

    @rule(
        who=people,
        pick=picks,
        place=places,
        hours=st.sampled_from([0.5, 1, 2, 2, 3]),
        delay=delays,
    )
    def somebody_activates(self, who: str, pick: int, place: str, hours: float, delay: timedelta) -> None:
        # Three times in four something that they may activate, if there is anything.
        mine = self.model.may_activate(who, self.now) if pick % 4 else []
        source = mine[pick % len(mine)] if mine else self.chosen(pick, "eligible")
        if source is None:
            return
        self.asked_for(source, who, place=place, hours=hours, delay=delay)

    @rule(who=people, pick=picks)
    def somebody_reaches_too_far(self, who: str, pick: int) -> None:
        """For what is theirs and may not be activated now; or for what may be, above the place where it was given."""
        mine = self.model.may_activate(who, self.now)
        above = [row for row in mine if row.place == UNIT]
        theirs = [row for row in self.model.of("eligible") if row.who in (who, GROUP) and row not in mine]
        if above and pick % 2:
            self.asked_for(above[pick % len(above)], who, place=DIRECTORY, hours=1)
        elif theirs:
            source = theirs[pick % len(theirs)]
            self.asked_for(source, who, place=source.place, hours=1)

    def asked_for(self, source: Row, who: str, *, place: str, hours: float, delay: timedelta = timedelta(0)) -> None:
        request = self.done(
            lambda: request_activation(
                self.users[who],
                Assignment.objects.get(pk=self.pks[source]),
                now=self.now,
                hours=hours,
                start=self.now + delay if delay else None,
                resource_id=self.places[place].pk,
            )
        )
        may = source in self.model.may_activate(who, self.now)
        if request is None:
            assert not (may and self.nothing_in_the_way(source, who, place, hours, delay))
            return
        assert may
        assert hours * HOUR <= LONGEST
        assert (source.place, place) != (UNIT, DIRECTORY)
        self.waiting[request.pk] = (source, hours * HOUR)
        self.see_what_came_of(request)

    def nothing_in_the_way(self, source: Row, who: str, place: str, hours: float, delay: timedelta) -> bool:
        """Whether an activation for now has no reason to be refused."""
        mine = [row for row in self.model.of("activation") if row.who == who and not row.ended]
        asked = Request.objects.filter(pk__in=self.waiting, status=Status.PENDING, principal=self.users[who])
        reached = (source.place, place) != (UNIT, DIRECTORY)
        # Who asks for longer than the eligibility lasts, or the membership behind it, is told to ask for less.
        members = [row for row in self.model.of("member") if row.who == who and row.planned(self.now)]
        bounds = [source.end, *(row.end for row in members if source.who == GROUP)]
        beyond = any(end is not None and self.now + hours * HOUR > end for end in bounds)
        return not (mine or asked.exists() or delay or hours * HOUR > LONGEST or beyond) and reached

    def see_what_came_of(self, request: Request) -> None:
        """Take over the activation that a request became; it is within everything that bounds it."""
        request.refresh_from_db()
        if request.outcome is None:
            return
        source, asked = self.waiting.pop(request.pk)
        place = next(name for name, node in self.places.items() if node.pk == request.outcome.resource_id)
        row = self.noted(request.outcome, "activation", request.principal.name.lower(), place, source)
        assert row.end is not None
        assert row.start >= self.now
        assert row.end - row.start <= min(asked, LONGEST)
        assert source.end is None or row.end <= source.end
        assert source in self.model.may_activate(row.who, self.now)

    @precondition(lambda self: self.waiting)
    @rule(pick=picks, verdict=st.sampled_from([Verdict.APPROVE, Verdict.APPROVE, Verdict.DENY]))
    def the_approver_decides(self, pick: int, verdict: Verdict) -> None:
        self.decided(list(self.waiting)[pick % len(self.waiting)], verdict)

    def decided(self, pk: Any, verdict: Verdict) -> None:
        request = Request.objects.get(pk=pk)
        oneself = self.users[request.principal.name.lower()]
        assert self.done(lambda: decide(verdict, request, oneself, now=self.now)) is None
        decided = self.done(lambda: decide(verdict, request, self.adam, now=self.now))
        if decided is not None:
            assert self.now < decided.lapses_at
            self.see_what_came_of(decided)
            assert self.done(lambda: decide(verdict, request, self.berta, now=self.now)) is None

    @precondition(lambda self: self.waiting)
    @rule(pick=picks)
    def the_requestor_cancels(self, pick: int) -> None:
        request = Request.objects.get(pk=list(self.waiting)[pick % len(self.waiting)])
        actor = Actor(user=self.users[request.principal.name.lower()])
        if self.done(lambda: cancel(request.pk, actor=actor, clock=at(self.now))):
            del self.waiting[request.pk]

    @rule(pick=picks)
    def a_holder_deactivates(self, pick: int) -> None:
        row = self.chosen(pick, "activation")
        if row and self.done(
            lambda: deactivate(self.pks[row], actor=Actor(user=self.users[row.who]), clock=at(self.now))
        ):
            assert self.not_written(row)
            self.model.end(row)

    def not_written(self, row: Row) -> bool:
        """Whether its end is not written yet: what lost its source is over, and may be ended all the same."""
        return not row.ended or (row.what == "activation" and (row.end is None or self.now < row.end))

    @rule(who=st.sampled_from([*PEOPLE, *PEOPLE, GROUP]))
    def somebody_is_disabled_or_enabled(self, who: str) -> None:
        if who in self.model.disabled:
            self.enabled(who)
        else:
            self.disabled(who)

    @rule(who=st.sampled_from([*PEOPLE, GROUP]), gone=st.sampled_from([MICROSECOND, 10 * MINUTE]))
    def somebody_who_holds_the_role_is_disabled_and_enabled(self, who: str, gone: timedelta) -> None:
        """What ended stays so; what is suspended is given back."""
        self.activated_through_the_group("ines" if who == GROUP else who)
        if who not in self.model.disabled:
            self.disabled(who)
        self.both_say_the_same()
        self.model.pass_to(self.now + gone)
        self.enabled(who)

    def disabled(self, who: str) -> None:
        verb = disable_group if who == GROUP else disable
        verb(self.principals[who].pk, reason="model", actor=OPERATOR, clock=at(self.now))
        self.model.disable(who)
        self.waiting = {
            one: what for one, what in self.waiting.items() if Request.objects.get(pk=one).status == Status.PENDING
        }

    def enabled(self, who: str) -> None:
        verb = enable_group if who == GROUP else enable_person
        verb(self.principals[who].pk, actor=OPERATOR, clock=at(self.now))
        self.model.enable(who)

    @rule(needed=st.booleans())
    def approval_is_demanded_or_not(self, needed: bool) -> None:
        configure(self.role, approvers=[*self.users.values()] if needed else [], approval_required=needed)

    @rule()
    def the_worker_comes_by(self) -> None:
        write_down_ends(clock=at(self.now))
        lapse_overdue(clock=at(self.now))

    @rule(step=st.sampled_from([-MICROSECOND, timedelta(0), timedelta(0), MICROSECOND]))
    def the_next_boundary_comes(self, step: timedelta) -> None:
        lapses = [one.lapses_at for one in Request.objects.filter(pk__in=self.waiting)]
        boundaries = sorted([*self.model.boundaries(), *(one for one in lapses if one > self.now)])
        if boundaries:
            self.model.pass_to(max(self.now, boundaries[0] + step))

    @rule(span=st.sampled_from([MINUTE, MINUTE, 40 * MINUTE, DAY]))
    def time_passes(self, span: timedelta) -> None:
        self.model.pass_to(self.now + span)

    @invariant()
    def both_say_the_same(self) -> None:
        moments = {
            self.now,
            *(one + step for one in self.model.boundaries()[:1] for step in (-MICROSECOND, timedelta(0))),
        }
        names = {node.pk: name for name, node in self.places.items()}
        everything = list(Assignment.objects.values_list("pk", flat=True))
        for moment in sorted(one for one in moments if one >= self.now):
            of_keys = Assignment.objects.in_effect_of(everything, moment)
            assert {one.pk for one in of_keys} == {one.pk for one in Assignment.objects.in_effect(moment)}
            for who in PEOPLE:
                held = Assignment.objects.held_by(self.users[who].pk, moment).filter(role=self.role)
                expected = {(self.pks[row], row.place) for row in self.model.holds(who, moment)}
                assert {(pk, names[place]) for pk, place in held.values_list("pk", "resource_id")} == expected
                may = Assignment.objects.eligible_for(self.users[who].pk, moment).filter(role=self.role)
                assert set(may.values_list("pk", flat=True)) == {
                    self.pks[row] for row in self.model.may_activate(who, moment)
                }


@pytest.mark.django_db
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_services_and_the_model_agree(asked_twice: Counter[str]) -> None:
    """`PIM_TEST_LIVES` is how many lives are made up; with it, they are new ones each time.

    What is composed once is held against Django's own all the while.
    """
    lives = os.environ.get("PIM_TEST_LIVES")
    run_state_machine_as_test(
        Organisation,
        settings=settings(
            max_examples=int(lives or 20),
            stateful_step_count=30,
            derandomize=not lives,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate, Phase.shrink],  # to explain a failure takes many minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert len(asked_twice) > 20
    assert asked_twice.total() > 1000
