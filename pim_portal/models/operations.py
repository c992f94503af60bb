"""The worker's pulse and the state of the set-up."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Heartbeat(models.Model):
    """When a recurring job last ran to its end: sweep, send, and the worker's own pulse."""

    name = models.CharField(primary_key=True, max_length=40)
    beat_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return f"{self.name} {self.beat_at:%Y-%m-%d %H:%M:%S}"


class SetUp(models.Model):
    """The first set-up: one row, for ever. `done_at` closes the set-up page once and for all."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    code_digest = models.CharField(max_length=64, blank=True)
    code_until = models.DateTimeField(null=True)
    wrong_codes = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    dismissed = models.JSONField(default=list, help_text=_("Steps of the checklist that were dismissed."))

    class Meta:
        verbose_name = _("set-up")
        verbose_name_plural = _("set-up")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="there_is_one_set_up")]

    def __str__(self) -> str:
        return "Set-up"
