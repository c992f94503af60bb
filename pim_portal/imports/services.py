"""Importing assignments: a dry run that says what each line would do, then all of them or none."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import IO

from django.db.models import Q
from django.utils.translation import gettext as _

from audit.kinds import Kind
from pim_portal.imports.reading import Line, lines_of, moment
from roles import assignment_files as names
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.ids import DIRECTORY
from roles.models import Assignment, AssignmentType, Group, Principal, Purpose, Resource, Role, User
from roles.models.principals import search_key
from roles.refusals import Refused, Violation, broken
from roles.rules.assignments import ASSIGN, AssignFacts
from roles.selectors.settings import EffectiveSettings, SettingsBook
from roles.service import record, service
from roles.services import step_ups
from roles.services.assignments import assign, authority_over, is_retired
from roles.services.locks import lock_principals

CHUNK = 500  # lines between two looks at the database
MOST_TOLD = 100  # wrong lines that a refusal names


class Fate(StrEnum):
    """What becomes of a line."""

    MADE = "made"
    EXISTS = "exists"
    LEFT_OUT = "left out"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The assignment that a line asks for."""

    principal: Principal
    role: Role
    resource: Resource
    type: AssignmentType
    starts_at: datetime | None
    ends_at: datetime | None

    @property
    def slot(self) -> tuple[uuid.UUID, uuid.UUID, uuid.UUID, str]:
        return self.principal.pk, self.role.pk, self.resource.pk, str(self.type)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a line would do or did, in a sentence where there is something to say."""

    line: Line
    fate: Fate
    sentence: str = ""
    wanted: Wanted | None = None


class Checker:
    """Looks at lines, a chunk at a time, with the rules by which `assign` acts."""

    def __init__(self, *, actor: Actor, now: datetime, reason: str) -> None:
        self.actor, self.now, self.reason = actor, now, reason
        self.authority = Authority(actor.user, now) if actor.user else None
        roles = list(Role.objects.select_related("home"))
        self.by_id = {str(role.pk): role for role in roles}
        self.by_name: dict[tuple[str, str], list[Role]] = {}
        for role in roles:
            self.by_name.setdefault((role.kind, role.name_key), []).append(role)
        self.book = SettingsBook(role.pk for role in roles)
        self.seen: set[int] = set()
        self.at_place: dict[tuple[uuid.UUID, uuid.UUID], tuple[bool, tuple[str, ...], bool, EffectiveSettings]] = {}

    def check(self, lines: list[Line]) -> list[Outcome]:
        """Say what becomes of each line."""
        found = _Found(lines)
        read = [self._read(line, found) for line in lines]
        there = self._there([one.wanted for one in read if one.wanted])
        return [self._judged(one, there) if one.wanted else one for one in read]

    def _there(self, wanted: list[Wanted]) -> set[tuple[uuid.UUID, uuid.UUID, uuid.UUID, str]]:
        running = Assignment.objects.open().filter(Q(ends_at=None) | Q(ends_at__gt=self.now), activated_from=None)
        rows = running.filter(principal__in={one.principal.pk for one in wanted})
        return set(rows.values_list("principal_id", "role_id", "resource_id", "type"))

    def _read(self, line: Line, found: _Found) -> Outcome:
        state, member = line[names.STATE].casefold(), line[names.MEMBER].casefold()
        if state == "activated":
            return Outcome(line, Fate.LEFT_OUT, _("An activation: its holder activates anew."))
        if member in ("group", "inherited"):
            return Outcome(line, Fate.LEFT_OUT, _("Held through a group or from above: it is not given directly."))
        types = {
            "eligible": AssignmentType.ELIGIBLE,
            "active": AssignmentType.ACTIVE,
            "assigned": AssignmentType.ACTIVE,
        }
        if state not in types or member not in ("", "direct", "user"):
            return Outcome(line, Fate.WRONG, _("The state or the member type is none that is known."))
        try:
            starts_at, ends_at = moment(line[names.START]), moment(line[names.END])
        except (ValueError, OverflowError):
            return Outcome(line, Fate.WRONG, _("A time cannot be read. Write it like 2026-11-23T12:00:00Z."))
        if ends_at is not None and ends_at <= self.now:
            return Outcome(line, Fate.LEFT_OUT, _("Its end has passed."))
        resource = found.resource(line)
        if resource is None or not self._sees(resource):
            return Outcome(line, Fate.WRONG, _("There is no such place where you may import."))
        principal = found.principal(line)
        if principal is None:
            return Outcome(line, Fate.WRONG, _("There is no such person or group, or several have this name."))
        role = self._role(line, resource)
        if role is None:
            return Outcome(line, Fate.WRONG, _("There is no such role at this place."))
        starts_at = starts_at if starts_at and starts_at > self.now else None
        return Outcome(line, Fate.MADE, wanted=Wanted(principal, role, resource, types[state], starts_at, ends_at))

    def _sees(self, resource: Resource) -> bool:
        return self.authority is None or (
            self.authority.allows(Permission.DEFINE, resource) and self.authority.allows(Permission.ASSIGN, resource)
        )

    def _role(self, line: Line, resource: Resource) -> Role | None:
        known = self.by_id.get(line[names.ROLE_ID].lower())
        named = [known] if known else self.by_name.get((resource.realm.value, search_key(line[names.ROLE])), [])
        fitting = [
            role
            for role in named
            if role.kind == resource.realm.value and (role.home is None or role.home.contains(resource))
        ]
        return fitting[0] if len(fitting) == 1 else None

    def _judged(self, one: Outcome, there: set[tuple[uuid.UUID, uuid.UUID, uuid.UUID, str]]) -> Outcome:
        wanted = one.wanted
        assert wanted is not None  # noqa: S101 - for the types
        if wanted.slot in there or hash(wanted.slot) in self.seen:
            return Outcome(one.line, Fate.EXISTS)
        self.seen.add(hash(wanted.slot))
        place = (wanted.role.pk, wanted.resource.pk)
        if place not in self.at_place:
            held, beyond = authority_over(self.actor, wanted.role, wanted.resource, self.now)
            retired = is_retired(wanted.role, wanted.resource)
            may = self.actor.user is None or held is not None
            settings = self.book.of(wanted.role, wanted.resource)
            self.at_place[place] = (may, beyond, retired, settings)
        allowed, beyond, retired, settings = self.at_place[place]
        facts = AssignFacts(
            principal=wanted.principal,
            role=wanted.role,
            resource=wanted.resource,
            type=wanted.type,
            starts_at=wanted.starts_at or self.now,
            ends_at=wanted.ends_at,
            now=self.now,
            reason=self.reason,
            settings=settings,
            allowed=allowed,
            second_factor=True,  # asked for when the import is applied
            already_there=False,
            retired=retired,
            roles_beyond=beyond,
        )
        if violations := broken(ASSIGN, facts):
            return Outcome(one.line, Fate.WRONG, " ".join(str(violation.message) for violation in violations))
        return one


class _Found:
    """What the lines of a chunk name, found with a few queries."""

    def __init__(self, lines: list[Line]) -> None:
        paths = {line[names.SCOPE].lower() for line in lines}
        self.directory = Resource.objects.get(pk=DIRECTORY)
        written = {path for line in lines if (path := line[names.SCOPE])} | paths
        self.resources = {row.scope_path.lower(): row for row in Resource.objects.filter(scope_path__in=written)}
        keys = {search_key(line[names.NAME]) for line in lines} - {""}
        ids = {pk for line in lines if (pk := _uuid(line[names.PRINCIPAL_ID]))}
        people = User.objects.filter(Q(username_key__in=keys) | Q(email_key__in=keys))
        self.people = {key: row for row in people for key in (row.email_key, row.username_key) if key}
        self.by_id = {row.pk: row for row in Principal.objects.filter(pk__in=ids)}
        self.groups: dict[str, list[Group]] = {}
        named = {search_key(line[names.HOLDER]) for line in lines if not line[names.NAME]}
        for group in Group.objects.filter(name_key__in=named):
            self.groups.setdefault(group.name_key, []).append(group)

    def resource(self, line: Line) -> Resource | None:
        path = line[names.SCOPE]
        return self.resources.get(path.lower()) if path else self.directory

    def principal(self, line: Line) -> Principal | None:
        if (known := self.by_id.get(_uuid(line[names.PRINCIPAL_ID]) or uuid.UUID(int=0))) is not None:
            return known
        if line[names.NAME]:
            return self.people.get(search_key(line[names.NAME]))
        groups = self.groups.get(search_key(line[names.HOLDER]), [])
        return groups[0] if len(groups) == 1 else None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def _chunks(file: IO[bytes]) -> Iterator[list[Line]]:
    lines = lines_of(file)
    while chunk := list(islice(lines, CHUNK)):
        yield chunk


def dry_run(file: IO[bytes], *, reason: str, actor: Actor, now: datetime) -> Iterator[Outcome]:
    """Yield what each line would do. Changes nothing. Raises `Unreadable`."""
    checker = Checker(actor=actor, now=now, reason=reason)
    for chunk in _chunks(file):
        yield from checker.check(chunk)


@service(Kind.IMPORTED)
def import_assignments(
    file: IO[bytes],
    *,
    reason: str,
    actor: Actor,
    clock: Clock,
    told: Callable[[Outcome], None] = lambda outcome: None,
) -> Counter[Fate]:
    """Make every assignment that the file asks for and that is not there yet, or none; return how many of each fate.

    Raises `Refused` with the wrong lines, and `Unreadable`. The principals are locked first, in the order of their ids;
    what the file says is then looked at again. A step-up must cover the importer and each principal.
    """
    principals = {
        one.wanted.principal.pk for one in dry_run(file, reason=reason, actor=actor, now=clock()) if one.wanted
    }
    ordered = sorted(principals)
    for first in range(0, len(ordered), CHUNK):
        lock_principals(ordered[first : first + CHUNK])
    now = clock()
    if actor.user is not None and not step_ups.serves(actor, Purpose.ASSIGN, actor.user.pk, now=now):
        raise Refused([step_ups.needed()])
    counts: Counter[Fate] = Counter()
    wrong: list[Violation] = []
    for one in dry_run(file, reason=reason, actor=actor, now=now):
        counts[one.fate] += 1
        told(one)
        if one.fate is Fate.WRONG and len(wrong) < MOST_TOLD:
            sentence = _("Line %(number)s: %(sentence)s") % {"number": one.line.number, "sentence": one.sentence}
            wrong.append(Violation("wrong_line", sentence, "file"))
        if one.wanted and one.fate is Fate.MADE and not wrong:
            _make(one.wanted, reason=reason, actor=actor, now=now)
    if wrong:
        raise Refused(wrong)
    if counts[Fate.MADE]:
        details = {str(fate): counts[fate] for fate in Fate}
        record(Kind.IMPORTED, actor=actor, at=now, details=details, reason=reason)
    return counts


def _make(wanted: Wanted, *, reason: str, actor: Actor, now: datetime) -> None:
    assign(
        wanted.principal.pk,
        role=wanted.role,
        resource=wanted.resource,
        type=wanted.type,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        reason=reason,
        actor=actor,
        clock=lambda: now,
    )
