"""What an administrator does to a running instance: stop, reset, remind (pim-behaviour.md §7.2)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from audit.kinds import Kind
from reviews.models import Instance, Opinion
from reviews.rules.instances import REMIND, RESET, STOP, ActFacts
from reviews.selectors.reviewers import open_stage
from reviews.services.ending import complete
from reviews.services.ground import about_review, authority_at, covered, lock_instance, record_review, spend
from reviews.services.past import keep_past
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
    )
    require(rules, facts, about=about_review(instance.review))
    spend(actor, instance.pk, now)
    return instance, held, now


@service(Kind.REVIEW_STOPPED)
def stop(instance_id: uuid.UUID, *, actor: Actor, reason: str = "", clock: Clock) -> Instance:
    """End a running instance now, for good. Raises `Refused`, and `Instance.DoesNotExist`."""
    instance, held, now = _stand(instance_id, STOP, actor=actor, clock=clock)
    instance.stopped_at = now
    record_review(
        Kind.REVIEW_STOPPED, instance.review, actor=actor, at=now, instance=instance, held=held, reason=clean(reason)
    )
    complete(instance, now)
    return instance


@service(Kind.REVIEW_RESET)
def reset(instance_id: uuid.UUID, *, actor: Actor, reason: str = "", clock: Clock) -> Instance:
    """Take all verdicts of a running instance back to not reviewed; what was said is kept as past.

    Raises `Refused`, and `Instance.DoesNotExist`.
    """
    instance, held, now = _stand(instance_id, RESET, actor=actor, clock=clock)
    said = keep_past(instance.verdicts.all(), now)
    instance.verdicts.exclude(verdict=Opinion.NOT_REVIEWED).update(
        verdict=Opinion.NOT_REVIEWED, stage=0, how="", reason="", reviewer=None, reviewer_name="", decided_at=None
    )
    record_review(
        Kind.REVIEW_RESET,
        instance.review,
        actor=actor,
        at=now,
        instance=instance,
        held=held,
        details={"rows": said},
        reason=clean(reason),
    )
    return instance


@service(Kind.REVIEW_REMINDED)
def remind(instance_id: uuid.UUID, *, actor: Actor, clock: Clock) -> Instance:
    """Write to the reviewers who have not finished. Raises `Refused`, and `Instance.DoesNotExist`."""
    instance, held, now = _stand(instance_id, REMIND, actor=actor, clock=clock)
    stage = open_stage(instance.pk, now)
    details = {"stage": stage.number if stage else 0, "by_hand": True}
    record_review(
        Kind.REVIEW_REMINDED, instance.review, actor=actor, at=now, instance=instance, held=held, details=details
    )
    return instance
