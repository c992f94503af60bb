"""The outbox: one row for each mail to one person, written with the change that it tells of, and what people chose."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

LONGEST_KEY = 200  # characters


class NotificationState(models.TextChoices):
    WAITING = "waiting", _("Waiting to be sent")
    GATHERED = "gathered", _("Kept for the digest")
    SENT = "sent", _("Sent")
    DROPPED = "dropped", _("Not needed any more")
    FAILED = "failed", _("Set aside")


class Due(models.TextChoices):
    """What falls due by the clock, without a change behind it."""

    ENDS_IN_TWO_WEEKS = "ends_14d", _("An assignment ends within 14 days")
    ENDS_TOMORROW = "ends_1d", _("An assignment ends within a day")
    ACTIVATION_ENDS = "activation_ends", _("An activation ends soon")
    REQUEST_HALFWAY = "request_half", _("A request has waited for half of its window")
    EMERGENCY_REVIEW = "emergency_review", _("An emergency was not reviewed in time")
    DIGEST = "digest", _("The digest of a week")


class DueItem(models.Model):
    """Something that fell due, once: the row is written together with the mails that come of it.

    `subject_id` is the assignment, request or person it is about; `at` the moment that it is about (the end that comes,
    the week that is over), so that an end which is moved falls due anew.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("what is due"), max_length=20, choices=Due.choices)
    subject_id = models.UUIDField(_("about"))
    at = models.DateTimeField(_("moment"))
    written_at = models.DateTimeField(_("written down"))

    class Meta:
        verbose_name = _("due item")
        verbose_name_plural = _("due items")
        ordering = ["-written_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject_id", "at"], name="what_is_due_is_written_down_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"


class Notification(models.Model):
    """A mail to one person about one event or due item, or a line to one chat channel.

    Rendered when it is sent, so that rendering holds no lock and a mail never tells what is no longer true. It goes to
    a `recipient`, or to an `address` that the settings of a role name besides, or to the `channel` whose key that is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey("audit.Event", models.PROTECT, null=True, blank=True, related_name="+")
    due = models.ForeignKey(DueItem, models.PROTECT, null=True, blank=True, related_name="notifications")
    recipient = models.ForeignKey(
        "roles.Principal", models.PROTECT, null=True, blank=True, related_name="notifications"
    )
    address = models.EmailField(_("address"), blank=True)
    channel = models.CharField(_("chat channel"), max_length=32, blank=True)
    mail = models.CharField(_("kind of mail"), max_length=60)
    dedupe_key = models.CharField(max_length=LONGEST_KEY, unique=True)
    digest = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="gathered", verbose_name=_("in the digest")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=NotificationState.choices, default=NotificationState.WAITING
    )
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    last_error = models.CharField(_("last answer"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-created_at", "id"]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(state="waiting"), name="notification_due"),
            models.Index(fields=["recipient"], condition=Q(state="gathered"), name="notification_gathered"),
            models.Index(fields=["state", "-created_at"], name="notification_by_state"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(event__isnull=False) | Q(due__isnull=False), name="a_notification_tells_of_something"
            ),
            models.CheckConstraint(
                condition=Q(recipient__isnull=False, address="", channel="")
                | (Q(recipient=None, channel="") & ~Q(address=""))
                | (Q(recipient=None, address="") & ~Q(channel="")),
                name="a_notification_goes_to_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mail} ({self.get_state_display()})"

    @property
    def message_id(self) -> str:
        """The part of the Message-ID before the @; the same at every attempt."""
        return f"{self.pk.hex}.pim"


class Topic(models.TextChoices):
    """What mails that only inform are about, as somebody chooses between them."""

    MY_ROLES = "my_roles", _("Roles that I get, and that end")
    MY_ENDS = "my_ends", _("Roles and activations of mine that end soon")
    MY_REQUESTS = "my_requests", _("How my requests ended")
    DECIDED = "decided", _("How requests ended that I was asked to decide")
    PRIVILEGED_ACTIVATIONS = "privileged_activations", _("Activations of privileged roles that I administer")
    OTHER_ACTIVATIONS = "other_activations", _("Activations of other roles that I administer")
    ADMINISTERED = "administered", _("Assignments and settings that I administer: given, changed, ending")
    ALERTS = "alerts", _("Alerts where I administer; those of high severity always come at once")
    DIGEST = "digest", _("The weekly digest")


class Delivery(models.TextChoices):
    """How somebody wants to hear of a topic."""

    AT_ONCE = "at_once", _("At once")
    DIGEST = "digest", _("In the digest")
    NEVER = "never", _("Never")


class NotificationChoice(models.Model):
    """What somebody chose for one topic, where it differs from the usual."""

    user = models.ForeignKey("roles.User", models.CASCADE, related_name="notification_choices")
    topic = models.CharField(_("topic"), max_length=30, choices=Topic.choices)
    delivery = models.CharField(_("how"), max_length=10, choices=Delivery.choices)

    class Meta:
        verbose_name = _("choice of notifications")
        verbose_name_plural = _("choices of notifications")
        ordering = ["user", "topic"]
        constraints = [models.UniqueConstraint(fields=["user", "topic"], name="one_choice_for_each_topic")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.topic}, {self.delivery}"
