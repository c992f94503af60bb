"""What the form of a series shows at first: what hosted PIM proposes, or the series as it is."""

from __future__ import annotations

from typing import Any

from reviews.forms.series import BY_DATE, BY_NUMBER, NEVER, SeriesForm
from reviews.models import Covers, Frequency, IfUnanswered, ReviewersKind
from reviews.rules.series import Wanted


def initial_of(wanted: Wanted) -> dict[str, Any]:
    """Return what the form shows of a series as it is."""
    first, second = wanted.stages[0], wanted.stages[1] if len(wanted.stages) > 1 else None
    same = ("name", "description", "covers", "inherited", "inactive_days", "starts_at", "frequency", "ends_on")
    values: dict[str, Any] = {name: getattr(wanted, name) for name in (*same, "occurrences", *SeriesForm.THEN)}
    return values | {
        "roles": [str(one) for one in wanted.roles],
        "end": BY_DATE if wanted.ends_on else BY_NUMBER if wanted.occurrences else NEVER,
        "kind_1": first.kind,
        "days_1": first.days,
        "kind_2": second.kind if second else "",
        "days_2": second.days if second else None,
        "reviewers_1": [str(one) for one in first.reviewers],
        "fallbacks_1": [str(one) for one in first.fallbacks],
        "reviewers_2": [str(one) for one in second.reviewers] if second else [],
        "fallbacks_2": [str(one) for one in second.fallbacks] if second else [],
        "told": [str(one) for one in wanted.told],
    }


# What hosted PIM proposes (pim-behaviour.md §7.1).
PROPOSED: dict[str, Any] = {
    "covers": Covers.BOTH,
    "frequency": Frequency.ONCE,
    "end": NEVER,
    "kind_1": ReviewersKind.CHOSEN,
    "days_1": 30,
    "recommendations": True,
    "look_back_days": 30,
    "if_unanswered": IfUnanswered.NO_CHANGE,
    "mails": True,
    "reminders": True,
}
