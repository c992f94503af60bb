"""Step-ups: each fresh second factor is a row of its own, spent in the transaction of what it allows."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

FRESH_FOR = timedelta(minutes=5)


class Purpose(models.TextChoices):
    """The kind of act that a second factor was given for. One given at sign-in serves any one of them."""

    SIGN_IN = "sign_in", _("Sign in")
    ACTIVATE = "activate", _("Activate")
    BREAK_GLASS = "break_glass", _("Activate in an emergency")
    DECIDE = "decide", _("Decide")
    ASSIGN = "assign", _("Assign")
    SETTINGS = "settings", _("Change settings")
    PEOPLE = "people", _("People and groups")
    FACTORS = "factors", _("Own second factors")
    ELEVATE = "elevate", _("Elevate access")
    EXPORT = "export", _("Export everything")
    LEAVE = "leave", _("End all access of somebody")


# What one form does in several ways: its second factor serves each of these.
ALSO_SERVED_BY: dict[Purpose, frozenset[Purpose]] = {
    Purpose.ASSIGN: frozenset({Purpose.LEAVE}),
    Purpose.SETTINGS: frozenset({Purpose.LEAVE}),
    Purpose.PEOPLE: frozenset({Purpose.LEAVE}),
}


class StepUp(models.Model):
    """A second factor given by one person in one session for one kind of act."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey("roles.User", models.PROTECT, related_name="step_ups")
    session = models.CharField(max_length=64, help_text=_("A hash of the session's secret, never the secret."))
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    device = models.CharField(max_length=100, help_text=_("django-otp's id of the device."))
    verified_at = models.DateTimeField()
    until = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    spent_on = models.CharField(max_length=64, blank=True, help_text=_("Digest of the form and its objects."))

    class Meta:
        verbose_name = _("step-up")
        verbose_name_plural = _("step-ups")
        indexes = [models.Index(fields=["user", "session", "until"], name="step_up_by_session")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(used_at=None, spent_on="")
                | models.Q(used_at__isnull=False) & ~models.Q(spent_on=""),
                name="step_up_is_spent_on_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} ({self.verified_at:%Y-%m-%d %H:%M})"
