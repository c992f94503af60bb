"""The end of an instance, once, however late it is noticed."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from audit.kinds import Kind
from reviews.models import TELLING, Doing, Instance, LongAct
from reviews.selectors.authors import right_of_author
from reviews.selectors.results import counts_of
from reviews.services.answering import answer_chunk, answer_for_nobody, unanswered_rows
from reviews.services.ground import lock_instance, record_review
from reviews.services.long_acts import CHUNK, begin, going_on
from roles.actors import Actor, Clock


def end_due(*, clock: Clock, limit: int) -> int:
    """Complete what is over, or do the first step of it; return how many instances there were."""
    due = Instance.objects.to_complete(clock()).order_by("ends_at", "pk").values_list("pk", flat=True)
    ended = 0
    for pk in due[:limit]:
        with transaction.atomic():
            instance = lock_instance(pk, skip=True)
            now = clock()
            if instance is not None and Instance.objects.to_complete(now).filter(pk=pk).exists():
                ended += finish(instance, now)
    return ended


def finish(instance: Instance, now: datetime) -> bool:
    """Take the next step of ending an instance; return whether there was one to take now.

    The instance is locked by the caller and is over at `now`. What was said of all in time is saved first, then follows
    what nobody answered: of many rows as a long act. Nobody needs to be asked or reminded any more.
    """
    going_on(instance, *TELLING).update(finished_at=now)
    if going_on(instance, *Doing).exists():
        return False
    unanswered = unanswered_rows(instance)
    if not LongAct.objects.filter(instance=instance, doing=Doing.ANSWER).exists():
        portal, total = Actor.portal(), unanswered.count()
        if total > CHUNK:
            act = LongAct(doing=Doing.ANSWER, actor_name=portal.label, asked_at=now, total=total)
            begin(act, instance, now, answer_chunk)
            return True
        answer_for_nobody(instance, unanswered)
    _complete(instance, now)
    return True


def _complete(instance: Instance, now: datetime) -> None:
    """Write down the end: count, and begin to apply where it says so."""
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
