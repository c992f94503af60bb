"""Starting an instance: its rows are taken in chunks, each a transaction of its own, by whichever worker comes."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from audit.kinds import Kind
from reviews.calendar import days_later
from reviews.models import Because, Doing, Instance, InstanceStage, Recommendation, Verdict
from reviews.rules.emergencies import for_emergencies
from reviews.rules.recommendations import UseFacts, recommend
from reviews.selectors.candidates import CHUNK, DONE, Candidate, next_chunk, scope_of
from reviews.selectors.usage import Usage, included, usage_of
from reviews.services.ground import lock_instance, lock_review
from reviews.services.planning import plan_next
from reviews.services.series import seat
from reviews.services.telling import tell_reviewers
from reviews.services.wants import TERMS
from roles.actors import Actor, Clock
from roles.models import AssignmentType

# Taking the rows lasts a moment. Beyond this the reviewers' days are counted from when they can begin.
LATE: Final = timedelta(hours=1)


def start_due(*, clock: Clock, limit: int) -> int:
    """Take one chunk of an instance that is due, or begin it; return `limit` while there is more to do, else less.

    A series whose last instance still runs waits for its end.
    """
    now = clock()
    running = Instance.objects.filter(review=OuterRef("review"), taken_at__isnull=False, completed_at=None)
    due = Instance.objects.to_start(now).exclude(Exists(running.exclude(pk=OuterRef("pk"))))
    for pk, review_id in due.order_by("starts_at", "pk").values_list("pk", "review_id"):
        with transaction.atomic():
            if _one_step(pk, review_id, clock=clock):
                return limit
    return 0


def _one_step(pk: uuid.UUID, review_id: uuid.UUID, *, clock: Clock) -> bool:
    """Do the next step of starting; False where somebody else does it or it is done."""
    lock_review(review_id)
    instance = lock_instance(pk, skip=True)
    if instance is None:
        return False
    now = clock()
    if instance.filled_at is not None or instance.review.deleted_at is not None or now < instance.starts_at:
        return False
    if instance.taken_at is None:
        _begin(instance, now)
    elif instance.cursor != DONE:
        _take(instance)
    else:
        _open(instance, now)
    return True


def _begin(instance: Instance, now: datetime) -> None:
    """Fix the moment as of which assignments are taken, and the terms of this instance."""
    for name in TERMS:
        setattr(instance, name, getattr(instance.review, name))
    instance.taken_at = now
    instance.save()


def _take(instance: Instance) -> None:
    """Take the next chunk of rows, as they stood when the instance began to start."""
    moment = instance.taken_at
    assert moment is not None  # noqa: S101 - `_begin` has set it
    scope = scope_of(instance.review, instance)
    candidates, instance.cursor = next_chunk(scope, moment, instance.cursor, CHUNK)
    usages = usage_of(candidates, moment, look_back_days=instance.look_back_days)
    rows = [
        _row(instance, one, usage, moment)
        for one, usage in zip(candidates, usages, strict=True)
        if included(instance, usage, moment)
    ]
    # Somebody can be a member twice: directly, and by a membership that they activated.
    Verdict.objects.bulk_create(rows, ignore_conflicts=True)
    instance.save(update_fields=["cursor"])


def _row(instance: Instance, one: Candidate, usage: Usage, now: datetime) -> Verdict:
    held, who = one.assignment, one.principal
    recommendation, because = Recommendation.NONE, Because.OFF
    if instance.recommendations:
        recommendation, because = recommend(
            UseFacts(
                type=AssignmentType(held.type),
                since=held.starts_at,
                now=now,
                look_back_days=instance.look_back_days,
                activations=usage.activations,
                last_sign_in_at=usage.last_sign_in_at,
                for_emergencies=for_emergencies(held.role_id, held.resource, held.type, held.ends_at),
            )
        )
    return Verdict(
        instance=instance,
        assignment=held,
        principal=who,
        principal_kind=who.kind,
        through=one.through,
        manager_id=usage.manager_id,
        role=held.role,
        resource=held.resource,
        inherited=held.resource_id != instance.review.resource_id,
        principal_name=who.name,
        principal_key=who.name_key,
        through_name=one.through.name if one.through else "",
        role_name=held.role.name,
        role_key=held.role.name_key,
        resource_name=held.resource.name,
        type=held.type,
        since=held.starts_at,
        until=held.ends_at,
        last_activated_at=usage.last_activated_at,
        activations=usage.activations,
        last_sign_in_at=usage.last_sign_in_at,
        recommendation=recommendation,
        because=because,
    )


def _open(instance: Instance, now: datetime) -> None:
    """Let reviewing begin: all rows are there, the stages have their times and people, the next instance is planned."""
    review = instance.review
    begins = instance.starts_at if now - instance.starts_at <= LATE else now
    days = 0
    for stage in review.stages.order_by("number"):
        starts = days_later(begins, review.zone, days) if days else begins
        days += stage.days
        ends = days_later(begins, review.zone, days)
        made = InstanceStage.objects.create(
            instance=instance,
            number=stage.number,
            kind=stage.kind,
            starts_at=starts,
            ends_at=ends,
            told_at=now if stage.number == 1 else None,
        )
        seat(made, now)
        instance.ends_at = ends
    instance.filled_at = now
    instance.rows_total = instance.rows_unanswered = instance.verdicts.count()
    instance.save(update_fields=["ends_at", "filled_at", "rows_total", "rows_unanswered"])
    plan_next(review, now)
    details: dict[str, object] = {"rows": instance.rows_total, "ends_at": instance.ends_at.isoformat()}
    first = instance.stages.select_related("instance").get(number=1)
    kind = Kind.REVIEW_STARTED
    tell_reviewers(Doing.ASK, instance, first, actor=Actor.portal(), now=now, kind=kind, details=details)
