"""One occurrence of a review. Where it stands is derived from the clock; written down are the steps that were taken."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from reviews.models.series import AccessReview, ReviewersKind, Terms


class Status(models.TextChoices):
    """Where an instance stands at a moment (pim-behaviour.md §7.2)."""

    SCHEDULED = "scheduled", _("Scheduled")
    STARTING = "starting", _("Starting")
    IN_PROGRESS = "in_progress", _("In progress")
    COMPLETING = "completing", _("Completing")
    COMPLETED = "completed", _("Completed")
    APPLYING = "applying", _("Applying")
    APPLIED = "applied", _("Applied")
    DELETED = "deleted", _("Deleted")


class InstanceQuerySet(models.QuerySet["Instance"]):
    """Ways to narrow instances; what was deleted takes no further step."""

    def standing(self) -> InstanceQuerySet:
        return self.filter(review__deleted_at=None)

    def to_start(self, now: datetime) -> InstanceQuerySet:
        """Return what is due to start, or is in the middle of it."""
        return self.standing().filter(starts_at__lte=now, filled_at=None)

    def open(self, now: datetime) -> InstanceQuerySet:
        """Return what can be reviewed at `now`."""
        return self.standing().filter(Q(stopped_at=None) | Q(stopped_at__gt=now), filled_at__lte=now, ends_at__gt=now)

    def to_complete(self, now: datetime) -> InstanceQuerySet:
        """Return what is over and not written down yet."""
        over = Q(ends_at__lte=now) | Q(stopped_at__lte=now)
        return self.standing().filter(over, filled_at__isnull=False, completed_at=None)

    def to_apply(self) -> InstanceQuerySet:
        """Return what is being applied; deleting a review stops it."""
        return self.standing().filter(applying_at__isnull=False, applied_at=None)


class Instance(Terms):
    """One occurrence of a review, with the terms of its start.

    `ends_at` is planned until the rows are there: an instance that starts late still gives its reviewers their days.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    review = models.ForeignKey(AccessReview, models.PROTECT, related_name="instances")
    number = models.PositiveSmallIntegerField(_("number"))
    starts_at = models.DateTimeField(_("start"))
    ends_at = models.DateTimeField(_("end"))

    taken_at = models.DateTimeField(null=True, help_text=_("The moment as of which the assignments are taken."))
    cursor = models.CharField(max_length=120, blank=True, help_text=_("How far taking them has come."))
    filled_at = models.DateTimeField(null=True, help_text=_("When all rows were there, and reviewing began."))
    stopped_at = models.DateTimeField(_("stopped"), null=True)
    completed_at = models.DateTimeField(_("completed"), null=True)
    applying_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(_("applied"), null=True)
    applied_by = models.ForeignKey("roles.Principal", models.PROTECT, null=True, related_name="+")
    applied_by_name = models.CharField(max_length=200, blank=True)
    applied_authority = models.ForeignKey(
        "roles.Assignment",
        models.PROTECT,
        null=True,
        related_name="+",
        help_text=_("By what whoever applied it could; automatically: asked anew for each removal."),
    )

    # As it stood when it was completed; while it runs the rows are counted.
    rows_total = models.PositiveIntegerField(default=0)
    rows_approved = models.PositiveIntegerField(default=0)
    rows_denied = models.PositiveIntegerField(default=0)
    rows_unknown = models.PositiveIntegerField(default=0)
    rows_unanswered = models.PositiveIntegerField(default=0)
    rows_removed = models.PositiveIntegerField(default=0, help_text=_("By applying it."))

    objects = InstanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("instance of a review")
        verbose_name_plural = _("instances of reviews")
        ordering = ["-starts_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["review", "number"], name="review_instances_are_numbered_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="a_review_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(applied_at=None) | Q(applying_at__isnull=False),
                name="a_review_is_applied_after_it_began",
            ),
            models.CheckConstraint(
                condition=Q(applying_at=None) | Q(completed_at__isnull=False), name="only_a_completed_review_is_applied"
            ),
        ]
        indexes = [
            models.Index(fields=["starts_at"], condition=Q(filled_at=None), name="review_to_start"),
            models.Index(fields=["ends_at"], condition=Q(completed_at=None), name="review_to_complete"),
            models.Index(fields=["applying_at"], condition=Q(applied_at=None), name="review_to_apply"),
        ]

    def __str__(self) -> str:
        return f"{self.review_id} #{self.number}"

    @property
    def waits_for_somebody(self) -> bool:
        """Whether it was to be applied automatically, and is left to an administrator."""
        return self.auto_apply and self.completed_at is not None and self.applying_at is None

    @property
    def closes_at(self) -> datetime:
        """When reviewing ends: by the clock, or when somebody stopped it."""
        return min(self.ends_at, self.stopped_at) if self.stopped_at else self.ends_at

    def status_at(self, now: datetime) -> Status:
        """Return where this instance stands at `now`."""
        if self.review.deleted_at is not None:
            return Status.DELETED
        if self.filled_at is None:
            return Status.SCHEDULED if now < self.starts_at else Status.STARTING
        if self.completed_at is None:
            return Status.IN_PROGRESS if now < self.closes_at else Status.COMPLETING
        if self.applied_at is not None:
            return Status.APPLIED
        return Status.APPLYING if self.applying_at is not None else Status.COMPLETED


class InstanceStage(models.Model):
    """A stage of an instance with its own time. The kind of reviewers is as it was at the start."""

    instance = models.ForeignKey(Instance, models.PROTECT, related_name="stages")
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10, choices=ReviewersKind.choices)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, help_text=_("When its reviewers were told that it began."))
    reminded_at = models.DateTimeField(null=True, help_text=_("When those who had not finished were reminded."))

    class Meta:
        verbose_name = _("stage of an instance")
        verbose_name_plural = _("stages of instances")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["instance", "number"], name="instance_stages_are_numbered_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="a_review_stage_ends_after_it_starts"),
        ]
        indexes = [models.Index(fields=["ends_at"], name="review_stage_open")]

    def __str__(self) -> str:
        return f"{self.instance_id}:{self.number}"

    @property
    def half_time(self) -> datetime:
        return self.starts_at + (self.ends_at - self.starts_at) / 2


class Panelist(models.Model):
    """Somebody who was a reviewer of this stage when it began: a person, also where a group was chosen.

    Who is no longer chosen, or no longer a member of the group, does not review any more.
    """

    stage = models.ForeignKey(InstanceStage, models.PROTECT, related_name="panel")
    principal = models.ForeignKey("roles.Principal", models.PROTECT, related_name="+")
    fallback = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("reviewer of an instance")
        verbose_name_plural = _("reviewers of instances")
        constraints = [
            models.UniqueConstraint(fields=["stage", "principal", "fallback"], name="a_panel_names_somebody_once")
        ]
        indexes = [models.Index(fields=["principal"], name="review_panelist")]

    def __str__(self) -> str:
        return str(self.principal_id)
