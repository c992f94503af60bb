"""Reviewing: the verdicts of one reviewer, on chosen rows or on all that wait for them. Minds change until the end."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from audit.kinds import Kind
from reviews.models import How, Instance, InstanceStage, Opinion, Recommendation, Verdict
from reviews.rules.instances import ACCEPT, DECIDE, DECIDE_ALL, DecideFacts, has_reason
from reviews.selectors.reviewers import bench_of, open_stage
from reviews.services.ground import about_review, lock_instance, record_review
from reviews.services.past import keep_past
from roles.actors import Actor, Clock
from roles.models import Purpose, User
from roles.refusals import Refused, Rule, Violation, require
from roles.service import service
from roles.services import step_ups
from roles.text import clean


@dataclass(frozen=True, slots=True)
class Saying:
    """What a reviewer says of one row."""

    row: uuid.UUID
    verdict: Opinion
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Seat:
    """A reviewer at a locked instance: the open stage, and the rows that are theirs."""

    instance: Instance
    reviewer: User
    stage: InstanceStage | None
    mine: QuerySet[Verdict]
    now: datetime
    actor: Actor = field(repr=False)

    def facts(self, sayings: Sequence[Saying], *, found: int) -> DecideFacts:
        approvals = [one for one in sayings if one.verdict == Opinion.APPROVE]
        return DecideFacts(
            status=self.instance.status_at(self.now),
            stage_open=self.stage is not None,
            reviewer_enabled=self.reviewer.enabled,
            second_factor=step_ups.serves(self.actor, Purpose.DECIDE, self.instance.pk, now=self.now),
            asked=len(sayings),
            found=found,
            opinions=frozenset(str(one.verdict) for one in sayings),
            reason_required=self.instance.reason_required,
            approved_without_reason=any(not has_reason(one.reason) for one in approvals),
            longest_reason=max((len(one.reason) for one in sayings), default=0),
            recommendations=self.instance.recommendations,
        )

    def allow(self, rules: Iterable[Rule[DecideFacts]], facts: DecideFacts) -> InstanceStage:
        """Ask the rules and spend the step-up; return the stage that is open."""
        require(rules, facts, about=about_review(self.instance.review))
        assert self.stage is not None  # noqa: S101 - the rules have asked
        step_ups.spend(self.actor, Purpose.DECIDE, self.instance.pk, now=self.now)
        return self.stage

    def write(self, rows: QuerySet[Verdict], *, verdict: Opinion, reason: str, how: How) -> int:
        """Say the same of these rows; what was said before is kept as past."""
        assert self.stage is not None  # noqa: S101 - the rules have asked
        keep_past(rows, self.now)
        return rows.update(
            verdict=verdict,
            stage=self.stage.number,
            how=how,
            reason=reason,
            reviewer=self.reviewer,
            reviewer_name=self.reviewer.name,
            decided_at=self.now,
        )

    def record(self, details: dict[str, object], *, reason: str = "") -> None:
        stage = self.stage.number if self.stage else 0
        record_review(
            Kind.REVIEW_DECIDED,
            self.instance.review,
            actor=self.actor,
            at=self.now,
            instance=self.instance,
            details={"stage": stage} | details,
            justification=reason,
        )


def _sit_down(instance_id: uuid.UUID, *, actor: Actor, clock: Clock) -> _Seat:
    instance = lock_instance(instance_id)
    assert instance is not None  # noqa: S101 - nothing is skipped
    now = clock()
    if actor.user is None:
        violation = Violation("nobody", _("Only a person can review."))
        raise Refused([violation], about=about_review(instance.review))
    reviewer = User.objects.get(pk=actor.user.pk)
    stage = open_stage(instance.pk, now) if Instance.objects.open(now).filter(pk=instance.pk).exists() else None
    mine = bench_of(stage, now).rows_for(reviewer.pk) if stage else Q(pk__in=[])
    rows = Verdict.objects.filter(mine, instance=instance).order_by()
    return _Seat(instance, reviewer, stage, rows, now, actor)


@service(Kind.REVIEW_DECIDED)
def decide(instance_id: uuid.UUID, sayings: Sequence[Saying], *, actor: Actor, clock: Clock) -> int:
    """Write down what a reviewer says of chosen rows, all or none; return how many. The step-up covers the instance.

    Saying the same again changes nothing. Raises `Refused`, and `Instance.DoesNotExist`.
    """
    seat = _sit_down(instance_id, actor=actor, clock=clock)
    said = {one.row: Saying(one.row, one.verdict, clean(one.reason)) for one in sayings}
    found = set(seat.mine.filter(pk__in=said).values_list("pk", flat=True))
    stage = seat.allow(DECIDE, seat.facts(list(said.values()), found=len(found)))

    written: dict[str, list[str]] = {}
    groups: dict[tuple[Opinion, str], list[uuid.UUID]] = {}
    for one in said.values():
        groups.setdefault((one.verdict, one.reason), []).append(one.row)
    for (verdict, reason), ids in groups.items():
        again = Q(verdict=verdict, reason=reason, stage=stage.number, reviewer=seat.reviewer)
        changed = sorted(seat.mine.filter(pk__in=ids).exclude(again).values_list("pk", flat=True))
        rows = Verdict.objects.filter(pk__in=changed).order_by()
        seat.write(rows, verdict=verdict, reason=reason, how=How.DECIDED)
        written.setdefault(str(verdict), []).extend(str(pk) for pk in changed)
    count = sum(len(ids) for ids in written.values())
    if count:
        reasons = list(dict.fromkeys(one.reason for one in said.values() if one.reason))
        seat.record({"rows": {verdict: ids for verdict, ids in written.items() if ids}}, reason="\n".join(reasons))
    return count


@service(Kind.REVIEW_DECIDED)
def decide_waiting(instance_id: uuid.UUID, *, verdict: Opinion, reason: str = "", actor: Actor, clock: Clock) -> int:
    """Say the same of every row that waits for this reviewer; return how many there were. Raises `Refused`."""
    seat = _sit_down(instance_id, actor=actor, clock=clock)
    saying = Saying(seat.instance.pk, verdict, clean(reason))
    stage = seat.allow(DECIDE_ALL, seat.facts([saying], found=1))

    waiting = seat.mine.filter(stage__lt=stage.number)
    count = seat.write(waiting, verdict=verdict, reason=saying.reason, how=How.DECIDED)
    seat.record({"all": True, str(verdict): count}, reason=saying.reason)
    return count


@service(Kind.REVIEW_DECIDED)
def accept_recommendations(instance_id: uuid.UUID, *, actor: Actor, clock: Clock) -> int:
    """Take the recommendation for every row that waits for this reviewer and has one; return how many there were.

    Its reason is that of the recommendation. Raises `Refused`.
    """
    seat = _sit_down(instance_id, actor=actor, clock=clock)
    stage = seat.allow(ACCEPT, seat.facts([], found=0))

    waiting = seat.mine.filter(stage__lt=stage.number)
    counts: dict[str, object] = {}
    total = 0
    for advice, verdict in ((Recommendation.APPROVE, Opinion.APPROVE), (Recommendation.DENY, Opinion.DENY)):
        rows = waiting.filter(recommendation=advice)
        count = seat.write(rows, verdict=verdict, reason="", how=How.RECOMMENDED)
        counts[str(verdict)] = count
        total += count
    seat.record({"recommended": True} | counts)
    return total
