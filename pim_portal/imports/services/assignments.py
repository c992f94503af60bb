"""Importing assignments: a dry run that says what each line would do, then all of them or none."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cache
from itertools import groupby, islice
from typing import IO

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from audit.kinds import Kind
from pim_portal.imports.outcomes import Fate, Outcome
from pim_portal.imports.reading import Line, lines_of, moment
from pim_portal.imports.services.history import record_imported
from roles import assignment_files as names
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.ids import DIRECTORY
from roles.models import AssignmentType, Group, Principal, Purpose, Resource, Role, User
from roles.models.principals import search_key
from roles.refusals import Refused, Violation
from roles.selectors.duties.clashes import Prospect
from roles.service import service
from roles.services import step_ups
from roles.services.bulk import AssignBook, Slot, Wanted, assign_many
from roles.services.gifts import Given, concerned
from roles.services.locks import hold_trees, lock_principals

CHUNK = 500  # lines between two looks at the database
MOST_TOLD = 100  # wrong lines that a refusal names


class Checker:
    """Looks at lines, a chunk at a time, with the rules by which `assign` acts."""

    def __init__(
        self,
        *,
        actor: Actor,
        now: datetime,
        reason: str,
        within: Resource | None = None,
        second_factor: Callable[[bool], bool] = lambda own_code: True,
    ) -> None:
        self.actor, self.now, self.within = actor, now, within
        self.authority = Authority(actor.user, now) if actor.user else None
        roles = list(Role.objects.select_related("home"))
        self.by_id = {str(role.pk): role for role in roles}
        self.by_name: dict[tuple[str, str], list[Role]] = {}
        for role in roles:
            self.by_name.setdefault((role.kind, role.name_key), []).append(role)
        self.book = AssignBook(roles, actor=actor, now=now, reason=reason, second_factor=second_factor)
        self.seen: set[int] = set()

    def check(self, lines: list[Line]) -> list[Outcome]:
        """Say what becomes of each line."""
        read = self.read(lines)
        wanted = [one.wanted for one in read if one.wanted]
        there, prospects = self.book.taken(wanted), iter(self.book.prospects(wanted))
        return [self._judged(one, there, next(prospects)) if one.wanted else one for one in read]

    def read(self, lines: list[Line]) -> list[Outcome]:
        """Say what the lines ask for, before anybody looks at whether it may be given."""
        found = _Found(lines)
        return [self._read(line, found) for line in lines]

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
        if self.within is not None and not self.within.contains(resource):
            return False
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

    def _judged(self, one: Outcome, there: set[Slot], prospect: Prospect) -> Outcome:
        if one.wanted.slot in there:
            return Outcome(one.line, Fate.EXISTS)
        if one.wanted.key in self.seen:
            return Outcome(one.line, Fate.EXISTS, _("A line above asks for the same."))
        if violations := self.book.violations(one.wanted, already_there=False, prospect=prospect):
            return Outcome(one.line, Fate.WRONG, " ".join(str(violation.message) for violation in violations))
        self.seen.add(one.wanted.key)
        prospect.take()
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


def given_by(wanted: Wanted) -> Given:
    """Return what a line gives, as it is locked."""
    return Given(wanted.principal.pk, wanted.role.pk, wanted.resource.pk)


def chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    waiting = iter(lines)
    while chunk := list(islice(waiting, CHUNK)):
        yield chunk


def runs(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield the lines in chunks that let people into groups or give roles, never both.

    What a group gets and who joins it meet only where one is there before the other is looked at.
    """
    for chunk in chunks(lines):
        for _joining, run in groupby(chunk, key=lambda line: line[names.SCOPE].lower().startswith("/groups/")):
            yield list(run)


def dry_run(file: IO[bytes], *, reason: str, actor: Actor, now: datetime) -> Iterator[Outcome]:
    """Yield what each line would do. Changes nothing. Raises `Unreadable`."""
    checker = Checker(actor=actor, now=now, reason=reason)
    for chunk in chunks(lines_of(file)):
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

    Raises `Refused` with the wrong lines, and `Unreadable`. A step-up must cover the importer; it is spent.
    """

    def lines() -> Iterator[Line]:
        return lines_of(file)

    def second_factor(own_code: bool) -> bool:
        user = actor.user
        return user is None or step_ups.serves(actor, Purpose.ASSIGN, user.pk, now=clock(), own_code=own_code)

    if not second_factor(False):
        raise Refused([step_ups.needed()])
    counts = apply_lines(
        lines,
        reason=reason,
        actor=actor,
        clock=clock,
        told=told,
        second_factor=cache(second_factor),
        batch=uuid.uuid4(),
    )
    if actor.user is not None:
        step_ups.spend(actor, Purpose.ASSIGN, actor.user.pk, now=clock())
    return counts


def apply_lines(
    lines: Callable[[], Iterable[Line]],
    *,
    reason: str,
    actor: Actor,
    clock: Clock,
    second_factor: Callable[[bool], bool],
    batch: uuid.UUID,
    within: Resource | None = None,
    told: Callable[[Outcome], None] = lambda outcome: None,
) -> Counter[Fate]:
    """Make what the lines ask for, or raise `Refused` with the wrong ones; inside the transaction of a service.

    The principals are locked first, in the order of their ids; then the clock is read and every line is looked at
    again, at one moment for all: an event of an import is found by it. Lines are read twice and never kept.
    """
    locked = _lock_principals_of(lines(), within=within, actor=actor, now=clock())
    hold_trees(within)
    now = clock()
    checker = Checker(actor=actor, now=now, reason=reason, within=within, second_factor=second_factor)
    counts: Counter[Fate] = Counter()
    wrong: list[Violation] = []
    for chunk in runs(lines()):
        outcomes = checker.check(chunk)
        for one in outcomes:
            counts[one.fate] += 1
            told(one)
            if one.fate is Fate.WRONG and len(wrong) < MOST_TOLD:
                sentence = _("Line %(number)s: %(sentence)s") % {"number": one.line.number, "sentence": one.sentence}
                wrong.append(Violation("wrong_line", sentence, "file"))
        made = [one.wanted for one in outcomes if one.wanted and one.fate is Fate.MADE]
        if locked is not None and not concerned(map(given_by, made)) <= locked:
            raise Refused(
                [
                    Violation(
                        "changed_meanwhile", _("Somebody was renamed, or joined a group, meanwhile. Try again."), "file"
                    )
                ]
            )
        if made and not wrong:
            assign_many(made, book=checker.book, batch=batch)
    if wrong:
        raise Refused(wrong)
    record_imported(counts, within=within, reason=reason, actor=actor, now=now)
    return counts


def _lock_principals_of(
    lines: Iterable[Line], *, within: Resource | None, actor: Actor, now: datetime
) -> set[uuid.UUID] | None:
    """Lock whom the lines concern, and return who that is; None where there is no other writer (SQLite)."""
    if not connection.features.has_select_for_update:
        return None
    finder = Checker(actor=actor, now=now, reason="", within=within)
    principals: set[uuid.UUID] = set()
    for chunk in chunks(lines):
        principals |= concerned([given_by(one.wanted) for one in finder.read(chunk) if one.wanted])
    ordered = sorted(principals)
    for first in range(0, len(ordered), CHUNK):
        lock_principals(ordered[first : first + CHUNK])
    return principals
