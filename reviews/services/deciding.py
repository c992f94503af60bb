"""Reviewing: the verdicts of one reviewer, on chosen rows or on all that wait for them. Minds change until the end."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from audit.kinds import Kind
from reviews.models import SAYING, Doing, How, Instance, InstanceStage, LongAct, Opinion, Recommendation, Verdict
from reviews.rules.instances import ACCEPT, DECIDE, DECIDE_ALL, DecideFacts, has_reason
from reviews.selectors.reviewers import NOTHING, bench_of, open_stage
from reviews.services.ground import about_review, lock_instance, record_review
from reviews.services.long_acts import CHUNK, actor_of, begin, going_on, next_ids
from reviews.services.past import keep_past
from roles.actors import Actor, Clock
from roles.models import Purpose, User
from roles.refusals import Refused, Rule, Violation, require
from roles.service import service
from roles.services import step_ups
from roles.text import clean

ADVISED: Final = {Recommendation.APPROVE: Opinion.APPROVE, Recommendation.DENY: Opinion.DENY}


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
            resetting=going_on(self.instance, Doing.RESET).exists(),
            still_saying=going_on(self.instance, *SAYING).filter(actor=self.reviewer).exists(),
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

    def write_all(self, rows: QuerySet[Verdict], *, verdict: Opinion | None, reason: str = "") -> dict[str, object]:
        """Say the same of these rows, or of each what is recommended; return how often what was said."""
        if verdict is not None:
            return {str(verdict): self.write(rows, verdict=verdict, reason=reason, how=How.DECIDED)}
        return {
            str(said): self.write(rows.filter(recommendation=advice), verdict=said, reason="", how=How.RECOMMENDED)
            for advice, said in ADVISED.items()
        }

    def say_all(
        self, doing: Doing, waiting: QuerySet[Verdict], *, verdict: Opinion | None = None, reason: str = ""
    ) -> int:
        """Say the same of all that waits: few at once, of many the first; the rest is a long act."""
        assert self.stage is not None  # noqa: S101 - the rules have asked
        total = waiting.count()
        if total > CHUNK:
            act = LongAct(
                doing=doing,
                stage=self.stage.number,
                actor=self.reviewer,
                actor_name=self.reviewer.name,
                verdict=verdict or "",
                reason=reason,
                asked_at=self.now,
                total=total,
            )
            begin(act, self.instance, self.now, say_chunk)
        else:
            said: dict[str, object] = {"recommended": True} if doing == Doing.ACCEPT else {"all": True}
            self.record(said | self.write_all(waiting, verdict=verdict, reason=reason), reason=reason)
        return total

    def record(self, details: dict[str, object], *, reason: str = "", at: datetime | None = None) -> None:
        stage = self.stage.number if self.stage else 0
        record_review(
            Kind.REVIEW_DECIDED,
            self.instance.review,
            actor=self.actor,
            at=at or self.now,
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
    mine = bench_of(stage, now).rows_for(reviewer.pk) if stage else NOTHING
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
    """Say the same of every row that waits for this reviewer; return how many there were. Raises `Refused`.

    Of many the first are written down at once, and the rest by the worker, as of this moment.
    """
    seat = _sit_down(instance_id, actor=actor, clock=clock)
    saying = Saying(seat.instance.pk, verdict, clean(reason))
    stage = seat.allow(DECIDE_ALL, seat.facts([saying], found=1))
    return seat.say_all(Doing.SAY, seat.mine.filter(stage__lt=stage.number), verdict=verdict, reason=saying.reason)


@service(Kind.REVIEW_DECIDED)
def accept_recommendations(instance_id: uuid.UUID, *, actor: Actor, clock: Clock) -> int:
    """Take the recommendation for every row that waits for this reviewer and has one; return how many there were.

    Its reason is that of the recommendation. Of many see `decide_waiting`. Raises `Refused`.
    """
    seat = _sit_down(instance_id, actor=actor, clock=clock)
    stage = seat.allow(ACCEPT, seat.facts([], found=0))
    return seat.say_all(Doing.ACCEPT, seat.mine.filter(stage__lt=stage.number, recommendation__in=ADVISED))


def say_chunk(instance: Instance, act: LongAct, now: datetime) -> list[uuid.UUID]:
    """Say the same of the next rows that still wait. Whoever does not review them any more has nothing more to say."""
    assert act.actor is not None  # noqa: S101 - only a person reviews
    stage = instance.stages.select_related("instance").get(number=act.stage)
    mine = bench_of(stage, now).rows_for(act.actor.pk) if act.actor.enabled else NOTHING
    rows = Verdict.objects.filter(mine, instance=instance, stage__lt=stage.number)
    if act.doing == Doing.ACCEPT:
        rows = rows.filter(recommendation__in=ADVISED)
    ids = next_ids(rows, act)
    seat = _Seat(instance, act.actor, stage, rows, act.asked_at, actor_of(act))
    chunk = Verdict.objects.filter(pk__in=ids).order_by()
    details: dict[str, object] = {"recommended": True} if act.doing == Doing.ACCEPT else {"all": True}
    if ids:
        counts = seat.write_all(chunk, verdict=Opinion(act.verdict) if act.verdict else None, reason=act.reason)
        more = act.done + len(ids) < act.total
        details |= counts | ({"of": act.total, "more": more} if act.total > CHUNK else {})
        seat.record(details, reason=act.reason, at=now)
    return ids
