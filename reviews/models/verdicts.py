"""The rows of an instance: each one assignment as it stood at the start, and what became of it."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from reviews.models.instances import Instance
from roles.models import AssignmentType, PrincipalKind


class Opinion(models.TextChoices):
    """What is said of an assignment."""

    NOT_REVIEWED = "not_reviewed", _("Not reviewed")
    APPROVE = "approve", _("Approved")
    DENY = "deny", _("Denied")
    DONT_KNOW = "dont_know", _("Don’t know")


class Recommendation(models.TextChoices):
    APPROVE = "approve", _("Approve")
    DENY = "deny", _("Deny")
    NONE = "none", _("No recommendation")


class Because(models.TextChoices):
    """Why something is recommended; `reviews.wording` makes a sentence of it."""

    ACTIVATED = "activated", _("Activated in the look-back")
    SIGNED_IN = "signed_in", _("Signed in during the look-back")
    NEW = "new", _("Too new to tell")
    NOT_ACTIVATED = "not_activated", _("Not activated in the look-back")
    NOT_SIGNED_IN = "not_signed_in", _("Not signed in during the look-back")
    NEVER_SEEN = "never_seen", _("Never signed in")
    EMERGENCY = "emergency", _("Perhaps kept for emergencies")
    OFF = "off", _("Recommendations are switched off")


class How(models.TextChoices):
    """How a verdict came about."""

    DECIDED = "decided", _("Decided")
    RECOMMENDED = "recommended", _("Recommendation accepted")
    UNANSWERED = "unanswered", _("Nobody answered")
    NOBODY_COULD = "nobody_could", _("Nobody could review it")
    LEFT = "left", _("Nobody answered: only a person removes it")


class ApplyResult(models.TextChoices):
    """What applying the verdict came to. All but REFUSED are final."""

    NEW = "", _("Not applied")
    KEPT = "kept", _("Kept")
    REMOVED = "removed", _("Removed")
    GONE = "gone", _("Had ended before")
    REPLACED = "replaced", _("Given anew since")
    THROUGH_GROUP = "through_group", _("Held through a group")
    INHERITED = "inherited", _("Inherited")
    REFUSED = "refused", _("Could not be removed")


class Verdict(models.Model):
    """One assignment under review: who, what, where and since when as at the start, and the verdict on it.

    `principal` is whom the row is about: the holder, or a member where a group holds the role (`through`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    instance = models.ForeignKey(Instance, models.PROTECT, related_name="verdicts")
    assignment = models.ForeignKey("roles.Assignment", models.PROTECT, related_name="+")
    principal = models.ForeignKey("roles.Principal", models.PROTECT, related_name="+")
    principal_kind = models.CharField(max_length=10, choices=PrincipalKind.choices)
    through = models.ForeignKey("roles.Principal", models.PROTECT, null=True, blank=True, related_name="+")
    manager = models.ForeignKey("roles.Principal", models.PROTECT, null=True, blank=True, related_name="+")
    role = models.ForeignKey("roles.Role", models.PROTECT, related_name="+")
    resource = models.ForeignKey("roles.Resource", models.PROTECT, related_name="+")
    inherited = models.BooleanField(default=False)

    principal_name = models.CharField(_("who"), max_length=200)
    principal_key = models.CharField(max_length=400)
    through_name = models.CharField(max_length=200, blank=True)
    role_name = models.CharField(_("role"), max_length=200)
    role_key = models.CharField(max_length=400)
    resource_name = models.CharField(_("resource"), max_length=200)
    type = models.CharField(_("type"), max_length=10, choices=AssignmentType.choices)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True, blank=True)

    last_activated_at = models.DateTimeField(_("last activation"), null=True, blank=True)
    activations = models.PositiveIntegerField(_("activations"), default=0, help_text=_("In the look-back."))
    last_sign_in_at = models.DateTimeField(_("last sign-in"), null=True, blank=True)
    recommendation = models.CharField(
        _("recommendation"), max_length=10, choices=Recommendation.choices, default=Recommendation.NONE
    )
    because = models.CharField(max_length=20, choices=Because.choices, default=Because.OFF)

    verdict = models.CharField(_("verdict"), max_length=15, choices=Opinion.choices, default=Opinion.NOT_REVIEWED)
    stage = models.PositiveSmallIntegerField(default=0, help_text=_("The stage that said it; none yet is 0."))
    how = models.CharField(max_length=15, choices=How.choices, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    reviewer = models.ForeignKey("roles.Principal", models.PROTECT, null=True, blank=True, related_name="+")
    reviewer_name = models.CharField(_("reviewed by"), max_length=200, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    result = models.CharField(_("apply result"), max_length=15, choices=ApplyResult.choices, blank=True, default="")
    result_detail = models.CharField(max_length=500, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    applied_by_name = models.CharField(_("applied by"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("verdict of a review")
        verbose_name_plural = _("verdicts of reviews")
        ordering = ["role_key", "principal_key", "id"]
        constraints = [
            models.UniqueConstraint(fields=["instance", "assignment", "principal"], name="one_verdict_a_row"),
            models.CheckConstraint(
                condition=Q(verdict="not_reviewed", decided_at=None)
                | ~Q(verdict="not_reviewed") & Q(decided_at__isnull=False),
                name="a_verdict_says_when",
            ),
        ]
        indexes = [
            models.Index(fields=["instance", "role_key", "principal_key", "id"], name="verdict_in_order"),
            models.Index(fields=["instance", "verdict", "result", "id"], name="verdict_by_outcome_and_id"),
            models.Index(fields=["instance", "id"], name="verdict_of_instance"),
            models.Index(fields=["manager", "instance"], name="verdict_by_manager"),
            models.Index(fields=["principal", "instance"], name="verdict_by_principal"),
        ]

    def __str__(self) -> str:
        return f"{self.principal_name}: {self.role_name} ({self.get_verdict_display()})"


class PastVerdict(models.Model):
    """What was said before somebody said something else, or everything was reset. Only ever added."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    row = models.ForeignKey(Verdict, models.PROTECT, related_name="past")
    stage = models.PositiveSmallIntegerField()
    verdict = models.CharField(max_length=15, choices=Opinion.choices)
    how = models.CharField(max_length=15, choices=How.choices, blank=True)
    reason = models.TextField(blank=True)
    reviewer = models.ForeignKey("roles.Principal", models.PROTECT, null=True, blank=True, related_name="+")
    reviewer_name = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField()
    replaced_at = models.DateTimeField()

    class Meta:
        verbose_name = _("earlier verdict of a review")
        verbose_name_plural = _("earlier verdicts of reviews")
        ordering = ["decided_at", "id"]
        indexes = [models.Index(fields=["row", "decided_at"], name="past_verdict_of_row")]

    def __str__(self) -> str:
        return f"{self.row_id} ({self.get_verdict_display()})"
