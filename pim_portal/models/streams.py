"""Where the history goes on to: web hooks, and how far each cursor of lines has read. All read in leaf order."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from roles.models.encrypted import EncryptedTextField

LONGEST_URL = 1000  # characters


class WebHook(models.Model):
    """An address that every sealed event is posted to, in leaf order, and how far that got.

    `position` is the last leaf that was taken there. `upto` is the last leaf of the batch that is on its way, and stays
    until that batch was taken, so that it is repeated as it was; `generation` counts what makes that void. `lease` is
    whoever sends now, until `leased_until`. The secrets are in the form whsec_…, the old one good until its time.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True)
    url = models.CharField(_("address"), max_length=LONGEST_URL)
    kinds = models.JSONField(_("kinds"), default=list, help_text=_("None: every kind of event."))
    secret = EncryptedTextField(_("secret"))
    old_secret = EncryptedTextField(_("secret of before"), default="")
    old_secret_until = models.DateTimeField(null=True)
    made_at = models.DateTimeField(_("added"), default=timezone.now)
    paused_at = models.DateTimeField(_("paused"), null=True)

    position = models.BigIntegerField(_("delivered up to"), default=0)
    upto = models.BigIntegerField(default=0)
    generation = models.PositiveIntegerField(default=1)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    delivered_at = models.DateTimeField(_("last delivered"), null=True)
    failures = models.PositiveIntegerField(_("failed attempts"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True)
    last_error = models.CharField(_("last error"), max_length=300, blank=True)

    test_asked_at = models.DateTimeField(null=True)
    tested_at = models.DateTimeField(_("tested"), null=True)
    test_error = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("web hook")
        verbose_name_plural = _("web hooks")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(position__gte=0), name="a_web_hook_begins_with_the_first_leaf"),
            models.CheckConstraint(
                condition=Q(lease=None, leased_until=None) | Q(lease__isnull=False, leased_until__isnull=False),
                name="a_lease_of_a_web_hook_ends",
            ),
            models.CheckConstraint(
                condition=Q(failures=0, failing_since=None) | Q(failures__gt=0, failing_since__isnull=False),
                name="a_web_hook_fails_since_some_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def secrets(self, now: datetime) -> list[str]:
        """Return the secrets that sign now, the newest first."""
        old = self.old_secret if self.old_secret_until and now < self.old_secret_until else ""
        return [self.secret, *([old] if old else [])]


class AuditCursor(models.Model):
    """How far a named reader of the history as lines has got: the last leaf that was written out."""

    name = models.CharField(_("name"), primary_key=True, max_length=100)
    position = models.BigIntegerField(_("written up to"), default=0)
    moved_at = models.DateTimeField(_("last moved"), null=True)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("cursor of the history")
        verbose_name_plural = _("cursors of the history")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(position__gte=0), name="a_cursor_begins_with_the_first_leaf"),
        ]

    def __str__(self) -> str:
        return self.name


# What delivering alone changes, and no event tells of: where it is, not where it goes.
DELIVERING = (
    "position",
    "upto",
    "lease",
    "leased_until",
    "next_attempt_at",
    "delivered_at",
    "failures",
    "failing_since",
    "last_error",
    "test_asked_at",
    "tested_at",
    "test_error",
)
