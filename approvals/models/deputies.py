"""Deputies: who decides in place of an approver, from when to when."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class DeputyQuerySet(models.QuerySet["Deputy"]):
    """Ways to narrow deputies. Whether one may decide is derived from the clock."""

    def in_effect(self, now: datetime) -> DeputyQuerySet:
        """Return who stands in for whom at `now`; both must be enabled."""
        open_now = self.filter(starts_at__lte=now, ends_at__gt=now, ended_at=None)
        return open_now.filter(approver__enabled=True, deputy__enabled=True)

    def not_over(self, now: datetime) -> DeputyQuerySet:
        """Return what stands now or will."""
        return self.filter(ends_at__gt=now, ended_at=None)


class Deputy(models.Model):
    """Somebody decides in place of an approver for a span of time, and gains nothing else by it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    approver = models.ForeignKey("roles.Principal", models.PROTECT, related_name="deputies")
    deputy = models.ForeignKey("roles.Principal", models.PROTECT, related_name="deputises")
    starts_at = models.DateTimeField(_("start"))
    ends_at = models.DateTimeField(_("end"))
    ended_at = models.DateTimeField(_("ended before its time"), null=True, blank=True)
    reason = models.TextField(_("reason"))

    objects = DeputyQuerySet.as_manager()

    class Meta:
        verbose_name = _("deputy")
        verbose_name_plural = _("deputies")
        ordering = ["-starts_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="a_deputy_ends_after_the_start"),
            models.CheckConstraint(condition=~Q(approver=F("deputy")), name="nobody_names_themselves_a_deputy"),
        ]
        indexes = [
            models.Index(fields=["deputy", "ends_at"], condition=Q(ended_at=None), name="deputy_of_whom"),
            models.Index(fields=["approver", "ends_at"], condition=Q(ended_at=None), name="deputies_of_approver"),
        ]

    def __str__(self) -> str:
        return f"{self.deputy_id} for {self.approver_id}"
