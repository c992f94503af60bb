"""What a search found, in groups: a few of each, how many there are, and where the rest stands."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from audit.kinds import Realm
from pim_portal.search import selectors
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Assignment, Group, Resource, Role, User
from roles.places import address

SHOWN = 6
COUNTED = 100


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found."""

    name: str
    sub: str
    url: str


@dataclass(frozen=True, slots=True)
class Found:
    """The things of one kind that were found; `count` is "100+" where nobody counts further."""

    label: str | Promise
    icon: str
    hits: list[Hit]
    count: str
    more: str


def search(words: Sequence[str], authority: Authority) -> list[Found]:
    """Return what the viewer may know of that matches every word, with as many queries for much as for little."""
    query = " ".join(words)
    units, trees = _places(authority, Realm.DIRECTORY), _places(authority, Realm.RESOURCE)
    directory, root = next(iter(units), None), next(iter(trees), None)
    everybody = authority.anywhere(Permission.SEE_PEOPLE)
    found = [
        _own(words, authority),
        _group(
            _("Directory roles"),
            "package",
            selectors.directory_roles(words, authority),
            lambda role: _role(role, units),
            _page(directory, "roles", query),
        ),
        _group(
            _("Resource roles"),
            "package",
            selectors.resource_roles(words, authority),
            lambda role: _role(role, trees),
            _page(root, "roles", query),
        ),
        _group(
            _("Resources"),
            "server",
            selectors.resources(words, authority),
            _resource,
            _with(reverse("resources"), query),
        ),
        _group(
            _("Administrative units"),
            "building-2",
            selectors.units(words, authority),
            _resource,
            _page(directory, "below", query),
        ),
        _group(_("People"), "user", selectors.people(words, authority), _person, _with(reverse("people"), query)),
        _group(
            _("Groups"),
            "users",
            selectors.groups(words, authority),
            _of_group,
            _with(reverse("groups"), query) if everybody else "",
        ),
    ]
    return [one for one in found if one.hits]


def _group(label: str | Promise, icon: str, rows: QuerySet[Any], hit: Callable[[Any], Hit], more: str) -> Found:
    first = list(rows[: SHOWN + 1])
    if len(first) <= SHOWN:
        return Found(label, icon, [hit(row) for row in first], str(len(first)), "")
    number = rows.order_by()[: COUNTED + 1].count()
    count = f"{COUNTED}+" if number > COUNTED else str(number)
    return Found(label, icon, [hit(row) for row in first[:SHOWN]], count, more)


def _own(words: Sequence[str], authority: Authority) -> Found:
    """What the viewer holds or may activate: one line for a role at a place, whatever they have there."""
    lines: dict[tuple[uuid.UUID, uuid.UUID], Assignment] = {}
    for row in selectors.own_roles(words, authority)[:COUNTED]:
        lines.setdefault((row.role_id, row.resource_id), row)
    page = reverse("approvals:my_roles")
    hits = [
        Hit(
            row.role.name, row.resource.name, f"{page}?{urlencode({'tab': row.type, 'q': row.role.name})}"
        )  # the tabs are called like the types
        for row in lines.values()
    ]
    more = _with(page, " ".join(words)) if hits[SHOWN:] else ""
    return Found(_("My roles"), "key-round", hits[:SHOWN], str(len(hits)), more)


def _places(authority: Authority, realm: Realm) -> list[Resource]:
    """Return the places of a world at and below which the viewer may look, the highest first: it shows its roles."""
    paths = set(authority.paths(Permission.SEE, realm))
    return list(Resource.objects.filter(path__in=paths).order_by("depth", "path")) if paths else []


def _with(page: str, query: str) -> str:
    return f"{page}?{urlencode({'q': query})}"


def _page(place: Resource | None, page: str, query: str) -> str:
    return _with(_there(place, page), query) if place else ""


def _there(place: Resource, page: str, **arguments: uuid.UUID) -> str:
    try:
        return address(place, page, **arguments)
    except NoReverseMatch:  # until the pages of roles stand
        return address(place)


def _role(role: Role, places: Sequence[Resource]) -> Hit:
    """Lead to a role where it was made, or else to the highest place where it is known, of those that are seen."""
    home = role.home
    place = next((one for one in places if home is None or home.contains(one)), None)
    if home is not None and any(one.contains(home) for one in places):
        place = home
    return Hit(role.name, " · ".join(_facts(role)), _there(place, "role", pk=role.pk) if place else "")


def _facts(role: Role) -> Iterator[str]:
    if role.category:
        yield role.category
    if role.privileged:
        yield _("privileged")
    if role.home:
        yield _("custom role")


def _resource(node: Resource) -> Hit:
    sub = f"{node.get_kind_display()} · {node.scope_path}"
    return Hit(node.name, f"{sub} · {_('retired')}" if node.retired_at else sub, address(node))


def _person(user: User) -> Hit:
    sub = " · ".join(filter(None, (user.username, user.email, user.department)))
    name = user.name if user.enabled else _("{name} (disabled)").format(name=user.name)
    return Hit(name, sub, reverse("person", args=[user.pk]))


def _of_group(group: Group) -> Hit:
    return Hit(group.name, group.description, reverse("group", args=[group.pk]))
