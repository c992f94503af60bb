"""The stages of a request, who may decide in each, and what they said."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from approvals.models.requests import Request
from roles.models import AssignmentType


class Verdict(models.TextChoices):
    APPROVE = "approve", _("Approved")
    DENY = "deny", _("Denied")


class RequestStage(models.Model):
    """A stage of approval as it was when the request was made."""

    request = models.ForeignKey(Request, models.PROTECT, related_name="stages")
    number = models.PositiveSmallIntegerField()
    quorum = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("stage of a request")
        verbose_name_plural = _("stages of requests")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["request", "number"], name="request_stages_are_numbered_once")]

    def __str__(self) -> str:
        return f"{self.request_id}:{self.number}"


class RequestApproverQuerySet(models.QuerySet["RequestApprover"]):
    """Ways to narrow who was asked. When an escalation begins is derived from the clock."""

    def asked(self, now: datetime) -> RequestApproverQuerySet:
        """Return who was asked by `now`: the approvers, and the escalation of what waited for half of its window."""
        # made_at + (lapses_at - made_at) / 2 <= now, without a division that SQLite would not do on times.
        made, decided = F("stage__request__made_at"), F("stage__request__decided_at")
        waited = Q(stage__request__decided_at=None, stage__request__lapses_at__lte=now + (now - made))
        half_before = models.ExpressionWrapper(decided + (decided - made), output_field=models.DateTimeField())
        return self.filter(Q(escalation=False) | waited | Q(stage__request__lapses_at__lte=half_before))


class RequestApprover(models.Model):
    """Somebody who was an approver of this stage, or its escalation, when the request was made.

    People, never groups: whoever joins an approving group later decides later requests only.
    """

    stage = models.ForeignKey(RequestStage, models.PROTECT, related_name="approvers")
    principal = models.ForeignKey("roles.Principal", models.PROTECT, related_name="+")
    escalation = models.BooleanField(
        _("escalation"), default=False, help_text=_("May decide once half of the lapse window is over.")
    )

    objects = RequestApproverQuerySet.as_manager()

    class Meta:
        verbose_name = _("approver of a request")
        verbose_name_plural = _("approvers of requests")
        constraints = [models.UniqueConstraint(fields=["stage", "principal"], name="a_request_names_an_approver_once")]
        indexes = [models.Index(fields=["principal"], name="request_approver_principal")]

    def __str__(self) -> str:
        return str(self.principal_id)


class Decision(models.Model):
    """What an approver said. Decisions are only ever added."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(Request, models.PROTECT, related_name="decisions")
    stage = models.ForeignKey(
        RequestStage,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="decisions",
        help_text=_("None: decided by authority over the place."),
    )
    approver = models.ForeignKey(
        "roles.Principal",
        models.PROTECT,
        related_name="decisions",
        help_text=_("Who decided: an approver or a deputy."),
    )
    for_approver = models.ForeignKey(
        "roles.Principal",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("in place of"),
        help_text=_("Of a deputy: the approver in whose place it was decided."),
    )
    verdict = models.CharField(_("decision"), max_length=10, choices=Verdict.choices)
    justification = models.TextField(_("justification"))
    granted_duration = models.DurationField(_("granted duration"), null=True, blank=True)
    granted_type = models.CharField(_("granted type"), max_length=10, choices=AssignmentType.choices, blank=True)
    granted_start = models.DateTimeField(_("granted start"), null=True, blank=True, help_text=_("Empty: at once."))
    granted_end = models.DateTimeField(
        _("granted end"), null=True, blank=True, help_text=_("Of an extension or renewal. Empty: permanent.")
    )
    decided_at = models.DateTimeField(_("decided"))

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["decided_at", "id"]
        constraints = [
            # Across the stages, too: nobody counts twice.
            models.UniqueConstraint(fields=["request", "approver"], name="an_approver_decides_a_request_once"),
            # Whether the approver or a deputy decides: one seat counts once.
            models.UniqueConstraint(
                "request", Coalesce("for_approver", "approver"), name="a_seat_decides_a_request_once"
            ),
            models.CheckConstraint(
                condition=Q(for_approver=None) | ~Q(for_approver=F("approver")), name="nobody_is_their_own_deputy"
            ),
            models.CheckConstraint(
                condition=~Q(granted_type="") | Q(granted_start=None, granted_end=None),
                name="only_granted_terms_have_dates",
            ),
        ]
        indexes = [models.Index(fields=["approver", "-decided_at"], name="decision_by_approver")]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()} {self.request_id}"

    @property
    def seat_id(self) -> uuid.UUID:
        """The approver whose seat this decision took."""
        return self.for_approver_id or self.approver_id

    @property
    def said_by(self) -> str:
        """Who decided, as pages and mails say it: a deputy with the approver behind them."""
        if self.for_approver is None:
            return self.approver.name
        words = gettext("{deputy}, in place of {approver}")
        return words.format(deputy=self.approver.name, approver=self.for_approver.name)
