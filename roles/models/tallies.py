"""What was counted of what there is much of: figures for pages to show, never what somebody may do."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Tally(models.Model):
    """What one count said, of which values, when; and when somebody last looked at it. Kept by `roles.tallies`."""

    key = models.CharField(primary_key=True, max_length=64, editable=False)
    count = models.CharField(_("count"), max_length=40, editable=False)
    of = models.JSONField(_("of"), editable=False)
    found = models.JSONField(_("found"), editable=False)
    counted_at = models.DateTimeField(_("counted"), editable=False)
    seen_at = models.DateTimeField(_("last looked at"), editable=False)

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")

    def __str__(self) -> str:
        return f"{self.count} {self.counted_at:%Y-%m-%d %H:%M:%S}"
