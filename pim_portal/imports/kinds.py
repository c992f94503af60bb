"""The kinds of files: where each is taken, what it is called there, and what its lines make."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pim_portal.imports.limits import most_lines
from pim_portal.models import FileKind, Upload
from roles.models import Resource, ResourceKind
from roles.models.resources import CHILDREN
from roles.places import address


def choices_at(place: Resource) -> list[tuple[str, str]]:
    """Return the kinds of files that are taken at a place, with their names there."""
    kinds = [FileKind.ASSIGNMENTS]
    if place.kind == ResourceKind.DIRECTORY:
        kinds += [FileKind.PEOPLE, FileKind.GROUPS]
    if CHILDREN[ResourceKind(place.kind)]:
        kinds.append(FileKind.RESOURCES)
    return [(str(kind), label(kind, place)) for kind in kinds]


def label(kind: str, place: Resource) -> str:
    """Return what the things of a file are called at a place."""
    if kind == FileKind.RESOURCES and place.kind == ResourceKind.DIRECTORY:
        return _("Administrative units")
    return str(FileKind(kind).label)


def what_it_takes(kind: str, place: Resource) -> str:
    """Say which file of a kind is taken at a place, for whoever is about to choose one."""
    most = f"{most_lines(kind):,}"
    if kind == FileKind.PEOPLE:
        text = _("The export of the list of people; it needs User Name and Name. Up to {most} lines.")
    elif kind == FileKind.GROUPS:
        text = _("The export of the list of groups; it needs Group. Up to {most} groups and names in them.")
    elif kind == FileKind.RESOURCES:
        text = _("The export of the list below {place}; it needs Kind and Name. Up to {most} lines.")
    else:
        text = _("The export of a list of assignments, from here or the hosted product. Up to {most} lines.")
    return text.format(most=most, place=place.name)


def to_make(upload: Upload) -> str:
    """Say what applying a file would do."""
    count = upload.counts.get("made", 0)
    if upload.kind == FileKind.PEOPLE:
        text = ngettext("Add {count} person", "Add {count} people", count)
    elif upload.kind == FileKind.GROUPS:
        text = ngettext("Make or fill {count} group", "Make or fill {count} groups", count)
    elif upload.kind == FileKind.ASSIGNMENTS:
        text = ngettext("Make {count} assignment", "Make {count} assignments", count)
    elif upload.place.kind == ResourceKind.DIRECTORY:
        text = ngettext("Add {count} administrative unit", "Add {count} administrative units", count)
    else:
        text = ngettext("Add {count} resource", "Add {count} resources", count)
    return text.format(count=f"{count:,}")


def told_to_whom(upload: Upload) -> str:
    """Say who is told when a file is applied."""
    if upload.kind == FileKind.ASSIGNMENTS:
        return _("Whoever gets a role is told by mail.")
    if upload.kind == FileKind.GROUPS:
        return _("Whoever joins a group is told by mail.")
    return ""


def where_it_shows(upload: Upload) -> str:
    """Return the address of the list in which what was made stands."""
    if upload.kind in (FileKind.PEOPLE, FileKind.GROUPS):
        return reverse(upload.kind)
    return address(upload.place, "assignments" if upload.kind == FileKind.ASSIGNMENTS else "below")
