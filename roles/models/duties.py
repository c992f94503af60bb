"""Separation of duties: roles that one person may not hold together at a place, or not have active at once."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from roles.models.principals import search_key


class DutyReach(models.TextChoices):
    """What a rule keeps apart."""

    HOLD = "hold", _("Not held together")
    ACTIVE = "active", _("Not active at once")


class DutyRuleQuerySet(models.QuerySet["DutyRule"]):
    """Rules, and ways to narrow them."""

    def in_force(self) -> DutyRuleQuerySet:
        """Return what nobody has retired."""
        return self.filter(retired_at=None)

    def naming(self, roles: Any) -> DutyRuleQuerySet:
        """Return the rules in force that name one of these roles (a list or a subquery of ids)."""
        named = DutyRule.roles.through.objects.filter(role__in=roles)
        return self.in_force().filter(pk__in=named.values("dutyrule"))


class DutyRule(models.Model):
    """Any two of these roles are kept apart at a resource and everything below. Retired, never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100)
    name_key = models.CharField(max_length=300, editable=False, db_index=True)
    description = models.CharField(_("description"), max_length=500, blank=True)
    reach = models.CharField(_("what is kept apart"), max_length=10, choices=DutyReach.choices)
    resource = models.ForeignKey("roles.Resource", models.PROTECT, related_name="duty_rules")
    roles = models.ManyToManyField("roles.Role", related_name="duty_rules", verbose_name=_("roles"))
    made_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)
    made_by = models.ForeignKey(
        "roles.User", models.PROTECT, null=True, blank=True, editable=False, related_name="duty_rules"
    )
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True, editable=False)

    objects = DutyRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("rule of separation of duties")
        verbose_name_plural = _("rules of separation of duties")
        ordering = ["name_key", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["resource", "name_key"], condition=models.Q(retired_at=None), name="one_duty_rule_of_a_name"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = search_key(self.name)[:300]
        super().save(*args, **kwargs)
