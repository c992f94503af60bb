"""Telling reviewers: that a stage has begun, and at half time what still waits. Each once, however late it is noticed.

An event tells everybody who has something to review; of many people each chunk is told by an event of its own, whose
details say from whom to whom (in the order of ids).
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q

from audit.kinds import Kind
from reviews.models import Doing, Instance, InstanceStage, LongAct
from reviews.selectors.reviewers import unfinished_reviewers
from reviews.services.ground import lock_instance, record_review
from reviews.services.long_acts import CHUNK, actor_of, begin
from roles.actors import Actor, Clock
from roles.authority import Held

KINDS: Final = {Doing.ASK: Kind.REVIEW_ASKED, Doing.REMIND: Kind.REVIEW_REMINDED}


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
    portal = Actor.portal()
    if stage.told_at is None:
        stage.told_at = now
        tell_reviewers(Doing.ASK, instance, stage, actor=portal, now=now, kind=Kind.REVIEW_STAGE_STARTED)
        told += 1
    if stage.reminded_at is None and instance.reminders and now >= stage.half_time:
        stage.reminded_at = now
        tell_reviewers(Doing.REMIND, instance, stage, actor=portal, now=now)
        told += 1
    stage.save(update_fields=["told_at", "reminded_at"])
    return told


def tell_reviewers(
    doing: Doing,
    instance: Instance,
    stage: InstanceStage,
    *,
    actor: Actor,
    now: datetime,
    held: Held | None = None,
    kind: Kind | None = None,
    details: dict[str, object] | None = None,
) -> None:
    """Record what the reviewers who have not finished are told; of many people the rest is a long act.

    `kind` is an event that happens anyway and tells of it, such as the start; it comes first, with `details`. The
    mails of the start can be switched off; a reminder is only asked for where it is wanted.
    """
    given: dict[str, object] = {"stage": stage.number} | (details or {})
    mails = instance.mails or doing == Doing.REMIND
    total = unfinished_reviewers(stage, now).count() if mails else 0
    many = total > CHUNK
    if kind is not None or 0 < total <= CHUNK:
        told = kind or KINDS[doing]
        given |= {"in_parts": True} if many else {}
        record_review(told, instance.review, actor=actor, at=now, instance=instance, held=held, details=given)
    if many:
        act = LongAct(
            doing=doing,
            stage=stage.number,
            actor=actor.user,
            actor_name=actor.label,
            authority_id=held.assignment_id if held else None,
            asked_at=now,
            total=total,
        )
        begin(act, instance, now, tell_chunk)


def tell_chunk(instance: Instance, act: LongAct, now: datetime) -> list[uuid.UUID]:
    """Tell the next reviewers who still have something to do."""
    stage = instance.stages.select_related("instance").get(number=act.stage)
    people = unfinished_reviewers(stage, now)
    people = people.filter(pk__gt=act.cursor) if act.cursor else people
    ids = list(people.order_by("pk").values_list("pk", flat=True)[:CHUNK])
    if ids:
        record_review(
            KINDS[Doing(act.doing)],
            instance.review,
            actor=actor_of(act),
            at=now,
            instance=instance,
            authority_id=act.authority_id,
            details={"stage": stage.number, "from": str(ids[0]), "to": str(ids[-1]), "people": len(ids)},
        )
    return ids
