"""The outbox: one row for each mail to one person, written with the change that it tells of."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class NotificationState(models.TextChoices):
    WAITING = "waiting", _("Waiting to be sent")
    SENT = "sent", _("Sent")
    DROPPED = "dropped", _("Not needed any more")
    FAILED = "failed", _("Set aside")


class Notification(models.Model):
    """A mail to one person about one event or due item.

    Rendered when it is sent, so that rendering holds no lock and a mail never tells what is no longer true.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey("audit.Event", models.PROTECT, null=True, blank=True, related_name="+")
    due_item = models.CharField(max_length=200, blank=True, help_text=_("What is due, where no event tells of it."))
    recipient = models.ForeignKey("roles.Principal", models.PROTECT, related_name="notifications")
    mail = models.CharField(_("kind of mail"), max_length=60)
    dedupe_key = models.CharField(max_length=200, unique=True)
    context = models.JSONField(default=dict, help_text=_("Ids that the mail is rendered from."))
    state = models.CharField(max_length=10, choices=NotificationState.choices, default=NotificationState.WAITING)
    created_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-created_at", "id"]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(state="waiting"), name="notification_due"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(event__isnull=False) | ~Q(due_item=""), name="a_notification_tells_of_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mail} ({self.get_state_display()})"

    @property
    def message_id(self) -> str:
        """The part of the Message-ID before the @; the same at every attempt."""
        return f"{self.pk.hex}.pim"
