"""How far the files of the history are that somebody downloads now: kept for a day, seen by nobody else."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DownloadEnd(models.TextChoices):
    """How a download ended, as far as the server knows."""

    COMPLETE = "complete", _("Complete")
    CUT_OFF = "cut_off", _("Ended with the right to read it")
    BROKEN = "broken", _("Broken off")


class Download(models.Model):
    """A file that is sent while it is made. `total` is what it will hold; none before that is counted, or cannot be."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reader = models.ForeignKey("roles.User", models.PROTECT, related_name="downloads")
    name = models.CharField(_("file"), max_length=200)
    sent = models.PositiveBigIntegerField(_("events sent"), default=0)
    total = models.PositiveBigIntegerField(_("events in all"), null=True)
    begun_at = models.DateTimeField(_("begun"), default=timezone.now)
    moved_at = models.DateTimeField(_("last moved"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True)
    end = models.CharField(_("how it ended"), max_length=10, choices=DownloadEnd.choices, blank=True)

    class Meta:
        verbose_name = _("download")
        verbose_name_plural = _("downloads")
        ordering = ["-begun_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at=None, end="") | (Q(finished_at__isnull=False) & ~Q(end="")),
                name="a_download_that_ended_says_how",
            ),
        ]

    def __str__(self) -> str:
        return self.name
