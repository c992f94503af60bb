"""The reviews of a place, and what waits for a reviewer."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from reviews.models import AccessReview, Instance, InstanceStage, Panelist, ReviewersKind, StagePrincipal, Verdict
from reviews.selectors.reviewers import Bench, bench_of
from roles.models import Resource


def reviews_at(place: Resource, *, deleted: bool = False) -> QuerySet[AccessReview]:
    """Return the series of a place, the newest first."""
    rows = AccessReview.objects.filter(resource=place, deleted_at__isnull=not deleted)
    return rows.prefetch_related("roles").order_by("-created_at", "pk")


def instances_of(review: AccessReview) -> QuerySet[Instance]:
    """Return the instances of a series, the newest first."""
    return review.instances.select_related("review__resource").order_by("-number", "pk")


def latest_of(reviews: Iterable[AccessReview], now: datetime) -> dict[uuid.UUID, Instance]:
    """Return for each series the instance that a list shows: the latest that has begun, else the planned one."""
    found: dict[uuid.UUID, Instance] = {}
    ids = [one.pk for one in reviews]
    for one in Instance.objects.filter(review__in=ids).select_related("review").order_by("number"):
        if one.review_id not in found or one.starts_at <= now:
            found[one.review_id] = one
    return found


@dataclass(frozen=True, slots=True)
class Waiting:
    """A review that somebody can work on now: how much of it waits for them, of how much."""

    stage: InstanceStage
    bench: Bench
    waiting: int
    total: int

    @property
    def done(self) -> int:
        return self.total - self.waiting


def _open_stages(user_id: uuid.UUID, now: datetime) -> QuerySet[InstanceStage]:
    """Return the open stages that can concern somebody."""
    rows = Verdict.objects.filter(instance=OuterRef("instance"))
    concerned = (
        Q(Exists(Panelist.objects.filter(stage=OuterRef("pk"), principal=user_id)))
        | Q(Exists(rows.filter(principal=user_id)), kind=ReviewersKind.SELF)
        | Q(Exists(rows.filter(manager=user_id)), kind=ReviewersKind.MANAGERS)
    )
    stages = InstanceStage.objects.filter(instance__in=Instance.objects.open(now), starts_at__lte=now, ends_at__gt=now)
    return stages.filter(concerned).select_related("instance__review__resource").order_by("ends_at", "pk")


def reviews_for(user_id: uuid.UUID, now: datetime) -> list[Waiting]:
    """Return the reviews in which somebody has rows to review now, what ends first first."""
    found = [work_of(stage, user_id, now) for stage in _open_stages(user_id, now)]
    return [one for one in found if one.total]


def work_of(stage: InstanceStage, user_id: uuid.UUID, now: datetime) -> Waiting:
    """Return how much of a stage is somebody's, and waits."""
    bench = bench_of(stage, now)
    counts = Verdict.objects.filter(bench.rows_for(user_id), instance=stage.instance_id).aggregate(
        total=Count("pk"), waiting=Count("pk", filter=Q(stage__lt=stage.number))
    )
    return Waiting(stage, bench, counts["waiting"], counts["total"])


def waiting_count(user_id: uuid.UUID, now: datetime) -> int:
    """Return in how many reviews something waits for somebody: the figure in the menu."""
    return sum(1 for one in reviews_for(user_id, now) if one.waiting)


def named_in(user_id: uuid.UUID) -> QuerySet[AccessReview]:
    """Return the series that are not over and name somebody as a reviewer, now or from their next instance on."""
    going_on = Instance.objects.standing().filter(completed_at=None)
    named = StagePrincipal.objects.filter(stage__review=OuterRef("pk"), principal=user_id)
    asked = Panelist.objects.filter(
        stage__instance__in=going_on, stage__instance__review=OuterRef("pk"), principal=user_id
    )
    rows = AccessReview.objects.filter(Exists(going_on.filter(review=OuterRef("pk"))))
    return rows.filter(Exists(named) | Exists(asked)).select_related("resource").order_by("-created_at", "pk")


def was_reviewer(instance_id: uuid.UUID, user_id: uuid.UUID) -> bool:
    """Return whether somebody was asked in this instance, so that its page may tell them that it is over."""
    if Panelist.objects.filter(stage__instance=instance_id, principal=user_id).exists():
        return True
    kinds = set(InstanceStage.objects.filter(instance=instance_id).values_list("kind", flat=True))
    rows = Verdict.objects.filter(instance=instance_id)
    return (ReviewersKind.SELF in kinds and rows.filter(principal=user_id).exists()) or (
        ReviewersKind.MANAGERS in kinds and rows.filter(manager=user_id).exists()
    )


def stage_to_come(instance: Instance, user_id: uuid.UUID, now: datetime) -> InstanceStage | None:
    """Return the next stage in which somebody has rows to review, where it has not begun yet."""
    if not Instance.objects.open(now).filter(pk=instance.pk).exists():
        return None
    stages = instance.stages.filter(starts_at__gt=now).select_related("instance__review__resource").order_by("number")
    return next((one for one in stages if work_of(one, user_id, now).total), None)


def unreviewable(instance: Instance, now: datetime) -> Sequence[tuple[InstanceStage, int]]:
    """Return the stages that go on or come, each with the number of rows that nobody may review in it."""
    stages = instance.stages.filter(ends_at__gt=now).select_related("instance__review__resource").order_by("number")
    found = [(stage, instance.verdicts.filter(bench_of(stage, now).without_anybody).count()) for stage in stages]
    return [(stage, count) for stage, count in found if count]
