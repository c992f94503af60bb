"""Applying: what was denied is removed by the same service as everything else; what cannot be, is said for each row.

Every removal is a transaction of its own. Applying can stop anywhere and go on, run twice or on two workers: a row that
has its result is not touched again, and only what was refused is tried anew when somebody applies once more.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from audit.kinds import Kind
from reviews.models import ApplyResult, How, IfUnanswered, Instance, Opinion, Verdict
from reviews.rules.instances import APPLY, ActFacts
from reviews.selectors.authors import Right, right_of_author
from reviews.selectors.results import results_of, to_apply
from reviews.services.ending import record_waiting
from reviews.services.ground import about_review, authority_at, covered, lock_instance, record_review, spend
from reviews.services.long_acts import CHUNK
from reviews.wording import reason_of_recommendation
from roles.actors import Actor, Clock
from roles.ids import GROUP_MEMBER
from roles.models import Assignment
from roles.refusals import Refused, require
from roles.service import service
from roles.services.assignments import remove
from roles.services.changes import principals_of
from roles.services.locks import lock_principals


@service(Kind.REVIEW_APPLYING)
def apply(instance_id: uuid.UUID, *, actor: Actor, clock: Clock) -> Instance:
    """Begin to apply the verdicts of a completed instance, or try again what could not be removed.

    The rows follow in `apply_due`. Raises `Refused`, and `Instance.DoesNotExist`.
    """
    instance = lock_instance(instance_id)
    assert instance is not None  # noqa: S101 - nothing is skipped
    now = clock()
    held = authority_at(actor, instance.review.resource, now)
    refused = instance.verdicts.filter(result=ApplyResult.REFUSED)
    facts = ActFacts(
        status=instance.status_at(now),
        allowed=actor.user is None or held is not None,
        second_factor=covered(actor, instance.pk, now),
        refused=refused.count(),
    )
    require(APPLY, facts, about=about_review(instance.review))

    spend(actor, instance.pk, now)
    refused.update(result=ApplyResult.NEW, result_detail="", applied_at=None, applied_by_name="")
    instance.applying_at, instance.applied_at = now, None
    instance.applied_by, instance.applied_by_name = actor.user, actor.label
    instance.applied_authority_id = held.assignment_id if held else None
    instance.save(update_fields=["applying_at", "applied_at", "applied_by", "applied_by_name", "applied_authority"])
    details = {"again": facts.refused > 0}
    record_review(
        Kind.REVIEW_APPLYING, instance.review, actor=actor, at=now, instance=instance, held=held, details=details
    )
    return instance


def apply_due(*, clock: Clock, limit: int) -> int:
    """Apply up to `limit` rows; return how many, less than `limit` when nothing is left."""
    applied = 0
    for pk in Instance.objects.to_apply().order_by("applying_at", "pk").values_list("pk", flat=True):
        instance = Instance.objects.select_related("review__resource").get(pk=pk)
        if _settle_what_stays(instance, clock=clock):
            return limit
        denied = to_apply(instance).values_list("pk", "through", "inherited")[: limit - applied]
        for row, through, inherited in list(denied):
            if through or inherited:
                _settle(instance, [row], _held_elsewhere(row, clock()), clock=clock)
            elif not _apply_row(row, clock=clock):
                _wait_for_somebody(pk, clock=clock)
                break
            applied += 1
        if applied >= limit:
            return applied
        _finish(pk, clock=clock)
    return applied


def _settle_what_stays(instance: Instance, *, clock: Clock) -> bool:
    """Write the results of what was not denied, a chunk of them; return whether there were any."""
    for verdict in (Opinion.APPROVE, Opinion.DONT_KNOW, Opinion.NOT_REVIEWED):
        new = instance.verdicts.filter(verdict=verdict, result=ApplyResult.NEW)
        chunk = list(new.order_by("pk").values_list("pk", flat=True)[:CHUNK])
        if chunk:
            _settle(instance, chunk, ApplyResult.KEPT, clock=clock)
            return True
    return False


def _settle(instance: Instance, rows: Iterable[uuid.UUID], result: ApplyResult, *, clock: Clock) -> None:
    """Write the same result of rows of which nothing is to be removed here."""
    with transaction.atomic():
        now = clock()
        new = Verdict.objects.filter(pk__in=rows, result=ApplyResult.NEW).order_by()
        new.update(result=result, applied_at=now, applied_by_name=_applied_by(instance))


def _held_elsewhere(pk: uuid.UUID, now: datetime) -> ApplyResult:
    """Return why a denied row cannot be removed here; or, where it is over, that nothing is left to remove."""
    row = Verdict.objects.select_related("instance", "assignment").get(pk=pk)
    return _over(row, now) or (ApplyResult.THROUGH_GROUP if row.through_id else ApplyResult.INHERITED)


def _apply_row(pk: uuid.UUID, *, clock: Clock) -> bool:
    """Remove one denied assignment, as it is now, or say why not; return False where nobody's right stands for it."""
    found = Verdict.objects.values_list("assignment_id", flat=True).get(pk=pk)
    with transaction.atomic():
        lock_principals(principals_of(found))
        row = Verdict.objects.select_related("instance__review__resource", "assignment").get(pk=pk)
        instance = row.instance
        if row.result != ApplyResult.NEW or instance.applying_at is None or instance.review.deleted_at is not None:
            return True
        right = _right_behind(instance, clock())
        if not right.stands:
            return False
        result, detail = _remove(row, right, clock)
        row.result, row.result_detail = result, detail[:500]
        row.applied_at, row.applied_by_name = clock(), _applied_by(instance)
        row.save(update_fields=["result", "result_detail", "applied_at", "applied_by_name"])
    return True


