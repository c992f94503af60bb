"""What somebody may read of what happened to others."""

from __future__ import annotations

from django.db.models import Q

from audit.kinds import Realm
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Resource
from roles.selectors.sight import within_sight


def events_within_sight(authority: Authority) -> Q:
    """Return the condition that an event belongs to a place whose audit this person may read.

    What stands at no place (signing in, people) belongs to the whole directory.
    """
    places = Resource.objects.filter(within_sight(authority, Permission.SEE_AUDIT, at="")).order_by().values("pk")
    sight = Q(resource_id__in=places)
    if authority.allows(Permission.SEE_AUDIT):
        sight |= Q(resource_id=None, realm=Realm.DIRECTORY)
    return sight
