"""The tabs of My roles. What a row shows besides its assignment, the view hangs on it for the rows of the page."""

from __future__ import annotations

import django_tables2 as tables
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from approvals.tables import role_cells as cells
from roles.cells import written
from roles.lists import SelectColumn
from roles.models import Assignment, ResourceKind, RoleKind
from roles.pills import ChoicePill, ListFilter


class RolesFilter(ListFilter):
    """Search by role and resource, narrow by their kinds."""

    search_in = ("role__name_key__contains", "resource__name_key__contains")

    kind = ChoicePill(field_name="role__kind", label=_("Type"), choices=RoleKind.choices)
    at = ChoicePill(field_name="resource__kind", label=_("Resource"), choices=ResourceKind.choices)

    class Meta:
        model = Assignment
        fields: tuple[str, ...] = ()


class EligibleTable(tables.Table):
    eligibility = SelectColumn(
        "activate-selected", label=lambda record: record.role.name, when=lambda record: record.ready
    )
    role = written(cells.role, _("Role"), "role__name_key", look="main")
    where = written(cells.where, _("Where"), "resource__name_key", look="long")
    ends_at = written(cells.eligible_until, _("Eligible until"), "ends_at")
    status = written(cells.standing, _("Status"))
    actions = written(cells.standing_actions, _("Action"), look="end")

    class Meta:
        attrs = {"aria-label": _("My eligible roles")}
        empty_text = _("You are not eligible for any role. An administrator can make you eligible.")

    empty_url, empty_link = reverse_lazy("find_role"), _("Find a role and whom to ask")


class HeldTable(tables.Table):
    role = written(cells.role, _("Role"), "role__name_key", look="main")
    where = written(cells.where, _("Where"), "resource__name_key", look="long")
    state = written(cells.state, _("State"))
    ends_at = written(cells.held_until, _("Ends"), "ends_at")
    actions = written(cells.held_actions, _("Action"), look="end")

    class Meta:
        attrs = {"aria-label": _("My active roles")}
        empty_text = _("You hold no role now. Activate one from the Eligible tab when you need it.")


class EndedTable(tables.Table):
    role = written(cells.role, _("Role"), "role__name_key", look="main")
    where = written(cells.where, _("Where"), "resource__name_key", look="long")
    state = written(cells.state, _("State"))
    over = written(cells.ended, _("Ended"), "over")
    actions = written(cells.ended_actions, _("Action"), look="end")

    class Meta:
        attrs = {"aria-label": _("My expired roles")}
        empty_text = _("Nothing of yours has ended in the last 30 days.")
