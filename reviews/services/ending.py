"""What the clock brings: the next stage, the reminder at half time, the end. Each once, however late it is noticed."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from audit.kinds import Kind
from reviews.models import Instance, InstanceStage
from reviews.selectors.authors import right_of_author
from reviews.selectors.results import counts_of
from reviews.services.answering import answer_for_nobody
from reviews.services.ground import lock_instance, record_review
from roles.actors import Actor, Clock


def tell_due(*, clock: Clock, limit: int) -> int:
    """Say that a later stage has begun, and remind those who have not finished at half time; return how many times."""
    now = clock()
    told = 0
    running = InstanceStage.objects.filter(instance__in=Instance.objects.open(now), starts_at__lte=now, ends_at__gt=now)
    due = running.filter(Q(told_at=None) | Q(reminded_at=None, instance__reminders=True))
    for stage in due.order_by("starts_at", "pk"):
        if stage.told_at is not None and now < stage.half_time:
            continue
        with transaction.atomic():
            told += _tell(stage.pk, stage.instance_id, clock=clock)
        if told >= limit:
            break
    return min(told, limit)


def _tell(pk: int, instance_id: uuid.UUID, *, clock: Clock) -> int:
    instance = lock_instance(instance_id, skip=True)
    if instance is None:
        return 0
    now = clock()
    stage = instance.stages.get(pk=pk)
    if not Instance.objects.open(now).filter(pk=instance_id).exists() or not stage.starts_at <= now < stage.ends_at:
        return 0
    told = 0
    if stage.told_at is None:
        told += _say(Kind.REVIEW_STAGE_STARTED, instance, stage, "told_at", now)
    if stage.reminded_at is None and instance.reminders and now >= stage.half_time:
        told += _say(Kind.REVIEW_REMINDED, instance, stage, "reminded_at", now)
    return told


def _say(kind: Kind, instance: Instance, stage: InstanceStage, when: str, now: datetime) -> int:
    setattr(stage, when, now)
    stage.save(update_fields=[when])
    details = {"stage": stage.number}
    record_review(kind, instance.review, actor=Actor.portal(), at=now, instance=instance, details=details)
    return 1


def end_due(*, clock: Clock, limit: int) -> int:
    """Complete what is over; return how many instances there were."""
    due = Instance.objects.to_complete(clock()).order_by("ends_at", "pk").values_list("pk", flat=True)
    ended = 0
    for pk in due[:limit]:
        with transaction.atomic():
            instance = lock_instance(pk, skip=True)
            now = clock()
            if instance is not None and Instance.objects.to_complete(now).filter(pk=pk).exists():
                complete(instance, now)
                ended += 1
    return ended


def complete(instance: Instance, now: datetime) -> None:
    """Write down the end: say what follows for the rows that nobody answered, count, begin to apply where it says so.

    The instance is locked by the caller and is over at `now`.
    """
    answer_for_nobody(instance)
    counts = counts_of(instance.verdicts.all())
    instance.completed_at = now
    instance.rows_total = counts.total
    instance.rows_approved, instance.rows_denied = counts.approved, counts.denied
    instance.rows_unknown, instance.rows_unanswered = counts.unknown, counts.unanswered
    # What removes nothing needs nobody's right.
    if instance.auto_apply and (not counts.denied or right_of_author(instance.review, now).stands):
        instance.applying_at = now
    instance.save()
    record_review(
        Kind.REVIEW_COMPLETED,
        instance.review,
        actor=Actor.portal(),
        at=now,
        instance=instance,
        details=counts.details | {"stopped": instance.stopped_at is not None, "auto_apply": instance.auto_apply},
    )
    if instance.waits_for_somebody:
        record_waiting(instance, now)


def record_waiting(instance: Instance, now: datetime) -> None:
    """Say in the history, and thereby to the administrators, that somebody has to apply the results."""
    record_review(Kind.REVIEW_WAITS, instance.review, actor=Actor.portal(), at=now, instance=instance)
