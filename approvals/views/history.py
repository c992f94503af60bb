"""All requests at a place and below it, and what was decided."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from django.db.models import QuerySet
from django.utils.decorators import method_decorator

from approvals.models import Request, Status
from approvals.selectors.requests import decided_requests, requests_at, with_decisions
from approvals.tables.history import HistoryFilter, HistoryTable
from approvals.views.requests import RequestsPage
from roles.guards import at_place
from roles.list_rows import First
from roles.views.places import PlaceList


@method_decorator(at_place(), name="dispatch")
class PlaceRequests(RequestsPage, PlaceList):
    """Who asked for what here, who decided, and how it ended."""

    current = "requests"
    table_class = HistoryTable
    filter_class = HistoryFilter
    template_name = "manage/requests.html"
    walking = ("-made_at", "pk")

    def rows(self) -> QuerySet[Any]:
        return with_decisions(requests_at(self.place))

    def statuses(self, rows: Sequence[Any]) -> dict[uuid.UUID, Status]:
        wanted = self.filter.form.cleaned_data.get("status") if self.filter else ""
        # Whoever narrows the list by a status has had each row asked how it reads.
        return {row.pk: Status(wanted) for row in rows} if wanted else super().statuses(rows)

    def first(self) -> First:
        return First(cast("HistoryFilter", self.filter).first_keys)

    def fetched(self) -> QuerySet[Any]:
        return with_decisions(Request.objects.shown())

    def fetch(self) -> Callable[[Sequence[Any]], Iterable[Any]]:
        return decided_requests
