"""Least privilege: whether a role that allows less would do, and how that is known.

Two things are known. What was done in the portal under a role stands in the history, with what it needs
(`roles.rules.needed`); and a custom role says in its own lines what it allows. What a built-in role allows outside of
the portal stands nowhere here: of two such roles nothing is said without what was done. It is a hint and blocks
nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from audit.kinds import Kind, Realm
from roles.catalogue import GRANTS, Permission
from roles.ids import GLOBAL_ADMINISTRATOR
from roles.models import Role
from roles.rules.needed import NEEDED

Ability = tuple[str, Realm]  # a permission, in the world where it is given
Act = tuple[str, str]  # the kind of an event, and its world
ELEVATE: Final = ("access.elevate", Realm.DIRECTORY)  # a permission of no table: only Global Administrators may


@dataclass(frozen=True, slots=True)
class Known:
    """What the portal knows of a role: what it allows here, and the lines in which a custom one says what it allows."""

    role_id: uuid.UUID
    name: str
    abilities: frozenset[Ability]
    lines: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Smaller:
    """A role that would do: `acts` were done under the larger one, and it allows all of them; or, without any, `lines`
    are what it allows of what the larger one allows."""

    role_id: uuid.UUID
    name: str
    acts: int = 0
    lines: tuple[str, ...] = ()


def abilities_of(role_id: uuid.UUID) -> frozenset[Ability]:
    """Return what a role allows in the portal, by the table of `roles.catalogue`."""
    found: set[Ability] = {ELEVATE} if role_id == GLOBAL_ADMINISTRATOR else set()
    for permission, grant in GRANTS.items():
        worlds = (
            (Realm.DIRECTORY, grant.directory),
            (Realm.RESOURCE, grant.resource),
            (Realm.GROUP, grant.group | grant.group_directory),
        )
        found |= {(permission.value, realm) for realm, roles in worlds if role_id in roles}
    return frozenset(found)


def known_of(role: Role) -> Known:
    """Return what is known of a role."""
    lines = (line.strip() for line in role.permissions.splitlines())
    return Known(role.pk, role.name, abilities_of(role.pk), frozenset(line for line in lines if line))


def is_smaller(one: Known, other: Known) -> bool:
    """Return whether a role allows less than another, as far as the portal knows: never of two that allow the same."""
    if one.lines or other.lines:
        same_world = not one.abilities and not other.abilities
        return same_world and _within(one.lines, other.lines) and not _within(other.lines, one.lines)
    return bool(one.abilities) and one.abilities < other.abilities


def _within(lines: Collection[str], of: Collection[str]) -> bool:
    return bool(lines) and bool(of) and all(any(_covers(whole, line) for whole in of) for line in lines)


def _covers(whole: str, line: str) -> bool:
    """Return whether one line allows what another does: itself, or as a pattern such as `Microsoft.Compute/*`."""
    whole, line = whole.casefold(), line.casefold()
    if whole == line:
        return True
    if "*" not in whole or any(sign in whole for sign in "[]?! "):
        return False
    return fnmatchcase(line, whole)


def covers(one: Known, larger: Known, acts: Iterable[Act]) -> bool:
    """Return whether a role allows all that was done under the larger one, by each permission that may have allowed it.

    What the larger one allows by no permission of the table it alone allows.
    """
    for kind, realm in acts:
        allowing: set[Ability] = {(one.value, Realm(realm)) for one in NEEDED.get(Kind(kind), frozenset[Permission]())}
        needed = allowing & larger.abilities
        if not needed or not needed <= one.abilities:
            return False
    return True


def smaller_than(larger: Known, others: Iterable[Known], done: Mapping[Act, int]) -> list[Smaller]:
    """Return which of these roles would do in place of the larger one, those only than which none of them is smaller.

    `done` counts what was done under it. Without anything done only lines speak for a role.
    """
    fitting = [
        one
        for one in others
        if is_smaller(one, larger) and (bool(one.lines) or (bool(done) and covers(one, larger, done)))
    ]
    # Of lines nobody can say which are needed: the largest of the smaller ones is named first, and the others with it.
    least = [one for one in fitting if one.lines or not any(is_smaller(two, one) for two in fitting)]
    ordered = sorted(least, key=lambda one: (-len(one.lines), one.name.casefold(), str(one.role_id)))
    return [
        Smaller(one.role_id, one.name, lines=tuple(sorted(one.lines)))
        if one.lines
        else Smaller(one.role_id, one.name, acts=sum(done.values()))
        for one in ordered
    ]
