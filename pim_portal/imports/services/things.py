"""Bringing in people, groups and resources: each line by the service that does it by hand, all of them or none.

A dry run does the same and takes it all back, so that it says exactly what would happen.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from django.db import transaction
from django.utils.translation import gettext as _

from audit.kinds import Kind
from pim_portal.accounts.services.tickets import invite_again
from pim_portal.imports import sheets
from pim_portal.imports.outcomes import Fate, Outcome
from pim_portal.imports.reading import Line, lines_of
from roles import resource_files
from roles.actors import Actor, Clock
from roles.ids import DIRECTORY, GROUP_MEMBER, GROUP_OWNER
from roles.models import Assignment, AssignmentType, Group, Resource, ResourceKind, Role, User
from roles.models.principals import search_key
from roles.refusals import Refused, Violation
from roles.service import record, service
from roles.services.assignments import assign
from roles.services.groups import add_group
from roles.services.principals import add_person
from roles.services.resources import add_resource

MOST_TOLD = 100  # wrong lines that a refusal names


@dataclass(frozen=True, slots=True)
class Sheet:
    """A kind of file: the columns that it needs, and what makes of a line what it asks for."""

    needed: tuple[str, ...]
    bring: Callable[[Line, Bringing], str]


@dataclass(frozen=True, slots=True)
class Bringing:
    """Who brings in, when, why, and whether people are invited at once."""

    actor: Actor
    clock: Clock
    reason: str
    invite: bool = False


class _ThereError(Exception):
    """What a line asks for is there already."""


def wrong(sentence: str) -> Refused:
    return Refused([Violation("wrong_line", sentence, "file")])


@service(Kind.IMPORTED)
def bring_in(
    sheet: Sheet,
    file: IO[bytes],
    *,
    reason: str,
    actor: Actor,
    clock: Clock,
    invite: bool = False,
    dry: bool = False,
    told: Callable[[Outcome], None] = lambda outcome: None,
) -> Counter[Fate]:
    """Make what the lines ask for and is not there yet, or nothing; return how many lines there were of each fate.

    Raises `Refused` with the wrong lines, and `Unreadable`. `dry` takes everything back and raises no wrong line.
    """
    bringing = Bringing(actor=actor, clock=clock, reason=reason, invite=invite)
    counts: Counter[Fate] = Counter()
    broken: list[Violation] = []
    for line in lines_of(file, needed=sheet.needed):
        one = _outcome(sheet, line, bringing)
        counts[one.fate] += 1
        told(one)
        if one.fate is Fate.WRONG and len(broken) < MOST_TOLD:
            sentence = _("Line %(number)s: %(sentence)s") % {"number": line.number, "sentence": one.sentence}
            broken.append(Violation("wrong_line", sentence, "file"))
    if dry:
        transaction.set_rollback(True)
        return counts
    if broken:
        raise Refused(broken)
    if counts[Fate.MADE]:
        details = {str(fate): counts[fate] for fate in Fate}
        record(Kind.IMPORTED, actor=actor, at=clock(), details=details, reason=reason)
    return counts


def _outcome(sheet: Sheet, line: Line, bringing: Bringing) -> Outcome:
    try:
        with transaction.atomic():
            return Outcome(line, Fate.MADE, sheet.bring(line, bringing))
    except _ThereError:
        return Outcome(line, Fate.EXISTS)
    except Refused as refused:
        return Outcome(line, Fate.WRONG, refused.sentence)


def _person(name: str) -> User:
    user = User.objects.filter(username_key=search_key(name)).first()
    if user is None:
        raise wrong(_("There is nobody called {name}, here or in a line above.").format(name=name))
    return user


def bring_person(line: Line, by: Bringing) -> str:
    """Add somebody, without a password: they choose it by an invitation."""
    if User.objects.filter(username_key=search_key(line[sheets.USERNAME])).exists():
        raise _ThereError
    user = add_person(
        username=line[sheets.USERNAME],
        name=line[sheets.NAME],
        email=line[sheets.EMAIL],
        job_title=line[sheets.JOB],
        department=line[sheets.DEPARTMENT],
        manager=_person(line[sheets.MANAGER]) if line[sheets.MANAGER] else None,
        actor=by.actor,
        clock=by.clock,
    )
    if by.invite:
        invite_again(user.pk, actor=by.actor, clock=by.clock)
    return ""


def bring_group(line: Line, by: Bringing) -> str:
    """Add a group, and the members and owners that it lacks; nobody is taken out."""
    group = Group.objects.select_related("resource").filter(name_key=search_key(line[sheets.GROUP])).first()
    new = group is None
    if group is None:
        group = add_group(line[sheets.GROUP], description=line[sheets.DESCRIPTION], actor=by.actor, clock=by.clock)
    added = _give(group, line[sheets.MEMBERS], GROUP_MEMBER, by) + _give(group, line[sheets.OWNERS], GROUP_OWNER, by)
    if not new and not added:
        raise _ThereError
    return "" if new else _("The group is there; {count} more of its people are added.").format(count=added)


def _give(group: Group, names: str, role_id: uuid.UUID, by: Bringing) -> int:
    role, now, added = Role.objects.get(pk=role_id), by.clock(), 0
    for name in filter(None, (part.strip() for part in names.replace("\n", ";").split(";"))):
        user = _person(name)
        slot = Assignment.objects.open().filter(
            principal=user, role=role, resource=group.resource_id, type=AssignmentType.ACTIVE, activated_from=None
        )
        if slot.exclude(ends_at__lte=now).exists():
            continue
        assign(
            user.pk,
            role=role,
            resource=group.resource,
            type=AssignmentType.ACTIVE,
            reason=by.reason,
            actor=by.actor,
            clock=by.clock,
        )
        added += 1
    return added


def bring_resource(line: Line, by: Bringing) -> str:
    """Add a node below one that is there or stands above in the file; it keeps its scope path where it has one."""
    kind, name, path = line[resource_files.KIND], line[resource_files.NAME], line[resource_files.SCOPE]
    if kind not in ResourceKind.values or kind in (ResourceKind.GROUP, ResourceKind.DIRECTORY):
        if path == "/" and kind == ResourceKind.DIRECTORY:
            raise _ThereError
        raise wrong(_("There is no such kind of resource."))
    if path and Resource.objects.filter(scope_path__iexact=path).exists():
        raise _ThereError
    parent = _parent_of(line, ResourceKind(kind))
    depth = parent.depth + 1 if parent else 1
    beside = Resource.objects.filter(kind=kind, name_key=search_key(name)[:400], depth=depth)
    if not path and beside.filter(path__startswith=parent.path if parent else "").exists():
        raise _ThereError
    made = add_resource(
        ResourceKind(kind),
        name=name,
        parent=parent,
        type=line[resource_files.TYPE],
        pk=_id_in(path),
        actor=by.actor,
        clock=by.clock,
    )
    if path and made.scope_path.lower() != path.lower():
        raise wrong(_("The scope path does not fit the kind, the name and what stands above."))
    return ""


def _parent_of(line: Line, kind: ResourceKind) -> Resource | None:
    above = line[resource_files.PARENT]
    if kind is ResourceKind.ROOT and not above:
        return None
    if kind is ResourceKind.ADMINISTRATIVE_UNIT and above in ("", "/"):
        parent: Resource | None = Resource.objects.get(pk=DIRECTORY)
    else:
        parent = Resource.objects.filter(scope_path__iexact=above).first() if above else None
    if parent is None:
        raise wrong(_("What it is to stand below is neither here nor in a line above."))
    return parent


def _id_in(path: str) -> uuid.UUID | None:
    """Return the id that a scope path ends in, so that another installation's assignments find the place again."""
    try:
        return uuid.UUID(path.rstrip("/").rsplit("/", 1)[-1])
    except ValueError:
        return None


SHEETS = {
    "people": Sheet((sheets.USERNAME, sheets.NAME), bring_person),
    "groups": Sheet((sheets.GROUP,), bring_group),
    "resources": Sheet((resource_files.KIND, resource_files.NAME), bring_resource),
}
