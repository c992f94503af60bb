"""Loads the sample organisation, seen from today: everything goes through the services, at its own time.

A timeline of past moments is played in order. Each act calls the service that a person's click would have called, with
the clock of that moment and a second factor given then, so that requests, decisions, ends and the history stand as if
the portal had been used for a year and a half.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.contrib.auth.hashers import make_password
from django.db import transaction

from approvals.models import Request
from approvals.services.closing import lapse_overdue
from approvals.services.deputies import name_deputy
from approvals.services.extensions import ask_to_extend, ask_to_renew
from audit.kinds import Kind
from pim_portal.alerts.services.scanning import scan
from pim_portal.demo.asking import asking
from pim_portal.demo.duties import make_rule
from pim_portal.demo.founding import found
from pim_portal.demo.habits import change_settings_of, keep_profile
from pim_portal.demo.reviews import plan_reviews
from pim_portal.demo.sample import (
    SampleAssignment,
    SampleDeputy,
    SampleOrganisation,
    SamplePerson,
    SampleRenewal,
    asked,
)
from pim_portal.demo.timeline import MINUTE, OPERATOR, Act, Timeline, at
from pim_portal.notifications.reminders import remind
from pim_portal.notifications.subscriber import untold
from roles.actors import Actor
from roles.ids import DIRECTORY
from roles.models import (
    Assignment,
    AssignmentType,
    Group,
    Principal,
    Purpose,
    Resource,
    Role,
    StepUp,
    TotpDevice,
    User,
)
from roles.models.step_ups import FRESH_FOR
from roles.service import record
from roles.services import step_ups
from roles.services.assignments import assign, remove
from roles.services.ends import write_down_ends
from roles.services.principals import disable_person

PASSWORD = "demo demo demo demo"  # noqa: S105  (of people who do not exist; the page of the demo shows it)
# No session has this hash, so that a second factor of the past serves nobody today.
SESSION = hashlib.sha256(b"sample organisation").hexdigest()

FOUNDED = timedelta(days=550)  # ago: when people, resources and groups were put in


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
            found(self)
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
                self.timeline.put(self.days(person.disabled_days), self._disabling(person))
        for assignment in self.sample.assignments:
            self.timeline.put(self.days(assignment.given_days), self._giving(assignment))
        for request, asked_at in asked(self.sample.requests, self.now):
            self.timeline.put(asked_at, asking(self, request))
        for rule in self.sample.duty_rules:
            self.timeline.put(self.days(rule.made_days), partial(make_rule, self, rule))
        for profile in self.sample.profiles:
            self.timeline.put(self.days(profile.made_days), partial(keep_profile, self, profile))
        for change in self.sample.settings_changes:
            self.timeline.put(self.days(change.made_days), partial(change_settings_of, self, change))
        for renewal in self.sample.renewals:
            self.timeline.put(self.now - renewal.minutes_ago * MINUTE, self._keeping(renewal))
        for deputy in self.sample.deputies:
            self.timeline.put(self.now - deputy.minutes_ago * MINUTE, self._naming(deputy))
        plan_reviews(self)

    def days(self, days: float) -> datetime:
        moment = self.now + timedelta(days=days)
        return moment.replace(second=0, microsecond=0)

    def principal(self, *, user: str = "", group: str = "") -> Principal:
        return self.users[user] if user else self.groups[group]

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
            principal = self.principal(user=row.who, group=row.group)
            place = self.places[row.at]
            given = assign(
                principal.pk,
                role=self.role(row.role, place),
                resource=place,
                type=AssignmentType(row.type),
                starts_at=self.days(row.starts_days) if row.starts_days > row.given_days else None,
                ends_at=self.days(row.ends_days) if row.ends_days is not None else None,
                reason=row.reason,
                actor=self.acting(row.by, Purpose.ASSIGN, principal.pk, now) if row.by else OPERATOR,
                clock=at(now),
            )
            self.sweep_at(given.ends_at)
            if row.end_reason == "removed" and row.ended_days is not None:
                self.timeline.put(self.days(row.ended_days), self._removing(row, given))

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

    def _keeping(self, row: SampleRenewal) -> Act:
        def ask_to_keep(now: datetime) -> None:
            user, place = self.users[row.who], self.places[row.at]
            mine = Assignment.objects.filter(principal=user, role=self.role(row.role, place), resource=place)
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

    def sweep_at(self, moment: datetime | None) -> None:
        """Let the worker of that time write down what is over then."""
        if moment is not None and moment <= self.now:
            self.timeline.put(moment, _sweep)

    def role(self, name: str, place: Resource) -> Role:
        return self.roles[place.realm.value, name]


def _sweep(now: datetime) -> None:
    # Most of what was due then has ended before: looking first spares the sweep's own, far larger questions.
    if Assignment.objects.overdue(now).exists():
        write_down_ends(clock=at(now))
    if Request.objects.pending().filter(lapses_at__lte=now).exists():
        lapse_overdue(clock=at(now))
