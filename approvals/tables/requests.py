"""The lists of one's own requests and of those to decide.

What a row shows besides its request, the view hangs on it for the rows of the page.
"""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from approvals.models import Action, Request, RequestQuerySet, Status
from approvals.tables import request_cells as cells
from approvals.tables.role_cells import where
from roles.cells import written
from roles.lists import SelectColumn
from roles.models import RoleKind
from roles.pills import ChoicePill, ListFilter


class StatusPill(ChoicePill):
    """Narrows by the status as it reads now: what can no longer be decided has lapsed, written down or not."""

    def filter(self, rows: RequestQuerySet, value: Any) -> RequestQuerySet:
        if not value:
            return rows
        if value not in (Status.PENDING, Status.LAPSED):
            return rows.filter(status=value)
        # Looked up first, among those that pend at all: beside other conditions the question is dear, and too deep for
        # SQLite's parser.
        parent: Any = self.parent
        waiting = list(rows.waiting_among(parent.request.now).values_list("pk", flat=True))
        if value == Status.PENDING:
            return rows.filter(pk__in=waiting)
        return rows.filter(status__in=[Status.PENDING, Status.LAPSED]).exclude(pk__in=waiting)


class MyRequestsFilter(ListFilter):
    search_in = ("role__name_key__contains", "resource__name_key__contains")

    status = StatusPill(label=_("Status"), choices=Status.choices)
    action = ChoicePill(label=_("To"), choices=Action.choices)
    kind = ChoicePill(field_name="role__kind", label=_("Type"), choices=RoleKind.choices)

    class Meta:
        model = Request
        fields: tuple[str, ...] = ()


class WaitingFilter(ListFilter):
    search_in = ("principal__name_key__contains", "role__name_key__contains", "resource__name_key__contains")

    kind = ChoicePill(field_name="role__kind", label=_("Type"), choices=RoleKind.choices)

    class Meta:
        model = Request
        fields: tuple[str, ...] = ()


class DecidedFilter(WaitingFilter):
    action = ChoicePill(label=_("To"), choices=Action.choices)
    status = StatusPill(label=_("Status"), choices=Status.choices)


class MyRequestsTable(tables.Table):
    role = written(cells.request_role, _("Role"), "role__name_key", look="main")
    where = written(where, _("Where"), "resource__name_key", look="long")
    to = written(cells.action, _("To"), "action")
    made_at = written(cells.asked, _("Asked"), "made_at")
    status = written(cells.request_status, _("Status"), look="whole")
    who = written(cells.who_decides, _("Who decides"), look="long")
    actions = written(cells.request_actions, _("Action"), look="end")

    class Meta:
        attrs = {"aria-label": _("My requests")}
        empty_text = _("You have not asked for anything yet. Roles that need approval are asked for in My roles.")


class WaitingTable(tables.Table):
    request = SelectColumn("decide-selected", label=lambda record: f"{record.principal.name}: {record.role.name}")
    requestor = written(cells.requestor, _("Requestor"), "principal__name_key", look="main")
    role = written(cells.role_and_scope, _("Role and scope"), "role__name_key", look="long")
    when = written(cells.wanted, _("When"), "wanted_duration")
    reason = written(cells.reason, _("Reason and ticket"), look="wide long")
    lapses_at = written(cells.lapses, _("Lapses"), "lapses_at")
    actions = written(cells.review, _("Action"), look="end")

    class Meta:
        attrs = {"aria-label": _("Activations to decide")}
        empty_text = _("No request waits for you. You get a mail when one does.")


class RenewalsTable(tables.Table):
    request = SelectColumn("decide-selected", label=lambda record: f"{record.principal.name}: {record.role.name}")
    requestor = written(cells.requestor, _("Requestor"), "principal__name_key", look="main")
    role = written(cells.role_and_scope, _("Role and scope"), "role__name_key", look="long")
    now = written(cells.present_end, _("Ends"), "assignment__ends_at")
    wanted = written(cells.wanted_end, _("Asked for"), "wanted_end")
    reason = written(cells.reason, _("Reason"), look="wide long")
    lapses_at = written(cells.lapses, _("Lapses"), "lapses_at")
    actions = written(cells.review, _("Action"), look="end")

    class Meta:
        attrs = {"aria-label": _("Extensions and renewals")}
        empty_text = _("No extension or renewal waits for you. You get a mail when one does.")


class ChangesTable(tables.Table):
    requestor = written(cells.requestor, _("Proposed by"), "principal__name_key", look="main")
    role = written(cells.role_and_scope, _("Role and scope"), "role__name_key", look="long")
    made_at = written(cells.asked, _("Proposed"), "made_at")
    lapses_at = written(cells.lapses, _("Lapses"), "lapses_at")
    actions = written(cells.review, _("Action"), look="end")

    class Meta:
        attrs = {"aria-label": _("Changes of settings")}
        empty_text = _("No change of settings waits for you. You get a mail when one does.")


class DecidedTable(tables.Table):
    requestor = written(cells.requestor, _("Requestor"), "principal__name_key", look="main")
    role = written(cells.role_and_scope, _("Role and scope"), "role__name_key", look="long")
    to = written(cells.action, _("To"), "action")
    made_at = written(cells.asked, _("Asked"), "made_at")
    status = written(cells.request_status, _("Status"), look="whole")
    decisions = written(cells.decisions, _("Decisions"), look="wide long")

    class Meta:
        attrs = {"aria-label": _("Decided requests")}
        empty_text = _("Nothing that you were asked to decide is over yet.")
