"""Making, changing and deleting a series of reviews."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

from audit.kinds import Kind
from audit.recording import Ids
from reviews.models import (
    AccessReview,
    Instance,
    InstanceStage,
    Panelist,
    ReviewersKind,
    Stage,
    StagePrincipal,
    Status,
    Told,
)
from reviews.rules.instances import DELETE, ActFacts
from reviews.rules.series import SERIES, Before, SeriesFacts, Wanted
from reviews.selectors.previews import preview
from reviews.selectors.reviewers import people_in
from reviews.services.ground import about_review, authority_at, covered, lock_review, record_review, spend
from reviews.services.planning import plan_next
from reviews.services.wants import PLAIN, details_of, tidy, wanted_of
from roles.actors import Actor, Clock
from roles.authority import Held
from roles.models import Principal, Resource, Role
from roles.refusals import About, require
from roles.selectors.prospects import roles_assignable_at
from roles.selectors.resources import is_retired_place
from roles.service import service
from roles.text import clean

# What of a running instance can still be changed; its rows are taken, and what use recommends of them is said.
FOLLOWING: Final = ("reason_required", "auto_apply", "if_unanswered", "mails", "reminders", "mail_text")


def create_review(place_id: uuid.UUID, wanted: Wanted, *, actor: Actor, clock: Clock) -> AccessReview:
    """Make a series at a place; its first instance starts at `wanted.starts_at`. The step-up covers the place.

    Raises `Refused` with everything that is wrong with it, and `Resource.DoesNotExist`.
    """
    place = Resource.objects.get(pk=place_id)
    uncovered = count_uncovered(place, wanted, clock())
    return _create(place_id, wanted, uncovered, actor=actor, clock=clock)


@service(Kind.REVIEW_CREATED)
def _create(
    place_id: uuid.UUID, wanted: Wanted, uncovered: tuple[int, ...], *, actor: Actor, clock: Clock
) -> AccessReview:
    place = Resource.objects.get(pk=place_id)
    now = clock()
    wanted = tidy(wanted, now)
    held = authority_at(actor, place, now)
    facts = gather(wanted, place, uncovered, now=now, held=held, actor=actor, covers=place.pk)
    names = {"review": wanted.name, "resource": place.name}
    require(SERIES, facts, about=About(Ids(resource=place.pk), place.realm, names))

    spend(actor, place.pk, now)
    review = AccessReview(resource=place, created_by=actor.user, set_by=actor.user, created_at=now)
    _write(review, wanted)
    plan_next(review, now)
    details = details_of(wanted)
    record_review(Kind.REVIEW_CREATED, review, actor=actor, at=now, held=held, details=details)
    return review


def change_review(
    review_id: uuid.UUID, wanted: Wanted, *, running_too: bool = False, actor: Actor, clock: Clock
) -> AccessReview:
    """Change a series; what runs keeps the terms of its start, but for the people who review it.

    With `running_too` what follows from it changes for the instance that runs as well (`FOLLOWING`). Whoever changes a
    series takes it over: results are applied automatically by their right. Raises `Refused`, and
    `AccessReview.DoesNotExist`.
    """
    place = AccessReview.objects.select_related("resource").get(pk=review_id).resource
    uncovered = count_uncovered(place, wanted, clock())
    return _change(review_id, wanted, uncovered, running_too=running_too, actor=actor, clock=clock)


def count_uncovered(place: Resource, wanted: Wanted, now: datetime) -> tuple[int, ...]:
    """Count the rows that nobody would review, by stage: before the transaction, which a large place would hold up.

    Who holds what changes every minute until the start anyway; what is without a reviewer then is told on the page.
    """
    there = {role.pk for role in roles_assignable_at(place)}
    sound = wanted.stages and wanted.roles <= there
    return preview(place, wanted, now).uncovered if sound else ()


@service(Kind.REVIEW_CHANGED)
def _change(
    review_id: uuid.UUID,
    wanted: Wanted,
    uncovered: tuple[int, ...],
    *,
    running_too: bool,
    actor: Actor,
    clock: Clock,
) -> AccessReview:
    review = lock_review(review_id)
    # Whoever decides, ends or applies holds the instance.
    going_on = list(_running(review).select_for_update(no_key=True).order_by("pk"))
    now = clock()
    before = before_of(review)
    wanted = tidy(wanted, now, planned=before.starts_at)
    held = authority_at(actor, review.resource, now)
    place = review.resource
    facts = gather(wanted, place, uncovered, now=now, held=held, actor=actor, covers=review.pk, before=before)
    require(SERIES, facts, about=about_review(review))

    spend(actor, review.pk, now)
    old = details_of(wanted_of(review))
    review.set_by = actor.user
    _write(review, wanted)
    for instance in going_on:
        instance.review = review
        _seat_the_new(instance, now)
        if running_too and now < instance.closes_at:
            for name in FOLLOWING:
                setattr(instance, name, getattr(wanted, name))
            instance.save(update_fields=FOLLOWING)
    plan_next(review, now)
    new = details_of(wanted)
    changed = {name: [old[name], new[name]] for name in new if old[name] != new[name]}
    details: dict[str, Any] = {"changed": changed} | ({"running_too": True} if running_too else {})
    record_review(Kind.REVIEW_CHANGED, review, actor=actor, at=now, held=held, details=details)
    return review


@service(Kind.REVIEW_DELETED)
def delete_review(review_id: uuid.UUID, *, actor: Actor, reason: str = "", clock: Clock) -> AccessReview:
    """End a series for good; what runs is over, what is not applied stays unapplied. Nothing that was said is lost.

    Raises `Refused`, and `AccessReview.DoesNotExist`.
    """
    review = lock_review(review_id)
    # Whoever decides, ends or applies holds the instance.
    list(review.instances.filter(applied_at=None).select_for_update(no_key=True).order_by("pk"))
    now = clock()
    held = authority_at(actor, review.resource, now)
    facts = ActFacts(
        status=Status.DELETED if review.deleted_at else Status.IN_PROGRESS,
        allowed=actor.user is None or held is not None,
        second_factor=covered(actor, review.pk, now),
    )
    require(DELETE, facts, about=about_review(review))

    spend(actor, review.pk, now)
    review.deleted_at, review.deleted_by = now, actor.user
    review.save(update_fields=["deleted_at", "deleted_by"])
    plan_next(review, now)
    record_review(Kind.REVIEW_DELETED, review, actor=actor, at=now, held=held, reason=clean(reason))
    return review


def gather(
    wanted: Wanted,
    place: Resource,
    uncovered: tuple[int, ...],
    *,
    now: datetime,
    held: Held | None,
    actor: Actor,
    covers: uuid.UUID,
    before: Before | None = None,
) -> SeriesFacts:
    """Gather what the rules ask of a series as it is wanted at a place."""
    there = {role.pk for role in roles_assignable_at(place)}
    return SeriesFacts(
        wanted=wanted,
        now=now,
        allowed=actor.user is None or held is not None,
        second_factor=covered(actor, covers, now),
        roles_there=len(wanted.roles & there),
        principals_known=Principal.objects.filter(pk__in=wanted.principals).count(),
        retired=is_retired_place(place),
        uncovered=uncovered,
        before=before,
    )


def before_of(review: AccessReview) -> Before:
    """Return what a change of this series meets."""
    stages = list(review.stages.order_by("number"))
    return Before(
        starts_at=review.starts_at,
        kinds=tuple(ReviewersKind(one.kind) for one in stages),
        fallbacks=tuple(one.principals.filter(fallback=True).exists() for one in stages),
        started=review.instances.exclude(taken_at=None).exists(),
        running=_running(review).exists(),
        deleted=review.deleted_at is not None,
        roles=frozenset(review.roles.values_list("pk", flat=True)),
        starting=_running(review).filter(filled_at=None).exists(),
    )


def _running(review: AccessReview) -> QuerySet[Instance]:
    """Return the instances that have begun and are not completed."""
    return review.instances.exclude(taken_at=None).filter(completed_at=None)


def _write(review: AccessReview, wanted: Wanted) -> None:
    for name in PLAIN:
        setattr(review, name, getattr(wanted, name))
    review.save()
    review.roles.set(Role.objects.filter(pk__in=wanted.roles))
    review.stages.filter(number__gt=len(wanted.stages)).delete()
    for number, stage in enumerate(wanted.stages, start=1):
        row, _new = Stage.objects.update_or_create(
            review=review, number=number, defaults={"kind": stage.kind, "days": stage.days}
        )
        reviewers = stage.reviewers if stage.kind == ReviewersKind.CHOSEN else frozenset()
        for fallback, named in ((False, reviewers), (True, stage.fallbacks)):
            row.principals.filter(fallback=fallback).exclude(principal__in=named).delete()
            rows = [StagePrincipal(stage=row, principal_id=pk, fallback=fallback) for pk in named]
            StagePrincipal.objects.bulk_create(rows, ignore_conflicts=True)
    review.told.exclude(principal__in=wanted.told).delete()
    told = [Told(review=review, principal_id=pk) for pk in wanted.told]
    Told.objects.bulk_create(told, ignore_conflicts=True)


def _seat_the_new(instance: Instance, now: datetime) -> None:
    """Let those review what runs whom an administrator has just added; who was taken out no longer does anyway."""
    for stage in instance.stages.all():
        seat(stage, now)


def seat(stage: InstanceStage, now: datetime) -> None:
    """Write down who reviews in a stage: the people chosen now, members of chosen groups one by one."""
    chosen = StagePrincipal.objects.filter(stage__review=stage.instance.review_id, stage__number=stage.number)
    for fallback in (False, True):
        people = people_in(chosen.filter(fallback=fallback).values_list("principal", flat=True), now)
        rows = [Panelist(stage=stage, principal_id=pk, fallback=fallback) for pk in sorted(people)]
        Panelist.objects.bulk_create(rows, ignore_conflicts=True)
