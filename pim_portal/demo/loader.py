"""Loads the sample organisation, seen from today: everything goes through the services, at its own time.

A timeline of past moments is played in order. Each act calls the service that a person's click would have called, with
the clock of that moment and a second factor given then, so that requests, decisions, ends and the history stand as if
the portal had been used for a year and a half.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.contrib.auth.hashers import make_password
from django.db import transaction

from approvals.models import Request
from approvals.selectors.showing import shown_digest
from approvals.services import decisions
from approvals.services.activations import Wanted, ask
from approvals.services.closing import cancel, lapse_overdue
from approvals.services.deputies import name_deputy
from approvals.services.emergencies import break_glass
from approvals.services.extensions import ask_to_extend, ask_to_renew
from audit.kinds import Kind
from pim_portal.alerts.services.scanning import scan
from pim_portal.demo.duties import make_rule
from pim_portal.demo.habits import change_settings_of, keep_profile, make_role
from pim_portal.demo.reviews import plan_reviews
from pim_portal.demo.sample import (
    SampleAssignment,
    SampleDecision,
    SampleDeputy,
    SampleOrganisation,
    SamplePerson,
    SampleRenewal,
    SampleRequest,
    SampleSettings,
)
from pim_portal.notifications.reminders import remind
from pim_portal.notifications.subscriber import untold
from roles.actors import Actor, Clock
from roles.ids import DIRECTORY, GROUP_MEMBER, GROUP_OWNER
from roles.models import (
    Assignment,
    AssignmentType,
    Group,
    Principal,
    Purpose,
    Resource,
    ResourceKind,
    Role,
    StepUp,
    TotpDevice,
    User,
)
from roles.models.step_ups import FRESH_FOR
from roles.selectors.settings import Stage
from roles.service import record
from roles.services import step_ups
from roles.services.assignments import assign, deactivate, remove
from roles.services.ends import write_down_ends
from roles.services.groups import add_group
from roles.services.principals import add_person, disable_person
from roles.services.resources import add_resource
from roles.services.settings import change_settings

PASSWORD = "demo demo demo demo"  # noqa: S105  (of people who do not exist; the page of the demo shows it)
OPERATOR = Actor.operator("sample organisation")
DEVICE = "Sample phone"
# No session has this hash, so that a second factor of the past serves nobody today.
SESSION = hashlib.sha256(b"sample organisation").hexdigest()

FOUNDED = timedelta(days=550)  # ago: when people, resources and groups were put in
MINUTE = timedelta(minutes=1)

Act = Callable[[datetime], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """How much was loaded."""

    people: int
    assignments: int
    requests: int


def load(now: datetime) -> Loaded | None:
    """Load the sample organisation as it stands at `now`, all of it or nothing; None when there are people already."""
    with transaction.atomic():
        if User.objects.exists():
            return None
        Loader(SampleOrganisation(), now).load()
        return Loaded(User.objects.count(), Assignment.objects.count(), Request.objects.count())


def at(moment: datetime) -> Clock:
    """Return the clock of that moment."""
    return lambda: moment


class Timeline:
    """Acts in the order of their times; an act may put later ones on it."""

    def __init__(self) -> None:
        self._acts: list[tuple[datetime, int, Act]] = []
        self._order = itertools.count()

    def put(self, moment: datetime, act: Act) -> None:
        heapq.heappush(self._acts, (moment, next(self._order), act))

    def play(self, until: datetime) -> None:
        """Play what lies before `until`, or at it."""
        while self._acts and self._acts[0][0] <= until:
            moment, _order, act = heapq.heappop(self._acts)
            act(moment)


class Loader:
    """Puts every line of the sample organisation on the timeline, then plays it."""

    def __init__(self, sample: SampleOrganisation, now: datetime) -> None:
        self.sample = sample
        self.now = now.replace(second=0, microsecond=0)
        self.founded = self.now - FOUNDED
        self.timeline = Timeline()
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.devices: dict[str, TotpDevice] = {}
        self.places: dict[str, Resource] = {"directory": Resource.objects.get(pk=DIRECTORY)}
        self.roles = {(role.kind, role.name): role for role in Role.objects.all()}
        self.password = make_password(PASSWORD)

    def load(self) -> None:
        # Nobody reads the mails of a year and a half; those of the last day are written.
        with untold():
            self._found()
            self._plan()
            self.timeline.play(self.now - timedelta(days=1))
            while remind(clock=at(self.now - timedelta(days=1))):
                pass
            # What stands out by then has been known for a day.
            scan(clock=at(self.now - timedelta(days=1)), seconds=600)
        self.timeline.play(self.now)
        scan(clock=at(self.now), seconds=600)

    def _plan(self) -> None:
        for person in self.sample.people:
            if person.disabled_days is not None:
                self.timeline.put(self._days(person.disabled_days), self._disabling(person))
        for assignment in self.sample.assignments:
            self.timeline.put(self._days(assignment.given_days), self._giving(assignment))
        for request in self.sample.requests:
            self.timeline.put(request.asked_at(self.now), self._asking(request))
        for rule in self.sample.duty_rules:
            self.timeline.put(self._days(rule.made_days), partial(make_rule, self, rule))
        for profile in self.sample.profiles:
            self.timeline.put(self._days(profile.made_days), partial(keep_profile, self, profile))
        for change in self.sample.settings_changes:
            self.timeline.put(self._days(change.made_days), partial(change_settings_of, self, change))
        for renewal in self.sample.renewals:
            self.timeline.put(self.now - renewal.minutes_ago * MINUTE, self._keeping(renewal))
        for deputy in self.sample.deputies:
            self.timeline.put(self.now - deputy.minutes_ago * MINUTE, self._naming(deputy))
        plan_reviews(self)

    def _days(self, days: float) -> datetime:
        moment = self.now + timedelta(days=days)
        return moment.replace(second=0, microsecond=0)

    # What an operator put in before the first administrator began

    def _found(self) -> None:
        clocks = (at(self.founded + minute * MINUTE) for minute in itertools.count())
        for person in self.sample.people:
            self._add_person(person, next(clocks))
        for name, _description in self.sample.administrative_units:
            self.places[f"directory/{name}"] = add_resource(
                ResourceKind.ADMINISTRATIVE_UNIT,
                name=name,
                parent=self.places["directory"],
                actor=OPERATOR,
                clock=next(clocks),
            )
        for node in self.sample.resources:
            self.places[node.path] = add_resource(
                ResourceKind(node.kind),
                name=node.name,
                parent=self.places[node.parent] if node.parent else None,
                type=node.type,
                actor=OPERATOR,
                clock=next(clocks),
            )
        for group in self.sample.groups:
            made = add_group(group.name, description=group.description, actor=OPERATOR, clock=next(clocks))
            self.groups[group.name] = made
            for role_id, usernames in ((GROUP_OWNER, group.owners), (GROUP_MEMBER, group.members)):
                for username in usernames:
                    assign(
                        self.users[username].pk,
                        role=self.roles["group", "Owner" if role_id == GROUP_OWNER else "Member"],
                        resource=made.resource,
                        type=AssignmentType.ACTIVE,
                        reason="Moved from the old directory",
                        actor=OPERATOR,
                        clock=next(clocks),
                    )
        for row in self.sample.custom_roles:
            make_role(self, row, OPERATOR, next(clocks))
        for settings in self.sample.settings:
            self._set(settings, next(clocks))

    def _add_person(self, person: SamplePerson, clock: Clock) -> None:
        user = add_person(
            username=person.username,
            name=person.name,
            email=person.email,
            job_title=person.job_title,
            department=person.department,
            manager=self.users[person.manager] if person.manager else None,
            time_zone=person.time_zone,
            actor=OPERATOR,
            clock=clock,
        )
        user.password = self.password
        user.save(update_fields=["password"])
        device = TotpDevice.objects.create(user=user, name=DEVICE, confirmed=True, created_at=clock())
        record(Kind.FACTOR_ADDED, actor=OPERATOR, at=clock(), target=user, details={"name": DEVICE})
        self.users[person.username], self.devices[person.username] = user, device

    def _set(self, settings: SampleSettings, clock: Clock) -> None:
        stages = tuple(
            Stage(number, stage["quorum"], frozenset(self._principal(**one).pk for one in stage["approvers"]))
            for number, stage in enumerate((settings.approval or {}).get("stages", ()), start=1)
        )
        change_settings(
            self.roles[settings.kind, settings.role],
            resource=self.places[settings.resource] if settings.resource else None,
            values=settings.values,
            stages=stages,
            actor=OPERATOR,
            clock=clock,
        )

    def _principal(self, *, user: str = "", group: str = "") -> Principal:
        return self.users[user] if user else self.groups[group]

    # What people did

    def acting(self, username: str, purpose: Purpose, about: uuid.UUID, now: datetime) -> Actor:
        """Return this person with a second factor given a moment ago, for one form over one object."""
        user = self.users[username]
        actor = Actor(user=user)
        step_up = StepUp.objects.create(
            user=user,
            session=SESSION,
            purpose=purpose,
            device=self.devices[username].persistent_id,
            verified_at=now,
            until=now + FRESH_FOR,
        )
        record(Kind.SECOND_FACTOR_GIVEN, actor=actor, at=now, target=user, details={"purpose": str(purpose)})
        return Actor(user=user, presented=step_ups.present(step_up, about))

    def _giving(self, row: SampleAssignment) -> Act:
        def give(now: datetime) -> None:
            principal = self._principal(user=row.who, group=row.group)
            place = self.places[row.at]
            given = assign(
                principal.pk,
                role=self._role(row.role, place),
                resource=place,
                type=AssignmentType(row.type),
                starts_at=self._days(row.starts_days) if row.starts_days > row.given_days else None,
                ends_at=self._days(row.ends_days) if row.ends_days is not None else None,
                reason=row.reason,
                actor=self.acting(row.by, Purpose.ASSIGN, principal.pk, now) if row.by else OPERATOR,
                clock=at(now),
            )
            self._sweep_at(given.ends_at)
            if row.end_reason == "removed" and row.ended_days is not None:
                self.timeline.put(self._days(row.ended_days), self._removing(row, given))

        return give

    def _removing(self, row: SampleAssignment, given: Assignment) -> Act:
        def take_away(now: datetime) -> None:
            actor = self.acting(row.by, Purpose.ASSIGN, given.pk, now) if row.by else OPERATOR
            remove(given.pk, actor=actor, reason="No longer needed", clock=at(now))

        return take_away

    def _disabling(self, person: SamplePerson) -> Act:
        def disable(now: datetime) -> None:
            administrator = self.users["jonas"]
            actor = self.acting(administrator.username, Purpose.PEOPLE, administrator.pk, now)
            disable_person(self.users[person.username].pk, reason="Left the company", actor=actor, clock=at(now))

        return disable

    def _asking(self, row: SampleRequest) -> Act:
        def ask_for(now: datetime) -> None:
            user, place = self.users[row.who], self.places[row.at]
            eligibility = self._eligibility(row, now)
            start = now + timedelta(hours=row.wanted_start_hours) if row.wanted_start_hours else None
            verb, purpose = (break_glass, Purpose.BREAK_GLASS) if row.emergency else (ask, Purpose.ACTIVATE)
            request = verb(
                eligibility.pk,
                wanted=Wanted(
                    duration=row.minutes * MINUTE,
                    reason=row.reason,
                    ticket=row.ticket,
                    start=start,
                    resource_id=place.pk,
                ),
                actor=self.acting(user.username, purpose, eligibility.pk, now),
                clock=at(now),
            )
            self._follow(row, request)

        return ask_for

    def _keeping(self, row: SampleRenewal) -> Act:
        def ask_to_keep(now: datetime) -> None:
            user, place = self.users[row.who], self.places[row.at]
            mine = Assignment.objects.filter(principal=user, role=self._role(row.role, place), resource=place)
            assignment = mine.filter(activated_from=None, ends_at__isnull=False).latest("starts_at")
            over = assignment.over_at is not None and assignment.over_at <= now
            verb = ask_to_renew if over else ask_to_extend
            begins = now if over else assignment.ends_at or now
            verb(
                assignment.pk,
                ends_at=begins + timedelta(days=row.days),
                reason=row.reason,
                actor=self.acting(user.username, Purpose.ACTIVATE, assignment.pk, now),
                clock=at(now),
            )

        return ask_to_keep

    def _naming(self, row: SampleDeputy) -> Act:
        def name(now: datetime) -> None:
            approver = self.users[row.approver]
            name_deputy(
                row.deputy,
                starts_at=None,
                ends_at=now + timedelta(days=row.days),
                reason=row.reason,
                actor=self.acting(row.approver, Purpose.DECIDE, approver.pk, now),
                clock=at(now),
            )

        return name

    def _follow(self, row: SampleRequest, request: Request) -> None:
        """Put on the timeline what became of a request."""
        self._sweep_at(request.lapses_at)
        self._end(row, request)
        for decision in row.decisions:
            self.timeline.put(
                request.made_at + decision.after_minutes * MINUTE, self._deciding(row, request.pk, decision)
            )
        if row.outcome == "cancelled":
            self.timeline.put(request.made_at + row.closed_after_minutes * MINUTE, self._cancelling(row, request.pk))

    def _deciding(self, row: SampleRequest, request_id: uuid.UUID, decision: SampleDecision) -> Act:
        def decide(now: datetime) -> None:
            actor = self.acting(decision.by, Purpose.DECIDE, request_id, now)
            seen = shown_digest(Request.objects.shown().get(pk=request_id))
            service = {"approve": decisions.approve, "deny": decisions.deny}[decision.verdict]
            request = service(request_id, actor=actor, justification=decision.justification, seen=seen, clock=at(now))
            self._end(row, request)

        return decide

    def _end(self, row: SampleRequest, request: Request) -> None:
        """Put the end of a granted role on the timeline, by its holder or by the clock."""
        outcome = request.outcome
        if outcome is None:
            return
        self._sweep_at(outcome.ends_at)
        if row.deactivated_after_minutes is not None:
            self.timeline.put(
                outcome.starts_at + row.deactivated_after_minutes * MINUTE, self._deactivating(row, outcome.pk)
            )

    def _cancelling(self, row: SampleRequest, request_id: uuid.UUID) -> Act:
        def call_off(now: datetime) -> None:
            cancel(request_id, actor=Actor(user=self.users[row.who]), clock=at(now))

        return call_off

    def _deactivating(self, row: SampleRequest, assignment_id: uuid.UUID) -> Act:
        def give_back(now: datetime) -> None:
            deactivate(assignment_id, actor=Actor(user=self.users[row.who]), clock=at(now))

        return give_back

    def _sweep_at(self, moment: datetime | None) -> None:
        """Let the worker of that time write down what is over then."""
        if moment is not None and moment <= self.now:
            self.timeline.put(moment, _sweep)

    def _eligibility(self, row: SampleRequest, now: datetime) -> Assignment:
        place = self.places[row.at]
        eligible = Assignment.objects.eligible_for(self.users[row.who].pk, now)
        mine = eligible.filter(role=self._role(row.role, place)).select_related("resource")
        fitting = [one for one in mine if one.resource.contains(place)]
        return next((one for one in fitting if one.resource_id == place.pk), fitting[0])

    def _role(self, name: str, place: Resource) -> Role:
        return self.roles[place.realm.value, name]


def _sweep(now: datetime) -> None:
    # Most of what was due then has ended before: looking first spares the sweep's own, far larger questions.
    if Assignment.objects.overdue(now).exists():
        write_down_ends(clock=at(now))
    if Request.objects.pending().filter(lapses_at__lte=now).exists():
        lapse_overdue(clock=at(now))
