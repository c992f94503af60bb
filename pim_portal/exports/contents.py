"""What an export of everything holds: of the directory world all, of the resource world what its reader owns.

Each file is read part by part. Between two parts the reader's right is looked at anew: an export ends when the right to
it ends, and says so in a file of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.kinds import Realm
from pim_portal.exports import sheets
from pim_portal.imports.sheets import GROUPS, PEOPLE
from roles import assignment_files, resource_files
from roles.authority import Authority
from roles.catalogue import Permission
from roles.downloads import Column, csv_lines
from roles.models import Assignment, Group, Resource, ResourceKind, Role, RoleSettings, User
from roles.models.resources import way_of
from roles.zipping import File

PART: Final = 500  # rows that are in memory at once


class World(StrEnum):
    """One of the two worlds that know nothing of each other."""

    DIRECTORY = "directory"
    RESOURCE = "resource"

    @property
    def realm(self) -> Realm:
        return Realm(self.value)


class CutOff(Exception):  # noqa: N818 - what happened, not an error
    """The right to read ended."""


def paths_of(authority: Authority, world: World) -> set[str]:
    """Return the tree paths at and below which somebody may take away everything; none: they may not."""
    if world is World.DIRECTORY:
        held = authority.by(Permission.DEFINE, None)
        return {held.path} if held else set()
    return set(authority.paths(Permission.DEFINE, Realm.RESOURCE))


def files(reader: User, *, world: World, now: datetime) -> Iterator[File]:
    """Yield the files one after the other; each is read when its turn comes."""
    paths = paths_of(Authority(reader, now), world)
    at, resources = _below(paths, "resource__"), _below(paths, "")
    lost: list[CutOff] = []

    def csv(name: str, columns: Sequence[Column], parts: Iterable[Sequence[Any]]) -> File:
        def rows() -> Iterator[Sequence[object]]:
            try:
                for part in parts:
                    if not paths <= paths_of(Authority(reader, timezone.now()), world):
                        raise CutOff
                    yield from ([value(row) for _label, value in columns] for row in part)
            except CutOff as cut:
                lost.append(cut)

        return name, csv_lines([label for label, _value in columns], rows())

    running = Assignment.objects.lasting(now).select_related(*_RELATED)
    roles = Role.objects.filter(kind=world.value).select_related("home")
    if world is World.RESOURCE:
        known = _below(paths, "home__") | Q(home=None) | Q(home__in=_above(paths))
        roles = roles.filter(known)
    settings = RoleSettings.objects.filter(role__in=roles).filter(at | Q(resource=None))
    every = [
        csv("assignments.csv", assignment_files.COLUMNS, _in_parts(running.filter(at))),
        csv("roles.csv", sheets.ROLES, _in_parts(roles)),
        csv("settings.csv", sheets.SETTINGS, _in_parts(settings.select_related("role", "resource"))),
        csv("resources.csv", resource_files.COLUMNS, _in_parts(_in_world(Resource.objects.filter(resources)), "path")),
    ]
    if world is World.DIRECTORY:
        members = running.filter(resource__kind=ResourceKind.GROUP)
        every += [
            csv("people.csv", PEOPLE, _people()),
            csv("groups.csv", GROUPS, _in_parts(Group.objects.select_related("resource"))),
            csv("memberships.csv", assignment_files.COLUMNS, _in_parts(members)),
        ]
    for file in every:
        yield file
        if lost:
            yield "INCOMPLETE.txt", [_("The right to read this ended while it was downloaded.").encode()]
            return
    yield "README.txt", [_about(reader, world=world, now=now).encode()]


_RELATED = ("principal__user", "role", "resource", "activated_from")


def _below(paths: Iterable[str], at: str) -> Q:
    within = Q(pk__in=[])
    for path in paths:
        within |= Q(**{f"{at}path__startswith": path})
    return within


def _above(paths: Iterable[str]) -> QuerySet[Resource]:
    """Return what stands above the places of somebody: roles that were made there are known below."""
    above = {one for path in paths for one in way_of(path)[:-1]}
    found: QuerySet[Resource] = Resource.objects.filter(path__in=above)
    return found


def _in_world(rows: QuerySet[Resource]) -> QuerySet[Resource]:
    return rows.exclude(kind=ResourceKind.GROUP)


def _in_parts(rows: QuerySet[Any], key: str = "pk") -> Iterator[Sequence[Any]]:
    """Yield all rows, a part at a time, in the order of a unique key."""
    rows = rows.order_by(key)
    part = list(rows[:PART])
    while part:
        yield part
        part = list(rows.filter(**{f"{key}__gt": getattr(part[-1], key)})[:PART])


def _people() -> Iterator[Sequence[User]]:
    """Yield everybody, managers before those whom they manage: a file is brought in from its top. Keeps ids only."""
    managers = dict(User.objects.values_list("pk", "manager"))
    depths: dict[Any, int] = {}
    for first_of_a_way in managers:
        way: list[Any] = []
        pk: Any = first_of_a_way
        while pk is not None and pk not in depths and pk not in way:
            way.append(pk)
            pk = managers.get(pk)
        for one in reversed(way):
            depths[one] = depths.get(managers[one], -1) + 1
    ordered = sorted(managers, key=lambda pk: (depths[pk], str(pk)))
    for first in range(0, len(ordered), PART):
        keys = ordered[first : first + PART]
        found = User.objects.select_related("manager").in_bulk(keys)
        yield [found[key] for key in keys if key in found]


def _about(reader: User, *, world: World, now: datetime) -> str:
    name = _("Directory roles") if world is World.DIRECTORY else _("Resources")
    lines = [
        _("Everything of: {world}").format(world=name),
        _("Taken by {name}, {at} (UTC).").format(name=reader.name, at=now.strftime("%Y-%m-%d %H:%M:%S")),
        "",
        _("Bring it in again in this order, on the pages called Import or with these commands:"),
    ]
    commands = ["import_resources resources.csv", "import_assignments assignments.csv"]
    if world is World.DIRECTORY:
        commands = ["import_people people.csv", "import_groups groups.csv", *commands[:1]]
        commands += ["import_assignments assignments.csv", "import_assignments memberships.csv"]
    lines += [f"  manage.py {command}" for command in commands]
    lines += [
        "",
        _("Roles and settings are there to be read: make custom roles under the same names before the assignments."),
        _("What was activated is not given again: its holders activate anew. What is over is in the audit history."),
    ]
    return "\n".join(lines) + "\n"
