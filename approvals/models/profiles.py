"""Saved profiles: roles that somebody activates together, with what they said the last time."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from roles.models.principals import search_key
from roles.text import MAX_NAME


class Profile(models.Model):
    """A list of roles with a name; it gives nothing by itself: each role is asked for like any other."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey("roles.Principal", models.PROTECT, related_name="profiles", verbose_name=_("owner"))
    name = models.CharField(_("name"), max_length=MAX_NAME)
    name_key = models.CharField(max_length=2 * MAX_NAME, editable=False)
    duration = models.DurationField(_("duration"), help_text=_("Of the last time."))
    reason = models.TextField(_("reason"), blank=True, help_text=_("Of the last time."))
    pinned = models.BooleanField(_("pinned"), default=True, help_text=_("Shown on the Overview."))
    made_at = models.DateTimeField(_("made"), default=timezone.now)

    class Meta:
        verbose_name = _("saved profile")
        verbose_name_plural = _("saved profiles")
        ordering = ["name_key", "id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name_key"], name="one_profile_of_a_name_per_owner"),
            models.CheckConstraint(condition=Q(duration__gt=timedelta(0)), name="a_profile_lasts_a_while"),
        ]

    def __str__(self) -> str:
        # Not its name: that is for its owner.
        return f"{self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = search_key(self.name)[: 2 * MAX_NAME]
        if (fields := kwargs.get("update_fields")) is not None and "name" in fields:
            kwargs["update_fields"] = {*fields, "name_key"}
        super().save(*args, **kwargs)


class ProfileItem(models.Model):
    """One role of a profile: which, where one is eligible for it, and where it is activated.

    By role and place, not by assignment: an eligibility that was renewed is another row, and still the same to its
    holder.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    profile = models.ForeignKey(Profile, models.CASCADE, related_name="items", verbose_name=_("saved profile"))
    number = models.PositiveSmallIntegerField(_("number"))
    role = models.ForeignKey("roles.Role", models.PROTECT, related_name="+", verbose_name=_("role"))
    resource = models.ForeignKey("roles.Resource", models.PROTECT, related_name="+", verbose_name=_("eligible at"))
    scope = models.ForeignKey("roles.Resource", models.PROTECT, related_name="+", verbose_name=_("activated at"))

    class Meta:
        verbose_name = _("role of a saved profile")
        verbose_name_plural = _("roles of saved profiles")
        ordering = ["profile", "number"]
        constraints = [
            models.UniqueConstraint(fields=["profile", "number"], name="one_role_per_number_of_a_profile"),
            models.UniqueConstraint(fields=["profile", "role", "resource"], name="a_role_stands_once_in_a_profile"),
        ]

    def __str__(self) -> str:
        return f"{self.role_id} at {self.resource_id}"
