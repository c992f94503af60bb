"""Bringing in groups with their members and owners: joining one is a grant, by the rules of every other one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pim_portal.imports import sheets
from pim_portal.imports.reading import Line
from pim_portal.imports.services.bringing import Bringing, Sheet, ThereError, person_named, wrong
from roles.catalogue import Permission
from roles.ids import GROUP_MEMBER, GROUP_OWNER
from roles.models import AssignmentType, Group, Purpose, Role, User
from roles.models.principals import search_key
from roles.refusals import Refused, Violation
from roles.services import step_ups
from roles.services.bulk import AssignBook, Wanted, assign_many
from roles.services.groups import add_group, lock_names
from roles.services.locks import hold_trees, lock_principals

CHUNK = 500  # people who are locked at once
COLUMNS = {GROUP_MEMBER: sheets.MEMBERS, GROUP_OWNER: sheets.OWNERS}


def lock(lines: Iterator[Line], by: Bringing) -> None:
    """Lock whom the lines name and the groups themselves, in the order of their ids, then the names of groups.

    The trees are held: what a group has, and what is kept apart from it, stays as it is.
    """
    if connection.features.has_select_for_update:  # else there is no other writer
        keys: set[str] = set()
        named: set[str] = set()
        for line in lines:
            keys |= {search_key(name) for name in _everybody_in(line)}
            named.add(search_key(line[sheets.GROUP]))
        people = User.objects.filter(username_key__in=keys).values_list("pk", flat=True)
        groups = Group.objects.filter(name_key__in=named).values_list("pk", flat=True)
        ordered = sorted({*people, *groups})
        for first in range(0, len(ordered), CHUNK):
            lock_principals(ordered[first : first + CHUNK])
        by.locked.update(ordered)
        hold_trees()
    lock_names()


def bring(line: Line, by: Bringing) -> str:
    """Add a group, and the members and owners that it lacks; nobody is taken out."""
    group = Group.objects.select_related("resource").filter(name_key=search_key(line[sheets.GROUP])).first()
    new = group is None
    if group is None:
        group = add_group(
            line[sheets.GROUP],
            description=line[sheets.DESCRIPTION],
            permission=Permission.DEFINE,
            actor=by.actor,
            clock=by.clock,
        )
    added = _give(group, line, by)
    if not new and not added:
        raise ThereError
    told = ngettext(
        "The group is there; {count} more of its people is added.",
        "The group is there; {count} more of its people are added.",
        added,
    )
    return "" if new else told.format(count=added)


def _give(group: Group, line: Line, by: Bringing) -> int:
    """Give what is asked for and not there, by the rules and with the history of `assign`; return how many got it."""
    wanted = list(_wanted(group, line, by))
    if not wanted:
        return 0
    book = AssignBook(
        [one.role for one in wanted],
        actor=by.actor,
        now=by.clock(),
        reason=by.reason,
        second_factor=lambda own_code: (
            by.actor.user is not None
            and step_ups.serves(by.actor, Purpose.ASSIGN, by.actor.user.pk, now=by.clock(), own_code=own_code)
        ),
    )
    there = book.taken(wanted)
    lacking = [one for one in wanted if one.slot not in there]
    violations: list[Violation] = []
    for one, prospect in zip(lacking, book.prospects(lacking), strict=True):
        violations += book.violations(one, already_there=False, prospect=prospect)
    if violations:
        raise Refused(violations)
    assign_many(lacking, book=book, batch=by.batch)
    return len(lacking)


def _wanted(group: Group, line: Line, by: Bringing) -> Iterator[Wanted]:
    roles = {role.pk: role for role in Role.objects.filter(pk__in=COLUMNS)}
    for role_id, column in COLUMNS.items():
        for person in {user.pk: user for user in map(person_named, names_in(line[column]))}.values():
            if connection.features.has_select_for_update and person.pk not in by.locked:
                raise wrong(_("Somebody was renamed meanwhile. Try again."))
            yield Wanted(person, roles[role_id], group.resource, AssignmentType.ACTIVE, None, None)


def names_in(cell: str) -> list[str]:
    """Return the user names in one cell."""
    return [name for part in cell.replace("\n", ";").split(";") if (name := part.strip())]


def _everybody_in(line: Line) -> Iterator[str]:
    return chain.from_iterable(names_in(line[column]) for column in COLUMNS.values())


def weight(line: Line) -> int:
    """Return what a line counts for: itself, and each name in it."""
    return 1 + sum(1 for _name in _everybody_in(line))


SHEET = Sheet((sheets.GROUP,), (sheets.GROUP, sheets.MEMBERS), lock, bring, weight)
