"""Whom settings name, and who is behind what was given to groups: users, and groups for their members."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from roles.models import Assignment, Principal
from roles.selectors.keys import in_any


def named(principals: Iterable[uuid.UUID], now: datetime) -> Q:
    """Return the condition that a user is among these principals, or a member at `now` of an enabled group of them.

    Whether the users themselves are enabled is left to whoever asks.
    """
    ids = list(principals)
    members = Assignment.objects.memberships(now).filter(resource__group__in=ids, resource__group__enabled=True)
    return in_any("pk", Principal.objects.filter(pk__in=ids).values_list("pk"), members.values_list("principal"))


def with_members(principals: QuerySet[Any, Any], now: datetime) -> Q:
    """Return the condition that a user is among these keys, or a member at `now` of a group among them."""
    members = Assignment.objects.memberships(now).filter(resource__group__in=principals.order_by())
    return in_any("pk", principals, members.values_list("principal"))
