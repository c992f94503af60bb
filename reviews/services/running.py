"""What an administrator does to a running instance: stop, reset, remind (pim-behaviour.md §7.2)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from audit.kinds import Kind
from reviews.models import SAYING, Doing, Instance, LongAct, Opinion, Verdict
from reviews.rules.instances import REMIND, RESET, STOP, ActFacts
from reviews.selectors.reviewers import open_stage, still_reviewing
from reviews.services.ending import finish
from reviews.services.ground import about_review, authority_at, covered, lock_instance, record_review, spend
from reviews.services.long_acts import CHUNK, actor_of, begin, going_on, next_ids
from reviews.services.past import keep_past
from reviews.services.telling import tell_reviewers
from roles.actors import Actor, Clock
from roles.authority import Held
from roles.refusals import Rule, require
from roles.service import service
from roles.text import clean


def _stand(
    instance_id: uuid.UUID, rules: Iterable[Rule[ActFacts]], *, actor: Actor, clock: Clock
) -> tuple[Instance, Held | None, datetime]:
    """Lock an instance, ask the rules, spend the step-up."""
    instance = lock_instance(instance_id)
    assert instance is not None  # noqa: S101 - nothing is skipped
    now = clock()
    held = authority_at(actor, instance.review.resource, now)
    facts = ActFacts(
        status=instance.status_at(now),
        allowed=actor.user is None or held is not None,
        second_factor=covered(actor, instance.pk, now),
        decided=instance.verdicts.exclude(verdict=Opinion.NOT_REVIEWED).count(),
        resetting=going_on(instance, Doing.RESET).exists(),
        reminding=going_on(instance, Doing.REMIND).exists(),
        waited_for=rules is not REMIND or bool(still_reviewing(instance, now)),
    )
    require(rules, facts, about=about_review(instance.review))
    spend(actor, instance.pk, now)
    return instance, held, now


@service(Kind.REVIEW_STOPPED)
def stop(instance_id: uuid.UUID, *, actor: Actor, reason: str = "", clock: Clock) -> Instance:
    """End a running instance now, for good. Raises `Refused`, and `Instance.DoesNotExist`."""
    instance, held, now = _stand(instance_id, STOP, actor=actor, clock=clock)
    instance.stopped_at = now
    instance.save(update_fields=["stopped_at"])
    record_review(
        Kind.REVIEW_STOPPED, instance.review, actor=actor, at=now, instance=instance, held=held, reason=clean(reason)
    )
    finish(instance, now)
    return instance


@service(Kind.REVIEW_RESET)
def reset(instance_id: uuid.UUID, *, actor: Actor, reason: str = "", clock: Clock) -> Instance:
    """Take all verdicts of a running instance back to not reviewed; what was said is kept as past.

    Raises `Refused`, and `Instance.DoesNotExist`.
    """
    instance, held, now = _stand(instance_id, RESET, actor=actor, clock=clock)
    going_on(instance, *SAYING).update(finished_at=now)  # what was to be said of all is taken back with the rest
    said = _said(instance)
    act = LongAct(
        doing=Doing.RESET,
        actor=actor.user,
        actor_name=actor.label,
        authority_id=held.assignment_id if held else None,
        reason=clean(reason),
        asked_at=now,
        total=said.count(),
    )
    if act.total > CHUNK:
        begin(act, instance, now, reset_chunk)
    else:
        _take_back(said, instance, act, now)
    return instance


def reset_chunk(instance: Instance, act: LongAct, now: datetime) -> list[uuid.UUID]:
    """Take back the next verdicts; meanwhile nobody says anything new."""
    ids = next_ids(_said(instance), act)
    if ids:
        _take_back(Verdict.objects.filter(pk__in=ids).order_by(), instance, act, now)
    return ids


def _said(instance: Instance) -> QuerySet[Verdict]:
    return instance.verdicts.exclude(verdict=Opinion.NOT_REVIEWED).order_by()


def _take_back(rows: QuerySet[Verdict], instance: Instance, act: LongAct, now: datetime) -> None:
    kept = keep_past(rows, act.asked_at)
    rows.update(
        verdict=Opinion.NOT_REVIEWED, stage=0, how="", reason="", reviewer=None, reviewer_name="", decided_at=None
    )
    more = act.done + kept < act.total
    record_review(
        Kind.REVIEW_RESET,
        instance.review,
        actor=actor_of(act),
        at=now,
        instance=instance,
        authority_id=act.authority_id,
        details={"rows": kept} | ({"of": act.total, "more": more} if act.total > CHUNK else {}),
        reason=act.reason,
    )


@service(Kind.REVIEW_REMINDED)
def remind(instance_id: uuid.UUID, *, actor: Actor, clock: Clock) -> Instance:
    """Write to the reviewers who have not finished. Raises `Refused`, and `Instance.DoesNotExist`."""
    instance, held, now = _stand(instance_id, REMIND, actor=actor, clock=clock)
    stage = open_stage(instance.pk, now)
    if stage is not None:
        tell_reviewers(Doing.REMIND, instance, stage, actor=actor, held=held, now=now)
    return instance
