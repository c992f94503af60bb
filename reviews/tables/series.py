"""The list of the reviews of a place, and that of the instances of one."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext_lazy

from reviews.models import AccessReview, Frequency
from roles import cells
from roles.pills import ChoicePill, ListFilter


def cell(name: str, label: Any, *order: str, **more: Any) -> cells.Cell:
    """Return a column whose cells are the template of this name; the row is all that it is given."""
    return cells.cell(f"reviews/cells/{name}.html", label, *order, accessor="pk", **more)


class ReviewFilter(ListFilter):
    search_in = ("name__icontains", "roles__name_key__contains")

    frequency = ChoicePill(label=gettext_lazy("Frequency"), choices=Frequency.choices)

    class Meta:
        model = AccessReview
        fields: tuple[str, ...] = ()

    def search(self, rows: Any, name: str, value: str) -> Any:
        return super().search(rows, name, value).distinct()


class ReviewTable(tables.Table):
    name = cell("review_name", gettext_lazy("Name"), "name", look="main")
    frequency = cell("frequency", gettext_lazy("Frequency"), "frequency")
    status = cell("latest_status", gettext_lazy("Status"))
    progress = cell("latest_progress", gettext_lazy("Reviewed"))
    end = cell("latest_end", gettext_lazy("Ends"))

    class Meta:
        attrs = {"aria-label": gettext_lazy("Access reviews")}
        empty_text = gettext_lazy("No access review is set up here.")


class InstanceTable(tables.Table):
    number = cell("instance_number", gettext_lazy("Instance"), "number", look="main")
    status = cell("status", gettext_lazy("Status"))
    start = cell("start", gettext_lazy("Start"), "starts_at")
    end = cell("end", gettext_lazy("End"), "ends_at")
    progress = cell("progress", gettext_lazy("Reviewed"))
    outcome = cell("outcome", gettext_lazy("Outcome"))

    class Meta:
        attrs = {"aria-label": gettext_lazy("Instances")}
        empty_text = gettext_lazy("There is no instance.")
