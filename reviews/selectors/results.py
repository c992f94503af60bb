"""How an instance stands: counted in the database, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from reviews.models import ApplyResult, Instance, Opinion, Verdict


@dataclass(frozen=True, slots=True)
class Counts:
    """The rows of an instance by what was said of them."""

    approved: int = 0
    denied: int = 0
    unknown: int = 0
    unanswered: int = 0

    @property
    def total(self) -> int:
        return self.approved + self.denied + self.unknown + self.unanswered

    @property
    def answered(self) -> int:
        return self.total - self.unanswered

    @property
    def details(self) -> dict[str, object]:
        return {
            "approved": self.approved,
            "denied": self.denied,
            "unknown": self.unknown,
            "unanswered": self.unanswered,
        }


def counts_of(rows: QuerySet[Verdict]) -> Counts:
    """Count rows by verdict, with one query."""
    found = dict(rows.order_by().values_list("verdict").annotate(count=Count("pk")))
    return Counts(
        approved=found.get(Opinion.APPROVE, 0),
        denied=found.get(Opinion.DENY, 0),
        unknown=found.get(Opinion.DONT_KNOW, 0),
        unanswered=found.get(Opinion.NOT_REVIEWED, 0),
    )


def counts_of_instances(instances: Iterable[Instance]) -> dict[object, Counts]:
    """Return the counts of several instances: as written down where they are complete, else counted now."""
    found: dict[object, Counts] = {}
    running = []
    for one in instances:
        if one.completed_at is not None:
            found[one.pk] = Counts(one.rows_approved, one.rows_denied, one.rows_unknown, one.rows_unanswered)
        else:
            running.append(one.pk)
    by_verdict: dict[object, dict[str, int]] = {pk: {} for pk in running}
    rows = Verdict.objects.filter(instance__in=running).order_by().values_list("instance", "verdict")
    for pk, verdict, count in rows.annotate(count=Count("pk")) if running else ():
        by_verdict[pk][verdict] = count
    for pk, counted in by_verdict.items():
        found[pk] = Counts(
            counted.get(Opinion.APPROVE, 0),
            counted.get(Opinion.DENY, 0),
            counted.get(Opinion.DONT_KNOW, 0),
            counted.get(Opinion.NOT_REVIEWED, 0),
        )
    return found


def results_of(instance: Instance) -> dict[str, int]:
    """Return how many rows came to which apply result."""
    return dict(instance.verdicts.order_by().values_list("result").annotate(count=Count("pk")))


def to_apply(instance: Instance) -> QuerySet[Verdict]:
    """Return the rows whose access is still to be removed, in the order of an index."""
    return instance.verdicts.filter(verdict=Opinion.DENY, result=ApplyResult.NEW).order_by("pk")
