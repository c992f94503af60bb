"""The catalogue: role definitions and their settings."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from roles.models.principals import search_key
from roles.models.resources import ResourceKind
from roles.patterns import MAX_PATTERN


class RoleKind(models.TextChoices):
    """Where a role may be assigned."""

    DIRECTORY = "directory", _("Directory role")
    RESOURCE = "resource", _("Resource role")
    GROUP = "group", _("Group role")

    def may_stand_at(self, kind: ResourceKind) -> bool:
        """Return whether a role of this kind may be assigned at a resource of `kind`."""
        return kind.realm.value == self.value


class Role(models.Model):
    """A role definition. A built-in role's key is its template id in the field."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=RoleKind.choices)
    name = models.CharField(_("name"), max_length=200)
    name_key = models.CharField(max_length=400, editable=False, db_index=True)
    description = models.CharField(_("description"), max_length=500, blank=True)
    category = models.CharField(_("service or category"), max_length=80, blank=True)
    privileged = models.BooleanField(_("privileged"), default=False)
    built_in = models.BooleanField(_("built-in"), default=False)
    home = models.ForeignKey(
        "roles.Resource",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="custom_roles",
        help_text=_("Where a custom role was made: it is known and can be assigned there and below only."),
    )
    permissions = models.TextField(
        _("permissions"), blank=True, help_text=_("What the role allows in the target system, one a line.")
    )
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering = ["name_key", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "name_key"], condition=models.Q(home=None), name="one_built_in_role_per_kind_and_name"
            ),
            models.UniqueConstraint(
                fields=["home", "kind", "name_key"],
                condition=models.Q(home__isnull=False),
                name="one_custom_role_per_home_and_name",
            ),
            models.CheckConstraint(
                condition=models.Q(built_in=True, home=None) | models.Q(built_in=False, home__isnull=False),
                name="a_custom_role_has_a_home",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = search_key(self.name)[:400]
        super().save(*args, **kwargs)


class SecondFactor(models.TextChoices):
    """What an activation demands of the second factor."""

    NONE = "none", _("None")
    FRESH = "fresh", _("A fresh one (five minutes)")
    EVERY_TIME = "every_time", _("A code with every activation")


class RoleSettings(models.Model):
    """The rules of one role at one resource, or (resource none) the role's default.

    A resource without a row of its own takes the nearest ancestor's row as a whole, then the role's default, then the
    portal's default for the kind of role (`roles.catalogue.default_settings`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    role = models.ForeignKey(Role, models.PROTECT, related_name="settings")
    resource = models.ForeignKey("roles.Resource", models.PROTECT, null=True, blank=True, related_name="role_settings")

    max_activation = models.DurationField(_("maximum duration"), default=timedelta(hours=8))
    second_factor = models.CharField(
        _("second factor"), max_length=10, choices=SecondFactor.choices, default=SecondFactor.FRESH
    )
    reason_required = models.BooleanField(_("reason required"), default=True)
    ticket_required = models.BooleanField(_("ticket required"), default=False)
    ticket_pattern = models.CharField(
        _("form of a ticket"),
        max_length=MAX_PATTERN,
        blank=True,
        help_text=_("A regular expression (RE2) that the whole ticket must match. Empty: any."),
    )
    ticket_verified = models.BooleanField(_("ticket checked"), default=False)
    approval_required = models.BooleanField(_("approval required"), default=False)
    approval_window = models.DurationField(_("lapse window"), default=timedelta(hours=24))
    break_glass_allowed = models.BooleanField(_("emergency access allowed"), default=False)
    break_glass_max = models.DurationField(_("maximum duration in an emergency"), default=timedelta(hours=1))
    break_glass_review_within = models.DurationField(_("emergency reviewed within"), default=timedelta(hours=24))

    permanent_eligible_allowed = models.BooleanField(_("allow permanent eligible assignment"), default=True)
    expire_eligible_after = models.DurationField(_("expire eligible after"), default=timedelta(days=365))
    permanent_active_allowed = models.BooleanField(_("allow permanent active assignment"), default=True)
    expire_active_after = models.DurationField(_("expire active after"), default=timedelta(days=180))
    second_factor_on_assign = models.BooleanField(_("second factor on active assignment"), default=False)
    reason_on_assign = models.BooleanField(_("reason on active assignment"), default=True)

    changed_at = models.DateTimeField(_("last changed"), null=True, editable=False)
    changed_by = models.ForeignKey(
        "roles.Principal", models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )

    class Meta:
        verbose_name = _("role settings")
        verbose_name_plural = _("role settings")
        constraints = [
            models.UniqueConstraint(fields=["role", "resource"], name="one_settings_row_per_role_and_resource"),
            models.UniqueConstraint(
                fields=["role"], condition=models.Q(resource=None), name="one_default_settings_row_per_role"
            ),
            models.CheckConstraint(
                condition=models.Q(max_activation__gte=timedelta(minutes=5), max_activation__lte=timedelta(hours=24)),
                name="an_activation_lasts_5_minutes_to_24_hours",
            ),
            models.CheckConstraint(
                condition=models.Q(approval_window__gte=timedelta(minutes=5), approval_window__lte=timedelta(hours=72)),
                name="an_approval_window_is_5_minutes_to_72_hours",
            ),
            models.CheckConstraint(
                condition=models.Q(break_glass_max__gte=timedelta(minutes=5), break_glass_max__lte=timedelta(hours=4)),
                name="an_emergency_lasts_5_minutes_to_4_hours",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    break_glass_review_within__gte=timedelta(hours=1), break_glass_review_within__lte=timedelta(days=7)
                ),
                name="an_emergency_is_reviewed_within_1_hour_to_7_days",
            ),
            models.CheckConstraint(
                condition=models.Q(ticket_verified=False) | models.Q(ticket_required=True),
                name="a_ticket_that_is_checked_is_required",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role_id} @ {self.resource_id or 'default'}"


class NotifiedAct(models.TextChoices):
    """What a mail tells of, in the matrix of notifications (pim-behaviour.md §2.3)."""

    ASSIGNED_ELIGIBLE = "assigned_eligible", _("Somebody is made eligible")
    ASSIGNED_ACTIVE = "assigned_active", _("Somebody is made active")
    ACTIVATED = "activated", _("Somebody activates the role")


class Audience(models.TextChoices):
    """To whom a mail goes."""

    ADMINISTRATORS = "administrators", _("Administrators")
    HOLDER = "holder", _("The person it is about")
    APPROVERS = "approvers", _("Those who are asked to decide")


class NotificationCell(models.Model):
    """One cell of a role's notifications that differs from the default (everything on, nobody besides)."""

    settings = models.ForeignKey(RoleSettings, models.CASCADE, related_name="cells")
    act = models.CharField(_("what it tells of"), max_length=20, choices=NotifiedAct.choices)
    audience = models.CharField(_("to whom"), max_length=20, choices=Audience.choices)
    default_recipients = models.BooleanField(_("default recipients"), default=True)
    additional = models.TextField(
        _("additional recipients"), blank=True, help_text=_("E-mail addresses, separated by semicolons.")
    )
    critical_only = models.BooleanField(_("critical mails only"), default=False)

    class Meta:
        verbose_name = _("notification cell")
        verbose_name_plural = _("notification cells")
        ordering = ["act", "audience"]
        constraints = [
            models.UniqueConstraint(fields=["settings", "act", "audience"], name="a_notification_cell_once"),
        ]

    def __str__(self) -> str:
        return f"{self.settings_id}: {self.act}, {self.audience}"


class ApprovalStage(models.Model):
    """One stage of approval: who is asked, and how many of them must agree."""

    settings = models.ForeignKey(RoleSettings, models.CASCADE, related_name="stages")
    number = models.PositiveSmallIntegerField(_("stage"))
    quorum = models.PositiveSmallIntegerField(_("how many must agree"), default=1, validators=[MinValueValidator(1)])

    class Meta:
        verbose_name = _("approval stage")
        verbose_name_plural = _("approval stages")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["settings", "number"], name="approval_stages_are_numbered_once"),
            models.CheckConstraint(condition=models.Q(quorum__gte=1), name="an_approval_stage_needs_somebody"),
        ]

    def __str__(self) -> str:
        return f"{self.settings_id}:{self.number}"


class StageApprover(models.Model):
    """A user or group that may decide in a stage: from the start, or as an escalation from half-way on."""

    stage = models.ForeignKey(ApprovalStage, models.CASCADE, related_name="approvers")
    principal = models.ForeignKey("roles.Principal", models.PROTECT, related_name="+")
    escalation = models.BooleanField(
        _("escalation"), default=False, help_text=_("May decide once half of the lapse window is over.")
    )

    class Meta:
        verbose_name = _("approver")
        verbose_name_plural = _("approvers")
        ordering = ["principal__name_key", "principal_id"]
        constraints = [models.UniqueConstraint(fields=["stage", "principal"], name="an_approver_once_in_a_stage")]

    def __str__(self) -> str:
        return str(self.principal_id)
