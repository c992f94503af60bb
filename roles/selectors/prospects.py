"""Which roles can be assigned at a place, and to whom."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db.models import Q

from roles.models import Principal, PrincipalKind, Resource, ResourceKind, Role
from roles.models.planning import planned_anew
from roles.models.principals import search_key

MOST_FOUND = 50


def roles_assignable_at(place: Resource) -> list[Role]:
    """Return the roles that may be assigned at a place: built-in ones of its world, custom ones made there or above."""
    rows = Role.objects.filter(Q(home=None) | Q(home__path__in=place.way), retired_at=None)
    return list(rows.filter(kind=ResourceKind(place.kind).realm.value).order_by("name_key", "pk"))


def principals_matching(text: str, *, chosen: Iterable[uuid.UUID] = (), only_users: bool = False) -> list[Principal]:
    """Return the chosen users and groups, and then the enabled ones in whose names every word is found.

    Their addresses are not searched: an Owner of a resource chooses people, and sees none of them.
    """
    rows = Principal.objects.select_related("user").order_by("name_key", "pk")
    if only_users:
        rows = rows.filter(kind=PrincipalKind.USER)
    kept = list(rows.filter(pk__in=set(chosen)))
    words = search_key(text.replace("\0", "")).split()  # PostgreSQL refuses the character
    if not words:
        return kept
    found = rows.filter(enabled=True).exclude(pk__in=[one.pk for one in kept])
    for word in words:
        found = found.filter(search_text__in_names=word)
    with planned_anew():  # by the index of words, or in the order of names: whether it is a frequent one decides
        return kept + list(found[:MOST_FOUND])
