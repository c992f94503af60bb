"""The rules of separation of duties as their pages list them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Case, CharField, Count, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from roles.models import DutyRule, Resource, Role
from roles.models.principals import search_key
from roles.selectors.catalogue import in_use_at, roles_known_at

MOST_TO_CHOOSE = 50
FORCE, RETIRED = "force", "retired"
STATES = [(FORCE, _("In force")), (RETIRED, _("Retired"))]
HERE, ABOVE = "here", "above"
MADE = [(HERE, _("Here")), (ABOVE, _("Above"))]


def rules_shown_at(place: Resource) -> QuerySet[DutyRule]:
    """Return the rules made at a place, retired ones among them, and those made above that are in force."""
    above = Q(resource__path__in=place.way[:-1], retired_at=None)
    rows = DutyRule.objects.filter(Q(resource=place.pk) | above).annotate(
        state=Case(When(retired_at=None, then=Value(FORCE)), default=Value(RETIRED), output_field=CharField()),
        made=Case(When(resource=place.pk, then=Value(HERE)), default=Value(ABOVE), output_field=CharField()),
        role_count=Count("roles"),
    )
    return rows.select_related("resource", "made_by").prefetch_related("roles").order_by("state", "name_key", "pk")


def roles_to_keep_apart(place: Resource, *, text: str, chosen: Iterable[uuid.UUID], now: datetime) -> list[Role]:
    """Return the chosen roles of a place, and then those in whose name or category every word is found.

    Without a word: those that somebody has there. Retired ones are left out.
    """
    rows = roles_known_at(place).filter(retired_at=None).order_by("name_key", "pk")
    kept = list(rows.filter(pk__in=set(chosen)))
    found = rows.exclude(pk__in=[one.pk for one in kept])
    words = search_key(text.replace("\0", "")).split()
    for word in words:
        found = found.filter(Q(name_key__contains=word) | Q(category__icontains=word))
    if not words:
        found = found.filter(in_use_at(place, now))
    return kept + list(found[:MOST_TO_CHOOSE])
