"""Alerts: what was found to be risky, and what is set for looking.

What an alert looks for is code (`pim_portal.alerts`); here stands when it looked, and each case that it found.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Severity(models.TextChoices):
    """High: act now. Medium: possibly a violation. Low: something could be set better (pim-behaviour.md §6)."""

    HIGH = "high", _("High")
    MEDIUM = "medium", _("Medium")
    LOW = "low", _("Low")


class Alert(models.Model):
    """One kind of alert in one tree: in the directory with its units, or at a resource root and below.

    `scanning_until` is the claim of whoever scans now: it lapses by itself when they die. `wanted_at` is when somebody
    asked for a scan that has not been finished since.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(_("kind of alert"), max_length=60)
    root = models.ForeignKey("roles.Resource", models.PROTECT, related_name="+")
    last_scanned_at = models.DateTimeField(_("last scanned"), null=True, blank=True)
    wanted_at = models.DateTimeField(_("scan asked for"), null=True, blank=True)
    scanning_until = models.DateTimeField(_("being scanned until"), null=True, blank=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["key", "id"]
        constraints = [models.UniqueConstraint(fields=["key", "root"], name="one_alert_of_a_kind_in_a_tree")]

    def __str__(self) -> str:
        return f"{self.key} @ {self.root_id}"


class AlertSettings(models.Model):
    """What is set for one kind of alert at a place; it rules there and below, up to the next that is set."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(_("kind of alert"), max_length=60)
    resource = models.ForeignKey("roles.Resource", models.PROTECT, related_name="+")
    enabled = models.BooleanField(_("enabled"), default=True)
    mails = models.BooleanField(_("mails"), default=True)
    values = models.JSONField(_("thresholds"), default=dict)

    class Meta:
        verbose_name = _("settings of an alert")
        verbose_name_plural = _("settings of alerts")
        ordering = ["key", "id"]
        constraints = [models.UniqueConstraint(fields=["key", "resource"], name="one_settings_of_an_alert_at_a_place")]

    def __str__(self) -> str:
        return f"{self.key} @ {self.resource_id}"


class Resolution(models.TextChoices):
    """Why an incident is over."""

    GONE = "gone", _("No longer found")
    FIXED = "fixed", _("Fixed from here")
    TURNED_OFF = "turned_off", _("The alert was turned off")


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Ways to narrow incidents by where they stand."""

    def unresolved(self) -> IncidentQuerySet:
        """Return what is so still, dismissed or not."""
        return self.filter(resolved_at=None)

    def open(self) -> IncidentQuerySet:
        """Return what is so still and nobody has dismissed."""
        return self.unresolved().filter(dismissed_at=None)

    def dismissed(self) -> IncidentQuerySet:
        return self.unresolved().filter(dismissed_at__isnull=False)

    def resolved(self) -> IncidentQuerySet:
        return self.filter(resolved_at__isnull=False)


class Incident(models.Model):
    """One case of an alert: about one object, once while it lasts. What comes back is a new incident.

    `object_key` names the object within the alert. `untold` until the mail about it, or about its end, is written;
    `told_in` is the id of that telling.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    alert = models.ForeignKey(Alert, models.PROTECT, related_name="incidents")
    object_key = models.CharField(max_length=120, editable=False)
    resource = models.ForeignKey("roles.Resource", models.PROTECT, related_name="+", verbose_name=_("where"))
    principal = models.ForeignKey("roles.Principal", models.PROTECT, null=True, blank=True, related_name="+")
    role = models.ForeignKey("roles.Role", models.PROTECT, null=True, blank=True, related_name="+")
    assignment = models.ForeignKey("roles.Assignment", models.PROTECT, null=True, blank=True, related_name="+")
    facts = models.JSONField(_("what was found"), default=dict)
    raised_at = models.DateTimeField(_("found"))
    dismissed_at = models.DateTimeField(_("dismissed"), null=True, blank=True)
    dismissed_by = models.ForeignKey("roles.Principal", models.PROTECT, null=True, blank=True, related_name="+")
    dismissed_because = models.TextField(_("why it was dismissed"), blank=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    resolution = models.CharField(_("why it is over"), max_length=12, choices=Resolution.choices, blank=True)
    untold = models.BooleanField(default=True, editable=False)
    told_in = models.UUIDField(null=True, editable=False)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ["-raised_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "object_key"], condition=Q(resolved_at=None), name="one_open_incident_about_an_object"
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None, resolution="") | (Q(resolved_at__isnull=False) & ~Q(resolution="")),
                name="a_resolved_incident_says_why",
            ),
            models.CheckConstraint(
                condition=Q(dismissed_at=None, dismissed_because="")
                | (Q(dismissed_at__isnull=False) & ~Q(dismissed_because="")),
                name="a_dismissed_incident_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["resource"], condition=Q(resolved_at=None), name="incident_unresolved_at"),
            models.Index(fields=["alert"], condition=Q(untold=True), name="incident_untold"),
            models.Index(fields=["told_in"], name="incident_told_in"),
        ]

    def __str__(self) -> str:
        return f"{self.object_key} ({self.raised_at:%Y-%m-%d %H:%M})"
