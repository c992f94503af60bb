"""What follows for the rows that nobody answered. Silence removes neither what nobody could have spoken for, nor what
is perhaps kept for emergencies: these rows are left, and say so.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import F, Q, QuerySet

from audit.kinds import Kind
from reviews.models import How, IfUnanswered, Instance, LongAct, Opinion, Recommendation, Verdict
from reviews.rules.emergencies import FOR_EMERGENCIES
from reviews.selectors.results import counts_of
from reviews.selectors.reviewers import NOTHING, bench_of
from reviews.services.ground import record_review
from reviews.services.long_acts import actor_of, next_ids


def unanswered_rows(instance: Instance) -> QuerySet[Verdict]:
    """Return the rows that nobody answered."""
    return instance.verdicts.filter(verdict=Opinion.NOT_REVIEWED).order_by()


def answer_chunk(instance: Instance, act: LongAct, now: datetime) -> list[uuid.UUID]:
    """Give the next rows without a verdict that of the settings, and record it."""
    ids = next_ids(unanswered_rows(instance), act)
    if ids:
        rows = Verdict.objects.filter(pk__in=ids).order_by()
        answer_for_nobody(instance, rows)
        details = {"rows": len(ids), "of": act.total} | counts_of(rows).details
        record_review(
            Kind.REVIEW_ANSWERED, instance.review, actor=actor_of(act), at=now, instance=instance, details=details
        )
    return ids


def answer_for_nobody(instance: Instance, rows: QuerySet[Verdict]) -> None:
    """Give these rows without a verdict that of the settings. The instance is locked by the caller, and over."""
    unanswered = rows.filter(verdict=Opinion.NOT_REVIEWED)
    unanswered.filter(_nobody_could(instance)).update(how=How.NOBODY_COULD)
    unanswered = unanswered.filter(how="")
    match IfUnanswered(instance.if_unanswered):
        case IfUnanswered.REMOVE:
            unanswered.filter(FOR_EMERGENCIES).update(how=How.LEFT)
            _answer(unanswered, instance, Opinion.DENY)
        case IfUnanswered.APPROVE:
            _answer(unanswered, instance, Opinion.APPROVE)
        case IfUnanswered.RECOMMENDATION:
            unanswered.filter(FOR_EMERGENCIES, recommendation=Recommendation.DENY).update(how=How.LEFT)
            advised = unanswered.filter(recommendation__in=[Recommendation.APPROVE, Recommendation.DENY])
            _answer(advised, instance, F("recommendation"))
        case IfUnanswered.NO_CHANGE:
            pass


def _answer(rows: QuerySet[Verdict], instance: Instance, verdict: Opinion | F) -> None:
    rows.update(verdict=verdict, how=How.UNANSWERED, decided_at=instance.closes_at)


def _nobody_could(instance: Instance) -> Q:
    """The rows that nobody may have reviewed in any stage that began, as things stood at the end."""
    end = instance.closes_at
    began = instance.stages.filter(starts_at__lt=end).select_related("instance").order_by("number")
    benches = [bench_of(stage, end).without_anybody for stage in began]
    if not benches:
        return NOTHING
    found = Q()
    for without in benches:
        found &= without
    return found
