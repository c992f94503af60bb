"""The list of all requests at a place."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from typing import Any, ClassVar, cast

import django_tables2 as tables
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from approvals.models import Action, Request, RequestQuerySet, Status
from approvals.selectors.requests import first_that_read
from approvals.tables import request_cells as cells
from approvals.tables.requests import StatusPill
from audit.searching import SHORT
from roles.cells import written
from roles.list_rows import MOST_COUNTED, reach_of
from roles.models import Principal, Resource, Role, User
from roles.models.planning import planned_anew
from roles.models.prepared import Prepared
from roles.models.principals import search_key
from roles.pills import ChoicePill, ListFilter, SpanPill
from roles.selectors.keys import is_of

_NAMES = {
    model: Prepared(
        lambda pks, model=model: model.objects.filter(pk__in=pks).order_by("name_key", "pk").values_list("pk", "name")
    )
    for model in (Role, User)
}


class AmongPill(ChoicePill):
    """Narrows to one of the things that the rows of the list name; `key` is the column that names them.

    Those are offered that the first rows of the list name: nobody chooses from ten thousand. Any other one that is
    asked for by its key, and named by a row, is accepted all the same.
    """

    def __init__(self, model: type[Any], key: str, **kwargs: Any) -> None:
        self.of, self.key = model, key
        super().__init__(field_name=key, **kwargs)

    @cached_property
    def field(self) -> Any:
        """The field; what it offers is looked up once for a page."""
        self.offer(self._offered())
        return super().field

    def _offered(self) -> Iterator[tuple[str, str]]:
        parent: Any = self.parent
        named = {row[self.key] for row in parent.first_rows[:MOST_COUNTED]}
        name = next(name for name, one in parent.filters.items() if one is self)
        with suppress(ValueError):
            asked = uuid.UUID(parent.data.get(name, ""))
            if asked not in named and parent.queryset.order_by().filter(**{self.key: asked}).exists():
                named.add(asked)
        return ((str(pk), label) for pk, label in _NAMES[self.of].ask(named)) if named else iter(())


class HistoryFilter(ListFilter):
    status = StatusPill(label=_("Status"), choices=Status.choices)
    action = ChoicePill(label=_("To"), choices=Action.choices)
    role = AmongPill(Role, "role", label=_("Role"))
    person = AmongPill(User, "principal", label=_("Person"))
    span = SpanPill("made_at", label=_("Asked"))

    class Meta:
        model = Request
        fields: ClassVar[tuple[str, ...]] = ()

    @cached_property
    def first_rows(self) -> list[dict[str, Any]]:
        """The first rows of the list before it is narrowed, up to one more than are counted, with what they name."""
        with planned_anew():
            return list(self.queryset.values("pk", "role", "principal")[: MOST_COUNTED + 1])

    def filter_queryset(self, queryset: RequestQuerySet) -> RequestQuerySet:
        """Narrow by all but the status first: of what is left the newest are asked whether they wait."""
        wanted = dict(self.form.cleaned_data)
        status = wanted.pop("status", "")  # none where it is no choice
        for name, value in wanted.items():
            queryset = self.filters[name].filter(queryset, value)
        # Whoever sorts it, or takes it away as a file, has all of them.
        has_all = self.data.get("sort") or self.data.get("download")
        if status not in (Status.PENDING, Status.LAPSED) or has_all:
            return cast("RequestQuerySet", self.filters["status"].filter(queryset, status))
        most = reach_of(self.data) + 1
        return queryset.filter(pk__in=first_that_read(queryset, status, now=self.request.now, most=most))

    def search(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        """Find each word in the names of the people, roles and places (`is_of`), or in the ticket."""
        for word in search_key(value).split():
            named = (
                is_of("principal", Principal.objects.filter(search_text__in_names=word))
                | is_of("role", Role.objects.filter(name_key__contains=word))
                | is_of("resource", Resource.objects.filter(name_key__contains=word))
            )
            # Of one or two letters no index finds a ticket, and nobody a ticket by them.
            rows = rows.filter(named | Q(ticket__icontains=word) if len(word) >= SHORT else named)
        return rows

    def first_keys(self, most: int) -> list[uuid.UUID]:
        """Return the keys of the first rows, which what the filters offer is read from as well."""
        return [row["pk"] for row in self.first_rows[:most]]


class HistoryTable(tables.Table):
    requestor = written(cells.requestor, _("Requestor"), "principal__name_key", look="main")
    role = written(cells.role_and_scope, _("Role and scope"), "role__name_key", look="long")
    to = written(cells.action, _("To"), "action")
    made_at = written(cells.asked, _("Asked"), "made_at")
    reason = written(cells.reason, _("Reason and ticket"), look="wide long")
    status = written(cells.request_status, _("Status"))
    decisions = written(cells.decisions, _("Decisions"), look="wide long")

    class Meta:
        attrs = {"aria-label": _("Requests")}
        empty_text = _("Nothing was asked for here yet.")
