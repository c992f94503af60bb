"""Bringing in resources and administrative units: made where they are lacking, never moved, nothing outside `within`.

What lies outside reads like what is nowhere. A node keeps the id in its scope path, so that the assignments of another
installation find their place; where that id is taken it gets another one, and what stands below it in the file follows.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from pim_portal.imports.reading import Line
from pim_portal.imports.services.bringing import Bringing, Sheet, ThereError, wrong
from roles.ids import DIRECTORY
from roles.models import Resource, ResourceKind
from roles.models.principals import search_key
from roles.resource_files import KIND, NAME, PARENT, SCOPE, TYPE
from roles.services.resources import add_resource, lock_root_above, scope_path_of
from roles.text import clean


def lock(lines: Iterator[Line], by: Bringing) -> None:
    """Lock the tree that grows; all of them where it is not known which one will."""
    if by.within is not None:
        lock_root_above(by.within)
        return
    roots = Resource.objects.filter(depth=1).exclude(kind=ResourceKind.GROUP)
    list(roots.order_by("path").select_for_update(no_key=True))


def bring(line: Line, by: Bringing) -> str:
    """Add a node below one that is there or stands above in the file. Raises `Refused`, and `ThereError`."""
    name, path = clean(line[NAME]), line[SCOPE]
    kind = _kind_of(line)
    if path and _in_sight(by).filter(scope_path__iexact=path).exists():
        raise ThereError
    parent = _parent_of(line, kind, by)
    if path and not _fits(line, kind, name):
        raise wrong(_("The scope path does not fit the kind, the name and what stands above."))
    if (standing := _beside(line, kind, name, parent, by)) is not None:
        if path and standing.scope_path.lower() != path.lower():
            by.standing[path.lower()] = standing.scope_path
            raise ThereError(_("It stands here under another scope path."))
        raise ThereError
    pk = _id_in(path)
    made = add_resource(
        kind,
        name=name,
        parent=parent,
        type=line[TYPE],
        pk=None if Resource.objects.filter(pk=pk).exists() else pk,
        actor=by.actor,
        clock=by.clock,
    )
    if path and made.scope_path.lower() != path.lower():
        by.standing[path.lower()] = made.scope_path
    return ""


def _kind_of(line: Line) -> ResourceKind:
    if line[KIND] == ResourceKind.DIRECTORY and line[SCOPE] == "/":
        raise ThereError
    if line[KIND] not in ResourceKind.values or line[KIND] in (ResourceKind.GROUP, ResourceKind.DIRECTORY):
        raise wrong(_("There is no such kind of resource."))
    return ResourceKind(line[KIND])


def _in_sight(by: Bringing) -> QuerySet[Resource]:
    rows: QuerySet[Resource] = Resource.objects.filter(path__startswith=by.within.path if by.within else "")
    return rows


def _parent_of(line: Line, kind: ResourceKind, by: Bringing) -> Resource | None:
    above = line[PARENT]
    if kind is ResourceKind.ROOT and not above:
        return None
    if kind is ResourceKind.ADMINISTRATIVE_UNIT and above in ("", "/"):
        parent = _in_sight(by).filter(pk=DIRECTORY).first()
    else:
        path = by.standing.get(above.lower(), above)
        parent = _in_sight(by).filter(scope_path__iexact=path).first() if path else None
    if parent is None:
        raise wrong(_("What it is to stand below is neither here nor in a line above."))
    return parent


def _fits(line: Line, kind: ResourceKind, name: str) -> bool:
    """Return whether a scope path is the one that follows from the rest of its line."""
    above = Resource(scope_path=line[PARENT])
    pk = _id_in(line[SCOPE]) or uuid.UUID(int=0)
    fitting = scope_path_of(kind, name=name, type=clean(line[TYPE]), pk=pk, parent=above)
    return fitting.lower() == line[SCOPE].lower()


def _beside(line: Line, kind: ResourceKind, name: str, parent: Resource | None, by: Bringing) -> Resource | None:
    """Return what stands in the place of this line already: of its kind, type and name below the same parent."""
    if parent is None and line[SCOPE]:
        return None  # roots may share a name
    depth, path = (parent.depth + 1, parent.path) if parent else (1, "")
    rows = _in_sight(by).filter(kind=kind, name_key=search_key(name)[:400], depth=depth, path__startswith=path)
    return next((row for row in rows.order_by("path") if row.type.lower() == clean(line[TYPE]).lower()), None)


def _id_in(path: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(path.rstrip("/").rsplit("/", 1)[-1])
    except ValueError:
        return None


SHEET = Sheet((KIND, NAME), (NAME, KIND, SCOPE), lock, bring)
