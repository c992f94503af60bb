"""Sessions by person, and the tickets that let people in or back in without mail."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _

from roles.models.encrypted import EncryptedTextField


class PortalSession(AbstractBaseSession):
    """A session that knows whose it is, so that people can see and end their own."""

    user = models.ForeignKey("roles.User", models.CASCADE, null=True, related_name="sessions")
    signed_in_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=64, blank=True)
    browser = models.CharField(max_length=300, blank=True)

    class Meta(AbstractBaseSession.Meta):
        verbose_name = _("session")  # type: ignore[assignment]
        verbose_name_plural = _("sessions")  # type: ignore[assignment]

    @classmethod
    def get_session_store_class(cls) -> Any:
        from pim_portal.accounts.sessions import SessionStore

        return SessionStore


class TicketKind(models.TextChoices):
    INVITATION = "invitation", _("Invitation")
    RESET_PASSWORD = "reset_password", _("New password")
    RESET_FACTOR = "reset_factor", _("New second factor")
    RECOVERY = "recovery", _("New password and new second factor")

    @property
    def gives_password(self) -> bool:
        return self is not TicketKind.RESET_FACTOR

    @property
    def removes_factors(self) -> bool:
        return self in (TicketKind.RESET_FACTOR, TicketKind.RECOVERY)


class EntryTicket(models.Model):
    """A link that lets somebody choose a password or enrol a second factor, once, for a time.

    It gives no session: whoever uses it signs in afterwards like everyone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=TicketKind.choices)
    user = models.ForeignKey("roles.User", models.PROTECT, related_name="tickets")
    digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the secret in the link."))
    secret = EncryptedTextField(default="", help_text=_("For the mail with the link; emptied when the link is used."))
    made_by = models.ForeignKey("roles.User", models.PROTECT, null=True, related_name="tickets_made")
    made_at = models.DateTimeField()
    until = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("entry ticket")
        verbose_name_plural = _("entry tickets")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.user_id}"
