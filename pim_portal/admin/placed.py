"""Rows that belong to a place: seen by who may see the place."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from pim_portal.portal_admin import ReadOnlyAdmin
from roles.authority import Authority
from roles.selectors.sight import within_sight


class PlacedAdmin(ReadOnlyAdmin):
    """Rows that belong to a resource; `at` leads there."""

    at = "resource__"

    def narrow(self, rows: QuerySet[Any], authority: Authority) -> QuerySet[Any]:
        return rows.filter(within_sight(authority, self.permission, at=self.at))
