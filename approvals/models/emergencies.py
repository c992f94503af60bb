"""Reviews of emergencies: somebody else looks at each activation that did not wait for approval."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from approvals.models.requests import Request


class EmergencyReviewQuerySet(models.QuerySet["EmergencyReview"]):
    """Ways to narrow reviews. Whether one is overdue is derived from the clock."""

    def open(self) -> EmergencyReviewQuerySet:
        """Return what nobody has closed."""
        return self.filter(closed_at=None)

    def overdue(self, now: datetime) -> EmergencyReviewQuerySet:
        """Return what nobody has closed in time."""
        return self.open().filter(due_at__lte=now)


class EmergencyReview(models.Model):
    """What somebody else found of an activation in an emergency. It is closed once, and never opened again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.OneToOneField(Request, models.PROTECT, related_name="emergency_review")
    due_at = models.DateTimeField(_("to be closed by"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.ForeignKey(
        "roles.Principal", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("closed by")
    )
    operator = models.CharField(
        _("operator"), max_length=200, blank=True, help_text=_("Who closed it by a command on the server.")
    )
    justified = models.BooleanField(_("justified"), null=True, blank=True)
    finding = models.TextField(_("finding"), blank=True)

    objects = EmergencyReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("review of an emergency")
        verbose_name_plural = _("reviews of emergencies")
        ordering = ["due_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None, operator="", justified=None, finding="")
                | (
                    Q(closed_at__isnull=False, justified__isnull=False)
                    & ~Q(finding="")
                    & (Q(closed_by__isnull=False, operator="") | (Q(closed_by=None) & ~Q(operator="")))
                ),
                name="a_closed_review_of_an_emergency_says_who_and_what",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(closed_at=None), name="emergency_review_due")]

    def __str__(self) -> str:
        return str(self.request_id)

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have been closed by `now`."""
        return self.closed_at is None and self.due_at <= now

    @property
    def closed_as(self) -> str:
        """Who closed it, as pages and mails say it."""
        return self.closed_by.name if self.closed_by else self.operator
