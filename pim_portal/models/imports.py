"""Files that somebody has sent to import: kept until they are applied or a day old, seen by nobody else."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class UploadStatus(models.TextChoices):
    CHECKING = "checking", _("Being checked")
    CHECKED = "checked", _("Checked")
    CONFIRMED = "confirmed", _("Being applied")
    APPLIED = "applied", _("Applied")
    FAILED = "failed", _("Not applied")


class FileKind(models.TextChoices):
    """What a file brings in."""

    ASSIGNMENTS = "assignments", _("Assignments")
    PEOPLE = "people", _("People")
    GROUPS = "groups", _("Groups")
    RESOURCES = "resources", _("Resources")


class Upload(models.Model):
    """A file, how far the worker is with it, and what its sender has confirmed.

    `digest` is the SHA-256 of the file: what was looked at is what is applied.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    uploader = models.ForeignKey("roles.User", models.PROTECT, related_name="uploads")
    place = models.ForeignKey("roles.Resource", models.PROTECT, related_name="+")
    kind = models.CharField(_("contents"), max_length=20, choices=FileKind.choices, default=FileKind.ASSIGNMENTS)
    invite = models.BooleanField(default=False, help_text=_("Whether new people are mailed their invitation."))
    name = models.CharField(_("file"), max_length=200)
    digest = models.CharField(max_length=64)
    lines = models.PositiveIntegerField(_("lines"))
    checked = models.PositiveIntegerField(_("checked"), default=0)
    counts = models.JSONField(default=dict, help_text=_("How many lines there are of each fate."))
    status = models.CharField(_("status"), max_length=10, choices=UploadStatus.choices, default=UploadStatus.CHECKING)
    problem = models.TextField(blank=True, help_text=_("Why it was not applied."))
    made_at = models.DateTimeField(_("sent"), default=timezone.now)
    confirmed_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    address = models.CharField(max_length=64, blank=True)
    begun_at = models.DateTimeField(null=True, help_text=_("When a process was last sent to apply it."))
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-made_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=False) | ~Q(status__in=["confirmed", "applied"]),
                name="what_is_applied_was_confirmed",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def running(self) -> bool:
        """Whether the worker has something to do with it."""
        return self.status in (UploadStatus.CHECKING, UploadStatus.CONFIRMED)

    @property
    def can_be_confirmed(self) -> bool:
        return self.status == UploadStatus.CHECKED and not self.counts.get("wrong") and bool(self.counts.get("made"))


class UploadPart(models.Model):
    """A part of a file, so that no part of the portal ever holds all of it."""

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name = _("part of an import")
        verbose_name_plural = _("parts of imports")
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="one_part_of_a_number")]

    def __str__(self) -> str:
        return f"{self.upload_id} {self.number}"


class UploadLine(models.Model):
    """What would become of one line; `key` names what it would make, so that a second such line is found."""

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="report")
    number = models.PositiveIntegerField(_("line"))
    fate = models.CharField(_("what becomes of it"), max_length=10)
    sentence = models.TextField(_("why"), blank=True)
    about = models.CharField(_("what"), max_length=1000, blank=True)
    about_key = models.CharField(max_length=1000, blank=True)
    key = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("line of an import")
        verbose_name_plural = _("lines of imports")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="one_verdict_on_a_line")]
        indexes = [models.Index(fields=["upload", "fate", "number"], name="upload_line_by_fate")]

    def __str__(self) -> str:
        return f"{self.number}: {self.fate}"


class UploadProgress(models.Model):
    """How many lines a process is through with, told beside its one long transaction (PostgreSQL)."""

    upload = models.OneToOneField(Upload, models.CASCADE, primary_key=True, related_name="progress")
    done = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("progress of an import")
        verbose_name_plural = _("progress of imports")

    def __str__(self) -> str:
        return f"{self.upload_id}: {self.done}"
