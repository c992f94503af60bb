"""Mail that the demo shows instead of sending it away. The table stays empty outside the demo."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SampleMail(models.Model):
    """One mail to one sample person."""

    recipient = models.CharField(max_length=300, db_index=True)
    subject = models.CharField(max_length=500)
    text = models.TextField()
    html = models.TextField(blank=True)
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("sample mail")
        verbose_name_plural = _("sample mails")
        ordering = ["-sent_at", "-pk"]

    def __str__(self) -> str:
        return self.subject
