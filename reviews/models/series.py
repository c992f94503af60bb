"""The series: what is reviewed at a place, how often, by whom, and what follows (pim-behaviour.md §7.1)."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Frequency(models.TextChoices):
    ONCE = "once", _("One time")
    WEEKLY = "weekly", _("Weekly")
    MONTHLY = "monthly", _("Monthly")
    QUARTERLY = "quarterly", _("Quarterly")
    SEMI_ANNUALLY = "semi_annually", _("Semi-annually")
    ANNUALLY = "annually", _("Annually")


class Covers(models.TextChoices):
    """Which assignments are reviewed. Activations are none of them: they end with their eligibility."""

    BOTH = "both", _("All active and eligible assignments")
    ELIGIBLE = "eligible", _("Eligible assignments only")
    ACTIVE = "active", _("Active assignments only")


class ReviewersKind(models.TextChoices):
    CHOSEN = "chosen", _("Selected users and groups")
    SELF = "self", _("The people themselves")
    MANAGERS = "managers", _("Their managers")


class IfUnanswered(models.TextChoices):
    NO_CHANGE = "no_change", _("No change")
    REMOVE = "remove", _("Remove access")
    APPROVE = "approve", _("Approve access")
    RECOMMENDATION = "recommendation", _("Take recommendations")


class Terms(models.Model):
    """What an instance takes over from its series when it starts; a later change of the series is for later ones."""

    covers = models.CharField(_("assignment type"), max_length=10, choices=Covers.choices, default=Covers.BOTH)
    inherited = models.BooleanField(
        _("also what is inherited"), default=False, help_text=_("It is shown, and removed where it was given.")
    )
    inactive_days = models.PositiveSmallIntegerField(
        _("only those inactive for"), null=True, blank=True, help_text=_("Days. Empty: everybody.")
    )
    recommendations = models.BooleanField(_("show recommendations"), default=True)
    look_back_days = models.PositiveSmallIntegerField(_("look-back"), default=30, help_text=_("Days."))
    reason_required = models.BooleanField(_("reason required on approval"), default=False)
    auto_apply = models.BooleanField(_("apply results automatically"), default=False)
    if_unanswered = models.CharField(
        _("if reviewers don’t respond"), max_length=20, choices=IfUnanswered.choices, default=IfUnanswered.NO_CHANGE
    )
    mails = models.BooleanField(_("mail notifications"), default=True)
    reminders = models.BooleanField(_("reminders"), default=True)
    mail_text = models.TextField(_("additional content for the reviewers’ mail"), blank=True)

    class Meta:
        abstract = True


class AccessReview(Terms):
    """A series of reviews of roles at one place; a review that happens once is a series of one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    resource = models.ForeignKey("roles.Resource", models.PROTECT, related_name="access_reviews")
    roles = models.ManyToManyField("roles.Role", related_name="+")
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    created_by = models.ForeignKey("roles.Principal", models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("created"))
    # By whose right results are applied automatically; none: the operator's.
    set_by = models.ForeignKey("roles.Principal", models.PROTECT, null=True, blank=True, related_name="+")

    starts_at = models.DateTimeField(_("start"), help_text=_("Of the first instance; the others follow by calendar."))
    zone = models.CharField(_("time zone"), max_length=64, help_text=_("On whose clock the calendar counts."))
    frequency = models.CharField(_("frequency"), max_length=20, choices=Frequency.choices, default=Frequency.ONCE)
    ends_on = models.DateField(_("last start"), null=True, blank=True, help_text=_("No instance starts after it."))
    occurrences = models.PositiveSmallIntegerField(_("number of instances"), null=True, blank=True)

    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)
    deleted_by = models.ForeignKey("roles.Principal", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("access review")
        verbose_name_plural = _("access reviews")
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(occurrences=None), name="a_review_ends_by_date_or_by_number"
            ),
        ]
        indexes = [models.Index(fields=["resource", "-created_at"], name="review_at_resource")]

    def __str__(self) -> str:
        return self.name


class Stage(models.Model):
    """Who reviews, one group of reviewers after the other; each for a number of days."""

    review = models.ForeignKey(AccessReview, models.PROTECT, related_name="stages")
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(_("reviewers"), max_length=10, choices=ReviewersKind.choices, default=ReviewersKind.CHOSEN)
    days = models.PositiveSmallIntegerField(_("duration"), help_text=_("Days."))

    class Meta:
        verbose_name = _("stage of a review")
        verbose_name_plural = _("stages of reviews")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["review", "number"], name="review_stages_are_numbered_once"),
            models.CheckConstraint(condition=Q(days__gte=1), name="a_review_stage_lasts_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.review_id}:{self.number}"


class StagePrincipal(models.Model):
    """A user or group that reviews in a stage, or stands in where a row has no reviewer (`fallback`)."""

    stage = models.ForeignKey(Stage, models.CASCADE, related_name="principals")
    principal = models.ForeignKey("roles.Principal", models.PROTECT, related_name="+")
    fallback = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("reviewer of a stage")
        verbose_name_plural = _("reviewers of stages")
        constraints = [
            models.UniqueConstraint(fields=["stage", "principal", "fallback"], name="a_review_stage_names_one_once")
        ]

    def __str__(self) -> str:
        return str(self.principal_id)


class Told(models.Model):
    """A user or group that is told at the end of each instance."""

    review = models.ForeignKey(AccessReview, models.PROTECT, related_name="told")
    principal = models.ForeignKey("roles.Principal", models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("told at the end of a review")
        verbose_name_plural = _("told at the end of reviews")
        constraints = [models.UniqueConstraint(fields=["review", "principal"], name="a_review_tells_one_once")]

    def __str__(self) -> str:
        return str(self.principal_id)
