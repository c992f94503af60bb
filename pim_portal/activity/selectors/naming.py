"""What an id in a filter of the history stands for: in the words of an event that its reader may read."""

from __future__ import annotations

import uuid

from django.utils.translation import gettext as _

from audit.sentences import said
from pim_portal.activity.selectors.details import authority_behind
from pim_portal.activity.selectors.sight import readable
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Resource
from roles.selectors.sight import within_sight


def name_in_history(filter: str, pk: uuid.UUID, authority: Authority) -> str:
    """Return what this id stands for in a filter; empty where no event tells this reader, as for a random id.

    The newest event that names it is asked, not the thing itself: so nobody reads here what the history hides.
    """
    event = readable(authority).filter(**{f"{filter}_id": pk}).first()
    if event is None:
        return _place_in_sight(pk, authority) if filter == "resource" else ""
    if filter == "request":
        names = {name: said(event, name) for name in ("target", "role")}
        return _("{target}: {role}").format(**names) if all(names.values()) else ""
    if filter == "authority":
        behind = authority_behind(event)
        return _("{role} at {place}").format(role=behind.role.name, place=behind.resource.name) if behind else ""
    return said(event, filter)


def _place_in_sight(pk: uuid.UUID, authority: Authority) -> str:
    """Return the name of a place at which itself nothing has happened yet."""
    seen = Resource.objects.filter(within_sight(authority, Permission.SEE_AUDIT, at=""), pk=pk).first()
    return seen.name if seen else ""
