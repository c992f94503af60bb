"""The rows of an instance: as results for administrators, and as work for reviewers."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext_lazy

from reviews.models import ApplyResult, How, Opinion, Recommendation, Verdict
from reviews.tables import work_cells
from reviews.tables.series import cell
from reviews.wording import reason_of_recommendation, result_sentence
from roles.cells import written
from roles.models import AssignmentType
from roles.pills import ChoicePill, ListFilter

RESULTS = [(value, label) for value, label in ApplyResult.choices if value]


class WorkFilter(ListFilter):
    search_in = ("principal_key__contains", "role_key__contains")

    type = ChoicePill(label=gettext_lazy("Type"), choices=AssignmentType.choices)
    recommendation = ChoicePill(label=gettext_lazy("Recommendation"), choices=Recommendation.choices)

    class Meta:
        model = Verdict
        fields: tuple[str, ...] = ()


class ResultFilter(WorkFilter):
    verdict = ChoicePill(label=gettext_lazy("Verdict"), choices=Opinion.choices)
    how = ChoicePill(label=gettext_lazy("Answered"), choices=How.choices)
    result = ChoicePill(label=gettext_lazy("Apply result"), choices=RESULTS)


class ResultTable(tables.Table):
    who = written(work_cells.who, gettext_lazy("Who"), "principal_key", look="main")
    role = written(work_cells.role, gettext_lazy("Role"), "role_key", look="long")
    since = written(work_cells.since, gettext_lazy("Since"), "since")
    recommendation = written(work_cells.recommendation, gettext_lazy("Recommendation"), "recommendation", look="wide")
    verdict = cell("verdict", gettext_lazy("Verdict"), "verdict")
    result = cell("result", gettext_lazy("Apply result"), "result")

    class Meta:
        attrs = {"aria-label": gettext_lazy("Results")}
        empty_text = gettext_lazy("No assignment was in effect when this instance started.")


class WorkTable(tables.Table):
    who = written(work_cells.who, gettext_lazy("Who"), "principal_key", look="main")
    role = written(work_cells.role, gettext_lazy("Role"), "role_key", look="long")
    since = written(work_cells.since, gettext_lazy("Since"), "since")
    used = written(work_cells.used, gettext_lazy("Used"), "last_activated_at")
    recommendation = written(work_cells.recommendation, gettext_lazy("Recommendation"), "recommendation", look="wide")
    before = written(work_cells.before, gettext_lazy("Said before"), look="wide before")
    said = cell("said", gettext_lazy("Said so far"), look="wide before")
    say = written(work_cells.say, gettext_lazy("Verdict"), look="wide say", exclude_from_export=True)

    class Meta:
        attrs = {"aria-label": gettext_lazy("Assignments to review")}
        row_attrs = {"data-say": ""}


def columns_of(look_back_days: int) -> list[tuple[str, Any]]:
    """Return the columns of a download: every field in full (pim-behaviour.md §7.3)."""
    return [
        ("who", lambda row: row.principal_name),
        ("principal id", lambda row: row.principal_id),
        ("through group", lambda row: row.through_name),
        ("role", lambda row: row.role_name),
        ("role id", lambda row: row.role_id),
        ("resource", lambda row: row.resource_name),
        ("assignment id", lambda row: row.assignment_id),
        ("type", lambda row: row.type),
        ("since", lambda row: row.since),
        ("until", lambda row: row.until),
        ("last activation", lambda row: row.last_activated_at),
        ("activations in the look-back", lambda row: row.activations),
        ("last sign-in", lambda row: row.last_sign_in_at),
        ("recommendation", lambda row: row.recommendation),
        ("why recommended", lambda row: reason_of_recommendation(row, look_back_days)),
        ("outcome", lambda row: row.verdict),
        ("how", lambda row: row.how),
        ("reason", lambda row: row.reason),
        ("reviewed by", lambda row: row.reviewer_name),
        ("reviewed at", lambda row: row.decided_at),
        ("applied by", lambda row: row.applied_by_name),
        ("apply result", lambda row: row.result),
        ("apply detail", result_sentence),
        ("applied at", lambda row: row.applied_at),
    ]
