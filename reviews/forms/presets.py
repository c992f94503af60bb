"""What the address of an empty form already says: a link from elsewhere proposes what to review and who reviews it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from reviews.models import Covers
from reviews.rules.series import MOST_INACTIVE
from roles.models import Resource
from roles.places import address
from roles.text import MAX_NAME
from roles.views.ids import ids_in

MOST_ROLES = 50


def preset_of(query: QueryDict) -> dict[str, Any]:
    """Return the values that a query string proposes. What is no value of the form is passed over: nothing is decided
    by it, and who fills in the form sees what it says."""
    preset: dict[str, Any] = {}
    for field, name in (("roles", "role"), ("reviewers_1", "reviewer")):
        if ids := ids_in(query, name):
            preset[field] = [str(one) for one in ids[:MOST_ROLES]]
    if query.get("covers") in Covers.values:
        preset["covers"] = query["covers"]
    days = query.get("inactive_days", "")
    if days.isascii() and days.isdecimal() and len(days) < 6 and 1 <= int(days) <= MOST_INACTIVE:
        preset["inactive_days"] = int(days)
    if name := query.get("name", "").replace("\0", "").strip():
        preset["name"] = name[:MAX_NAME]
    return preset


def address_of_preset(
    place: Resource,
    *,
    name: str,
    roles: Iterable[uuid.UUID],
    covers: Covers,
    reviewers: Iterable[uuid.UUID],
    inactive_days: int | None = None,
) -> str:
    """Return the address of the form of a new review at a place, filled in with this."""
    given: list[tuple[str, object]] = [("name", name), ("covers", covers.value)]
    given += [("role", one) for one in list(roles)[:MOST_ROLES]]
    given += [("reviewer", one) for one in reviewers]
    if inactive_days:
        given.append(("inactive_days", inactive_days))
    return f"{address(place, 'review_add')}?{urlencode(given)}"