def _applied_by(instance: Instance) -> str:
    """Name whoever pressed the button, else the portal: said of each row, since somebody may apply once more later."""
    return instance.applied_by_name or Actor.portal().label


def _right_behind(instance: Instance, now: datetime) -> Right:
    """Return by whose authority this is applied: that of whoever pressed the button, else that of the author, now."""
    if instance.applied_by_name:
        return Right(stands=True, assignment_id=instance.applied_authority_id)
    return right_of_author(instance.review, now)


def _wait_for_somebody(pk: uuid.UUID, *, clock: Clock) -> None:
    """Stop applying automatically: what was removed is, and an administrator applies the rest."""
    with transaction.atomic():
        instance = lock_instance(pk, skip=True)
        if instance is None or not Instance.objects.to_apply().filter(pk=pk).exists():
            return
        now = clock()
        if not _right_behind(instance, now).stands:
            instance.applying_at = None
            instance.save(update_fields=["applying_at"])
            record_waiting(instance, now)


def _remove(row: Verdict, right: Right, clock: Clock) -> tuple[ApplyResult, str]:
    held = row.assignment
    if over := _over(row, clock()):
        return over, ""
    try:
        # A savepoint: what `remove` had done when it was refused is undone, the result stays.
        remove(held.pk, actor=Actor.portal(), reason=why(row), authority_id=right.assignment_id, clock=clock)
    except Refused as refused:
        return ApplyResult.REFUSED, refused.sentence
    moved = (held.starts_at, held.ends_at) != (row.since, row.until)
    return ApplyResult.REMOVED, _("Its times had been changed since the start of the review.") if moved else ""


def _over(row: Verdict, now: datetime) -> ApplyResult | None:
    """Return what became of a row that is over, and whether it was given anew since; None while it is held."""
    held, who = row.assignment, row.principal_id
    if held.over_at is not None and held.over_at <= now:
        standing = Assignment.objects.lasting(now).filter(activated_from=None)
        # What was there beside it when the rows were taken is another row, and no gift since.
        since = standing.filter(created_at__gt=row.instance.taken_at).exclude(pk=held.pk)
        again = since.filter(principal=held.principal_id, role=held.role_id, resource=held.resource_id)
        return ApplyResult.REPLACED if again.exists() else ApplyResult.GONE
    # Whoever may become a member again by activating it still is one as far as removing goes.
    member = Assignment.objects.lasting(now).filter(principal=who, role=GROUP_MEMBER)
    if row.through_id is not None and not member.filter(resource__group=row.through_id).exists():
        return ApplyResult.GONE
    return None


def why(row: Verdict) -> str:
    """Say why an assignment is removed, for the history and whoever held it."""
    words = {"review": row.instance.review.name, "reviewer": row.reviewer_name}
    said = row.reason
    if row.how == How.UNANSWERED:
        sentence = _("Access review “{review}”: nobody answered.")
        taken = row.instance.if_unanswered == IfUnanswered.RECOMMENDATION
        said = reason_of_recommendation(row, row.instance.look_back_days) if taken else ""
    elif row.how == How.RECOMMENDED:
        sentence = _("Access review “{review}”: denied by {reviewer}, as recommended.")
        said = reason_of_recommendation(row, row.instance.look_back_days)
    else:
        sentence = _("Access review “{review}”: denied by {reviewer}.")
    return " ".join(part for part in (sentence.format(**words), said) if part)


def _finish(pk: uuid.UUID, *, clock: Clock) -> None:
    """Write down, once, that every row has its result."""
    with transaction.atomic():
        instance = lock_instance(pk, skip=True)
        if instance is None or not _all_applied(instance):
            return
        now: datetime = clock()
        counts = results_of(instance)
        instance.applied_at = now
        instance.rows_removed = counts.get(ApplyResult.REMOVED, 0)
        instance.save(update_fields=["applied_at", "rows_removed"])
        record_review(
            Kind.REVIEW_APPLIED,
            instance.review,
            actor=Actor.portal(),
            at=now,
            instance=instance,
            details={str(result): count for result, count in counts.items()},
        )


def _all_applied(instance: Instance) -> bool:
    due = Instance.objects.to_apply().filter(pk=instance.pk).exists()
    return due and not instance.verdicts.filter(result=ApplyResult.NEW).exists()
